"""From payloads as Discord sends them, through discord.py's own objects."""

from typing import Any, cast

import discord
import pytest

from bot.domain.ids import ChannelId, GuildId, MessageId, RoleId, UserId
from bot.domain.messages import Author, IncomingMessage
from bot.domain.places import Place
from bot.domain.turns import Transport
from bot.gateway.conversion import (
    destination_of_channel,
    incoming_message,
    is_age_restricted,
    place_of,
    seen_post,
    surroundings,
)
from bot.services.outlet import Destination, SeenPost

FIRST = 100_000_000_000_000_000
BOT, APPLICATION, WEBHOOK, ALICE, BOB = range(FIRST + 1, FIRST + 6)
GUILD, ROOM, AFTER_DARK, THREAD, VOICE, ROLE, OWN_ROLE, OTHER_BOTS_ROLE = range(FIRST + 11, FIRST + 19)

Payload = dict[str, Any]


OWN_WEBHOOK: Payload = {"webhook_id": str(WEBHOOK), "application_id": str(APPLICATION)}


def user(user_id: int, name: str, **fields: Any) -> Payload:  # noqa: ANN401 - JSON.
    return {"id": str(user_id), "username": name, "discriminator": "0", "avatar": None, "global_name": None, **fields}


def role(role_id: int, name: str, **fields: Any) -> Payload:  # noqa: ANN401 - JSON.
    return {"id": str(role_id), "name": name, "permissions": "0", "position": 1, "color": 0, "colors": {}, **fields}


def channel(channel_id: int, name: str, kind: int = 0, **fields: Any) -> Payload:  # noqa: ANN401 - JSON.
    return {
        "id": str(channel_id),
        "type": kind,
        "name": name,
        "position": 0,
        "permission_overwrites": [],
        "parent_id": None,
        "nsfw": False,
        **fields,
    }


GUILD_PAYLOAD: Payload = {
    "id": str(GUILD),
    "name": "A Server",
    "owner_id": str(ALICE),
    "roles": [
        {"id": str(GUILD), "name": "@everyone", "permissions": "0", "position": 0, "color": 0, "colors": {}},
        role(ROLE, "Poets"),
        role(OWN_ROLE, "A Bot", managed=True, tags={"bot_id": str(BOT)}),
        role(OTHER_BOTS_ROLE, "Another Bot", managed=True, tags={"bot_id": str(BOB)}),
    ],
    "channels": [
        channel(ROOM, "general"),
        channel(AFTER_DARK, "after-dark", nsfw=True),
        channel(VOICE, "lounge", 2, bitrate=64_000, user_limit=0, rtc_region=None),
    ],
    "threads": [
        {
            **channel(THREAD, "aside", 11, parent_id=str(ROOM)),
            "guild_id": str(GUILD),
            "owner_id": str(ALICE),
            "message_count": 0,
            "member_count": 0,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 60,
                "archive_timestamp": "2026-01-01T00:00:00+00:00",
                "locked": False,
            },
        }
    ],
    "emojis": [],
    "features": [],
    "premium_tier": 0,
    "preferred_locale": "en-US",
    "system_channel_flags": 0,
}


class Desk:
    """A client that knows one server, and makes messages of payloads."""

    def __init__(self) -> None:
        client = discord.Client(intents=discord.Intents.none())
        self._state = client._connection  # pyright: ignore[reportPrivateUsage] - as discord.py's own tests do.
        self.guild = discord.Guild(data=cast("Any", GUILD_PAYLOAD), state=self._state)
        self._state._add_guild(self.guild)  # pyright: ignore[reportPrivateUsage] - as above.

    def place(self, channel_id: int) -> Any:  # noqa: ANN401 - any kind of channel.
        found = self.guild.get_channel_or_thread(channel_id)
        return found or discord.PartialMessageable(self._state, channel_id, guild_id=GUILD)

    def message(self, content: str = "Hello", *, at: int = ROOM, **fields: Any) -> discord.Message:  # noqa: ANN401 - JSON.
        payload: Payload = {
            "id": "900",
            "channel_id": str(at),
            "guild_id": str(GUILD),
            "author": user(ALICE, "alice"),
            "content": content,
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "pinned": False,
            "type": 0,
            **fields,
        }
        return discord.Message(state=self._state, channel=self.place(at), data=cast("Any", payload))

    def read(self, content: str = "Hello", *, at: int = ROOM, **fields: Any) -> IncomingMessage:  # noqa: ANN401 - JSON.
        message = self.message(content, at=at, **fields)
        return incoming_message(message, GUILD, bot_id=BOT, application_id=APPLICATION)

    def seen(self, content: str = "Hello", **fields: Any) -> SeenPost | None:  # noqa: ANN401 - JSON.
        return seen_post(self.message(content, **fields), bot_id=BOT, application_id=APPLICATION)


@pytest.fixture
async def desk() -> Desk:
    return Desk()


# What people write.


async def test_a_plain_message(desk: Desk) -> None:
    assert desk.read() == IncomingMessage(
        id=MessageId(900),
        guild_id=GuildId(GUILD),
        channel_id=ChannelId(ROOM),
        parent_id=None,
        in_thread=False,
        author_id=UserId(ALICE),
        author_name="alice",
        author=Author.MEMBER,
        text="Hello",
        addressed=False,
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"author": user(ALICE, "alice", global_name="Alice A.")}, "Alice A."),
        (
            {"author": user(ALICE, "alice"), "member": {"nick": "Queen", "roles": [], "joined_at": None, "flags": 0}},
            "Queen",
        ),
    ],
)
async def test_members_go_by_the_name_that_is_shown(desk: Desk, fields: Payload, expected: str) -> None:
    assert desk.read(**fields).author_name == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (ROOM, (ROOM, None, False)),
        (VOICE, (VOICE, None, False)),
        (THREAD, (THREAD, ROOM, True)),
        (999, (999, None, None)),
    ],
)
async def test_where_a_message_stands(desk: Desk, at: int, expected: tuple[int, int | None, bool | None]) -> None:
    message = desk.read(at=at)
    assert (message.channel_id, message.parent_id, message.in_thread) == expected
    assert place_of(desk.message(at=at)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"author": user(BOT, "the-bot", bot=True)}, Author.SELF),
        ({"author": user(BOB, "other-bot", bot=True)}, Author.BOT),
        ({"author": user(9, "proxy", bot=True), "webhook_id": "9"}, Author.WEBHOOK),
        (
            {"author": user(WEBHOOK, "Guide", bot=True), "webhook_id": "3", "application_id": str(APPLICATION)},
            Author.SELF,
        ),
        ({"author": user(9, "proxy", bot=True), "webhook_id": "9", "application_id": "77"}, Author.WEBHOOK),
    ],
)
async def test_what_kind_of_account_wrote_it(desk: Desk, fields: Payload, expected: Author) -> None:
    assert desk.read(**fields).author is expected


@pytest.mark.parametrize(("kind", "ordinary"), [(0, True), (19, True), (6, False), (7, False), (8, False), (20, False)])
async def test_only_plain_messages_and_replies_are_ordinary(desk: Desk, kind: int, *, ordinary: bool) -> None:
    assert desk.read(type=kind).ordinary is ordinary


def referenced(author: Payload, **fields: Any) -> Payload:  # noqa: ANN401 - JSON.
    """Return the fields of a message that replies to another."""
    target: Payload = {
        "id": "800",
        "channel_id": str(ROOM),
        "author": author,
        "content": "Before",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
        **fields,
    }
    reference = {"message_id": "800", "channel_id": str(ROOM), "guild_id": str(GUILD)}
    return {"type": 19, "message_reference": reference, "referenced_message": target}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"mentions": [user(BOT, "the-bot", bot=True)]}, True),
        ({"mentions": [user(BOB, "bob")]}, False),
        (referenced(user(BOT, "the-bot", bot=True)), True),
        (referenced(user(WEBHOOK, "Guide", bot=True), **OWN_WEBHOOK), True),
        (referenced(user(9, "proxy", bot=True), webhook_id="9", application_id="77"), False),
        (referenced(user(BOB, "bob")), False),
        ({"type": 19, "message_reference": {"message_id": "800", "channel_id": str(ROOM)}}, False),
        (
            {
                "type": 19,
                "message_reference": {"message_id": "800", "channel_id": str(ROOM)},
                "referenced_message": None,
            },
            False,
        ),
    ],
)
async def test_who_is_addressed(desk: Desk, fields: Payload, *, expected: bool) -> None:
    assert desk.read(**fields).addressed is expected


@pytest.mark.parametrize(
    ("mentioned", "addressed", "text"),
    [(OWN_ROLE, True, "hello"), (OTHER_BOTS_ROLE, False, "@Another Bot hello"), (ROLE, False, "@Poets hello")],
)
@pytest.mark.parametrize("listed", [True, False])
async def test_a_mention_of_the_bots_own_role_addresses_it_by_the_name_that_is_offered_beside_its_own(
    desk: Desk, mentioned: int, text: str, *, addressed: bool, listed: bool
) -> None:
    heard = desk.read(f"<@&{mentioned}> hello", mention_roles=[str(mentioned)] if listed else [])
    assert heard.addressed is addressed
    if listed or addressed:
        assert heard.text == text


MENTIONED = {"mentions": [user(BOB, "bob", global_name="Bob B."), user(BOT, "the-bot", bot=True)]}


@pytest.mark.parametrize(
    ("content", "fields", "expected"),
    [
        (f"<@{BOT}> hello", MENTIONED, "hello"),
        (f"<@!{BOT}> hello", MENTIONED, "hello"),
        (f"hello <@{BOT}>", MENTIONED, "hello"),
        (f"<@{BOT}>", MENTIONED, ""),
        (f"Ask <@{BOB}>", MENTIONED, "Ask @Bob B."),
        (f"Ask <@&{ROLE}> in <#{ROOM}>", {"mention_roles": [str(ROLE)]}, "Ask @Poets in #general"),
    ],
)
async def test_mentions_become_names_and_that_of_the_bot_goes(
    desk: Desk, content: str, fields: Payload, expected: str
) -> None:
    assert desk.read(content, **fields).text == expected


async def test_files_and_stickers_are_named(desk: Desk) -> None:
    message = desk.read(
        "",
        attachments=[
            {
                "id": "1",
                "filename": "cat.png",
                "size": 3,
                "url": "https://cdn.test/cat",
                "proxy_url": "https://cdn.test/cat",
            }
        ],
        sticker_items=[{"id": "2", "name": "Wave", "format_type": 1}],
    )
    assert message.attachments == ("cat.png", "sticker Wave")
    assert message.said == "(sends a file: cat.png)\n(sends a file: sticker Wave)"


async def test_a_forward_says_what_is_in_it(desk: Desk) -> None:
    snapshot: Payload = {
        "message": {
            "type": 0,
            "content": "Once upon a time",
            "embeds": [],
            "attachments": [],
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "flags": 0,
            "mentions": [],
            "mention_roles": [],
        }
    }
    reference = {"type": 1, "message_id": "800", "channel_id": str(ROOM), "guild_id": str(GUILD)}
    message = desk.read("", message_snapshots=[snapshot], message_reference=reference)
    assert message.text == "Once upon a time"


# What the bot wrote itself.


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"author": user(WEBHOOK, "Guide", bot=True), **OWN_WEBHOOK},
            SeenPost(MessageId(900), Transport.WEBHOOK, "Hello"),
        ),
        (
            {"author": user(BOT, "the-bot", bot=True), "nonce": "5.1.mark.0"},
            SeenPost(MessageId(900), Transport.BOT, "Hello", "5.1.mark.0"),
        ),
        (
            {"author": user(BOT, "the-bot", bot=True), "nonce": "123456789"},
            SeenPost(MessageId(900), Transport.BOT, "Hello"),
        ),
        ({"author": user(BOT, "the-bot", bot=True)}, SeenPost(MessageId(900), Transport.BOT, "Hello")),
        # An answer to a command goes through a webhook with the application's own id.
        (
            {
                "author": user(BOT, "the-bot", bot=True),
                "webhook_id": str(APPLICATION),
                "application_id": str(APPLICATION),
            },
            None,
        ),
        ({"author": user(9, "proxy", bot=True), "webhook_id": "9"}, None),
        ({"author": user(ALICE, "alice")}, None),
    ],
)
async def test_own_posts_are_told_from_others(desk: Desk, fields: Payload, expected: SeenPost | None) -> None:
    assert desk.seen(**fields) == expected


# Places.


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (ROOM, Destination(GuildId(GUILD), ChannelId(ROOM))),
        (VOICE, Destination(GuildId(GUILD), ChannelId(VOICE))),
        (THREAD, Destination(GuildId(GUILD), ChannelId(ROOM), ChannelId(THREAD))),
        (999, None),
    ],
)
async def test_where_a_channel_leads(desk: Desk, at: int, expected: Destination | None) -> None:
    assert destination_of_channel(GUILD, desk.place(at)) == expected


@pytest.mark.parametrize(("at", "restricted"), [(ROOM, False), (AFTER_DARK, True), (VOICE, False), (THREAD, False)])
async def test_only_a_channel_that_says_so_is_age_restricted(desk: Desk, at: int, *, restricted: bool) -> None:
    assert is_age_restricted(desk.place(at)) is restricted
    assert not is_age_restricted(None)


async def test_what_stands_around_a_place(desk: Desk) -> None:
    destination = Destination(GuildId(GUILD), ChannelId(AFTER_DARK), ChannelId(7))
    around = surroundings(desk.guild, destination, "The Bot")
    assert around is not None
    assert around.place == Place(GuildId(GUILD), ChannelId(AFTER_DARK), ChannelId(7), age_restricted=True)
    assert (around.guild_name, around.bot_name) == ("A Server", "The Bot")
    assert around.names.channels[ChannelId(ROOM)] == "general"
    assert "Poets" in around.names.roles.values()
    assert set(around.names.channels) == {channel.id for channel in desk.guild.channels}
    assert (len(around.names.roles), len(around.names.channels)) == (len(desk.guild.roles), len(desk.guild.channels))
    assert around.names.roles.get(RoleId(999)) is None
    assert around.names.channels.get(ChannelId(999)) is None
    assert surroundings(desk.guild, Destination(GuildId(GUILD), ChannelId(999)), "The Bot") is None
