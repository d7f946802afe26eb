"""`python -m bot check` against the stand-ins: what an operator reads before the first start, and when one fails."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bot import app
from bot.sandbox.nanogpt.faults import Fault, Route
from bot.store.database import Database
from tests.end_to_end.world import World

PRESENT = 1_800_000_000_000


async def check(world: World, **changes: str) -> tuple[bool, list[str]]:
    """Return the verdict, and the lines that are no mere praise."""
    said: list[str] = []
    settings = world.settings(**changes)
    all_well = await app.check(settings, said.append)
    text = "\n".join(said)
    assert not any(secret in text for secret in settings.secrets)
    assert all(line[:2] in {"✓ ", "✗ ", "? "} for line in said)
    return all_well, [
        line for line in said if line.startswith(("✗", "?")) and "meant for a proxy or a test" not in line
    ]


async def test_all_is_well_before_the_first_start_and_nothing_is_made(world: World) -> None:
    world.discord.add_guild("Writers")
    assert await check(world) == (True, [])
    assert list(world.folder.iterdir()) == []
    assert world.discord.gateway.identifies == []
    (call,) = world.upstream.response_calls
    assert call.fields["max_output_tokens"] == 16


async def test_a_bot_that_is_in_no_server_gets_its_link(world: World) -> None:
    all_well, (line,) = await check(world)
    assert all_well
    assert f"client_id={world.discord.application_id}" in line
    assert "permissions=275414895616" in line


async def test_a_wrong_token_is_told(world: World) -> None:
    with world.discord.expect_refusal(status=401):
        all_well, (line,) = await check(world, discord__token="fake-wrong-token")
    assert not all_well
    assert "Discord refused the token" in line


async def test_a_missing_intent_is_told_unless_it_is_not_wanted(world: World) -> None:
    world.discord.add_guild("Writers")
    world.discord.message_content_enabled = False
    all_well, (line,) = await check(world)
    assert not all_well
    assert "Message Content Intent" in line
    all_well, (line,) = await check(world, discord__message_content="false")
    assert all_well
    assert "only messages that mention it" in line


async def test_a_bad_key_is_told(world: World) -> None:
    world.discord.add_guild("Writers")
    all_well, (line,) = await check(world, nanogpt__api_key="sk-nano-fake-wrong")
    assert not all_well
    assert "NanoGPT refuses the key" in line


async def test_an_account_that_cannot_pay_is_told(world: World) -> None:
    world.discord.add_guild("Writers")
    world.upstream.faults.next(Fault.INSUFFICIENT_BALANCE, on=Route.RESPONSES)
    all_well, (line,) = await check(world)
    assert not all_well
    assert "cannot pay" in line


async def test_a_model_that_the_server_wants_is_found_out(world: World) -> None:
    world.discord.add_guild("Writers")
    world.upstream.variants.model_required = True
    said: list[str] = []
    assert await app.check(world.settings(), said.append)
    assert "“model” is needed beside “character_id”" in said[-1]


async def test_few_session_starts_are_told(world: World) -> None:
    world.discord.add_guild("Writers")
    world.discord.gateway.session_starts_remaining = 60
    all_well, (line,) = await check(world)
    assert not all_well
    assert "60 of 1000 session starts are left" in line


async def test_a_running_bot_holds_its_database(world: World) -> None:
    world.discord.add_guild("Writers")
    async with world.bot():
        all_well, (line,) = await check(world)
    assert not all_well
    assert "Another process is using the database" in line
    assert await check(world) == (True, [])


async def test_a_locked_database_is_told(world: World) -> None:
    world.discord.add_guild("Writers")
    path = world.folder / "bot.db"
    await (await Database.open(path, now_ms=PRESENT)).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        all_well, lines = await check(world)
    assert not all_well
    assert any("Another program holds a lock" in line for line in lines)


async def test_a_key_file_that_others_can_read_and_one_that_does_not_fit_are_told(world: World) -> None:
    guild = world.discord.add_guild("Writers")
    channel = guild.add_channel("general")
    async with world.bot():
        await (await guild.owner.slash(channel, "character use", character="helpful-guide")).final_message()
        await world.discord.wait_for(lambda: any(message.webhook for message in channel.messages.values()))
    key_file = world.folder / "bot.key"
    key_file.chmod(0o644)
    all_well, (line,) = await check(world)
    assert not all_well
    assert "chmod 600" in line
    _write_another_key(key_file)
    all_well, (line,) = await check(world)
    assert not all_well
    assert "sealed with 1 key that the vault does not have" in line


async def test_nobody_at_home_is_told_for_each(world: World) -> None:
    nowhere = {"discord__api_url": "http://127.0.0.1:9/api/v10", "nanogpt__base_url": "http://127.0.0.1:9/api/v1"}
    all_well, lines = await check(world, **nowhere)
    assert not all_well
    assert "Discord could not be reached" in lines[0]
    assert "NanoGPT's catalogue does not answer" in lines[1]


def _write_another_key(path: Path) -> None:
    path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, b"A" * 43 + b"=\n")
    os.close(descriptor)
