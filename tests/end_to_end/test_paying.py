"""Who decides and who pays: the panel of a server, its own key, and a private character that its owner pays for."""

from typing import Final

from bot.domain.failures import MARK_SIGN
from bot.domain.server_wording import KEY_KEPT, KEY_REMOVED, STAFF_ONLY
from bot.sandbox.discord import Message, Permission, Person
from bot.sandbox.discord.json_types import objects_of
from bot.sandbox.nanogpt.cast import AUTHOR, PRIVATE
from bot.sandbox.nanogpt.faults import Route
from bot.sandbox.nanogpt.server import OPERATOR
from bot.services.binding_book import LOOK_AGAIN_AFTER_SECONDS
from bot.services.own_characters import OWNER_AWAY_SECONDS, OWNER_FRESH_SECONDS
from tests.end_to_end.linking import link
from tests.end_to_end.scene import BARD, GREETING, GUIDE, Scene, labels
from tests.end_to_end.world import World

SERVER: Final = "a-server"
DIARY: Final = "Diary Keeper"
UNKNOWN_MEMBER: Final = 10007
"""Discord's code for somebody who is not in a server: nothing else tells that they have left."""


async def panel(scene: Scene, who: Person | None = None) -> Message:
    """Open the settings of the server."""
    result = await (who or scene.owner).slash(scene.channel, "server settings")
    assert result.ephemeral
    assert result.message is not None
    return result.message


def part(message: Message, kind: str) -> str:
    """Return the custom id of a part of the panel."""
    ids = [str(each["custom_id"]) for row in message.components for each in objects_of(row.get("components"))]
    return next(custom_id for custom_id in ids if custom_id.split(":")[1] == kind)


async def shows(scene: Scene, message: Message, words: str) -> None:
    """Wait until the panel says so."""
    await scene.until(lambda: words in message.content, words)


def payers(scene: Scene) -> list[str | None]:
    """Return whose account each reply was asked for with."""
    return [call.account for call in scene.calls]


# The panel


async def test_staff_see_and_change_the_settings_of_their_server(world: World) -> None:
    scene = Scene.of(world)
    keepers = scene.guild.add_role("Keepers")
    keeper = scene.guild.add_member("Kim", roles=[keepers])
    log = scene.guild.add_channel("log")
    async with world.bot():
        assert "Manage Channels" in await scene.refused("character use", keeper, character=GUIDE)
        message = await panel(scene)
        for words in ("nobody else", "`nsfw` at most", "none", "the bot's operator", "allowed"):
            assert words in message.content
        await scene.owner.select(message, part(message, "server-role"), [keepers])
        await shows(scene, message, f"<@&{keepers.id}>")
        await scene.owner.select(message, part(message, "server-log"), [log])
        await shows(scene, message, f"<#{log.id}>")
        await scene.owner.select(message, part(message, "server-ceiling"), ["sfw"])
        await shows(scene, message, "`sfw` at most, also in age-restricted channels")
        await scene.owner.click(message, "Forbid private characters")
        await shows(scene, message, "not allowed")
        assert "Allow private characters" in labels(message)
        await keeper.slash(scene.channel, "character use", character=GUIDE)
        await scene.shows(GREETING)
    async with world.bot():
        again = await panel(scene)
        assert again.content == message.content
        await scene.owner.select(again, part(again, "server-role"), [])
        await shows(scene, again, "nobody else")
        await scene.owner.select(again, part(again, "server-log"), [])
        await shows(scene, again, "reports: none")
        await scene.owner.select(again, part(again, "server-ceiling"), ["any"])
        await shows(scene, again, "`nsfw` at most")


async def test_private_characters_are_forbidden_by_all_who_press_forbid(world: World) -> None:
    scene = Scene.of(world)
    deputy = scene.guild.add_member("Dee", permissions=Permission.MANAGE_GUILD)
    async with world.bot():
        panels = [(who, await panel(scene, who)) for who in (scene.owner, deputy)]
        for who, message in panels:
            await who.click(message, "Forbid private characters")
            await shows(scene, message, "not allowed")


async def test_a_log_channel_that_the_bot_cannot_write_in_is_refused(world: World) -> None:
    scene = Scene.of(world)
    log = scene.guild.add_channel("log")
    log.deny_bot(Permission.SEND_MESSAGES)
    async with world.bot():
        message = await panel(scene)
        result = await scene.owner.select(message, part(message, "server-log"), [log])
        await scene.until(lambda: len(result.followups) == 1)
        assert "Send Messages" in result.followups[0].content
        assert f"<#{log.id}>" not in message.content


async def test_a_log_channel_that_was_deleted_does_not_stand_as_chosen(world: World) -> None:
    scene = Scene.of(world)
    log = scene.guild.add_channel("log")
    async with world.bot():
        message = await panel(scene)
        await scene.owner.select(message, part(message, "server-log"), [log])
        await shows(scene, message, f"<#{log.id}>")
        assert chosen(await panel(scene)) == [str(log.id)]
        log.delete()
        assert chosen(await panel(scene)) == []


def chosen(message: Message) -> list[str]:
    """Return the ids that stand as chosen in the panel's selects."""
    parts = [each for row in message.components for each in objects_of(row.get("components"))]
    return [str(value["id"]) for each in parts for value in objects_of(each.get("default_values"))]


async def test_a_panel_that_stands_open_obeys_only_those_who_manage_the_server(world: World) -> None:
    scene = Scene.of(world)
    deputy = scene.guild.add_member("Dee", permissions=Permission.MANAGE_GUILD)
    async with world.bot():
        message = await panel(scene, deputy)
        deputy.member.roles.clear()
        result = await deputy.click(message, "Forbid private characters")
        assert (await result.final_message()).content == STAFF_ONLY
        form = await deputy.click(message, "Pay with a key of our own…")
        assert (await form.final_message()).content == STAFF_ONLY
    assert scene.query("SELECT 1 FROM server_settings") == []


async def test_a_lowered_ceiling_counts_everywhere_at_once(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    async with world.bot():
        await scene.use(BARD)
        message = await panel(scene)
        await scene.owner.select(message, part(message, "server-ceiling"), ["sfw"])
        await scene.marked("rated above what may be shown here")
        for command in ("character show", "character use"):
            sentence = await scene.refused(command, character=BARD)
            assert "above what this channel may show" in sentence
            assert "age-restricted channel" not in sentence
        offered = await scene.owner.autocomplete(scene.channel, "character use", "character", "night")
        assert not any("Night Bard" in choice.name for choice in offered)
        found = await scene.owner.slash(scene.channel, "character search", query="bard")
        assert all("Night Bard" not in str(embed) for embed in (await found.final_message()).embeds)
        await scene.owner.select(message, part(message, "server-ceiling"), ["any"])
        await scene.until(lambda: any("is back" in text for text in scene.told()), "a word that it is back")
        await scene.ask("Sing!", "La la la.")


# A key of the server's own


async def test_a_servers_own_key_is_tried_pays_and_is_deleted(world: World) -> None:
    scene = Scene.of(world)
    account = world.upstream.catalog.add_account(SERVER, usd=5)
    async with world.bot():
        await scene.use()
        await scene.ask("One?", "One.")
        message = await panel(scene)
        form = await scene.owner.click(message, "Pay with a key of our own…")
        wrong = await scene.owner.submit(form, {"key": "sk-nano-fake-of-nobody"})
        await scene.until(lambda: len(wrong.followups) == 1)
        assert "refuses that key" in wrong.followups[0].content
        right = await scene.owner.submit(form, {"key": account.key})
        await shows(scene, message, "this server's own NanoGPT key, since")
        await scene.until(lambda: len(right.followups) == 1)
        assert right.followups[0].content == KEY_KEPT
        await scene.stored("SELECT 1 FROM binding WHERE payer LIKE 'server:%'")
        await scene.ask("Two?", "Two.")
        current = await scene.owner.slash(scene.channel, "character current")
        assert "this server's own NanoGPT key" in await scene.read(current)
        assert [label for label in labels(message) if label][:2] == ["Replace the key…", "Delete the key"]
        removed = await scene.owner.click(message, "Delete the key")
        await scene.until(lambda: len(removed.followups) == 1)
        assert removed.followups[0].content == KEY_REMOVED
        await scene.stored("SELECT 1 FROM binding WHERE payer = 'operator'")
        await scene.ask("Three?", "Three.")
    assert payers(scene) == [OPERATOR, SERVER, OPERATOR]


async def test_a_servers_key_that_fails_is_said_so_and_nothing_else_pays(world: World) -> None:
    scene = Scene.of(world)
    account = world.upstream.catalog.add_account(SERVER, usd=5)
    async with world.bot():
        await scene.use()
        form = await scene.owner.click(await panel(scene), "Pay with a key of our own…")
        await scene.owner.submit(form, {"key": account.key})
        await scene.stored("SELECT 1 FROM binding WHERE payer LIKE 'server:%'")
        world.upstream.catalog.revoke_key(SERVER)
        message = await scene.owner.say(scene.channel, "Hello?")
        mark = await scene.marked("Someone who manages this server has to renew it with /server settings.")
        assert mark.content.startswith(MARK_SIGN)
        await scene.settled()
        assert "Someone who manages this server" in await scene.why(message)
    assert len(scene.calls) == 1
    assert payers(scene) == [None]


async def test_a_servers_key_goes_when_the_bot_is_removed(world: World) -> None:
    scene = Scene.of(world)
    account = world.upstream.catalog.add_account(SERVER, usd=5)
    async with world.bot():
        form = await scene.owner.click(await panel(scene), "Pay with a key of our own…")
        await scene.owner.submit(form, {"key": account.key})
        await scene.stored("SELECT 1 FROM server_settings WHERE token IS NOT NULL")
        scene.guild.remove_bot()
        await scene.stored("SELECT 1 FROM server_settings WHERE token IS NULL AND token_set_at IS NULL")


# A private character of a member's own


async def agree(scene: Scene, who: Person, *, turns: str = "50", **options: object) -> Message:
    """Bring the member's diary to the channel: named, asked about, and agreed to. Returns its greeting."""
    result = await who.slash(scene.channel, "character use", character=PRIVATE, **options)
    question = await result.final_message()
    assert "everyone here spends your balance" in question.content
    assert question.ephemeral_for == who.id
    form = await who.click(question, "Pay for it here…")
    await who.submit(form, {"turns": turns})
    await scene.until(lambda: any("own character: nobody has reviewed" in text for text in scene.told()), "the notice")
    await scene.until(lambda: bool(scene.voices()), "the greeting")
    return scene.voices()[-1]


async def author(world: World, scene: Scene) -> Person:
    """Let the author of the diary be a member who may manage channels and has linked her account."""
    mira = scene.guild.add_member("Mira", permissions=Permission.MANAGE_CHANNELS)
    await link(world, mira, usd=12.5, account_id=AUTHOR)
    return mira


async def test_a_private_character_speaks_at_its_owners_cost_and_stops_when_they_unlink(world: World) -> None:
    scene = Scene.of(world)
    mira = await author(world, scene)
    async with world.bot():
        assert "no public character" in await scene.refused("character use", character=PRIVATE)
        await agree(scene, mira, trigger="every")
        assert any(f"<@{mira.id}>'s own character" in text for text in scene.told())
        await scene.ask("Dear diary?", "Yes, dear?", who=scene.owner)
        assert payers(scene) == [AUTHOR]
        current = await scene.read(await scene.owner.slash(scene.channel, "character current"))
        assert f"<@{mira.id}>'s own character, and their NanoGPT account pays for its replies, at most 50" in current
        await scene.settled()
        who = await scene.owner.context_menu(await scene.shows("Yes, dear?"), "Who said this?")
        said = await scene.read(who)
        assert f"**{DIARY}** said this, a private character on NanoGPT" in said
        assert f"<@{mira.id}>'s own character" in said
    async with world.bot():
        await scene.ask("Still there?", "Always.", who=scene.owner)
        await mira.slash(scene.channel, "account unlink")
        await scene.marked("has unlinked their NanoGPT account")
        message = await scene.owner.say(scene.channel, "And now?")
        assert "has unlinked their NanoGPT account" in await scene.why(message)
        await scene.settled()
    assert payers(scene) == [AUTHOR, AUTHOR]


async def test_a_private_character_never_shows_to_anybody_else(world: World) -> None:
    scene = Scene.of(world)
    mira = await author(world, scene)
    async with world.bot():
        await agree(scene, mira)
        for typed in ("diary", "keeper"):
            offered = await scene.owner.autocomplete(scene.channel, "character use", "character", typed)
            assert not any(DIARY in choice.name or PRIVATE in str(choice.value) for choice in offered)
        assert "no public character" in await scene.refused("character show", character=PRIVATE)
        assert "no public character" in await scene.refused("character use", character=PRIVATE)
    asked_with = {call.account for call in world.upstream.calls if call.route == Route.MINE.value}
    assert asked_with == {AUTHOR}


async def test_only_its_owner_widens_what_a_private_character_answers(world: World) -> None:
    scene = Scene.of(world)
    mira = await author(world, scene)
    async with world.bot():
        await agree(scene, mira)
        assert "Only they can let it answer every message" in await scene.refused("character settings", trigger="every")
        changed = await mira.slash(scene.channel, "character settings", trigger="every")
        assert "answers every message" in (await changed.final_message()).content


async def test_the_number_of_replies_that_its_owner_agreed_to_is_kept(world: World) -> None:
    scene = Scene.of(world)
    mira = await author(world, scene)
    world.time.skip_to_morning()
    async with world.bot():
        await agree(scene, mira, turns="1", trigger="every")
        await scene.ask("One?", "One.")
        await scene.settled()
        await scene.owner.say(scene.channel, "Two?")
        await scene.marked("pays for so many replies a day")
        world.time.skip_to_morning()
        await scene.ask("Three?", "Three.")
    assert payers(scene) == [AUTHOR, AUTHOR]


async def test_a_number_that_is_none_is_a_sentence(world: World) -> None:
    scene = Scene.of(world)
    mira = await author(world, scene)
    async with world.bot():
        question = await mira.slash(scene.channel, "character use", character=PRIVATE)
        form = await mira.click(await question.final_message(), "Pay for it here…")
        answer = await mira.submit(form, {"turns": "lots"})
        assert "whole number of replies a day" in (await answer.final_message()).content
    assert scene.told() == []


async def test_a_server_that_forbids_private_characters_pauses_them(world: World) -> None:
    scene = Scene.of(world)
    mira = await author(world, scene)
    async with world.bot():
        await agree(scene, mira, trigger="every")
        message = await panel(scene)
        await scene.owner.click(message, "Forbid private characters")
        await scene.marked("does not let members bring characters of their own any more")
        assert "does not let members bring" in await scene.refused("character use", mira, character=PRIVATE)
        await scene.owner.click(message, "Allow private characters")
        await scene.until(lambda: any("is back" in text for text in scene.told()), "a word that it is back")
        await scene.ask("Dear diary?", "Yes, dear?")


async def test_it_pauses_when_its_owner_leaves_and_goes_on_when_they_are_back(world: World) -> None:
    scene = Scene.of(world)
    mira = await author(world, scene)
    async with world.bot():
        await agree(scene, mira, trigger="every")
        await scene.ask("Dear diary?", "Yes, dear?")
        scene.guild.remove_member(mira)
        world.time.skip(seconds=OWNER_FRESH_SECONDS)
        with world.discord.expect_refusal(status=404, code=UNKNOWN_MEMBER, path="/members/"):
            await scene.owner.say(scene.channel, "Dear diary?")
            await scene.marked("has left the server, or may no longer decide")
        scene.guild.add_member("Mira", permissions=Permission.MANAGE_CHANNELS, user=mira.user)
        world.time.skip(seconds=OWNER_AWAY_SECONDS)
        await scene.ask("Are you back?", "I am.")


async def test_it_pauses_with_a_refused_key_and_goes_on_once_linked_anew(world: World) -> None:
    scene = Scene.of(world)
    mira = await author(world, scene)
    async with world.bot():
        await agree(scene, mira, trigger="every")
        world.upstream.catalog.revoke_key(AUTHOR)
        await scene.owner.say(scene.channel, "Dear diary?")
        await scene.marked("NanoGPT refuses the key of the member who pays", count=2)
        status = await mira.slash(scene.channel, "account status")
        assert "refuses the key of your account" in await scene.read(status)
        world.time.haste = 200.0
        invited = await mira.slash(scene.channel, "account link")
        await invited.final_message()
        (login,) = world.upstream.logins.pending
        world.upstream.logins.approve(login.user_code, AUTHOR)
        world.time.skip(seconds=LOOK_AGAIN_AFTER_SECONDS)
        await scene.until(lambda: "is linked" in invited.text, "the word that it is linked")
        await scene.ask("Dear diary?", "Yes, dear?")


# Who said this?


async def test_everybodys_words_are_told_apart(world: World) -> None:
    scene = Scene.of(world)
    member = scene.guild.add_member("Bea")
    async with world.bot():
        greeting = await scene.use()
        reply = await scene.ask("Hello?", "Good day.")
        await scene.settled()
        theirs = await member.say(scene.channel, "Nice one")
        notice = scene.notices()[0]
        told = {}
        for name, message in (("greeting", greeting), ("reply", reply), ("theirs", theirs), ("notice", notice)):
            told[name] = await scene.read(await member.context_menu(message, "Who said this?"))
    assert "**Helpful Guide** said this, in NanoGPT's catalogue as `helpful-guide`: an AI wrote it" in told["reply"]
    assert "Its replies are paid for by the bot's operator." in told["reply"]
    assert "introduces itself" in told["greeting"]
    assert told["theirs"] == f"<@{member.id}> said this, a person and no character."
    assert "a notice of mine" in told["notice"]
