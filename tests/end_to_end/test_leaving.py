"""Which servers count as left: those the bot was removed from, also while it was down, and never those in an outage."""

import sqlite3
from contextlib import closing
from typing import Any

from bot.sandbox.discord.guilds import Guild
from tests.end_to_end.world import World

_MOST_QUESTIONS = 200


def left(world: World) -> dict[int, bool]:
    """Return the servers the bot knows, and whether it takes them for left."""
    with closing(sqlite3.connect(world.folder / "bot.db")) as database:
        rows: list[Any] = database.execute("SELECT id, left_at FROM guild").fetchall()
    return {guild_id: left_at is not None for guild_id, left_at in rows}


async def until(world: World, guild: Guild, *, is_left: bool, asking: Guild) -> None:
    """Wait until the bot has written down what it heard; somebody of another server asks for help meanwhile."""
    person = asking.owner
    for _ in range(_MOST_QUESTIONS):
        if left(world).get(guild.id) is is_left:
            return
        await person.slash(person.open_dm(), "help")
    raise AssertionError(left(world))


async def test_a_server_the_bot_is_removed_from_is_left_at_once(world: World) -> None:
    stays, goes = world.discord.add_guild("Stays"), world.discord.add_guild("Goes")
    async with world.bot():
        await until(world, goes, is_left=False, asking=stays)
        goes.remove_bot()
        await until(world, goes, is_left=True, asking=stays)
    assert left(world) == {stays.id: False, goes.id: True}


async def test_a_server_the_bot_was_removed_from_while_it_was_down_is_left_at_the_next_start(world: World) -> None:
    stays, goes = world.discord.add_guild("Stays"), world.discord.add_guild("Goes")
    async with world.bot():
        await until(world, goes, is_left=False, asking=stays)
    goes.remove_bot()
    async with world.bot():
        await until(world, goes, is_left=True, asking=stays)
    assert left(world) == {stays.id: False, goes.id: True}


async def test_a_server_in_an_outage_is_not_left(world: World) -> None:
    stays, away = world.discord.add_guild("Stays"), world.discord.add_guild("Away")
    async with world.bot():
        await until(world, away, is_left=False, asking=stays)
        away.become_unavailable()
    goes = world.discord.add_guild("Goes")
    async with world.bot():
        # This one is new at this start, so once it is known the comparison is done.
        await until(world, goes, is_left=False, asking=stays)
    assert left(world) == {stays.id: False, away.id: False, goes.id: False}
