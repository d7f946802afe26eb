"""That the watch over logs and database, under which every test here runs, would notice."""

import logging
import sqlite3
from contextlib import closing

import pytest

from bot.sandbox.discord.requests import UploadedFile
from tests.end_to_end.scene import Scene
from tests.end_to_end.secrecy import listening
from tests.end_to_end.world import World

PRIVATE = "My locker opens with a song."


async def test_what_people_and_characters_say_is_missed_neither_in_the_log_nor_in_the_database(world: World) -> None:
    scene = Scene.of(world)
    with listening(world) as secrecy:
        async with world.bot():
            await scene.use()
            await scene.ask(PRIVATE, "Then sing it quietly.")
            secrecy.check()
        assert {PRIVATE, "Then sing it quietly."} <= secrecy.texts
        for told in (PRIVATE, "Then sing it quietly."):
            with closing(sqlite3.connect(world.folder / "other.db")) as database, database:
                database.execute("CREATE TABLE IF NOT EXISTS leak (body TEXT)")
                database.execute("INSERT INTO leak VALUES (?)", (told,))
            leak = (world.folder / "other.db").rename(world.folder / "bot.db-leak")
            with pytest.raises(AssertionError, match=r"bot\.db-leak tells"):
                secrecy.check()
            leak.unlink()


async def test_no_token_goes_unnoticed_in_the_log(world: World) -> None:
    scene = Scene.of(world)
    with pytest.raises(AssertionError, match="the log tells"), listening(world) as secrecy:  # noqa: PT012 - the block is the test
        async with world.bot():
            await scene.use()
        assert len(secrecy.secrets) > 3
        (webhook,) = scene.channel.webhooks
        logging.getLogger("bot").debug("a webhook with the token of %s", webhook.token)


async def test_no_key_goes_unnoticed_in_what_is_sent(world: World) -> None:
    scene = Scene.of(world)
    world.upstream.catalog.add_account("somebody")
    key = world.upstream.catalog.accounts.get("somebody").key
    with listening(world) as secrecy:
        async with world.bot():
            await scene.use()
            secrecy.check()
            sent = world.discord.requests[-1]
            for told in (key, "fake-device-code-0001", world.discord.token):
                body, sent.json = sent.json, {"content": f"psst: {told}"}
                with pytest.raises(AssertionError, match="a request to Discord tells"):
                    secrecy.check()
                sent.json = body


async def test_no_key_goes_unnoticed_in_a_file_or_an_address(world: World) -> None:
    scene = Scene.of(world)
    key = world.upstream.catalog.add_account("somebody").key
    with listening(world) as secrecy:
        async with world.bot():
            await scene.use()
            await scene.ask("A question that is asked here.", "An answer that is given here.")
            sent, call = world.discord.requests[-1], world.upstream.response_calls[-1]
            files, sent.files = sent.files, (UploadedFile("files[0]", "log.txt", "text/plain", key.encode()),)
            with pytest.raises(AssertionError, match="a file for Discord tells"):
                secrecy.check()
            sent.files = files
            sent.params["reason"] = key
            with pytest.raises(AssertionError, match="a request to Discord tells"):
                secrecy.check()
            del sent.params["reason"]
            call.query["key"] = (key,)
            with pytest.raises(AssertionError, match="an address of NanoGPT's tells"):
                secrecy.check()
            del call.query["key"]
            header, call.key_header = call.key_header, "x-api-key"
            with pytest.raises(AssertionError, match="keys stand in"):
                secrecy.check()
            call.key_header = header


async def test_what_is_pasted_as_a_key_is_a_secret_whosever_it_is(world: World) -> None:
    scene = Scene.of(world)
    pasted = "sk-nano-fake-of-nobody"
    with listening(world) as secrecy:
        async with world.bot():
            invited = await scene.owner.slash(scene.channel, "account link")
            form = await scene.owner.click(await invited.final_message(), "Paste a key instead")
            await (await scene.owner.submit(form, {"key": pasted})).final_message()
        assert pasted in secrecy.secrets


async def test_a_copy_of_the_database_is_looked_at_too(world: World) -> None:
    scene = Scene.of(world)
    with listening(world) as secrecy:
        async with world.bot():
            await scene.use()
        secrecy.check_backup()
        for statement in (
            "CREATE TABLE leak (body TEXT)",
            "INSERT INTO leak VALUES ('fake-device-code-0001')",
        ):
            with closing(sqlite3.connect(world.folder / "bot.db")) as database, database:
                database.execute(statement)
        with pytest.raises(AssertionError, match="a backup tells"):
            secrecy.check_backup()
        (world.folder / "bot.db").unlink()
