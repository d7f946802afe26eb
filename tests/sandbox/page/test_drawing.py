"""The world as the page gets it."""

from typing import Any

import pytest

from bot.sandbox.discord import DiscordSandbox, Guild, MessageFlag, MessageType, Permission, posting
from bot.sandbox.discord.model import Attachment, Origin, User
from bot.sandbox.discord.posting import Draft
from bot.sandbox.page import drawing

NOW = 1_760_000_000.25


@pytest.fixture
def guild() -> Guild:
    return DiscordSandbox(clock=lambda: NOW).add_guild("Guild", owner="Ada")


async def test_a_message_says_whose_it_is_and_what_may_be_done_with_it(guild: Guild) -> None:
    channel, ben = guild.add_channel("general"), guild.add_member("Ben", nick="Benny")
    message = await ben.say(channel, "**hello** <@1>")
    drawn = drawing.message(message, ben)
    assert drawn["author"] == {
        "id": str(ben.id),
        "name": "Benny",
        "bot": False,
        "webhook": False,
        "hue": drawing.hue("Benny"),
        "initial": "B",
    }
    assert (drawn["content"], drawn["at"], drawn["edited"], drawn["kind"]) == (
        "**hello** <@1>",
        1_760_000_000_250,
        None,
        "default",
    )
    assert drawn["may"] == {"edit": True, "delete": True, "reply": True}
    assert drawing.message(message, guild.add_member("Cleo"))["may"] == {"edit": False, "delete": False, "reply": True}


async def test_a_reply_quotes_what_it_answers_as_long_as_that_is_there(guild: Guild) -> None:
    channel, ben = guild.add_channel("general"), guild.add_member("Ben")
    first = await ben.say(channel, "x" * 500)
    second = await ben.say(channel, "yes", reply_to=first)
    assert drawing.message(second, ben)["kind"] == "reply"
    assert drawing.message(second, ben)["reply"] == {
        "id": str(first.id),
        "author": "Ben",
        "text": "x" * 120,
        "gone": False,
    }
    await ben.delete(first)
    assert drawing.message(second, ben)["reply"] == {"id": str(first.id), "author": "", "text": "", "gone": True}


def test_a_persona_has_the_name_it_came_with(guild: Guild) -> None:
    channel = guild.add_channel("general")
    hook = channel.add_own_webhook("characters")
    face = User(hook.id, "Margin Witch", None, bot=True)
    drawn = drawing.message(posting.post(Draft(channel, face, "So.", webhook=hook)), guild.owner)
    assert (drawn["author"]["name"], drawn["author"]["bot"], drawn["author"]["webhook"]) == ("Margin Witch", True, True)


@pytest.mark.parametrize("nick", [None, "Inkling"])
def test_the_application_looks_like_the_author_of_its_own_messages(guild: Guild, nick: str | None) -> None:
    guild.members[guild.world.bot.id].nick = nick
    said = posting.post(Draft(guild.add_channel("general"), guild.world.bot, "So."))
    drawn = drawing.application(guild.owner)
    assert drawn == drawing.message(said, guild.owner)["author"]
    assert drawn["name"] == (nick or guild.world.bot.name)


def test_an_answer_for_one_person_says_so_and_what_was_run(guild: Guild) -> None:
    channel, ben = guild.add_channel("general"), guild.add_member("Ben")
    draft = Draft(
        channel,
        guild.world.bot,
        type=MessageType.CHAT_INPUT_COMMAND,
        flags=MessageFlag.LOADING | MessageFlag.IS_COMPONENTS_V2,
        origin=Origin(1, 2, ben.user, "/character search"),
        ephemeral_for=ben.id,
    )
    drawn = drawing.message(posting.post(draft), ben)
    assert drawn["origin"] == {"user": "Ben", "name": "/character search"}
    assert (drawn["kind"], drawn["only_you"], drawn["loading"], drawn["v2"]) == ("command", True, True, True)
    assert drawn["may"] == {"edit": False, "delete": True, "reply": False}


def test_embeds_and_attachments_come_without_any_address_to_load(guild: Guild) -> None:
    channel = guild.add_channel("general")
    attachment = Attachment(7, "reply.md", b"1234", "text/markdown", "http://127.0.0.1/cdn/attachments/7")
    embed: dict[str, Any] = {
        "title": "A title",
        "description": "words",
        "color": 0x5865F2,
        "fields": [{"name": "Tags", "value": "writing", "inline": True}],
        "footer": {"text": "below", "icon_url": "http://images.example/1.png"},
        "author": {"name": "above"},
        "image": {"url": "http://images.example/2.png"},
    }
    draft = Draft(channel, guild.world.bot, "", embeds=[embed], attachments=[attachment])
    drawn = drawing.message(posting.post(draft), guild.owner)
    assert drawn["attachments"] == [{"id": "7", "name": "reply.md", "size": 4, "type": "text/markdown"}]
    assert drawn["embeds"] == [
        {
            "title": "A title",
            "url": "",
            "description": "words",
            "color": 0x5865F2,
            "fields": [{"name": "Tags", "value": "writing", "inline": True}],
            "footer": "below",
            "author": "above",
            "thumbnail": False,
            "image": True,
            "link": False,
        }
    ]
    assert "images.example" not in repr(drawn)


def test_a_channel_is_drawn_as_one_person_may_use_it(guild: Guild) -> None:
    channel = guild.add_channel("after-dark", nsfw=True, topic="Late")
    thread = channel.add_thread("later")
    ben = guild.add_member("Ben")
    channel.overwrite(guild.everyone, deny=Permission.SEND_MESSAGES)
    assert drawing.channel(channel, ben) == {
        "id": str(channel.id),
        "name": "after-dark",
        "topic": "Late",
        "kind": "text",
        "type": 0,
        "parent": None,
        "nsfw": True,
        "may_write": False,
    }
    drawn = drawing.channel(thread, guild.owner)
    assert (drawn["kind"], drawn["parent"], drawn["nsfw"], drawn["may_write"]) == (
        "thread",
        str(channel.id),
        True,
        True,
    )


def test_people_are_told_apart_by_their_rank(guild: Guild) -> None:
    cleo = guild.add_member("Cleo", roles=[guild.add_role("Moderator", Permission.MANAGE_MESSAGES)])
    ranks = [drawing.person(who)["role"] for who in (guild.owner, cleo, guild.add_member("Ben"))]
    assert ranks == ["owner", "moderator", "member"]


def test_what_mentions_stand_for_is_drawn(guild: Guild) -> None:
    channel = guild.add_channel("general")
    ben = guild.add_member("Ben", nick="Benny")
    names = drawing.names(ben)
    assert names["users"][str(ben.id)] == "Benny"
    assert names["users"][str(guild.world.bot.id)] == "character-bot"
    assert names["channels"] == {str(channel.id): "general"}
    assert names["roles"][str(guild.everyone.id)] == "@everyone"


def test_commands_are_drawn_as_what_can_be_typed(guild: Guild) -> None:
    guild.add_channel("general")
    option = {"type": 3, "name": "query", "description": "Words", "required": True, "max_length": 20}
    trigger = {
        "type": 3,
        "name": "trigger",
        "description": "When",
        "choices": [{"name": "Every message", "value": "all", "name_localizations": None}],
    }
    search = {"type": 1, "name": "search", "description": "Look", "options": [option, trigger]}
    guild.world.interactions.commands.register(
        [
            {"name": "character", "description": "d", "options": [search]},
            {"name": "Why silent?", "type": 3},
        ]
    )
    assert drawing.commands(guild.owner) == [
        {
            "name": "character",
            "words": "character search",
            "kind": "chat",
            "description": "Look",
            "options": [
                {
                    "name": "query",
                    "description": "Words",
                    "type": 3,
                    "required": True,
                    "autocomplete": False,
                    "choices": [],
                    "max_length": 20,
                },
                {
                    "name": "trigger",
                    "description": "When",
                    "type": 3,
                    "required": False,
                    "autocomplete": False,
                    "choices": [{"name": "Every message", "value": "all"}],
                },
            ],
        },
        {"name": "Why silent?", "words": "Why silent?", "kind": "message", "description": "", "options": []},
    ]


@pytest.mark.parametrize(
    ("name", "letter"), [("ada", "A"), ("  (élan)", "É"), ("!!", "?"), ("", "?"), ("9 lives", "9")]
)
def test_the_letter_of_a_name_is_its_first_that_can_be_read(name: str, letter: str) -> None:
    assert drawing.initial(name) == letter


def test_a_name_keeps_its_colour() -> None:
    assert drawing.hue("Ada") == drawing.hue("Ada")
    assert len({drawing.hue(name) for name in ("Ada", "Ben", "Cleo")}) == 3
    assert all(0 <= drawing.hue(str(number)) < 360 for number in range(100))
