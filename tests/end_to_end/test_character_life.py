"""A character's whole life from Discord: private, submitted, approved, edited, archived; and its author told."""

from typing import Final

from bot.domain.moderation import FIRST_LOOK_MS, WATCH_MS
from bot.sandbox.discord import Message, Permission
from bot.sandbox.nanogpt.catalog import SandboxCharacter
from bot.sandbox.nanogpt.faults import Route
from tests.end_to_end.author import PROMPT, Author
from tests.end_to_end.linking import link, want_reports
from tests.end_to_end.scene import Scene, labels
from tests.end_to_end.world import World

HASTE: Final = 1_000.0
"""The bot's own waits are this much shorter; the clock that a look is due by is skipped by the test."""
NAME: Final = "**Lamp Keeper**"
GREETING: Final = "You are late, and wet. Come in."
CANNOT_SEND: Final = 50007


async def author_of(scene: Scene) -> Author:
    """Let an author join who may manage channels."""
    author = await Author.of(scene)
    assert scene.channel.guild is not None
    author.person.member.roles.append(scene.channel.guild.add_role("Keepers", Permission.MANAGE_CHANNELS))
    return author


def waiting(author: Author, slug: str, **changes: object) -> SandboxCharacter:
    """Let NanoGPT's moderators have a character of the author's before them."""
    values: dict[str, object] = {"name": slug.title(), "system_prompt": PROMPT, "owner": author.account.id}
    values |= {"moderation_status": "pending", **changes}
    return author.scene.world.upstream.catalog.add(SandboxCharacter(slug=slug, **values))  # type: ignore[arg-type]


def letters(author: Author) -> list[str]:
    """Return what the bot wrote to the author, oldest first."""
    return [message.content for message in author.person.open_dm().messages.values()]


async def publish(author: Author, slug: str, **access: object) -> Message:
    """Choose who can see a character, and return what came of it."""
    panel = await author.command("publish", character=slug)
    result = await author.fill(panel, "Choose…", access)
    return await result.final_message()


def looks(world: World) -> int:
    return sum(call.route == Route.MINE.value for call in world.upstream.calls)


async def test_a_character_is_private_then_submitted_then_approved_and_its_bindings_follow(world: World) -> None:
    world.time.haste = HASTE
    scene = Scene.of(world)
    author = await author_of(scene)
    elsewhere = scene.beside()
    async with world.bot():
        # Private: it speaks at its author's cost, and nobody else finds it.
        made = await author.make()
        assert made.visibility == "private"
        question = await author.person.slash(scene.channel, "character use", character=made.slug, trigger="every")
        form = await author.person.click(await question.final_message(), "Pay for it here…")
        await author.person.submit(form, {"turns": "50"})
        await scene.shows(GREETING)
        await scene.ask("May I come in?", "You are in already.")
        assert [call.account for call in scene.calls] == [author.account.id]
        assert "no public character" in await elsewhere.refused("character use", character=made.slug)

        # Submitted: it goes on for its author, and waits for everybody else.
        submitted = await publish(author, made.slug, visibility="public", allow_api=True, tell=True)
        assert "moderators look at it now; until they approve it, only you can use it." in submitted.content
        await scene.ask("And now?", "I am looked at.")
        assert "no public character" in await elsewhere.refused("character use", character=made.slug)

        # Approved: its author is told once, and everybody can use it.
        world.upstream.moderation.approve(made.slug)
        world.time.skip(seconds=FIRST_LOOK_MS / 1_000)
        await scene.until(lambda: len(letters(author)) == 1, "a direct message")
        assert letters(author) == [f"{NAME} has been approved by NanoGPT's moderators."]
        world.time.skip(minutes=11)
        await elsewhere.use(made.slug)
        await elsewhere.ask("Who are you?", "I keep the lamp.")

        # Edited: it is looked at again, and pauses where others pay for it.
        panel = await author.command("edit", character=made.slug)
        await author.fill(panel, "Texts", {"summary": "Keeps the lamp, and a diary."})
        question = await author.press(panel, "Save")
        assert "pauses in 2 channels here" in question.content
        saved = await author.press(question, "Save it and tell me by direct message")
        assert "moderators look at it now" in saved.content
        await elsewhere.marked(f"{NAME} is no longer available")
        unheard = await elsewhere.owner.say(elsewhere.channel, "Nobody hears this.")
        assert "is no longer available" in await elsewhere.why(unheard)
        await scene.ask("Are you still mine?", "Always yours.")

        # Approved again: it comes back by itself, and what was said meanwhile is not answered.
        world.upstream.moderation.approve(made.slug)
        world.time.skip(seconds=FIRST_LOOK_MS / 1_000)
        await elsewhere.until(lambda: any("is back" in text for text in elsewhere.told()), "a word that it is back")
        await elsewhere.ask("And this?", "This I heard.")
        assert "Nobody hears this." not in str(elsewhere.context())
        await scene.until(lambda: len(letters(author)) == 2, "a second direct message")

        # Archived: it is over.
        question = await author.command("archive", character=made.slug)
        await author.press(question, "Archive it")
        await elsewhere.marked(f"{NAME} is no longer available", count=2)
        await scene.marked("no longer available")
    assert looks(world) < 12


async def test_a_closed_direct_message_waits_for_the_next_command(world: World) -> None:
    world.time.haste = HASTE
    scene = Scene.of(world)
    author = await author_of(scene)
    author.person.close_direct_messages()
    async with world.bot():
        made = await author.make(visibility="public", allow_api=True, tell=True)
        world.upstream.moderation.reject(made.slug, "Too *stormy*.")
        with world.discord.expect_refusal(status=403, code=CANNOT_SEND):
            world.time.skip(seconds=FIRST_LOOK_MS / 1_000)
            await scene.stored("SELECT 1 FROM moderation_watch WHERE body IS NOT NULL AND due_at IS NULL")
            await scene.until(lambda: bool(world.discord.refusals), "an attempt")
    async with world.bot():
        answered = await author.person.slash(scene.channel, "privacy show")
        await scene.until(lambda: bool(answered.followups), "the news")
        (news,) = answered.followups
        assert news.content.startswith(f"{NAME} was not approved by NanoGPT's moderators (rejected): Too \\*stormy\\*.")
        again = await author.person.slash(scene.channel, "privacy show")
        assert again.followups == []
    assert letters(author) == []
    assert len(scene.requests("POST", "/users/@me/channels")) == 1


async def test_who_asked_for_no_message_gets_none_and_hears_with_the_next_command(world: World) -> None:
    world.time.haste = HASTE
    scene = Scene.of(world)
    author = await author_of(scene)
    async with world.bot():
        made = await author.make(visibility="public")
        world.upstream.moderation.approve(made.slug)
        world.time.skip(seconds=FIRST_LOOK_MS / 1_000)
        await scene.stored("SELECT 1 FROM moderation_watch WHERE body IS NOT NULL")
        answered = await author.person.slash(scene.channel, "character mine")
        await answered.final_message()
        await scene.until(lambda: bool(answered.followups), "the news")
        assert "has been approved" in answered.followups[0].content
    assert letters(author) == []


async def test_a_direct_message_does_not_name_what_not_everybody_may_see(world: World) -> None:
    world.time.haste = HASTE
    scene = Scene.of(world)
    author = await author_of(scene)
    waiting(author, "velvet", creator_content_rating="nsfw", content_rating=None)
    async with world.bot():
        told = await publish(author, "velvet", visibility="public", tell=True)
        assert "by direct message once NanoGPT's moderators have decided" in told.content
        world.upstream.moderation.approve("velvet")
        world.time.skip(seconds=FIRST_LOOK_MS / 1_000)
        await scene.until(lambda: bool(letters(author)), "a direct message")
    assert letters(author) == ["One of your characters has been approved by NanoGPT's moderators."]


async def test_one_read_an_author_watches_over_all_that_waits_and_ends_after_two_weeks(world: World) -> None:
    world.time.haste = HASTE
    scene = Scene.of(world)
    author = await author_of(scene)
    for slug in ("one", "two"):
        waiting(author, slug)
    async with world.bot():
        for slug in ("one", "two"):
            await publish(author, slug, visibility="public", tell=True)
        before = looks(world)
        world.time.skip(seconds=FIRST_LOOK_MS / 1_000)
        await world.upstream.wait_for(lambda: looks(world) == before + 1)
        await scene.stored("SELECT 1 WHERE (SELECT MIN(looks) FROM moderation_watch) = 1")
        assert looks(world) == before + 1
        world.time.skip(seconds=WATCH_MS / 1_000)
        await scene.until(lambda: len(letters(author)) == 2, "the end of the watch")
        assert all("waited for NanoGPT's moderators for two weeks" in letter for letter in letters(author))
        await scene.stored("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM moderation_watch)")


async def test_the_watch_ends_with_the_account(world: World) -> None:
    world.time.haste = HASTE
    scene = Scene.of(world)
    author = await author_of(scene)
    async with world.bot():
        made = await author.make(visibility="public", tell=True)
        await (await author.person.slash(scene.channel, "account unlink")).final_message()
        assert scene.query("SELECT COUNT(*) FROM moderation_watch") == [(0,)]
        before = looks(world)
        world.upstream.moderation.approve(made.slug)
        world.time.skip(hours=2)
        # Whatever would be done of it is done before a command is answered that takes its time.
        await (await author.person.slash(scene.channel, "ping")).final_message()
    assert looks(world) == before
    assert letters(author) == []


async def test_publishing_explains_itself_and_asks_before_an_approved_one_is_taken_back(world: World) -> None:
    scene = Scene.of(world)
    author = await author_of(scene)
    waiting(author, "lamp", moderation_status="approved")
    async with world.bot():
        panel = await author.command("publish", character="lamp")
        assert labels(panel) == ["Choose…"]
        told = panel.embeds[0]["description"]
        assert "public · approved · sfw · open to apps" in told
        assert "submitted to NanoGPT's moderators" in told
        assert "only you can see" in told
        question = await (
            await author.fill(panel, "Choose…", {"visibility": "private", "allow_api": True})
        ).final_message()
        assert "Once it is private, others cannot use it any more" in question.content
        assert author.written() == []
        saved = await author.press(question, "Save it")
        assert "Only you can see and use it" in saved.content
    (call,) = author.written()
    assert call.body == {"visibility": "private"}


async def test_what_is_taken_back_is_its_authors_alone_at_once(world: World) -> None:
    scene = Scene.of(world)
    author = await author_of(scene)
    waiting(author, "lamp", moderation_status="approved", first_message=GREETING)
    member, log = scene.guild.add_member("Bea"), scene.guild.add_channel("mod-log")
    await want_reports(world, log)
    await link(world, member)
    async with world.bot():
        await scene.use("lamp")
        question = await publish(author, "lamp", visibility="private", allow_api=True)
        assert labels(question) == ["Save it"]
        await author.press(question, "Save it")
        await scene.marked("**Lamp** is no longer available")

        # The catalogue was read a moment ago, and is not asked again to know that.
        agreeing = await author.person.slash(scene.channel, "character use", character="lamp")
        form = await author.person.click(await agreeing.final_message(), "Pay for it here…")
        await (await author.person.submit(form, {"turns": "5"})).final_message()
        form = await member.slash(scene.channel, "character report", character="lamp")
        assert form.modal is not None
        assert "to the staff of this server and to nobody else" in str(form.modal)
        await member.submit(form, {"reason": "copyright", "details": "It copies my novel."})
        await scene.until(lambda: bool(log.messages), "a copy")
        await scene.stored("SELECT 1 FROM report WHERE state = 'accepted'")
    (copy,) = log.messages.values()
    assert "**Lamp** was reported" in copy.content
    assert world.upstream.reports == []


async def test_an_unlisted_one_is_kept_out_of_lists_and_its_author_is_told(world: World) -> None:
    scene = Scene.of(world)
    author = await author_of(scene)
    async with world.bot():
        made = await author.make()
        panel = await author.command("publish", character=made.slug)
        answer = await author.fill(panel, "Choose…", {"visibility": "unlisted", "allow_api": True})
        assert "It is unlisted: no list shows it." in (await answer.final_message()).content
        assert "unlisted" in repr((await author.command("mine")).embeds)
        found = await (await scene.owner.slash(scene.channel, "character search", tag="sea")).final_message()
        assert made.name not in repr(found.embeds)
    assert author.written()[-1].body == {"visibility": "unlisted", "allow_api": True}
