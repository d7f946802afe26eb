"""The stand-in that the tests of it ask, unless they open another."""

from tests.support.small_discord import client, general, guild, sandbox

__all__ = ["client", "general", "guild", "sandbox"]
