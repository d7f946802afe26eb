"""From discord.py's exceptions to the outlet's."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import aiohttp
import discord

from bot.services.outlet import Busy, Forbidden, Gone, Lost, OutletError, Refused, Uncertain

_log = logging.getLogger(__name__)

BUSY_SECONDS: Final = 5.0
"""How long to wait where Discord says "not now" without saying when."""

_UNKNOWN_CHANNEL: Final = 10003
_UNKNOWN_MESSAGE: Final = 10008
_UNKNOWN_WEBHOOK: Final = 10015
_INVALID_WEBHOOK_TOKEN: Final = 50027
_OLD_EDITS: Final = 30046
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500
"""https://discord.com/developers/docs/topics/opcodes-and-status-codes"""

_SESSION_CLOSED: Final = "Session is closed"
"""What aiohttp raises a RuntimeError with once the client was closed."""

T = TypeVar("T")


async def asking(call: Callable[[], Awaitable[T]]) -> T:
    """Carry out a call of discord.py; raise an OutletError where Discord, or the way to it, fails.

    A mistake of our own, or of the library, goes through as it is: it would be there the next time, too.
    """
    try:
        return await call()
    except discord.RateLimited as error:
        raise Busy(error.retry_after) from error
    except discord.HTTPException as error:
        raise _outlet_error(error) from error
    except (aiohttp.ClientError, OSError, json.JSONDecodeError) as error:
        # discord.py lets the errors of its HTTP library through, and those of an answer that is cut.
        _log.warning("Discord was not reached: %r", error)
        raise Uncertain from error
    except RuntimeError as error:
        if str(error) != _SESSION_CLOSED:
            raise
        raise Uncertain from error


def _outlet_error(error: discord.HTTPException) -> OutletError:
    if error.code in (_UNKNOWN_WEBHOOK, _INVALID_WEBHOOK_TOKEN):
        return Gone(Lost.WEBHOOK)
    if error.code == _UNKNOWN_CHANNEL:
        return Gone(Lost.PLACE)
    if isinstance(error, discord.NotFound):
        return Gone(Lost.MESSAGE if error.code == _UNKNOWN_MESSAGE else Lost.WEBHOOK)
    if isinstance(error, discord.Forbidden):
        return Forbidden()
    if error.status == _TOO_MANY_REQUESTS or error.code == _OLD_EDITS:
        return Busy(BUSY_SECONDS)
    if error.status >= _SERVER_ERROR:
        return Uncertain()
    return Refused(error.code)
