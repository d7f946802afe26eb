"""The intent log: what is about to be posted is written first, and its message id after.

A row is one place of a turn (the third part of its reply, its mark). Retry writes into the same places.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from bot.domain.ids import ChannelId, MessageId, PostId, TurnId, VersionId
from bot.domain.turns import Post, PostKind, PostState, Transport, TurnState, VersionOutcome
from bot.store.database import Database, Row, Transaction
from bot.store.turns import Turns

STANDING_REMEMBERED: Final = 4_096
"""How many of the messages that this process posted are known to stand without a look into the database."""

_COLUMNS = "id, turn_id, kind, number, channel_id, thread_id, transport, state, message_id"


class Posts:
    """The table post, and the transactions that span it and a turn."""

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database = database
        self._turns = turns
        self._standing: OrderedDict[MessageId, None] = OrderedDict()

    async def intend(
        self,
        turn_id: TurnId,
        kind: PostKind,
        number: int,
        *,
        channel_id: ChannelId,
        thread_id: ChannelId | None,
        transport: Transport,
        now_ms: int,
        begin_version: bool = False,
        outcome: VersionOutcome | None = None,
    ) -> tuple[PostId, VersionId | None]:
        """Write down that a message is about to be posted, before it is.

        With `begin_version` the turn's new version is written in the same transaction, complete when its
        outcome is known already.
        """

        async def work(tx: Transaction) -> tuple[PostId, VersionId | None]:
            version_id: VersionId | None = None
            if begin_version:
                version_id = await self._turns.add_version(tx, turn_id, outcome, now_ms=now_ms)
            (row,) = await tx.execute(
                """
                INSERT INTO post (turn_id, kind, number, channel_id, thread_id, transport, state, intended_at)
                VALUES ($1, $2, $3, $4, $5, $6, 'intended', $7)
                ON CONFLICT (turn_id, kind, number) DO UPDATE
                SET channel_id = $4, thread_id = $5, transport = $6, state = 'intended', intended_at = $7,
                    message_id = NULL
                RETURNING id
                """,
                turn_id,
                kind.value,
                number,
                channel_id,
                thread_id,
                transport.value,
                now_ms,
            )
            return PostId(row["id"]), version_id

        return await self._database.write(work)

    async def posted(self, post_id: PostId, message_id: MessageId) -> None:
        """Write down which message an intent became."""
        await self._database.write(lambda tx: self._mark_posted(tx, post_id, message_id))
        self._remember_standing((message_id,))

    async def begin_version(self, turn_id: TurnId, outcome: VersionOutcome | None, *, now_ms: int) -> VersionId:
        """Add a version to a turn whose posts stand already, as Retry does."""
        return await self._database.write(lambda tx: self._turns.add_version(tx, turn_id, outcome, now_ms=now_ms))

    async def settle_version(self, version_id: VersionId, outcome: VersionOutcome, *, now_ms: int) -> None:
        """Write down the text of a version before the last posts carry it."""
        await self._database.write(lambda tx: self._turns.settle_version(tx, version_id, outcome, now_ms=now_ms))

    async def posted_and_ended(
        self,
        turn_id: TurnId,
        state: TurnState,
        *,
        posted: Sequence[tuple[PostId, MessageId]],
        cause: str | None,
        forget: bool = False,
        now_ms: int,
    ) -> None:
        """Write down the last message ids and end the turn, in one transaction; with `forget` drop its text."""

        async def work(tx: Transaction) -> None:
            for post_id, message_id in posted:
                await self._mark_posted(tx, post_id, message_id)
            if forget:
                await self._turns.forget_reply(tx, turn_id)
            await self._turns.end(tx, turn_id, state, cause=cause, now_ms=now_ms)

        await self._database.write(work)
        self._remember_standing(message_id for _, message_id in posted)

    async def _mark_posted(self, tx: Transaction, post_id: PostId, message_id: MessageId) -> None:
        await tx.execute("UPDATE post SET state = 'posted', message_id = $2 WHERE id = $1", post_id, message_id)

    async def withdraw(self, post_id: PostId) -> None:
        """Forget an intent that came to nothing, or a post that is gone."""
        async with self._database.transaction() as tx:
            rows = await tx.execute("DELETE FROM post WHERE id = $1 RETURNING message_id", post_id)
        for row in rows:
            self._standing.pop(row["message_id"], None)

    async def gone(self, message_id: MessageId) -> Post | None:
        """Mark the post that a deleted message was, and return it; None when it was not one of ours."""
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                f"UPDATE post SET state = 'deleted' WHERE message_id = $1 AND state = 'posted' RETURNING {_COLUMNS}",
                message_id,
            )
        # Not before the commit: what is being written down as posted just now is remembered then.
        self._standing.pop(message_id, None)
        return _post(rows[0]) if rows else None

    async def of_turn(self, turn_id: TurnId) -> list[Post]:
        """Return the posts and intents of a turn, replies before the mark, in their order."""
        rows = await self._database.read(
            f"SELECT {_COLUMNS} FROM post WHERE turn_id = $1 ORDER BY kind DESC, number", turn_id
        )
        return [_post(row) for row in rows]

    async def by_message(self, message_id: MessageId) -> Post | None:
        """Return the post that a message is, or None."""
        rows = await self._database.read(f"SELECT {_COLUMNS} FROM post WHERE message_id = $1", message_id)
        return _post(rows[0]) if rows else None

    async def stands(self, message_id: MessageId) -> bool:
        """Tell whether a message is a post that nobody has deleted, as far as it is known."""
        if message_id in self._standing:
            return True
        post = await self.by_message(message_id)
        return post is not None and post.state is PostState.POSTED

    def _remember_standing(self, message_ids: Iterable[MessageId]) -> None:
        for message_id in message_ids:
            self._standing[message_id] = None
        while len(self._standing) > STANDING_REMEMBERED:
            self._standing.popitem(last=False)

    async def known(self, message_ids: Sequence[MessageId]) -> set[MessageId]:
        """Return which of the messages are posts of ours."""
        found: set[MessageId] = set()
        for message_id in message_ids:
            if await self.by_message(message_id):
                found.add(message_id)
        return found

    async def last_answer_in(self, place: ChannelId, *, other_than: TurnId, newer_than: MessageId) -> Post | None:
        """Return the newest message of a channel or thread that ends an answered turn, and is newer than some id."""
        rows = await self._database.read(
            f"SELECT {_COLUMNS} FROM post WHERE state = 'posted' AND message_id > $1 AND turn_id <> $2 "
            "AND COALESCE(thread_id, channel_id) = $3 AND kind = 'reply' "
            "AND EXISTS (SELECT 1 FROM turn WHERE turn.id = post.turn_id AND turn.state = 'answered') "
            "ORDER BY message_id DESC LIMIT 1",
            newer_than,
            other_than,
            place,
        )
        return _post(rows[0]) if rows else None

    async def replies_in(self, place: ChannelId, *, limit: int = 100) -> list[MessageId]:
        """Return the messages that stand for greetings, and for replies to the newest messages, of a place."""
        rows = await self._database.read(
            """
            SELECT p.message_id FROM post p
            WHERE p.kind = 'reply' AND p.state = 'posted' AND (
                p.turn_id IN (
                    SELECT c.turn_id FROM claim c WHERE c.channel_id = $1 AND c.turn_id IS NOT NULL
                    ORDER BY c.message_id DESC LIMIT $2)
                OR p.turn_id IN (
                    SELECT t.id FROM conversation c JOIN turn t ON t.conversation_id = c.id
                    WHERE c.scope_id = $1 AND t.kind = 'greeting')
            )
            ORDER BY p.message_id
            """,
            place,
            limit,
        )
        return [MessageId(row["message_id"]) for row in rows]


def _post(row: Row) -> Post:
    thread_id: int | None = row["thread_id"]
    message_id: int | None = row["message_id"]
    return Post(
        PostId(row["id"]),
        TurnId(row["turn_id"]),
        PostKind(row["kind"]),
        row["number"],
        ChannelId(row["channel_id"]),
        None if thread_id is None else ChannelId(thread_id),
        Transport(row["transport"]),
        PostState(row["state"]),
        None if message_id is None else MessageId(message_id),
    )
