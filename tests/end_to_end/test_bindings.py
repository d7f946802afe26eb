"""Who speaks where: the commands that decide it, and what happens to the channel meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from bot.app import Application
from bot.domain.ids import ChannelId, GuildId
from bot.domain.places import Place
from bot.domain.start_wording import MENTIONS_ONLY
from bot.errors import UserError
from bot.sandbox.discord import Channel, Fault, Guild, Message, Permission, Person
from tests.end_to_end.scene import EXECUTE
from tests.end_to_end.world import World

GREETING = "What are we editing today?"
GUIDE, BARD = "helpful-guide", "night-bard"


def spoken(channel: Channel) -> list[str]:
    """Return what characters said in a channel, oldest first."""
    return [message.content for message in channel.messages.values() if message.webhook is not None]


def told(channel: Channel) -> list[str]:
    """Return what the bot itself told a whole channel, oldest first."""
    return [
        message.content
        for message in channel.messages.values()
        if message.author.bot and message.webhook is None and message.content
    ]


def last_context(world: World) -> list[str]:
    """Return the texts of the last call for a reply."""
    body = cast("dict[str, Any]", world.upstream.response_calls[-1].body)
    return [item["content"] for item in body["input"]]


async def until(world: World, condition: Callable[[], bool]) -> None:
    await world.discord.wait_for(condition)


async def use(world: World, who: Person, channel: Channel, character: str = GUIDE, **options: object) -> None:
    """Bring a character to a channel, and wait until it has greeted."""
    before = len(spoken(channel))
    result = await who.slash(channel, "character use", character=character, **options)
    await result.final_message()
    await until(world, lambda: len(spoken(channel)) > before)


def set_up(world: World, *, nsfw: bool = False) -> tuple[Guild, Channel, Person]:
    guild = world.discord.add_guild("Writers")
    return guild, guild.add_channel("general", nsfw=nsfw), guild.owner


async def test_the_channel_reads_about_the_ai_service_before_the_character_greets(world: World) -> None:
    _, channel, owner = set_up(world)
    async with world.bot(privacy__policy_url="https://bot.example/privacy"):
        result = await owner.slash(channel, "character use", character=GUIDE)
        answer = await result.final_message()
        await until(world, lambda: bool(spoken(channel)))
        assert answer.ephemeral_for == owner.id
        first, second = channel.messages.values()
        assert "NanoGPT, an AI service" in first.content
        assert "/privacy ignore-me" in first.content
        assert "<https://bot.example/privacy>" in first.content
        assert second.content == GREETING
        assert second.webhook is not None


@pytest.mark.parametrize(
    "lost",
    [
        Fault(method="PATCH", path_pattern="/messages/@original$", status=404, code=10015),
        Fault(method="POST", path_pattern=EXECUTE, status=404, code=10015),
    ],
    ids=["the answer", "the notice"],
)
async def test_the_channel_reads_about_the_ai_service_though_the_command_can_be_answered_no_more(
    world: World, lost: Fault
) -> None:
    _, channel, owner = set_up(world)
    async with world.bot():
        world.discord.faults.add(lost)
        with world.discord.expect_refusal(code=10015):
            await owner.slash(channel, "character use", character=GUIDE)
            await until(world, lambda: bool(spoken(channel)))
    assert lost.hits == 1
    [notice] = told(channel)
    assert "is sent to NanoGPT, an AI service" in notice
    [(notice_id, _), (greeting_id, _)] = channel.messages.items()
    assert notice_id < greeting_id
    assert spoken(channel) == [GREETING]


async def test_a_channel_that_could_not_be_told_reads_about_the_ai_service_at_the_next_start(world: World) -> None:
    _, channel, owner = set_up(world)
    world.discord.faults.add(Fault(method="POST", path_pattern=EXECUTE, status=404, code=10015))
    world.discord.faults.add(Fault(method="POST", path_pattern="/channels/.*/messages$", status=403, code=50013))
    with world.discord.expect_refusal(code=10015), world.discord.expect_refusal(code=50013):
        async with world.bot():
            await owner.slash(channel, "character use", character=GUIDE)
            await until(world, lambda: len(world.discord.refusals) >= 2)
    assert told(channel) == []
    async with world.bot():
        await until(world, lambda: bool(told(channel)))
    [notice] = told(channel)
    assert "is sent to NanoGPT, an AI service" in notice
    async with world.bot():
        await owner.say(channel, "Hello?")
        await until(world, lambda: bool(spoken(channel)))
    assert told(channel) == [notice]


async def test_only_who_manages_the_channel_may_decide(world: World) -> None:
    guild, channel, owner = set_up(world)
    member = guild.add_member("Mia")
    async with world.bot():
        refused = await member.slash(channel, "character use", character=GUIDE)
        message = await refused.final_message()
        assert message.ephemeral_for == member.id
        assert "Manage Channels" in message.content
        assert not channel.messages
        await use(world, owner, channel)
        for command in ("character leave", "character reset"):
            result = await member.slash(channel, command)
            assert "Manage Channels" in (await result.final_message()).content
        shown = await member.slash(channel, "character current")
        assert "**Helpful Guide**" in (await shown.final_message()).content


async def test_the_option_offers_characters_and_the_same_one_again_is_answered_in_private(world: World) -> None:
    _, channel, owner = set_up(world)
    async with world.bot():
        await use(world, owner, channel)
        offered = await owner.autocomplete(channel, "character use", "character", "helpful")
        assert any("Helpful Guide" in choice.name for choice in offered)
        before = len(channel.messages)
        result = await owner.slash(channel, "character use", character=GUIDE)
        answer = await result.final_message()
        assert answer.ephemeral_for == owner.id
        assert "already" in answer.content
        assert len(channel.messages) == before


async def test_permissions_that_the_bot_lacks_are_named(world: World) -> None:
    _, channel, owner = set_up(world)
    async with world.bot():
        channel.deny_bot(Permission.READ_MESSAGE_HISTORY)
        result = await owner.slash(channel, "character use", character=GUIDE)
        assert "Read Message History" in (await result.final_message()).content
        assert not channel.messages


async def test_a_character_above_the_ceiling_is_refused_without_its_name(world: World) -> None:
    _, channel, owner = set_up(world)
    async with world.bot():
        result = await owner.slash(channel, "character use", character=BARD)
        message = await result.final_message()
        assert message.ephemeral_for == owner.id
        assert "Night Bard" not in message.content
        assert not channel.messages


async def test_a_thread_follows_its_channel_and_may_begin_afresh_on_its_own(world: World) -> None:
    _, channel, owner = set_up(world)
    async with world.bot():
        await use(world, owner, channel)
        thread = channel.add_thread("aside")
        refused = await owner.slash(thread, "character use", character=GUIDE)
        assert f"<#{channel.id}>" in (await refused.final_message()).content
        world.upstream.script("I am all ears.")
        await owner.say(thread, "May I ask something?")
        await until(world, lambda: "I am all ears." in spoken(thread))
        result = await owner.slash(thread, "character reset")
        await result.final_message()
        await until(world, lambda: GREETING in spoken(thread))
        world.upstream.script("We have only just met.")
        await owner.say(thread, "What did I ask?")
        await until(world, lambda: "We have only just met." in spoken(thread))
    said = last_context(world)
    assert not any("May I ask something?" in text for text in said)
    assert GREETING in said


async def test_a_character_that_left_answers_no_more(world: World) -> None:
    _, channel, owner = set_up(world)
    async with world.bot():
        await use(world, owner, channel)
        result = await owner.slash(channel, "character leave")
        assert "has left" in (await result.final_message()).content
        message = await owner.say(channel, "Are you there?")
        why = await owner.context_menu(message, "Why silent?")
        assert "No character speaks in this channel" in (await why.final_message()).content
    assert world.upstream.response_calls == []


async def test_a_trigger_is_changed_and_explained(world: World) -> None:
    _, channel, owner = set_up(world)
    async with world.bot():
        await use(world, owner, channel)
        result = await owner.slash(channel, "character settings", trigger="mention")
        assert "mention me" in (await result.final_message()).content
        message = await owner.say(channel, "Just talking")
        why = await owner.context_menu(message, "Why silent?")
        assert "only messages that mention me" in (await why.final_message()).content
        world.upstream.script("You called?")
        await owner.say(channel, "Over here", mentions=[world.discord.bot_user])
        await until(world, lambda: "You called?" in spoken(channel))
    assert len(world.upstream.response_calls) == 1


async def test_why_silent_points_from_a_message_to_its_reply_and_explains_the_reply(world: World) -> None:
    _, channel, owner = set_up(world)
    async with world.bot():
        await use(world, owner, channel)
        world.upstream.script("Gladly.")
        message = await owner.say(channel, "Help me")
        await until(world, lambda: "Gladly." in spoken(channel))
        # A turn begins only once the one before it has been written down as answered.
        world.upstream.script("What else?")
        await owner.say(channel, "Thanks")
        await until(world, lambda: "What else?" in spoken(channel))
        reply = _message(channel, "Gladly.")
        about_message = await owner.context_menu(message, "Why silent?")
        assert str(reply.id) in (await about_message.final_message()).content
        about_reply = await owner.context_menu(reply, "Why silent?")
        assert "reply of the character itself" in (await about_reply.final_message()).content


async def test_a_channel_that_loses_its_age_restriction_pauses_its_character_until_it_has_it_again(
    world: World,
) -> None:
    _, channel, owner = set_up(world, nsfw=True)
    async with world.bot():
        await use(world, owner, channel, BARD)
        channel.set_nsfw(nsfw=False)
        await until(world, lambda: any("is paused" in text for text in told(channel)))
        assert not any("Night Bard" in text for text in told(channel)[1:])
        message = await owner.say(channel, "Sing!")
        why = await owner.context_menu(message, "Why silent?")
        assert "rated above" in (await why.final_message()).content
        current = await owner.slash(channel, "character current")
        assert "Night Bard" not in (await current.final_message()).content
        channel.set_nsfw(nsfw=True)
        await until(world, lambda: any("is back" in text for text in told(channel)))
        world.upstream.script("La la la.")
        await owner.say(channel, "Sing now!")
        await until(world, lambda: "La la la." in spoken(channel))
    assert len(world.upstream.response_calls) == 1


async def test_without_manage_webhooks_the_bot_speaks_for_the_character_and_staff_learn_why(world: World) -> None:
    _, channel, owner = set_up(world)
    async with world.bot():
        channel.deny_bot(Permission.MANAGE_WEBHOOKS)
        result = await owner.slash(channel, "character use", character=GUIDE)
        answer = await result.final_message()
        assert "Manage Webhooks" in answer.content
        assert answer.ephemeral_for == owner.id
        await until(world, lambda: any(GREETING in text for text in told(channel)))


async def test_without_the_message_content_intent_every_message_is_refused_and_mentions_work(world: World) -> None:
    _, channel, owner = set_up(world)
    world.discord.message_content_enabled = False
    async with world.bot(discord__message_content="false"):
        refused = await owner.slash(channel, "character use", character=GUIDE, trigger="every")
        assert "message content intent" in (await refused.final_message()).content
        await use(world, owner, channel)
        await owner.say(channel, "Nobody hears this")
        world.upstream.script("At your service.")
        await owner.say(channel, "And this?", mentions=[world.discord.bot_user])
        await until(world, lambda: "At your service." in spoken(channel))
    assert len(world.upstream.response_calls) == 1
    assert not any("Nobody hears this" in text for text in last_context(world))


async def test_a_start_without_the_message_content_intent_warns_the_operator(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with world.bot():
        assert MENTIONS_ONLY not in caplog.messages
    async with world.bot(discord__message_content="false"):
        assert caplog.messages.count(MENTIONS_ONLY) == 1


async def test_what_was_bound_goes_with_its_channel_and_with_its_server(world: World) -> None:
    guild, channel, owner = set_up(world)
    other = guild.add_channel("other")
    async with world.bot() as bot:
        await use(world, owner, channel)
        await use(world, owner, other)
        channel.delete()
        await _gone(bot, channel)
        guild.remove_bot()
        await _gone(bot, other)


async def _gone(bot: Application, channel: Channel) -> None:
    """Wait until nothing is bound to a channel: the bot says nothing of it that could be waited for."""
    place = Place(GuildId(0), ChannelId(channel.id), None, age_restricted=False)
    services = bot.client.services
    async with asyncio.timeout(10):
        while True:
            try:
                services.bindings.current(place)
            except UserError:
                return
            await asyncio.sleep(0)


def _message(channel: Channel, text: str) -> Message:
    return next(message for message in channel.messages.values() if message.content == text)
