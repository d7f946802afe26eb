"""Reading sealed columns whose key may be lost."""

import logging

from bot.store.vault import Vault, VaultError

_log = logging.getLogger(__name__)


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
