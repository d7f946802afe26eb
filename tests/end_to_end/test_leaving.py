"""Which servers count as left: those the bot was removed from, also while it was down, and never those in an outage."""

from tests.end_to_end.scene import Scene
from tests.end_to_end.world import World

HERE = "SELECT 1 FROM guild WHERE id = ? AND left_at IS NULL"
LEFT = "SELECT 1 FROM guild WHERE id = ? AND left_at IS NOT NULL"


def left(scene: Scene) -> dict[int, bool]:
    """Return the servers the bot knows, and whether it takes them for left."""
    return {guild_id: left_at is not None for guild_id, left_at in scene.query("SELECT id, left_at FROM guild")}


async def test_a_server_the_bot_is_removed_from_is_left_at_once(world: World) -> None:
    scene, goes = Scene.of(world), world.discord.add_guild("Goes")
    async with world.bot():
        await scene.stored(HERE, goes.id)
        goes.remove_bot()
        await scene.stored(LEFT, goes.id)
    assert left(scene) == {scene.guild.id: False, goes.id: True}


async def test_a_server_the_bot_was_removed_from_while_it_was_down_is_left_at_the_next_start(world: World) -> None:
    scene, goes = Scene.of(world), world.discord.add_guild("Goes")
    async with world.bot():
        await scene.stored(HERE, goes.id)
    goes.remove_bot()
    async with world.bot():
        await scene.stored(LEFT, goes.id)
    assert left(scene) == {scene.guild.id: False, goes.id: True}


async def test_a_server_in_an_outage_is_not_left(world: World) -> None:
    scene, away = Scene.of(world), world.discord.add_guild("Away")
    async with world.bot():
        await scene.stored(HERE, away.id)
        away.become_unavailable()
    new = world.discord.add_guild("New")
    async with world.bot():
        # This one is new at this start, so once it is known the comparison is done.
        await scene.stored(HERE, new.id)
    assert left(scene) == {scene.guild.id: False, away.id: False, new.id: False}
