"""Where discord.py finds Discord: the one place that assigns attributes of a library.

discord.py offers no settings for its addresses; proxies and the stand-in for Discord need them. Its warnings that voice
libraries are missing are switched off here too: this bot has no voice.
"""

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


def point_at(*, api_url: str, gateway_url: str, cdn_url: str) -> None:
    """Point discord.py at the given addresses, for the whole process and before anything logs in."""
    Route.BASE = api_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
    discord.Asset.BASE = cdn_url.rstrip("/")  # pyright: ignore[reportAttributeAccessIssue] - without a declared type, the literal is taken for one
    discord.VoiceClient.warn_nacl = False
    discord.VoiceClient.warn_dave = False
