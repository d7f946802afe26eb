"""The small Discord that the tests of the gateway ask, unless they open another."""

from tests.support.small_discord import client, general, guild, sandbox

__all__ = ["client", "general", "guild", "sandbox"]
