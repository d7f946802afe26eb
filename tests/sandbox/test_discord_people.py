"""What people see and may do, apart from what the bot is told."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.sandbox.discord import (
    Channel,
    DiscordSandbox,
    Guild,
    Message,
    MessageFlag,
    Permission,
    Person,
    SandboxError,
    posting,
)
from bot.sandbox.discord.commands import leaves
from bot.sandbox.discord.history import read_back
from bot.sandbox.discord.posting import Change, Draft
from bot.sandbox.discord.sights import Gone, Rearranged, Shown, Sight, Typing

NOW = 1_760_000_000.0
COMMANDS: list[dict[str, Any]] = [
    {"name": "help", "description": "d"},
    {"name": "staff", "description": "d", "default_member_permissions": str(int(Permission.MANAGE_GUILD))},
    {"name": "spicy", "description": "d", "nsfw": True},
    {"name": "here", "description": "d", "contexts": [1]},
    {"name": "Why silent?", "type": 3},
]


@dataclass
class Place:
    """A server with a few people, and everything that was seen in it."""

    sandbox: DiscordSandbox = field(default_factory=lambda: DiscordSandbox(clock=lambda: NOW))
    seen: list[Sight] = field(default_factory=list[Sight])

    def __post_init__(self) -> None:
        self.guild: Guild = self.sandbox.add_guild("Guild", owner="Ada")
        self.general: Channel = self.guild.add_channel("general", topic="All of it")
        self.ada: Person = self.guild.owner
        self.cleo: Person = self.guild.add_member("Cleo", permissions=Permission.MANAGE_MESSAGES)
        self.ben: Person = self.guild.add_member("Ben")
        self.sandbox.world.look_on(self.seen.append)

    def whisper(self, to: Person, text: str = "only you", flags: MessageFlag = MessageFlag.NONE) -> Message:
        """Let the bot answer so that only one person sees it."""
        bot = self.sandbox.world.bot
        return posting.post(Draft(self.general, bot, text, flags=flags, ephemeral_for=to.id))


@pytest.fixture
def place() -> Place:
    return Place()


async def test_what_becomes_of_a_message_is_shown_each_time(place: Place) -> None:
    message = await place.ben.say(place.general, "hello")
    await place.ben.edit(message, "hello there")
    await place.ben.delete(message)
    assert place.seen == [Shown(message), Shown(message), Gone(message)]


async def test_messages_that_the_bot_cannot_see_are_shown_all_the_same(place: Place) -> None:
    place.general.deny_bot(Permission.VIEW_CHANNEL)
    place.seen.clear()
    message = await place.ben.say(place.general, "hello")
    assert place.seen == [Shown(message)]


async def test_several_messages_deleted_at_once_go_one_by_one(place: Place) -> None:
    messages = [await place.ben.say(place.general, text) for text in "abc"]
    place.seen.clear()
    await place.cleo.delete_many(messages)
    assert place.seen == [Gone(message) for message in messages]


def test_what_one_person_is_told_is_seen_by_that_person(place: Place) -> None:
    message = place.whisper(place.ben)
    posting.edit(message, Change("still only you"))
    assert place.seen == [Shown(message), Shown(message)]
    assert [each.sees(message) for each in (place.ben, place.ada)] == [True, False]
    assert (place.ben.private_messages, place.ada.private_messages) == ([message], [])


async def test_a_dismissed_message_is_gone_for_good_though_the_bot_goes_on_editing_it(place: Place) -> None:
    message = place.whisper(place.ben)
    with pytest.raises(SandboxError, match="nobody else sees"):
        await place.cleo.dismiss(message)
    await place.ben.dismiss(message)
    assert place.seen[-1] == Gone(message)
    posting.edit(message, Change("again"))
    assert not place.ben.sees(message)
    assert place.ben.private_messages == []
    assert not message.deleted


def test_what_takes_the_place_of_a_placeholder_is_no_edit(place: Place) -> None:
    message = place.whisper(place.ben, "", MessageFlag.LOADING)
    posting.edit(message, Change("found it", flags=MessageFlag.NONE))
    assert (message.is_loading, message.edited_at) == (False, None)
    posting.edit(message, Change("found more"))
    assert message.edited_at == NOW


def test_typing_lasts_ten_seconds_or_until_its_author_has_written(place: Place) -> None:
    world = place.sandbox.world
    world.begin_typing(place.general, world.bot)
    posting.post(Draft(place.general, place.ben.user, "somebody else"))
    message = posting.post(Draft(place.general, world.bot, "there"))
    posting.post(Draft(place.general, world.bot, "and more"))
    typing = [sight for sight in place.seen if isinstance(sight, Typing)]
    assert typing == [Typing(place.general, world.bot, NOW + 10), Typing(place.general, world.bot, NOW)]
    assert place.seen.index(Shown(message)) < place.seen.index(typing[1])


def test_what_changes_about_the_server_is_seen(place: Place) -> None:
    for change in (
        lambda: place.guild.add_channel("more"),
        lambda: place.general.add_thread("thread"),
        lambda: place.general.rename("lobby"),
        lambda: place.guild.add_member("Dora"),
        lambda: place.sandbox.world.interactions.commands.register(COMMANDS),
    ):
        place.seen.clear()
        change()
        assert place.seen == [Rearranged()]


async def test_a_persons_places_have_threads_behind_their_channels(place: Place) -> None:
    hidden = place.guild.add_channel("staff-only")
    hidden.overwrite(place.guild.everyone, deny=Permission.VIEW_CHANNEL)
    hidden.add_thread("hidden too")
    gone = place.guild.add_channel("gone")
    gone.delete()
    thread = place.general.add_thread("thread")
    assert place.ben.places == [place.general, thread]
    assert [each.name for each in place.ada.places] == ["general", "thread", "staff-only", "hidden too"]


def test_commands_are_offered_by_rights_and_by_places(place: Place) -> None:
    place.sandbox.world.interactions.commands.register(COMMANDS)

    def offered(person: Person) -> list[str]:
        return [command["name"] for command in person.offered_commands]

    assert offered(place.ben) == ["help", "Why silent?"]
    assert offered(place.ada) == ["help", "staff", "Why silent?"]
    place.guild.add_channel("after-dark", nsfw=True)
    assert offered(place.ben) == ["help", "spicy", "Why silent?"]
    place.sandbox.world.interactions.commands.register([{"name": "local", "description": "d"}], place.guild.id)
    assert offered(place.ben)[0] == "local"


def test_the_leaves_of_a_command_are_what_can_be_typed() -> None:
    option = {"type": 3, "name": "query", "description": "d"}
    search = {"type": 1, "name": "search", "description": "d", "options": [option]}
    group = {"type": 2, "name": "deck", "description": "d", "options": [search, {**search, "name": "list"}]}
    command = {"name": "card", "options": [{**search, "name": "show"}, group]}
    assert [words for words, _ in leaves(command)] == ["card show", "card deck search", "card deck list"]
    assert leaves(command)[1][1] is search
    assert leaves({"name": "ping", "options": [option]}) == [("ping", {"name": "ping", "options": [option]})]


async def test_history_holds_what_only_this_person_sees_in_its_place(place: Place) -> None:
    first = await place.ben.say(place.general, "1")
    second = place.whisper(place.ben)
    place.whisper(place.ada)
    third = await place.ben.say(place.general, "2")
    assert read_back(place.ben, place.general, before=None, limit=50) == ([first, second, third], False)
    assert read_back(place.ben, place.general, before=None, limit=1) == ([third], True)
    assert read_back(place.ben, place.general, before=third.id, limit=1) == ([first, second], False)


async def test_history_needs_the_right_to_read_it(place: Place) -> None:
    await place.ben.say(place.general, "1")
    place.general.overwrite(place.guild.everyone, deny=Permission.READ_MESSAGE_HISTORY)
    assert read_back(place.ben, place.general, before=None, limit=50) == ([], False)
    place.general.overwrite(place.guild.everyone, deny=Permission.VIEW_CHANNEL)
    with pytest.raises(SandboxError, match="Ben does not see general"):
        read_back(place.ben, place.general, before=None, limit=50)


async def test_what_may_be_done_to_a_message_goes_by_its_author_and_by_rank(place: Place) -> None:
    message = await place.ben.say(place.general, "mine")
    assert [each.may_edit(message) for each in (place.ben, place.cleo)] == [True, False]
    assert [each.may_delete(message) for each in (place.ben, place.cleo)] == [True, True]
    other = await place.cleo.say(place.general, "not mine")
    assert (place.ben.may_delete(other), place.ben.may_reply(other)) == (False, True)
    secret = place.whisper(place.cleo)
    assert (place.cleo.may_delete(secret), place.cleo.may_dismiss(secret)) == (False, True)
    assert not place.cleo.may_reply(secret)
    with pytest.raises(SandboxError, match="cannot be replied to"):
        await place.cleo.say(place.general, "to this", reply_to=secret)
    with pytest.raises(SandboxError, match="Ben may not delete"):
        await place.ben.delete(other)


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001])
async def test_an_edit_has_the_limits_of_a_message(place: Place, text: str) -> None:
    message = await place.ben.say(place.general, "mine")
    with pytest.raises(SandboxError):
        await place.ben.edit(message, text)
    assert message.content == "mine"


def test_an_owner_may_have_a_name(place: Place) -> None:
    assert (place.ada.user.name, place.ada.shown_name) == ("ada", "Ada")
