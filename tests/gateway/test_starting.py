"""What discord.py raises at a start becomes a sentence."""

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bot.domain.start_wording import DISCORD_NOT_REACHED, INTENT_OFF, LOGIN_REFUSED
from bot.errors import StartError
from bot.gateway.starting import told_in_words


def http_error(status: int) -> discord.HTTPException:
    response = SimpleNamespace(status=status, reason="scripted")
    return discord.HTTPException(cast("Any", response), "scripted")  # discord.py reads status and reason alone.


def closed(code: int) -> discord.ConnectionClosed:
    return discord.ConnectionClosed(
        cast("Any", None), shard_id=0, code=code
    )  # The socket is not read when a code is given.


@pytest.mark.parametrize(
    ("error", "words", "wrong_settings"),
    [
        (discord.LoginFailure(), LOGIN_REFUSED, True),
        (http_error(401), LOGIN_REFUSED, True),
        (closed(4004), LOGIN_REFUSED, True),
        (discord.PrivilegedIntentsRequired(0), INTENT_OFF, True),
        (closed(4010), "close code 4010", True),
        (http_error(503), "HTTP 503", False),
        (discord.RateLimited(900.0), "HTTP 429", False),
        (discord.GatewayNotFound(), DISCORD_NOT_REACHED, False),
        (ConnectionRefusedError(), DISCORD_NOT_REACHED, False),
    ],
)
def test_a_failed_start_is_told_in_words(error: Exception, words: str, wrong_settings: bool) -> None:  # noqa: FBT001 - a table
    with pytest.raises(StartError) as caught, told_in_words():
        raise error
    assert words in caught.value.sentence
    assert caught.value.wrong_settings is wrong_settings
    assert caught.value.__cause__ is error


def test_what_is_unexpected_passes_as_it_is() -> None:
    with pytest.raises(KeyError), told_in_words():
        raise KeyError
