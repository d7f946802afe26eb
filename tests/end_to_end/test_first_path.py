"""The path that everything else grows on: use a character, chat with it, restart, chat on."""

from tests.end_to_end.world import World


async def test_a_bound_character_answers_and_goes_on_after_a_restart(world: World) -> None:
    guild = world.discord.add_guild("Writers")
    channel = guild.add_channel("general")
    owner = guild.owner
    async with world.bot():
        result = await owner.slash(channel, "character use", character="helpful-guide")
        await result.final_message()
        await world.discord.wait_for(
            lambda: any(message.content == "What are we editing today?" for message in channel.messages.values())
        )
        world.upstream.script("Let us begin with the title.")
        await owner.say(channel, "Help me with my essay")
        await world.discord.wait_for(
            lambda: any(message.content == "Let us begin with the title." for message in channel.messages.values())
        )
    async with world.bot():
        world.upstream.script("Where were we?")
        await owner.say(channel, "And now?")
        await world.discord.wait_for(
            lambda: any(message.content == "Where were we?" for message in channel.messages.values())
        )
    said = world.upstream.response_calls[-1].inputs
    assert ("assistant", "What are we editing today?") in said
    assert ("assistant", "Let us begin with the title.") in said
