"""Ratings on their way to the catalogue, where they become their members' reviews."""

from typing import Final

from bot.domain.feedback import OutboxKind, Rating, Review, review_subject
from bot.domain.ids import CharacterRef, GuildId, PayerId, UserId
from bot.store.database import Database, Transaction
from bot.store.outbox import Outbox
from bot.store.ratings import Ratings

_UNSENT: Final = """
    SELECT character_ref FROM rating
    WHERE user_id = $1 AND published_at IS NULL
      AND NOT EXISTS (
        SELECT 1 FROM outbox
        WHERE outbox.kind = 'rating'
          AND outbox.subject = CAST(rating.user_id AS TEXT) || ':' || CAST(rating.character_ref AS TEXT))
    ORDER BY character_ref
"""


class Reviews:
    """Ratings together with their entries in the outbox: what is rated and what is sent change in one transaction."""

    def __init__(self, database: Database, ratings: Ratings, outbox: Outbox) -> None:
        self._database = database
        self._ratings = ratings
        self._outbox = outbox

    async def rate(
        self,
        user_id: UserId,
        character_ref: CharacterRef,
        review: Review,
        guild_id: GuildId | None,
        *,
        payer: PayerId | None,
        now_ms: int,
    ) -> Rating:
        """Store a rating, and have it sent under the key of `payer`, at once; None keeps it here.

        Whatever waited of the member's earlier rating is not sent any more.
        """
        async with self._database.transaction() as tx:
            rating = await self._ratings.put_in(tx, user_id, character_ref, review, guild_id, now_ms)
            if payer is None:
                await self._outbox.withdraw(tx, OutboxKind.RATING, review_subject(user_id, character_ref))
            else:
                await self._send(tx, user_id, character_ref, payer, now_ms)
            return rating

    async def send(self, user_id: UserId, character_ref: CharacterRef, payer: PayerId, now_ms: int) -> bool:
        """Have a stored rating sent under the key of `payer`, at once; False when there is none."""
        async with self._database.transaction() as tx:
            found = await tx.execute(
                "SELECT 1 AS found FROM rating WHERE user_id = $1 AND character_ref = $2", user_id, character_ref
            )
            if found:
                await self._send(tx, user_id, character_ref, payer, now_ms)
            return bool(found)

    async def unsent(self, user_id: UserId) -> list[CharacterRef]:
        """Return the characters of which a member's rating is neither published as it stands nor on its way."""
        return [CharacterRef(row["character_ref"]) for row in await self._database.read(_UNSENT, user_id)]

    async def is_waiting(self, user_id: UserId, character_ref: CharacterRef) -> bool:
        """Tell whether a rating is on its way."""
        return await self._outbox.find(OutboxKind.RATING, review_subject(user_id, character_ref)) is not None

    async def _send(
        self, tx: Transaction, user_id: UserId, character_ref: CharacterRef, payer: PayerId, now_ms: int
    ) -> None:
        await self._ratings.unrefuse_in(tx, user_id, character_ref)
        await self._outbox.put(
            tx, OutboxKind.RATING, review_subject(user_id, character_ref), payer=payer, due_at_ms=now_ms, now_ms=now_ms
        )


async def cancel_in(tx: Transaction, user_id: UserId) -> int:
    """Take a member's ratings out of the outbox, in a transaction that does more; return how many there were."""
    gone = await tx.execute(
        "DELETE FROM outbox WHERE kind = $1 AND subject LIKE $2 RETURNING id", OutboxKind.RATING.value, f"{user_id}:%"
    )
    return len(gone)
