"""Files that people hand over: fetched from Discord's CDN and from nowhere else, and never more than asked for.

`discord.Attachment.read` has no limit and believes whatever address it was given, so it is not used.
"""

import asyncio
import logging
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bot.errors import UserError

_log = logging.getLogger(__name__)

DISCORD_CDN: Final = "https://cdn.discordapp.com"
"""Where attachments of messages, options and forms lie
(https://discord.com/developers/docs/reference#signed-attachment-cdn-urls)."""
FETCH_SECONDS: Final = 30.0
_CHUNK_BYTES: Final = 64 * 1024
_KIBIBYTE: Final = 1024
_OK: Final = 200

NOT_FETCHED: Final = "I could not fetch that file from Discord. Upload it again and try once more."


class AttachmentReader:
    """Fetches uploaded files. Redirects are not followed, and nothing is unpacked on the way."""

    def __init__(self, *, cdn_url: str, seconds: float = FETCH_SECONDS) -> None:
        """`cdn_url` stands beside Discord's own CDN; `seconds` is how long one file may take."""
        self._bases = tuple(base.rstrip("/") + "/" for base in (DISCORD_CDN, cdn_url))
        self._seconds = seconds

    async def __call__(self, url: str, most_bytes: int) -> bytes:
        """Return a file's content. Raises UserError for one that is larger, elsewhere, or not to be had in time."""
        if not self._is_ours(url):
            _log.warning("A file that is not on Discord's CDN was not fetched")
            raise UserError(NOT_FETCHED)
        try:
            async with asyncio.timeout(self._seconds):
                return await _fetched(url, most_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.info("A file could not be fetched: %s", type(error).__name__)
            raise UserError(NOT_FETCHED) from error

    def _is_ours(self, url: str) -> bool:
        """Tell whether an address lies below one of the two, and is one that all programs read the same way."""
        if not url.isascii() or not url.isprintable() or "\\" in url or not url.startswith(self._bases):
            return False
        parts = urlsplit(url)
        return parts.username is None and ".." not in parts.path.split("/")


async def _fetched(url: str, most_bytes: int) -> bytes:
    content = bytearray()
    async with (
        aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        ) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        if response.status != _OK:
            _log.info("A file could not be fetched: status %s", response.status)
            raise UserError(NOT_FETCHED)
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            content += chunk
            if len(content) > most_bytes:
                raise UserError(f"That file is too large: I take at most {_size(most_bytes)}.")
    return bytes(content)


def _size(number: int) -> str:
    mebibytes = number / _KIBIBYTE**2
    return f"{mebibytes:.0f} MiB" if mebibytes >= 1 else f"{number // _KIBIBYTE} KiB"
