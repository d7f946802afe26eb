"""What members think of characters: one rating per member and character."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bot.domain.feedback import NotAccepted, Rating, RefusedReview, Review, Stars
from bot.domain.ids import CharacterRef, GuildId, UserId
from bot.store.database import Database, Row, Transaction
from bot.store.sealed import open_or_none
from bot.store.vault import Vault

_READ: Final = """
    SELECT rating.*, refused_review.cause, refused_review.body AS answer, refused_review.refused_at,
           refused_review.told_at
    FROM rating LEFT JOIN refused_review USING (user_id, character_ref)
"""


class Ratings:
    """The tables rating and refused_review; the texts in them are sealed."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def put(
        self, user_id: UserId, character_ref: CharacterRef, review: Review, guild_id: GuildId | None, now_ms: int
    ) -> Rating:
        """Store a member's rating in place of the one before; unless it says the same, it is unpublished.

        That an earlier one was refused is forgotten.
        """
        async with self._database.transaction() as tx:
            return await self.put_in(tx, user_id, character_ref, review, guild_id, now_ms)

    async def put_in(
        self,
        tx: Transaction,
        user_id: UserId,
        character_ref: CharacterRef,
        review: Review,
        guild_id: GuildId | None,
        now_ms: int,
    ) -> Rating:
        """As put, inside a transaction that does more."""
        before = await tx.execute(
            "SELECT * FROM rating WHERE user_id = $1 AND character_ref = $2", user_id, character_ref
        )
        same = any(self._rating(row).review == review for row in before)
        sealed = review.text and self._vault.seal(review.text, context=_context(user_id, character_ref))
        await self.unrefuse_in(tx, user_id, character_ref)
        (row,) = await tx.execute(
            """
            INSERT INTO rating (user_id, character_ref, stars, body, guild_id, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $6)
            ON CONFLICT (user_id, character_ref) DO UPDATE
            SET stars = excluded.stars, body = excluded.body, guild_id = excluded.guild_id,
                updated_at = excluded.updated_at,
                published_at = CASE WHEN $7 = 1 THEN rating.published_at ELSE NULL END
            RETURNING *
            """,
            user_id,
            character_ref,
            review.stars,
            sealed,
            guild_id,
            now_ms,
            int(same),
        )
        return self._rating(row)

    async def get(self, user_id: UserId, character_ref: CharacterRef) -> Rating | None:
        """Return a member's rating of a character. Its text is None when the vault's key was lost."""
        rows = await self._database.read(f"{_READ} WHERE user_id = $1 AND character_ref = $2", user_id, character_ref)
        return self._read(rows[0]) if rows else None

    async def stars(self, character_ref: CharacterRef, guild_id: GuildId | None = None) -> Stars:
        """Return how members rate a character: those of one server, or all."""
        (row,) = await self._database.read(
            "SELECT COALESCE(SUM(stars), 0) AS total, COUNT(*) AS count FROM rating "
            "WHERE character_ref = $1 AND ($2 = 0 OR guild_id = $2)",
            character_ref,
            guild_id or 0,
        )
        return Stars(row["total"], row["count"])

    async def published(self, rating: Rating, now_ms: int) -> bool:
        """Write down that the catalogue took a rating; False when it was changed meanwhile."""
        async with self._database.transaction() as tx:
            return bool(
                await tx.execute(
                    "UPDATE rating SET published_at = $4 WHERE user_id = $1 AND character_ref = $2 "
                    "AND updated_at = $3 RETURNING user_id",
                    rating.user_id,
                    rating.character_ref,
                    rating.updated_at_ms,
                    now_ms,
                )
            )

    async def refuse(self, rating: Rating, cause: NotAccepted, answer: str | None, now_ms: int) -> bool:
        """Write down that the catalogue did not take a rating, with its words.

        False when it was changed meanwhile, and when the catalogue has it as it stands from an earlier time.
        """
        sealed = answer and self._vault.seal(answer, context=_answer_context(rating.user_id, rating.character_ref))
        async with self._database.transaction() as tx:
            return bool(
                await tx.execute(
                    """
                    INSERT INTO refused_review (user_id, character_ref, cause, body, refused_at)
                    SELECT user_id, character_ref, $4, $5, $6 FROM rating
                    WHERE user_id = $1 AND character_ref = $2 AND updated_at = $3 AND published_at IS NULL
                    ON CONFLICT (user_id, character_ref) DO UPDATE
                    SET cause = excluded.cause, body = excluded.body, refused_at = excluded.refused_at, told_at = NULL
                    RETURNING user_id
                    """,
                    rating.user_id,
                    rating.character_ref,
                    rating.updated_at_ms,
                    cause.value,
                    sealed or None,
                    now_ms,
                )
            )

    async def unrefuse_in(self, tx: Transaction, user_id: UserId, character_ref: CharacterRef) -> None:
        """Forget, in a transaction that does more, that a rating was refused."""
        await tx.execute("DELETE FROM refused_review WHERE user_id = $1 AND character_ref = $2", user_id, character_ref)

    async def untold(self, user_id: UserId) -> list[Rating]:
        """Return the ratings of a member that were refused and of which nobody told them, oldest refusal first."""
        rows = await self._database.read(
            f"{_READ} WHERE user_id = $1 AND cause IS NOT NULL AND told_at IS NULL ORDER BY refused_at, character_ref",
            user_id,
        )
        return [self._read(row) for row in rows]

    async def told(self, ratings: Iterable[Rating], now_ms: int) -> None:
        """Write down that the members know that these were refused."""
        async with self._database.transaction() as tx:
            for rating in ratings:
                await tx.execute(
                    "UPDATE refused_review SET told_at = $3 "
                    "WHERE user_id = $1 AND character_ref = $2 AND told_at IS NULL",
                    rating.user_id,
                    rating.character_ref,
                    now_ms,
                )

    def _read(self, row: Row) -> Rating:
        if row["cause"] is None:
            return self._rating(row)
        user_id, character_ref = UserId(row["user_id"]), CharacterRef(row["character_ref"])
        answer = open_or_none(self._vault, row["answer"], context=_answer_context(user_id, character_ref))
        refused = RefusedReview(NotAccepted(row["cause"]), answer, row["refused_at"], row["told_at"])
        return replace(self._rating(row), refused=refused)

    def _rating(self, row: Row) -> Rating:
        user_id, character_ref = UserId(row["user_id"]), CharacterRef(row["character_ref"])
        guild_id: int | None = row["guild_id"]
        text = open_or_none(self._vault, row["body"], context=_context(user_id, character_ref))
        return Rating(
            user_id,
            character_ref,
            Review(row["stars"], text),
            None if guild_id is None else GuildId(guild_id),
            row["created_at"],
            row["updated_at"],
            row["published_at"],
        )


def _context(user_id: UserId, character_ref: CharacterRef) -> str:
    return f"rating:{user_id}:{character_ref}"


def _answer_context(user_id: UserId, character_ref: CharacterRef) -> str:
    return f"refused:{user_id}:{character_ref}"
