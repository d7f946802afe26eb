"""From what discord.py raises at a start to sentences for the operator."""

from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

import discord

from bot.domain.start_wording import (
    DISCORD_NOT_REACHED,
    INTENT_OFF,
    LOGIN_REFUSED,
    closed_for_good,
    discord_trouble,
)
from bot.errors import StartError

_AUTHENTICATION_FAILED: Final = 4004
"""https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes"""


@contextmanager
def told_in_words() -> Generator[None]:
    """Raise StartError for what logging in or connecting failed with; anything unexpected passes as it is."""
    try:
        yield
    except discord.LoginFailure as error:
        raise StartError(LOGIN_REFUSED, wrong_settings=True) from error
    except discord.PrivilegedIntentsRequired as error:
        raise StartError(INTENT_OFF, wrong_settings=True) from error
    except discord.ConnectionClosed as error:
        if error.code == _AUTHENTICATION_FAILED:
            raise StartError(LOGIN_REFUSED, wrong_settings=True) from error
        raise StartError(closed_for_good(error.code), wrong_settings=True) from error
    except discord.HTTPException as error:
        if error.status == HTTPStatus.UNAUTHORIZED:
            raise StartError(LOGIN_REFUSED, wrong_settings=True) from error
        raise StartError(discord_trouble(error.status), wrong_settings=False) from error
    except discord.RateLimited as error:
        raise StartError(discord_trouble(HTTPStatus.TOO_MANY_REQUESTS), wrong_settings=False) from error
    except (discord.GatewayNotFound, OSError) as error:
        raise StartError(DISCORD_NOT_REACHED, wrong_settings=False) from error
