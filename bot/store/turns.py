"""SQLite as the queue: messages are claimed, become turns, and end in a final state.

A claim is one message of Discord, taken once. Waiting claims of a conversation become one turn by one UPDATE;
a conversation has at most one running turn, which a unique index sees to.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Final

from bot.domain.ids import ChannelId, ConversationId, MessageId, PayerId, TurnId, UserId, VersionId
from bot.domain.turns import (
    AdmissionFacts,
    AdmissionLimits,
    Admitted,
    Arrival,
    Exchange,
    Past,
    Refusal,
    Turn,
    TurnKind,
    TurnMessage,
    TurnState,
    Version,
    VersionOutcome,
    VersionState,
    refusal,
)
from bot.store.database import Database, Row, Transaction
from bot.store.vault import Damaged, UnknownKey, Vault

_log = logging.getLogger(__name__)

_LATEST: Final = 2**63 - 1
"""No message is newer."""
_TURN_COLUMNS: Final = "id, conversation_id, kind, state, cause, payer, attempts, created_at"


class Turns:
    """The tables claim, turn and version."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def admit(
        self,
        conversation_id: ConversationId,
        arrivals: Sequence[Arrival],
        limits: AdmissionLimits,
        *,
        now_ms: int,
        day_start_ms: int,
    ) -> list[Admitted | Refusal]:
        """Claim messages in one transaction and tell for each what became of it.

        A refused message is claimed too, as dropped and without its text: the catch-up must not meet it again.
        """
        return await self._database.write(
            lambda tx: self._admit(tx, conversation_id, arrivals, limits, now_ms, day_start_ms)
        )

    async def admit_and_begin(
        self,
        conversation_id: ConversationId,
        arrivals: Sequence[Arrival],
        limits: AdmissionLimits,
        payer: PayerId,
        *,
        now_ms: int,
        day_start_ms: int,
    ) -> tuple[list[Admitted | Refusal], Turn | None]:
        """As admit and then begin, in one transaction: what is said in a quiet conversation is answered at once."""

        async def work(tx: Transaction) -> tuple[list[Admitted | Refusal], Turn | None]:
            results = await self._admit(tx, conversation_id, arrivals, limits, now_ms, day_start_ms)
            claimed = Admitted.CLAIMED in results
            return results, await self._begin(tx, conversation_id, payer, now_ms) if claimed else None

        return await self._database.write(work)

    async def _admit(
        self,
        tx: Transaction,
        conversation_id: ConversationId,
        arrivals: Sequence[Arrival],
        limits: AdmissionLimits,
        now_ms: int,
        day_start_ms: int,
    ) -> list[Admitted | Refusal]:
        results: list[Admitted | Refusal] = []
        for arrival in arrivals:
            facts = await self._facts(tx, conversation_id, arrival, limits, day_start_ms)
            refused = refusal(facts, limits)
            rows = await tx.execute(
                """
                INSERT INTO claim (message_id, conversation_id, guild_id, channel_id, author_id, state, cause,
                                   body, claimed_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                ON CONFLICT (message_id) DO NOTHING
                RETURNING message_id
                """,
                arrival.message_id,
                conversation_id,
                arrival.guild_id,
                arrival.channel_id,
                arrival.author_id,
                "dropped" if refused else "waiting",
                refused.value if refused else None,
                None if refused else self._seal_message(arrival.message_id, arrival.author_name, arrival.text),
                now_ms,
            )
            results.append((refused or Admitted.CLAIMED) if rows else Admitted.DUPLICATE)
        return results

    async def pass_over(
        self, conversation_id: ConversationId, arrivals: Sequence[Arrival], cause: str, *, now_ms: int
    ) -> None:
        """Claim messages as dropped, without their text."""
        async with self._database.transaction() as tx:
            for arrival in arrivals:
                await tx.execute(
                    """
                    INSERT INTO claim (message_id, conversation_id, guild_id, channel_id, author_id, state, cause,
                                       claimed_at)
                    VALUES ($1, $2, $3, $4, $5, 'dropped', $6, $7)
                    ON CONFLICT (message_id) DO NOTHING
                    """,
                    arrival.message_id,
                    conversation_id,
                    arrival.guild_id,
                    arrival.channel_id,
                    arrival.author_id,
                    cause,
                    now_ms,
                )

    async def _facts(
        self,
        tx: Transaction,
        conversation_id: ConversationId,
        arrival: Arrival,
        limits: AdmissionLimits,
        day_start_ms: int,
    ) -> AdmissionFacts:
        (row,) = await tx.execute(
            """
            SELECT (SELECT COUNT(*) FROM claim WHERE conversation_id = $1 AND state = 'waiting') AS waiting,
                   COUNT(CASE WHEN author_id = $2 THEN 1 END) AS member_today, COUNT(*) AS guild_today
            FROM claim WHERE guild_id = $3 AND claimed_at >= $4 AND state <> 'dropped' AND $5 = 1
            """,
            conversation_id,
            arrival.author_id,
            arrival.guild_id,
            day_start_ms,
            int(limits.member_per_day > 0 or limits.guild_per_day > 0),
        )
        return AdmissionFacts(row["waiting"], row["member_today"], row["guild_today"])

    async def begin(self, conversation_id: ConversationId, payer: PayerId, *, now_ms: int) -> Turn | None:
        """Make the next turn run, and return it with its messages; None when one runs or nothing waits.

        A turn asked for again goes first. Else all waiting messages become one new turn.
        """
        return await self._database.write(lambda tx: self._begin(tx, conversation_id, payer, now_ms))

    async def _begin(
        self, tx: Transaction, conversation_id: ConversationId, payer: PayerId, now_ms: int
    ) -> Turn | None:
        open_turns = await tx.execute(
            "SELECT id, state FROM turn WHERE conversation_id = $1 AND state IN ('waiting', 'running') "
            "AND kind = 'reply' ORDER BY state, id LIMIT 1",
            conversation_id,
        )
        if open_turns and open_turns[0]["state"] == "running":
            return None
        if open_turns:
            rows = await tx.execute(
                "UPDATE turn SET state = 'running', attempts = attempts + 1, started_at = $2, payer = $3, "
                f"cause = NULL, ended_at = NULL WHERE id = $1 RETURNING {_TURN_COLUMNS}",
                open_turns[0]["id"],
                now_ms,
                payer,
            )
            messages = await tx.execute(
                "UPDATE claim SET state = 'running' WHERE turn_id = $1 RETURNING message_id, author_id, body",
                open_turns[0]["id"],
            )
            return self._running(rows[0], messages)
        rows = await tx.execute(
            "INSERT INTO turn (conversation_id, kind, state, payer, attempts, created_at, started_at) "
            "SELECT $1, 'reply', 'running', $2, 1, $3, $3 "
            "WHERE EXISTS (SELECT 1 FROM claim WHERE conversation_id = $1 AND state = 'waiting') "
            f"RETURNING {_TURN_COLUMNS}",
            conversation_id,
            payer,
            now_ms,
        )
        if not rows:
            return None
        messages = await tx.execute(
            "UPDATE claim SET state = 'running', turn_id = $2 WHERE conversation_id = $1 AND state = 'waiting' "
            "RETURNING message_id, author_id, body",
            conversation_id,
            rows[0]["id"],
        )
        return self._running(rows[0], messages)

    def _running(self, row: Row, messages: Sequence[Row]) -> Turn:
        turn = self._turn(row, messages)
        _log.debug("Turn %s of conversation %s: running, attempt %d", turn.id, turn.conversation_id, turn.attempts)
        return turn

    async def begin_greeting(self, conversation_id: ConversationId, payer: PayerId, text: str, *, now_ms: int) -> Turn:
        """Make a greeting run, its text complete from the start."""
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                "INSERT INTO turn (conversation_id, kind, state, payer, attempts, created_at, started_at) "
                f"VALUES ($1, 'greeting', 'running', $2, 1, $3, $3) RETURNING {_TURN_COLUMNS}",
                conversation_id,
                payer,
                now_ms,
            )
            turn = self._running(rows[0], ())
            await self.add_version(tx, turn.id, VersionOutcome(text, VersionState.COMPLETE), now_ms=now_ms)
            return turn

    async def run_again(self, turn_id: TurnId, *, now_ms: int) -> Turn | None:
        """Count one more attempt of a turn that a stop of the process left running."""
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                "UPDATE turn SET attempts = attempts + 1, started_at = $2 WHERE id = $1 AND state = 'running' "
                f"RETURNING {_TURN_COLUMNS}",
                turn_id,
                now_ms,
            )
            return self._running(rows[0], await self._messages(tx, turn_id)) if rows else None

    async def charge(self, turn_id: TurnId, payer: PayerId) -> None:
        """Let somebody else pay for a turn than when it began."""
        async with self._database.transaction() as tx:
            await tx.execute("UPDATE turn SET payer = $2 WHERE id = $1", turn_id, payer)

    async def ask_again(self, turn_id: TurnId) -> bool:
        """Put a turn that was not answered back in the queue.

        False for one that was, whose reply stays as it is, and for one that has not ended, so that two presses make one
        retry.
        """
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                "UPDATE turn SET state = 'waiting' WHERE id = $1 AND state IN ('failed', 'dropped') RETURNING id",
                turn_id,
            )
        if rows:
            _log.debug("Turn %s: waiting to be asked again", turn_id)
        return bool(rows)

    async def finish(self, turn_id: TurnId, state: TurnState, *, cause: str | None = None, now_ms: int) -> None:
        """End a turn and the messages in it."""
        await self._database.write(lambda tx: self.end(tx, turn_id, state, cause=cause, now_ms=now_ms))

    async def end(self, tx: Transaction, turn_id: TurnId, state: TurnState, *, cause: str | None, now_ms: int) -> None:
        """As finish, inside a transaction that does more. Intents that came to nothing are forgotten."""
        await tx.execute("DELETE FROM post WHERE turn_id = $1 AND state = 'intended'", turn_id)
        await tx.execute(
            "UPDATE turn SET state = $2, cause = $3, ended_at = $4 WHERE id = $1",
            turn_id,
            state.value,
            cause,
            now_ms,
        )
        await tx.execute(
            "UPDATE claim SET state = $2, cause = $3 WHERE turn_id = $1 AND state <> 'dropped'",
            turn_id,
            state.value,
            cause,
        )
        _log.debug("Turn %s: %s%s", turn_id, state.value, f", {cause}" if cause else "")

    async def fold(self, turn_id: TurnId, into: TurnId) -> None:
        """Give a failed turn's messages to an earlier failed turn, whose mark then stands for both."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "UPDATE claim SET turn_id = $2, state = 'failed', cause = (SELECT cause FROM turn WHERE id = $2) "
                "WHERE turn_id = $1 AND state <> 'dropped'",
                turn_id,
                into,
            )
            await tx.execute("DELETE FROM turn WHERE id = $1", turn_id)

    async def failed_just_before(self, turn_id: TurnId, cause: str, *, since_ms: int) -> TurnId | None:
        """Return the turn right before this one in its conversation, if it failed for the cause and shows a mark."""
        rows = await self._database.read(
            """
            SELECT t.id FROM turn t
            WHERE t.id = (SELECT MAX(b.id) FROM turn b WHERE b.id < $1
                          AND b.conversation_id = (SELECT conversation_id FROM turn WHERE id = $1))
              AND t.state = 'failed' AND t.cause = $2 AND t.ended_at >= $3
              AND EXISTS (SELECT 1 FROM post p WHERE p.turn_id = t.id AND p.kind = 'mark' AND p.state = 'posted')
            """,
            turn_id,
            cause,
            since_ms,
        )
        return TurnId(rows[0]["id"]) if rows else None

    async def get(self, turn_id: TurnId) -> Turn | None:
        """Return a turn with its messages."""
        rows = await self._database.read(f"SELECT {_TURN_COLUMNS} FROM turn WHERE id = $1", turn_id)
        if not rows:
            return None
        messages = await self._database.read(
            "SELECT message_id, author_id, body FROM claim WHERE turn_id = $1 ORDER BY message_id", turn_id
        )
        return self._turn(rows[0], messages)

    async def unfinished(self) -> list[Turn]:
        """Return the turns that were running when the process last ended, oldest first."""
        rows = await self._database.read(f"SELECT {_TURN_COLUMNS} FROM turn WHERE state = 'running' ORDER BY id")
        return [turn for row in rows if (turn := await self.get(TurnId(row["id"])))]

    async def with_work(self) -> list[ConversationId]:
        """Return the conversations in which something waits to be answered."""
        rows = await self._database.read(
            "SELECT conversation_id FROM claim WHERE state = 'waiting' "
            "UNION SELECT conversation_id FROM turn WHERE state = 'waiting'"
        )
        return [ConversationId(row["conversation_id"]) for row in rows]

    async def drop_waiting(self, conversation_id: ConversationId, cause: str) -> None:
        """End what waits in a conversation without an answer, and drop its text."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "UPDATE claim SET state = 'dropped', cause = $2, body = NULL "
                "WHERE conversation_id = $1 AND state = 'waiting'",
                conversation_id,
                cause,
            )
            await tx.execute(
                "UPDATE turn SET state = 'failed', cause = $2 WHERE conversation_id = $1 AND state = 'waiting'",
                conversation_id,
                cause,
            )

    async def past(self, conversation_id: ConversationId, *, before_turn: TurnId | None, limit: int) -> Past:
        """Return what was said in a conversation: its greeting, and its newest exchanges, oldest first.

        `limit` counts messages, the members' and the character's together; the oldest exchange may go beyond. Of what
        was said since `before_turn` began, as when that is asked for again, nothing is returned, and nothing of the
        turn itself.
        """
        return await self._database.look(lambda tx: self._past(tx, conversation_id, before_turn, limit))

    async def _past(
        self,
        tx: Transaction,
        conversation_id: ConversationId,
        before_turn: TurnId | None,
        limit: int,
    ) -> Past:
        (row,) = await tx.execute(
            """
            SELECT (SELECT starts_after FROM conversation WHERE id = $1) AS starts_after,
                   (SELECT MIN(message_id) FROM claim WHERE turn_id = $2) AS begins
            """,
            conversation_id,
            before_turn or 0,
        )
        after, until = row["starts_after"], row["begins"] or _LATEST
        said = await tx.execute(
            """
            SELECT turn_id, message_id, author_id, body FROM claim
            WHERE conversation_id = $1 AND message_id > $2 AND message_id < $3 AND turn_id IS NOT NULL
            ORDER BY message_id DESC LIMIT $4
            """,
            conversation_id,
            after,
            until,
            limit,
        )
        replies = await tx.execute(
            """
            SELECT v.turn_id, v.id AS version_id, v.body FROM version v
            WHERE v.turn_id IN (SELECT turn_id FROM claim
                                WHERE conversation_id = $1 AND message_id > $2 AND message_id < $3
                                  AND turn_id IS NOT NULL
                                ORDER BY message_id DESC LIMIT $4)
              AND v.number = (SELECT MAX(w.number) FROM version w WHERE w.turn_id = v.turn_id AND w.body IS NOT NULL)
            """,
            conversation_id,
            after,
            until,
            limit,
        )
        reply_of = {row["turn_id"]: row for row in replies}
        messages_of: dict[int, list[Row]] = {}
        for row in said:
            messages_of.setdefault(row["turn_id"], []).append(row)
        exchanges: list[Exchange] = []
        for turn_id, messages in messages_of.items():
            if limit <= 0:
                break
            kept = [self._message(row) for row in reversed(messages) if row["body"] is not None]
            reply = self._open_version(reply_of[turn_id]) if turn_id in reply_of else None
            exchanges.append(Exchange(TurnId(turn_id), tuple(kept), reply))
            limit -= len(kept) + (reply is not None)
        return Past(await self._greeting(tx, conversation_id), tuple(reversed(exchanges)))

    async def _greeting(self, tx: Transaction, conversation_id: ConversationId) -> str | None:
        """Return the text of the newest greeting of a conversation's binding, which its threads share.

        A conversation that was greeted itself, after a reset in a thread, goes by its own greeting.
        """
        rows = await tx.execute(
            """
            SELECT v.id AS version_id, v.turn_id, v.body
            FROM version v JOIN turn t ON t.id = v.turn_id
            WHERE t.kind = 'greeting' AND v.body IS NOT NULL
              AND t.conversation_id IN (
                  SELECT $1 UNION
                  SELECT id FROM conversation
                  WHERE binding_id = (SELECT binding_id FROM conversation WHERE id = $1) AND scope = 'room')
            ORDER BY CASE WHEN t.conversation_id = $1 THEN 0 ELSE 1 END, t.id DESC LIMIT 1
            """,
            conversation_id,
        )
        return self._open_version(rows[0]) if rows else None

    async def add_version(
        self, tx: Transaction, turn_id: TurnId, outcome: VersionOutcome | None, *, now_ms: int
    ) -> VersionId:
        """Add a version to a turn: still to be written where there is no outcome yet."""
        (row,) = await tx.execute(
            "INSERT INTO version (turn_id, number, state, created_at) "
            "SELECT $1, COALESCE(MAX(number), 0) + 1, 'writing', $2 FROM version WHERE turn_id = $1 RETURNING id",
            turn_id,
            now_ms,
        )
        version_id = VersionId(row["id"])
        if outcome is not None:
            await self.settle_version(tx, version_id, outcome, now_ms=now_ms)
        return version_id

    async def settle_version(
        self, tx: Transaction, version_id: VersionId, outcome: VersionOutcome, *, now_ms: int
    ) -> None:
        """Write down a version's text and usage.

        The text is left out when every message it answers has lost its own meanwhile: erased by its author, by a
        reset, or with its binding.
        """
        await tx.execute(
            """
            UPDATE version SET state = $2,
                   body = CASE WHEN EXISTS (SELECT 1 FROM claim WHERE turn_id = version.turn_id AND body IS NOT NULL)
                          OR EXISTS (SELECT 1 FROM turn WHERE id = version.turn_id AND kind = 'greeting')
                          THEN $3 ELSE NULL END,
                   upstream_id = $4, model = $5, input_tokens = $6,
                   output_tokens = $7, cost_usd = $8, ended_at = $9
            WHERE id = $1
            """,
            version_id,
            outcome.state.value,
            self._vault.seal(outcome.text, context=f"version:{version_id}") if outcome.text else None,
            outcome.upstream_id,
            outcome.model,
            outcome.input_tokens,
            outcome.output_tokens,
            outcome.cost_usd,
            now_ms,
        )

    async def latest_version(self, turn_id: TurnId) -> Version | None:
        """Return the newest version of a turn."""
        rows = await self._database.read(
            "SELECT id AS version_id, turn_id, number, state, body FROM version WHERE turn_id = $1 "
            "ORDER BY number DESC LIMIT 1",
            turn_id,
        )
        if not rows:
            return None
        row = rows[0]
        return Version(
            VersionId(row["version_id"]),
            TurnId(row["turn_id"]),
            row["number"],
            VersionState(row["state"]),
            self._open_version(row),
        )

    async def rewrite(self, message_id: MessageId, author_name: str, text: str) -> bool:
        """Replace the text of a claimed message that was edited; False where there is none to replace."""
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                "UPDATE claim SET body = $2 WHERE message_id = $1 AND body IS NOT NULL RETURNING message_id",
                message_id,
                self._seal_message(message_id, author_name, text),
            )
            return bool(rows)

    async def correct(self, message: TurnMessage, text: str) -> None:
        """Replace the text of a message that was edited, unless it was replaced or dropped since it was read."""
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                "SELECT message_id, author_id, body FROM claim WHERE message_id = $1", message.message_id
            )
            if message.text is None or [self._message(row) for row in rows] != [message]:
                return
            await tx.execute(
                "UPDATE claim SET body = $2 WHERE message_id = $1",
                message.message_id,
                self._seal_message(message.message_id, message.author_name or "", text),
            )

    async def erase(self, message_ids: Iterable[MessageId]) -> None:
        """Drop the text of deleted messages; those still waiting will not be answered."""
        async with self._database.transaction() as tx:
            for message_id in message_ids:
                await tx.execute(
                    """
                    UPDATE claim SET body = NULL,
                           cause = CASE WHEN state = 'waiting' THEN 'deleted' ELSE cause END,
                           state = CASE WHEN state = 'waiting' THEN 'dropped' ELSE state END
                    WHERE message_id = $1
                    """,
                    message_id,
                )

    async def erase_reply(self, turn_id: TurnId) -> None:
        """Drop the text of a reply that was deleted, so that the character forgets having said it."""
        async with self._database.transaction() as tx:
            await self.forget_reply(tx, turn_id)

    async def forget_reply(self, tx: Transaction, turn_id: TurnId) -> None:
        """As erase_reply, inside a transaction that does more."""
        await tx.execute("UPDATE version SET body = NULL WHERE turn_id = $1", turn_id)

    async def newest_claims(self) -> dict[int, int]:
        """Return the newest message of each channel and thread that was ever claimed, as far as any was.

        Replies do not count: a message may be older than the newest reply and yet not have been heard.
        """
        rows = await self._database.read(
            """
            SELECT place, MAX(newest) AS newest FROM (
                SELECT channel_id AS place, MAX(message_id) AS newest FROM claim GROUP BY channel_id
                UNION ALL
                SELECT scope_id, heard_until FROM conversation WHERE scope <> 'person' AND heard_until > 0
            ) AS heard GROUP BY place
            """
        )
        return {row["place"]: row["newest"] for row in rows}

    async def kept_in(self, place: ChannelId, *, limit: int = 100) -> list[TurnMessage]:
        """Return the newest messages of a channel or thread whose text is kept, newest first."""
        rows = await self._database.read(
            "SELECT message_id, author_id, body FROM claim WHERE channel_id = $1 AND body IS NOT NULL "
            "ORDER BY message_id DESC LIMIT $2",
            place,
            limit,
        )
        return [self._message(row) for row in rows]

    async def outcome_of(self, message_id: MessageId) -> tuple[str, str | None, TurnId | None] | None:
        """Return a claimed message's state, the stored cause, and its turn; None when it was never claimed."""
        rows = await self._database.read("SELECT state, cause, turn_id FROM claim WHERE message_id = $1", message_id)
        if not rows:
            return None
        turn_id: int | None = rows[0]["turn_id"]
        return rows[0]["state"], rows[0]["cause"], None if turn_id is None else TurnId(turn_id)

    async def last_authors(self, conversation_id: ConversationId, limit: int) -> list[UserId]:
        """Return who wrote the newest claimed messages of a conversation, newest first."""
        rows = await self._database.read(
            "SELECT author_id FROM claim WHERE conversation_id = $1 ORDER BY message_id DESC LIMIT $2",
            conversation_id,
            limit,
        )
        return [UserId(row["author_id"]) for row in rows]

    async def _messages(self, tx: Transaction, turn_id: TurnId) -> list[Row]:
        return await tx.execute(
            "SELECT message_id, author_id, body FROM claim WHERE turn_id = $1 ORDER BY message_id", turn_id
        )

    def _turn(self, row: Row, messages: Iterable[Row]) -> Turn:
        return Turn(
            TurnId(row["id"]),
            ConversationId(row["conversation_id"]),
            TurnKind(row["kind"]),
            TurnState(row["state"]),
            row["cause"],
            PayerId(row["payer"]),
            row["attempts"],
            row["created_at"],
            tuple(sorted((self._message(message) for message in messages), key=lambda message: message.message_id)),
        )

    def _seal_message(self, message_id: MessageId, author_name: str, text: str) -> bytes:
        return self._vault.seal(json.dumps([author_name, text]), context=f"claim:{message_id}")

    def _message(self, row: Row) -> TurnMessage:
        name, text = None, None
        if row["body"] is not None:
            try:
                name, text = json.loads(self._vault.open(row["body"], context=f"claim:{row['message_id']}"))
            except (UnknownKey, Damaged):
                # A lost key means fresh conversations, not a bot that cannot speak (README, Privacy).
                name, text = None, None
        return TurnMessage(MessageId(row["message_id"]), UserId(row["author_id"]), name, text)

    def _open_version(self, row: Row) -> str | None:
        if row["body"] is None:
            return None
        try:
            return self._vault.open(row["body"], context=f"version:{row['version_id']}")
        except (UnknownKey, Damaged):
            return None
