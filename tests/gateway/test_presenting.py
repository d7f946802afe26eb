import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import discord
import pytest
from discord import app_commands

from bot.errors import UserError
from bot.gateway.presenting import (
    ALREADY_ANSWERED,
    INVALID_WEBHOOK_TOKEN,
    UNKNOWN_INTERACTION,
    UNKNOWN_WEBHOOK,
    CharacterCommandTree,
    answer,
    answer_failure,
    failure_sentence,
)
from bot.nanogpt import errors as upstream
from bot.store.errors import DatabaseFull
from tests.support.recording_interaction import RecordingInteraction


class _Answer:
    def __init__(self, status: int) -> None:
        self.status = status
        self.reason = "scripted"


def http_error(status: int, code: int, kind: type[discord.HTTPException] = discord.HTTPException) -> Exception:
    return kind(cast("Any", _Answer(status)), {"code": code, "message": "quotes what was sent"})


def command() -> app_commands.Command[Any, ..., None]:
    async def callback(interaction: discord.Interaction) -> None: ...

    return app_commands.Command(name="name", description="description", callback=callback)


def every_error(base: type[Exception]) -> list[type[Exception]]:
    return [base, *(deeper for kind in base.__subclasses__() for deeper in every_error(kind))]


@pytest.mark.parametrize(("answered", "way"), [(False, "response"), (True, "followup")])
async def test_a_person_s_mistake_is_answered_in_its_own_words_and_in_private(answered: bool, way: str) -> None:  # noqa: FBT001 - a table.
    interaction = RecordingInteraction(answered=answered)
    await answer_failure(interaction.seen, UserError("Choose another."))
    assert interaction.said == [(way, {"content": "Choose another.", "ephemeral": True, "suppress_embeds": True})]


async def test_what_a_command_raised_is_found_in_its_wrapping() -> None:
    interaction = RecordingInteraction()
    tree = CharacterCommandTree(discord.Client(intents=discord.Intents.none()))
    await tree.on_error(interaction.seen, app_commands.CommandInvokeError(command(), UserError("Choose another.")))
    assert interaction.text == "Choose another."


async def test_what_nobody_foresaw_has_a_code_that_is_in_the_log_too(caplog: pytest.LogCaptureFixture) -> None:
    interaction = RecordingInteraction()
    with caplog.at_level(logging.ERROR):
        await answer_failure(interaction.seen, ZeroDivisionError("division by zero"))
    found = re.search(r"`([0-9a-f]{6})`", interaction.text)
    assert found is not None
    assert "division" not in interaction.text
    (record,) = caplog.records
    assert found[1] in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


@pytest.mark.parametrize("code", [UNKNOWN_INTERACTION, ALREADY_ANSWERED, UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN])
async def test_an_interaction_that_came_to_nothing_gets_a_line_in_the_log(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    interaction = RecordingInteraction()
    with caplog.at_level(logging.INFO):
        await answer_failure(interaction.seen, http_error(404, code, discord.NotFound))
    assert not interaction.said
    (record,) = caplog.records
    assert str(code) in record.getMessage()
    assert "quotes what was sent" not in record.getMessage()


@pytest.mark.parametrize(
    "failure", [http_error(404, UNKNOWN_INTERACTION, discord.NotFound), OSError("reset"), RuntimeError("closed")]
)
async def test_answering_never_fails(failure: Exception) -> None:
    interaction = RecordingInteraction(failure=failure)
    await answer_failure(interaction.seen, UserError("Choose another."))
    await answer_failure(interaction.seen, ZeroDivisionError())
    await answer(interaction.seen, "Hello")


async def test_an_autocomplete_is_not_answered_with_a_message() -> None:
    interaction = RecordingInteraction(discord.InteractionType.autocomplete)
    await answer_failure(interaction.seen, ZeroDivisionError())
    assert not interaction.said


def made(kind: type[Exception]) -> Exception:
    if kind is upstream.DailyLimitError:
        return upstream.DailyLimitError(resets_at=0.0)
    return kind()


@pytest.mark.parametrize("kind", every_error(upstream.NanoGptError))
def test_every_failure_of_the_ai_service_has_a_plain_sentence(kind: type[Exception]) -> None:
    sentence = failure_sentence(made(kind))
    assert sentence is not None
    assert sentence.endswith(".")
    assert "Error" not in sentence


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (upstream.BadKeyError, "key"),
        (upstream.InsufficientBalanceError, "credit"),
        (upstream.DailyLimitError, "today"),
        (upstream.ThroughputLimitedError, "too many"),
        (upstream.NotFoundError, "/character search"),
        (upstream.ContentPolicyError, "differently"),
        (upstream.UnreachableError, "trouble"),
    ],
)
def test_failures_that_people_meet_differently_read_differently(kind: type[Exception], words: str) -> None:
    assert words in (failure_sentence(made(kind)) or "")


FORESEEN: list[tuple[Callable[[], Exception], str]] = [
    (lambda: DatabaseFull(Path("bot.db")), "records"),
    (lambda: http_error(403, 50013, discord.Forbidden), "not allowed"),
    (lambda: http_error(502, 0, discord.DiscordServerError), "Discord is having trouble"),
    (lambda: discord.RateLimited(90.0), "Discord is having trouble"),
    (app_commands.NoPrivateMessage, "server"),
    (lambda: app_commands.MissingPermissions(["manage_channels"]), "permissions"),
    (lambda: app_commands.BotMissingPermissions(["manage_channels"]), "permissions"),
    (app_commands.CheckFailure, "cannot use"),
    (lambda: app_commands.CommandNotFound("name", []), "changed"),
    (lambda: app_commands.CommandSignatureMismatch(command()), "changed"),
]


@pytest.mark.parametrize(("make", "words"), FORESEEN)
async def test_foreseen_failures_need_no_code(make: Callable[[], Exception], words: str) -> None:
    interaction = RecordingInteraction()
    await answer_failure(interaction.seen, make())
    assert words in interaction.text
    assert "`" not in interaction.text
    assert "quotes" not in interaction.text


@pytest.mark.parametrize("error", [KeyError("x"), http_error(400, 50035), app_commands.AppCommandError("x")])
def test_our_own_mistakes_have_no_sentence(error: Exception) -> None:
    assert failure_sentence(error) is None
