"""Putting a master key out of use: what it sealed is sealed anew, and the operator hears when it may go."""

import logging

from bot.store.resealing import Resealing
from bot.store.vault import Vault

_log = logging.getLogger(__name__)


class ResealingService:
    """Works once a start, and only where the vault has more than one key."""

    def __init__(self, *, resealing: Resealing, vault: Vault) -> None:
        self._resealing = resealing
        self._vault = vault

    async def run(self) -> None:
        """Seal everything under the first key, and say what that means for the others."""
        older = self._vault.older_key_ids
        if not older:
            return
        done = await self._resealing.run()
        if done.values:
            _log.info("Sealed %d stored values anew, under the first of vault.keys", done.values)
        if idle := len(older - done.left):
            _log.warning(
                "Nothing is sealed with %d of the older keys any more: take %s out of vault.keys%s",
                idle,
                "it" if idle == 1 else "them",
                f", but keep {_named(older & done.left)}" if older & done.left else "",
            )
        if done.left:
            _log.warning("Some stored values cannot be opened; they were sealed with %s", _named(done.left))


def _named(key_ids: frozenset[bytes]) -> str:
    """Name keys by their ids, which do not tell them."""
    return ", ".join(f"key {key_id.hex()}" for key_id in sorted(key_ids))
