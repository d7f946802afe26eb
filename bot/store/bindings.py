"""Which character speaks in which channel."""

from typing import Final

from bot.domain.bindings import Binding, BindingState, Bound, PauseCause, Trigger
from bot.domain.ids import (
    BindingId,
    ChannelId,
    CharacterRef,
    ConversationId,
    GuildId,
    MessageId,
    PayerId,
    UserId,
)
from bot.store.database import Database, Row, Transaction
from bot.store.texts import AFTER_EVERYTHING, drop_conversation

ENDED: Final = "ended"
"""The stored cause of what still waited when its binding ended."""


class Bindings:
    """The table binding. A binding is live until it is ended; a paused one is live."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        *,
        guild_id: GuildId,
        channel_id: ChannelId,
        character_ref: CharacterRef,
        trigger: Trigger,
        bound_by: UserId,
        payer: PayerId,
        active_from: MessageId,
        now_ms: int,
        daily_turns: int | None = None,
    ) -> Bound:
        """Bind a character to a channel, and end what was bound there before; the channel is still to be told.

        A character that is bound there already stays, wakes if it was paused, and takes over the new
        trigger, binder, payer with what they agreed to, and `active_from`.
        """
        async with self._database.transaction() as tx:
            before = await tx.execute(
                "SELECT * FROM binding WHERE channel_id = $1 AND state <> 'ended' ORDER BY id", channel_id
            )
            ended: list[Binding] = []
            for row in before:
                if row["character_ref"] != character_ref:
                    ended += await self._end(tx, BindingId(row["id"]), now_ms)
            (row,) = await tx.execute(
                """
                INSERT INTO binding (guild_id, channel_id, character_ref, trigger_mode, state, bound_by, payer,
                                     active_from, created_at, daily_turns, untold)
                VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8, $9, 1)
                ON CONFLICT (channel_id, character_ref) WHERE state <> 'ended' DO UPDATE
                SET trigger_mode = excluded.trigger_mode, state = 'active', pause_cause = NULL,
                    bound_by = excluded.bound_by, payer = excluded.payer, active_from = excluded.active_from,
                    daily_turns = excluded.daily_turns, untold = 1
                RETURNING *
                """,
                guild_id,
                channel_id,
                character_ref,
                trigger.value,
                bound_by,
                payer,
                active_from,
                now_ms,
                daily_turns,
            )
            return Bound(_binding(row), tuple(ended), renewed=len(ended) < len(before))

    async def end(self, binding_id: BindingId, now_ms: int) -> Binding | None:
        """End a binding and drop the texts of its conversations; None when it is not live.

        What waits for an answer is dropped with the cause "ended". A running turn is left to whoever runs it.
        """
        async with self._database.transaction() as tx:
            return next(iter(await self._end(tx, binding_id, now_ms)), None)

    async def _end(self, tx: Transaction, binding_id: BindingId, now_ms: int) -> list[Binding]:
        rows = await tx.execute(
            "UPDATE binding SET state = 'ended', pause_cause = NULL, ended_at = $2 "
            "WHERE id = $1 AND state <> 'ended' RETURNING *",
            binding_id,
            now_ms,
        )
        if rows:
            for row in await tx.execute("SELECT id FROM conversation WHERE binding_id = $1", binding_id):
                await drop_conversation(
                    tx, ConversationId(row["id"]), up_to=AFTER_EVERYTHING, cause=ENDED, greetings=True
                )
        return [_binding(row) for row in rows]

    async def pause(self, binding_id: BindingId, cause: PauseCause) -> Binding | None:
        """Pause a live binding; None when it is paused for that cause already, or not live.

        So that a notice follows from what is returned, and comes once. One whose payer took their account away keeps
        that cause: it would go on without their word otherwise.
        """
        return await self._change(
            "UPDATE binding SET state = 'paused', pause_cause = $2 WHERE id = $1 AND state <> 'ended' "
            "AND (state = 'active' OR pause_cause NOT IN ($2, $3)) RETURNING *",
            binding_id,
            cause.value,
            PauseCause.UNLINKED.value,
        )

    async def resume(self, binding_id: BindingId, active_from: MessageId) -> Binding | None:
        """Wake a paused binding for messages after `active_from`; None when it is not paused.

        One whose payer took their account away waits for their word, which `create` takes down.
        """
        return await self._change(
            "UPDATE binding SET state = 'active', pause_cause = NULL, active_from = $2 "
            "WHERE id = $1 AND state = 'paused' AND pause_cause <> $3 RETURNING *",
            binding_id,
            active_from,
            PauseCause.UNLINKED.value,
        )

    async def set_trigger(self, binding_id: BindingId, trigger: Trigger, active_from: MessageId) -> Binding | None:
        """Change what a live binding answers, for messages after `active_from`; None when it is not live."""
        return await self._change(
            "UPDATE binding SET trigger_mode = $2, active_from = $3 WHERE id = $1 AND state <> 'ended' RETURNING *",
            binding_id,
            trigger.value,
            active_from,
        )

    async def set_payer(self, binding_id: BindingId, payer: PayerId) -> Binding | None:
        """Let another key than a member's pay for a live binding; None when it is not live."""
        return await self._change(
            "UPDATE binding SET payer = $2, daily_turns = NULL WHERE id = $1 AND state <> 'ended' RETURNING *",
            binding_id,
            payer,
        )

    async def mark_name(self, binding_id: BindingId) -> Binding | None:
        """Write down that the character's name is marked from now on; None when the binding is not live."""
        return await self._change(
            "UPDATE binding SET name_marked = 1 WHERE id = $1 AND state <> 'ended' RETURNING *", binding_id
        )

    async def told(self, binding_id: BindingId) -> None:
        """Write down that a channel has been told who speaks there."""
        await self._change("UPDATE binding SET untold = 0 WHERE id = $1 RETURNING *", binding_id)

    async def untold(self) -> list[Binding]:
        """Return the live bindings whose channels are still to be told of them."""
        return await self._read("SELECT * FROM binding WHERE untold = 1 AND state <> 'ended' ORDER BY id")

    async def _change(self, sql: str, *values: int | str) -> Binding | None:
        async with self._database.transaction() as tx:
            rows = await tx.execute(sql, *values)
            return _binding(rows[0]) if rows else None

    async def get(self, binding_id: BindingId) -> Binding | None:
        """Return a binding, live or ended."""
        rows = await self._database.read("SELECT * FROM binding WHERE id = $1", binding_id)
        return _binding(rows[0]) if rows else None

    async def live(self) -> list[Binding]:
        """Return all live bindings."""
        return await self._read("SELECT * FROM binding WHERE state <> 'ended' ORDER BY id")

    async def by_guild(self, guild_id: GuildId) -> list[Binding]:
        """Return the live bindings of a server."""
        return await self._read("SELECT * FROM binding WHERE guild_id = $1 AND state <> 'ended' ORDER BY id", guild_id)

    async def paid_by(self, payer: PayerId) -> list[Binding]:
        """Return the live bindings that somebody pays for, in all servers."""
        return [
            _binding(row)
            for row in await self._database.read(
                "SELECT * FROM binding WHERE payer = $1 AND state <> 'ended' ORDER BY id", payer
            )
        ]

    async def _read(self, sql: str, *values: int) -> list[Binding]:
        return [_binding(row) for row in await self._database.read(sql, *values)]


def _binding(row: Row) -> Binding:
    cause: str | None = row["pause_cause"]
    return Binding(
        BindingId(row["id"]),
        GuildId(row["guild_id"]),
        ChannelId(row["channel_id"]),
        CharacterRef(row["character_ref"]),
        Trigger(row["trigger_mode"]),
        BindingState(row["state"]),
        None if cause is None else PauseCause(cause),
        UserId(row["bound_by"]),
        PayerId(row["payer"]),
        MessageId(row["active_from"]),
        row["created_at"],
        row["daily_turns"],
        bool(row["name_marked"]),
    )
