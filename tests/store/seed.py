"""Rows for the tests: what the queue would have written, without running it."""

from dataclasses import dataclass

from bot.domain.bindings import Binding, Conversation, Scope, Trigger
from bot.domain.characters import Character
from bot.domain.ids import (
    ChannelId,
    CharacterId,
    CharacterRef,
    GuildId,
    MessageId,
    PayerId,
    TurnId,
    UserId,
    snowflake_at,
)
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.store.accounts import Accounts
from bot.store.bindings import Bindings
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.vault import Vault

NOW = 1_800_000_000_000
"""A Unix time in milliseconds, in January 2027."""

GUILD = GuildId(10)
CHANNEL = ChannelId(20)
ALICE = UserId(31)
BOB = UserId(32)
PAYER = PayerId("operator")
DAY = 86_400_000


def message_at(time_ms: int, number: int = 0) -> MessageId:
    return MessageId(snowflake_at(time_ms) + number)


@dataclass(frozen=True)
class Seed:
    """Writes rows of every kind that the store knows."""

    database: Database
    vault: Vault

    async def linked(self, *members: UserId) -> None:
        """Let members have accounts, each with a key of its own."""
        accounts = Accounts(self.database, self.vault)
        for member in members:
            await accounts.link(member, AccountSecret(f"sk-nano-fake-{member}"), KeyOrigin.PASTED, NOW)

    async def character(self, character_id: str = "guide") -> CharacterRef:
        character = Character(CharacterId(character_id), character_id.title(), slug=character_id)
        (known,) = await Characters(self.database).remember([character], NOW)
        return known.ref

    async def binding(
        self, *, guild: GuildId = GUILD, channel: ChannelId = CHANNEL, character: str = "guide", active_from: int = 5
    ) -> Binding:
        bound = await Bindings(self.database).create(
            guild_id=guild,
            channel_id=channel,
            character_ref=await self.character(character),
            trigger=Trigger.EVERY,
            bound_by=ALICE,
            payer=PAYER,
            active_from=MessageId(active_from),
            now_ms=NOW,
        )
        return bound.binding

    async def room(self, binding: Binding) -> Conversation:
        return await Conversations(self.database).get_or_create(binding, Scope.ROOM, binding.channel_id, NOW)

    async def thread(self, binding: Binding, thread: int) -> Conversation:
        return await Conversations(self.database).get_or_create(binding, Scope.THREAD, thread, NOW)

    async def turn(
        self,
        conversation: Conversation,
        *,
        kind: str = "reply",
        state: str = "answered",
        reply: str | None = "a reply",
        created_at: int = NOW,
        post: int | None = None,
    ) -> TurnId:
        async with self.database.transaction() as tx:
            (row,) = await tx.execute(
                "INSERT INTO turn (conversation_id, kind, state, payer, attempts, created_at, ended_at) "
                "VALUES ($1, $2, $3, 'operator', 1, $4, $4) RETURNING id",
                conversation.id,
                kind,
                state,
                created_at,
            )
            turn = TurnId(row["id"])
            if reply is not None:
                (row,) = await tx.execute(
                    "INSERT INTO version (turn_id, number, state, created_at) VALUES ($1, 1, 'complete', $2) "
                    "RETURNING id",
                    turn,
                    created_at,
                )
                await tx.execute(
                    "UPDATE version SET body = $2 WHERE id = $1",
                    row["id"],
                    self.vault.seal(reply, context=f"version:{row['id']}"),
                )
            if post is not None:
                await tx.execute(
                    "INSERT INTO post (turn_id, kind, number, channel_id, transport, state, intended_at, message_id) "
                    "VALUES ($1, 'reply', 0, $2, 'webhook', 'posted', $3, $4)",
                    turn,
                    conversation.channel_id,
                    created_at,
                    post,
                )
        return turn

    async def message(
        self,
        conversation: Conversation,
        message_id: int,
        *,
        author: UserId = ALICE,
        state: str = "answered",
        turn: TurnId | None = None,
        text: str | None = "a message",
        claimed_at: int = NOW,
    ) -> MessageId:
        body = None if text is None else self.vault.seal(text, context=f"claim:{message_id}")
        async with self.database.transaction() as tx:
            await tx.execute(
                "INSERT INTO claim (message_id, conversation_id, guild_id, channel_id, author_id, state, turn_id, "
                "body, claimed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                message_id,
                conversation.id,
                conversation.guild_id,
                conversation.channel_id,
                author,
                state,
                turn,
                body,
                claimed_at,
            )
        return MessageId(message_id)

    async def messages_with_text(self) -> list[int]:
        rows = await self.database.read("SELECT message_id FROM claim WHERE body IS NOT NULL ORDER BY message_id")
        return [row["message_id"] for row in rows]

    async def turns_with_text(self) -> list[int]:
        rows = await self.database.read("SELECT DISTINCT turn_id FROM version WHERE body IS NOT NULL ORDER BY turn_id")
        return [row["turn_id"] for row in rows]

    async def state_of(self, message_id: int) -> tuple[str, str | None]:
        (row,) = await self.database.read("SELECT state, cause FROM claim WHERE message_id = $1", message_id)
        return row["state"], row["cause"]

    async def turn_state(self, turn: TurnId) -> tuple[str, str | None]:
        (row,) = await self.database.read("SELECT state, cause FROM turn WHERE id = $1", turn)
        return row["state"], row["cause"]

    async def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        (row,) = await self.database.read(
            """
            SELECT (SELECT COUNT(*) FROM guild) AS guild, (SELECT COUNT(*) FROM binding) AS binding,
                   (SELECT COUNT(*) FROM conversation) AS conversation, (SELECT COUNT(*) FROM turn) AS turn,
                   (SELECT COUNT(*) FROM claim) AS claim, (SELECT COUNT(*) FROM version) AS version,
                   (SELECT COUNT(*) FROM post) AS post, (SELECT COUNT(*) FROM notice) AS notice,
                   (SELECT COUNT(*) FROM webhook) AS webhook, (SELECT COUNT(*) FROM rating) AS rating,
                   (SELECT COUNT(*) FROM report) AS report, (SELECT COUNT(*) FROM outbox) AS outbox,
                   (SELECT COUNT(*) FROM search_page) AS search_page,
                   (SELECT COUNT(*) FROM linked_account) AS linked_account,
                   (SELECT COUNT(*) FROM pending_login) AS pending_login,
                   (SELECT COUNT(*) FROM server_settings) AS server_settings,
                   (SELECT COUNT(*) FROM own_character) AS own_character,
                   (SELECT COUNT(*) FROM paid_turns) AS paid_turns
            """
        )
        return {name: row[name] for name in row.keys() if row[name]}  # noqa: SIM118 - a Row iterates over values
