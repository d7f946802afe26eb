"""The columns that hold what the vault sealed, and reading those whose key may be lost."""

import logging
from dataclasses import dataclass
from typing import Final

from bot.store.vault import Vault, VaultError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column, and the context that each of its values is bound to."""

    table: str
    column: str
    keys: tuple[str, ...]
    """The columns of the primary key, whose values the context is made of."""
    kind: str
    """What the context begins with."""

    def context(self, *keys: int) -> str:
        """Return the context of the value of one row."""
        return ":".join((self.kind, *map(str, keys)))


SEALED_COLUMNS: Final = (
    SealedColumn("claim", "body", ("message_id",), "claim"),
    SealedColumn("version", "body", ("id",), "version"),
    SealedColumn("webhook", "token", ("channel_id",), "webhook"),
    SealedColumn("rating", "body", ("user_id", "character_ref"), "rating"),
    SealedColumn("refused_review", "body", ("user_id", "character_ref"), "refused"),
    SealedColumn("report", "body", ("id",), "report"),
    SealedColumn("linked_account", "token", ("user_id",), "account"),
    SealedColumn("pending_login", "token", ("user_id",), "login"),
    SealedColumn("server_settings", "token", ("guild_id",), "server"),
    SealedColumn("own_character", "body", ("user_id", "character_ref"), "own"),
    SealedColumn("draft", "body", ("id",), "draft"),
    SealedColumn("card_file", "body", ("id",), "card"),
    SealedColumn("moderation_watch", "body", ("user_id", "character_ref"), "moderation"),
)
"""Every one there is."""


def open_or_none(vault: Vault, blob: bytes | None, *, context: str) -> str | None:
    """Return the text of a sealed value, or None when there is none or it cannot be opened.

    Losing the key costs the texts and not the bot, so this is logged and not raised.
    """
    if blob is None:
        return None
    try:
        return vault.open(blob, context=context)
    except VaultError as error:
        _log.warning("Cannot read a stored text: %s", error)
        return None
