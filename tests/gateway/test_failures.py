import json
from typing import Any, cast

import aiohttp
import discord
import pytest

from bot.gateway.failures import BUSY_SECONDS, asking
from bot.services.outlet import Busy, Forbidden, Gone, Lost, OutletError, Refused, Uncertain


class _Answer:
    def __init__(self, status: int) -> None:
        self.status = status
        self.reason = "scripted"


def http_error(status: int, code: int = 0) -> discord.HTTPException:
    """Return what discord.py raises for an answer."""
    kind = {403: discord.Forbidden, 404: discord.NotFound}.get(status, discord.HTTPException)
    if status >= 500:
        kind = discord.DiscordServerError
    return kind(cast("Any", _Answer(status)), {"code": code, "message": "scripted"})


def described(error: OutletError) -> tuple[object, ...]:
    """Return what there is to an error of the outlet."""
    match error:
        case Gone(what=what):
            return (Gone, what)
        case Refused(code=code):
            return (Refused, code)
        case Busy(retry_after_seconds=seconds):
            return (Busy, seconds)
        case _:
            return (type(error),)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (404, 10003, (Gone, Lost.PLACE)),
        (400, 10003, (Gone, Lost.PLACE)),
        (404, 10008, (Gone, Lost.MESSAGE)),
        (404, 10015, (Gone, Lost.WEBHOOK)),
        (401, 50027, (Gone, Lost.WEBHOOK)),
        (404, 0, (Gone, Lost.WEBHOOK)),
        (403, 50001, (Forbidden,)),
        (403, 50013, (Forbidden,)),
        (403, 0, (Forbidden,)),
        (429, 0, (Busy, BUSY_SECONDS)),
        (429, 30046, (Busy, BUSY_SECONDS)),
        (400, 30046, (Busy, BUSY_SECONDS)),
        (500, 0, (Uncertain,)),
        (502, 0, (Uncertain,)),
        (503, 0, (Uncertain,)),
        (400, 50035, (Refused, 50035)),
        (400, 200_000, (Refused, 200_000)),
        (400, 240_000, (Refused, 240_000)),
        (413, 40_005, (Refused, 40_005)),
    ],
)
async def test_what_an_answer_means_to_who_wanted_to_speak(
    status: int, code: int, expected: tuple[object, ...]
) -> None:
    async def fail() -> None:
        raise http_error(status, code)

    with pytest.raises(OutletError) as raised:
        await asking(fail)
    assert described(raised.value) == expected
    assert isinstance(raised.value.__cause__, discord.HTTPException)


async def test_a_wait_that_discord_py_would_not_sit_through_is_told() -> None:
    async def fail() -> None:
        raise discord.RateLimited(77.5)

    with pytest.raises(Busy) as raised:
        await asking(fail)
    assert raised.value.retry_after_seconds == 77.5


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientOSError(104, "reset"),
        aiohttp.ClientPayloadError(),
        TimeoutError(),
        RuntimeError("Session is closed"),
        ConnectionResetError(),
        json.JSONDecodeError("cut", "{", 1),
    ],
)
async def test_a_broken_connection_leaves_it_uncertain(error: Exception) -> None:
    async def fail() -> None:
        raise error

    with pytest.raises(Uncertain):
        await asking(fail)


@pytest.mark.parametrize("error", [TypeError("a mistake"), KeyError("retry_after"), RuntimeError("Something else")])
async def test_a_mistake_is_not_taken_for_trouble_on_the_way(error: Exception) -> None:
    async def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        await asking(fail)
    assert raised.value is error


async def test_what_is_understood_already_goes_through() -> None:
    forbidden = Forbidden()

    async def fail() -> None:
        raise forbidden

    with pytest.raises(Forbidden) as raised:
        await asking(fail)
    assert raised.value is forbidden


async def test_a_good_answer_goes_through() -> None:
    async def succeed() -> str:
        return "fine"

    assert await asking(succeed) == "fine"
