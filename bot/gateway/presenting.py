"""What people read when something fails: the one place that answers failures of commands and components."""

import logging
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import discord
from discord import app_commands

from bot.errors import UserError
from bot.nanogpt.errors import (
    BadKeyError,
    CharacterUnusableError,
    ConflictError,
    ContentPolicyError,
    DailyLimitError,
    InsufficientBalanceError,
    NanoGptError,
    NotFoundError,
    NotPermittedError,
    RateLimitedError,
    RejectedError,
)
from bot.store.errors import StoreError

_log = logging.getLogger(__name__)

UNKNOWN_INTERACTION: Final = 10062
ALREADY_ANSWERED: Final = 40060
UNKNOWN_WEBHOOK: Final = 10015
INVALID_WEBHOOK_TOKEN: Final = 50027
"""Codes of https://discord.com/developers/docs/topics/opcodes-and-status-codes#json."""

_TOO_LATE: Final = frozenset({UNKNOWN_INTERACTION, ALREADY_ANSWERED, UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN})
_CODE_BYTES: Final = 3

_SERVICE_DOWN: Final = "The AI service is having trouble just now. Try again in a minute."
_DISCORD_DOWN: Final = "Discord is having trouble just now. Try again in a minute."
_UPSTREAM: Final[tuple[tuple[type[NanoGptError], str], ...]] = (
    (BadKeyError, "The key of this bot was refused by the AI service. Whoever runs the bot has to renew it."),
    (InsufficientBalanceError, "The account of this bot is out of credit. Whoever runs the bot has to top it up."),
    (DailyLimitError, "This bot has used up today's limit of the AI service. Try again after midnight UTC."),
    (RateLimitedError, "The AI service is answering too many people just now. Try again in a minute."),
    (NotPermittedError, "The AI service does not let this bot do that. Whoever runs the bot can look into it."),
    (NotFoundError, "The catalogue does not have that (any more). Look for it with /character search."),
    (ConflictError, "That was done already, so there is nothing left to do."),
    (CharacterUnusableError, "This character is no longer available. Use /character search to choose another."),
    (ContentPolicyError, "The AI service will not take this. Say it differently and try again."),
    (RejectedError, "The AI service did not take this. Change it a little and try again."),
    (NanoGptError, _SERVICE_DOWN),
)
_COMMANDS: Final[tuple[tuple[type[app_commands.AppCommandError], str], ...]] = (
    (app_commands.NoPrivateMessage, "This works in a server only. Use it in a channel there."),
    (app_commands.MissingPermissions, "You need more permissions here to do that. Ask someone who manages the server."),
    (
        app_commands.BotMissingPermissions,
        "I need more permissions here to do that. Ask someone who manages the server.",
    ),
    (app_commands.CheckFailure, "You cannot use this command here."),
    (app_commands.TransformerError, "One of the values does not fit. Choose one from the list and try again."),
    (app_commands.CommandNotFound, "This command has changed. Wait a minute, then choose it again from the list."),
    (app_commands.CommandSignatureMismatch, "This command has changed. Wait a minute, then choose it again."),
)


class CharacterCommandTree(app_commands.CommandTree[discord.Client]):
    """The bot's commands. Its on_error alone answers their failures.

    interaction_check stays the library's: what it raised would reach nobody, not even on_error
    (measured with discord.py 2.7.1).
    """

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the person what went wrong."""
        await answer_failure(interaction, error)


async def answer_failure(interaction: discord.Interaction, error: Exception) -> None:
    """Tell the person in private what went wrong with their command or component, and log what they cannot put right.

    Never raises: an interaction that is too old or already answered gets a line in the log and no more.
    """
    error = _cause(error)
    if isinstance(error, discord.HTTPException) and error.code in _TOO_LATE:
        _log.info("interaction %s came to nothing: %s", interaction.id, _facts(error))
        return
    sentence = failure_sentence(error)
    if sentence is None:
        code = secrets.token_hex(_CODE_BYTES)
        _log.error("unexpected failure %s in interaction %s", code, interaction.id, exc_info=error)
        sentence = f"Something went wrong. If it happens again, give whoever runs the bot this code: `{code}`."
    elif not isinstance(error, UserError):
        _log.warning("interaction %s failed: %r", interaction.id, error)
    await answer(interaction, sentence)


async def answer(interaction: discord.Interaction, sentence: str, *, view: discord.ui.View | None = None) -> None:
    """Say something to the person in private, whether or not the interaction was answered before. Never raises."""
    if interaction.type is discord.InteractionType.autocomplete:
        return
    shown: dict[str, Any] = {} if view is None else {"view": view}
    with _unanswerable(interaction):
        if interaction.response.is_done():
            await interaction.followup.send(sentence, ephemeral=True, suppress_embeds=True, **shown)
        else:
            await interaction.response.send_message(sentence, ephemeral=True, suppress_embeds=True, **shown)


async def amend(interaction: discord.Interaction, sentence: str, *, view: discord.ui.View | None = None) -> bool:
    """Say something in the place of what was answered before; tell whether that went well. Never raises."""
    with _unanswerable(interaction):
        await interaction.edit_original_response(content=sentence, view=view)
        return True
    return False


@contextmanager
def _unanswerable(interaction: discord.Interaction) -> Generator[None]:
    """Write down that an answer did not reach the person, and go on."""
    try:
        yield
    except discord.HTTPException as error:
        _log.info("interaction %s could not be answered: %s", interaction.id, _facts(error))
    except Exception:  # noqa: BLE001 - whatever broke, there is nobody left to tell.
        _log.exception("interaction %s could not be answered", interaction.id)


def failure_sentence(error: Exception) -> str | None:
    """Return what a person reads about a failure that was foreseen, or None for one that was not."""
    if isinstance(error, UserError):
        return error.sentence
    for kind, sentence in _UPSTREAM:
        if isinstance(error, kind):
            return sentence
    for kind, sentence in _COMMANDS:
        if isinstance(error, kind):
            return sentence
    if isinstance(error, StoreError):
        return "I cannot reach my own records just now. Whoever runs the bot finds the reason in its log."
    if isinstance(error, discord.Forbidden):
        return "I am not allowed to do that here. Ask someone who manages the channel to give me the permission."
    if isinstance(error, discord.DiscordServerError | discord.RateLimited):
        return _DISCORD_DOWN
    return None


def _cause(error: Exception) -> Exception:
    if isinstance(error, app_commands.CommandInvokeError):
        return error.original
    if isinstance(error, app_commands.TransformerError) and isinstance(error.__cause__, UserError):
        return error.__cause__
    return error


def _facts(error: discord.HTTPException) -> str:
    """Name status and code alone: the text of the library's errors may quote what was sent."""
    return f"{type(error).__name__} {error.status} {error.code}"
