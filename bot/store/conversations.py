"""The conversations of bindings, each with a memory of its own."""

from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from bot.domain.bindings import Binding, Conversation, Scope
from bot.domain.ids import BindingId, ChannelId, ConversationId, GuildId, MessageId
from bot.store.database import Database, Row, Transaction
from bot.store.texts import AFTER_EVERYTHING, drop_conversation

DELETED: Final = "deleted"
"""The stored cause of what still waited when its thread was deleted."""
RESET: Final = "reset"
"""The stored cause of what still waited when its conversation was reset."""

REMEMBERED: Final = 10_000
"""How many conversations are known without a look into the database, which would be one for every message."""

_Place: TypeAlias = tuple[BindingId, Scope, int]

_FIND: Final = "SELECT * FROM conversation WHERE binding_id = $1 AND scope = $2 AND scope_id = $3"


class Conversations:
    """The table conversation."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: OrderedDict[_Place, Conversation] = OrderedDict()
        self._changes = 0

    async def get_or_create(self, binding: Binding, scope: Scope, scope_id: int, now_ms: int) -> Conversation:
        """Return the conversation of a binding in a room, in a thread or with a person; begin it if need be.

        A new one remembers from the binding's `active_from` on.
        """
        place = (binding.id, scope, scope_id)
        if (remembered := self._remembered.get(place)) is not None:
            self._remembered.move_to_end(place)
            return remembered
        changes = self._changes
        conversation = await self.find(*place) or await self._create(binding, scope, scope_id, now_ms)
        # What was read while a conversation changed may be how it was before.
        if changes == self._changes:
            self._remembered[place] = conversation
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return conversation

    async def _create(self, binding: Binding, scope: Scope, scope_id: int, now_ms: int) -> Conversation:
        async with self._database.transaction() as tx:
            rows = await tx.execute(
                """
                INSERT INTO conversation (binding_id, scope, scope_id, guild_id, channel_id, starts_after, created_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                ON CONFLICT (binding_id, scope, scope_id) DO NOTHING
                RETURNING *
                """,
                binding.id,
                scope.value,
                scope_id,
                binding.guild_id,
                binding.channel_id,
                binding.active_from,
                now_ms,
            )
            return _conversation((rows or await tx.execute(_FIND, binding.id, scope.value, scope_id))[0])

    async def get(self, conversation_id: ConversationId) -> Conversation | None:
        """Return a conversation."""
        rows = await self._database.read("SELECT * FROM conversation WHERE id = $1", conversation_id)
        return _conversation(rows[0]) if rows else None

    async def find(self, binding_id: BindingId, scope: Scope, scope_id: int) -> Conversation | None:
        """Return the conversation of a binding in one place, if it has begun."""
        rows = await self._database.read(_FIND, binding_id, scope.value, scope_id)
        return _conversation(rows[0]) if rows else None

    async def of_binding(self, binding_id: BindingId) -> list[Conversation]:
        """Return all conversations of a binding."""
        rows = await self._database.read("SELECT * FROM conversation WHERE binding_id = $1 ORDER BY id", binding_id)
        return [_conversation(row) for row in rows]

    async def in_place(self, place_id: ChannelId) -> list[Conversation]:
        """Return the conversations of live bindings that are held in one channel or thread."""
        rows = await self._database.read(
            """
            SELECT conversation.* FROM conversation JOIN binding ON binding.id = conversation.binding_id
            WHERE conversation.scope_id = $1 AND conversation.scope <> 'person' AND binding.state <> 'ended'
            ORDER BY conversation.id
            """,
            place_id,
        )
        return [_conversation(row) for row in rows]

    async def reset(self, conversation_id: ConversationId, starts_after: MessageId) -> Conversation | None:
        """Begin a conversation anew after a message; None when there is no such conversation.

        The texts up to that message are dropped, of members and of the character, apart from greetings; what
        waits among them is dropped with the cause "reset". The horizon never moves back.
        """
        async with self._change() as tx:
            rows = await tx.execute(
                "UPDATE conversation SET starts_after = CASE WHEN starts_after < $2 THEN $2 ELSE starts_after END "
                "WHERE id = $1 RETURNING *",
                conversation_id,
                starts_after,
            )
            if not rows:
                return None
            await drop_conversation(tx, conversation_id, up_to=starts_after, cause=RESET, greetings=False)
            return _conversation(rows[0])

    async def forget(self, conversation_id: ConversationId) -> None:
        """Drop all texts of a conversation whose place is no more, and take nothing more in.

        What waits in it is dropped with the cause "deleted".
        """
        async with self._change() as tx:
            await tx.execute(
                "UPDATE conversation SET starts_after = $2 WHERE id = $1", conversation_id, AFTER_EVERYTHING
            )
            await drop_conversation(tx, conversation_id, up_to=AFTER_EVERYTHING, cause=DELETED, greetings=True)

    @asynccontextmanager
    async def _change(self) -> AsyncGenerator[Transaction]:
        """Open a transaction that changes a conversation, after which none is remembered."""
        try:
            async with self._database.transaction() as tx:
                yield tx
        finally:
            self._changes += 1
            self._remembered.clear()


def _conversation(row: Row) -> Conversation:
    return Conversation(
        ConversationId(row["id"]),
        BindingId(row["binding_id"]),
        Scope(row["scope"]),
        row["scope_id"],
        GuildId(row["guild_id"]),
        ChannelId(row["channel_id"]),
        MessageId(row["starts_after"]),
    )
