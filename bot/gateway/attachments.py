"""Files that people hand over: fetched from Discord's CDN and from nowhere else, and never more than asked for.

`discord.Attachment.read` has no limit and believes whatever address it was given, so it is not used.
"""

import asyncio
import logging
from typing import Final

import aiohttp
from yarl import URL

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
        self._bases = tuple(URL(base.rstrip("/") + "/") for base in (DISCORD_CDN, cdn_url))
        self._seconds = seconds

    async def __call__(self, url: str, most_bytes: int) -> bytes:
        """Return a file's content. Raises UserError for one that is larger, elsewhere, or not to be had in time."""
        address = _read_address(url)
        if address is None or not any(_is_below(address, base) for base in self._bases):
            _log.warning("A file that is not on Discord's CDN was not fetched")
            raise UserError(NOT_FETCHED)
        try:
            async with asyncio.timeout(self._seconds):
                return await _fetched(address, most_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.info("A file could not be fetched: %s", type(error).__name__)
            raise UserError(NOT_FETCHED) from error


def _read_address(url: str) -> URL | None:
    """Return an address as it would be asked for, or None for one that not all programs read the same way."""
    if not url.isascii() or not url.isprintable() or "\\" in url:
        return None
    try:
        return URL(url)
    except ValueError:
        return None


def _is_below(address: URL, base: URL) -> bool:
    """Tell whether an address lies below another, also for a server that undoes escapes before it looks for dots."""
    same_server = _server(address) == _server(base)
    unescaped = address.path.replace("\\", "/").split("/")
    return same_server and address.raw_path.startswith(base.raw_path) and ".." not in unescaped


def _server(address: URL) -> tuple[str, str | None, int | None, str | None, str | None]:
    return address.scheme, address.raw_host, address.port, address.raw_user, address.raw_password


async def _fetched(address: URL, most_bytes: int) -> bytes:
    content = bytearray()
    async with (
        aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        ) as session,
        session.get(address, allow_redirects=False) as response,
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
