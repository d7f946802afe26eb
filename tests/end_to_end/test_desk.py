"""The author's desk: listing, creating, editing, archiving, through restarts and through NanoGPT's bad days."""

import asyncio

import pytest

from bot.domain.drafts import DRAFT_MS
from bot.sandbox.nanogpt.catalog import DEFAULT_MODEL, SandboxCharacter
from bot.sandbox.nanogpt.faults import Fault, Route
from bot.sandbox.nanogpt.language_models import MODEL_IDS
from tests.end_to_end.author import PROMPT, TEXTS, Author, fields, shown
from tests.end_to_end.scene import GUIDE, Scene, labels
from tests.end_to_end.world import World

LONG = "You remember every ship that passed. " * 200


def own(author: Author, slug: str, **changes: object) -> SandboxCharacter:
    """Let NanoGPT have a character of the author's."""
    values: dict[str, object] = {"name": slug.title(), "visibility": "private", "moderation_status": None}
    values |= {"system_prompt": PROMPT, "owner": author.account.id, **changes}
    return author.scene.world.upstream.catalog.add(SandboxCharacter(slug=slug, **values))  # type: ignore[arg-type]


# Listing


async def test_ones_own_characters_are_listed_with_how_they_stand(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    own(author, "diary")
    own(author, "novel", visibility="public", moderation_status="rejected", moderation_reason="Too *loud*.")
    async with world.bot():
        listed = await author.command("mine")
        assert shown(listed) == {
            "Diary": "private · sfw · open to apps\n`diary`",
            "Novel": "public · review: rejected · sfw · open to apps\n`novel`",
        }
        (select,) = listed.components[0]["components"]
        opened = await author.person.select(listed, select["custom_id"], [select["options"][1]["value"]])
        card = shown(await opened.final_message())
        assert card["What the moderators say"] == "Too \\*loud\\*."
        assert card["Review"] == "review: rejected"


async def test_pages_turn_from_memory_also_after_a_restart(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    for number in range(12):
        own(author, f"c{number:02}", archived=number == 11)
    async with world.bot():
        listed = await author.command("mine")
        assert len(shown(listed)) == 10
        assert listed.embeds[0]["footer"]["text"] == "page 1 of 2 · 1 archived one is not shown"
    calls = len(world.upstream.calls)
    async with world.bot():
        await author.person.click(listed, "Page 2 ▶")
        assert list(shown(listed)) == ["C10"]
        assert [call.route for call in world.upstream.calls[calls:] if call.route == Route.MINE.value] == []


async def test_who_has_no_account_is_pointed_at_linking_one(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        for command, options in (
            ("mine", {}),
            ("create", {}),
            ("edit", {"character": GUIDE}),
            ("publish", {"character": GUIDE}),
            ("archive", {"character": GUIDE}),
            ("export", {"character": GUIDE}),
            ("import", {"file": scene.owner.upload(scene.channel, "card.json", b"{}")}),
        ):
            assert "/account link" in await scene.refused(f"character {command}", **options)
    assert all(call.method == "GET" for call in world.upstream.calls)


async def test_only_ones_own_characters_are_offered_and_taken(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    own(author, "diary", content_rating="explicit", creator_content_rating="explicit")
    async with world.bot():
        await author.command("mine")
        for command in ("edit", "publish", "archive", "export"):
            offered = await author.person.autocomplete(scene.channel, f"character {command}", "character", "di")
            assert [choice.value for choice in offered] == ["diary"]
            others = await scene.owner.autocomplete(scene.channel, f"character {command}", "character", "di")
            assert [choice.value for choice in others] == ['Look for "di"']
        refused = await author.command("edit", character=GUIDE)
        assert "none of your characters" in refused.content


# Creating


async def test_a_character_is_written_in_forms_and_made_in_one_request(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        panel = await author.write()
        assert shown(panel)["Name"] == "Lamp Keeper"
        assert author.written() == []
        saved = await author.press(panel, "Save")
        assert "**Lamp Keeper** is made. Only you can see and use it." in saved.content
        assert saved.components == []
    (call,) = author.written()
    assert (call.method, call.path) == ("POST", "/characters")
    assert call.body == TEXTS | {
        "base_model_id": DEFAULT_MODEL,
        "system_prompt": PROMPT,
        "visibility": "private",
        "allow_api": False,
        "creator_content_rating": "sfw",
        "tags": ["sea", "quiet"],
    }
    assert scene.query("SELECT COUNT(*) FROM draft") == [(0,)]


async def test_the_model_is_offered_while_it_is_typed(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot() as running:
        async with asyncio.timeout(10):
            while running.client.services.models.is_known("no/such"):  # noqa: ASYNC110 - a list that is read has no event
                await asyncio.sleep(0)
        offered = await author.person.autocomplete(scene.channel, "character create", "base_model", "kimi")
        assert [choice.value for choice in offered] == ["moonshotai/Kimi-K2-Instruct"]
        panel = await author.command("create", base_model=offered[0].value)
        assert shown(panel)["Model"] == "moonshotai\\/Kimi-K2-Instruct"
        refused = await author.command("create", base_model="moonshotai/Kimi-K2-Instrukt")
        assert "Did you mean moonshotai\\/Kimi-K2-Instruct?" in refused.content


async def test_a_new_character_begins_with_the_model_that_most_have(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    for number in range(9):
        world.upstream.catalog.add(SandboxCharacter(slug=f"c{number}", name="C", base_model_id=min(MODEL_IDS)))
    async with world.bot():
        await scene.stored("SELECT 1 FROM character WHERE slug LIKE 'c_' GROUP BY 1 HAVING COUNT(*) = 9")
        panel = await author.command("create")
    assert shown(panel)["Model"].replace("\\", "") == min(MODEL_IDS)


async def test_what_is_missing_is_said_and_nothing_is_sent(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        panel = await author.command("create", base_model=DEFAULT_MODEL)
        await author.fill(panel, "Texts", TEXTS)
        refused = await author.press(panel, "Save")
        assert refused.content == "It still needs a prompt and a content rating."
        assert "Save" in labels(panel)
    assert author.written() == []


async def test_a_form_that_cannot_be_taken_opens_again_with_what_was_typed(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        panel = await author.command("create")
        await author.fill(panel, "Texts", TEXTS)
        refused = await author.fill(panel, "Tags and rating", {"tags": "!!!", "rating": "nsfw"})
        assert "letters a to z" in refused.text
        assert refused.message is not None
        again = await author.person.click(refused.message, "Open again")
        assert fields(again)["tags"]["value"] == "!!!"
        assert [option["value"] for option in fields(again)["rating"]["options"] if option.get("default")] == ["nsfw"]
        await author.person.submit(again, {"tags": "storms", "rating": "sfw"})
        assert shown(refused.message)["Tags"] == "storms"


async def test_a_form_that_was_open_through_a_restart_still_counts(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        panel = await author.command("create", base_model=DEFAULT_MODEL)
        form = await author.person.click(panel, "Texts")
    async with world.bot():
        await author.person.submit(form, TEXTS)
        assert shown(panel)["Name"] == "Lamp Keeper"
        await author.fill(panel, "Prompt", {"system_prompt": PROMPT})
    async with world.bot():
        await author.fill(panel, "Tags and rating", {"rating": "sfw"})
        saved = await author.press(panel, "Save")
        assert "is made" in saved.content
    assert [each.name for each in author.owned()] == ["Lamp Keeper"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.INSUFFICIENT_BALANCE, "not enough balance"),
        (Fault.RATE_LIMITED, "too many people"),
        (Fault.UNAVAILABLE, "did not answer clearly"),
    ],
)
async def test_a_save_that_fails_keeps_the_draft(world: World, fault: Fault, said: str) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        panel = await author.write()
        world.upstream.faults.next(fault, on=Route.CREATE)
        refused = await author.press(panel, "Save")
        assert said in refused.content
        assert "our draft is kept" in refused.content
        assert author.owned() == []
        saved = await author.press(panel, "Save")
        assert "is made" in saved.content
    assert [each.name for each in author.owned()] == ["Lamp Keeper"]


async def test_a_creation_whose_answer_was_lost_is_found_and_not_made_twice(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        panel = await author.write()
        world.upstream.faults.next(Fault.LOST_ANSWER, on=Route.CREATE)
        saved = await author.press(panel, "Save")
        assert "is made" in saved.content
    assert len(author.owned()) == 1
    assert [call.method for call in author.written()] == ["POST"]


async def test_a_draft_is_gone_after_an_hour_and_what_was_typed_is_handed_back(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        panel = await author.command("create")
        form = await author.person.click(panel, "Texts")
        world.time.skip(seconds=DRAFT_MS / 1_000)
        answered = await author.person.submit(form, TEXTS)
        assert "drafts are kept for an hour" in answered.text
        await scene.until(lambda: bool(answered.followups), "what was typed")
        (file,) = answered.followups[0].attachments
        assert TEXTS["description"] in file.content.decode()


async def test_a_draft_is_nobody_elses(world: World) -> None:
    scene = Scene.of(world)
    author, other = await Author.of(scene), await Author.of(scene, "Bea")
    async with world.bot():
        panel = await author.command("create")
        theirs = await other.command("create")
        button = theirs.components[0]["components"][0]
        button["custom_id"] = panel.components[0]["components"][0]["custom_id"]
        refused = await other.person.click(theirs, "Texts")
        assert "belongs to somebody else" in refused.text


# Editing


async def test_an_edit_sends_only_what_changed(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    own(author, "diary", summary="Listens.", description="Line one.\nLine two.")
    async with world.bot():
        panel = await author.command("edit", character="diary")
        form = await author.person.click(panel, "Texts")
        assert fields(form)["description"]["value"] == "Line one.\nLine two."
        await author.person.submit(form, {"summary": "Listens well.", "description": "Line one.\r\nLine two.  "})
        await author.fill(panel, "Prompt", {"system_prompt": ""})
        assert panel.embeds[0]["description"] == "Changed so far: summary."
        saved = await author.press(panel, "Save")
        assert "**Diary** is saved" in saved.content
    (call,) = author.written()
    assert (call.method, call.body) == ("PATCH", {"summary": "Listens well."})


async def test_a_prompt_that_nanogpt_does_not_show_stays_as_it_is(world: World) -> None:
    world.upstream.variants.owner_prompt = False
    scene = Scene.of(world)
    author = await Author.of(scene)
    own(author, "diary")
    async with world.bot():
        panel = await author.command("edit", character="diary")
        assert shown(panel)["Prompt"] == "NanoGPT did not show it; it stays as it is"
        form = await author.person.click(panel, "Prompt")
        assert "value" not in fields(form)["system_prompt"]
        await author.person.submit(form, {})
        await author.fill(panel, "Texts", {"summary": "Listens."})
        await author.press(panel, "Save")
    (call,) = author.written()
    assert call.body == {"summary": "Listens."}
    assert author.owned()[0].system_prompt == PROMPT


async def test_an_edit_of_an_approved_character_is_asked_about_and_pauses_it(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    own(author, "diary", visibility="public", moderation_status="approved", first_message="Dear me.")
    async with world.bot():
        await scene.use("diary")
        panel = await author.command("edit", character="diary")
        await author.fill(panel, "Texts", {"summary": "Listens well."})
        question = await author.press(panel, "Save")
        assert "NanoGPT reviews it again after this (summary)" in question.content
        assert "it pauses in 1 channel here" in question.content
        assert author.written() == []
        saved = await author.press(question, "Save it")
        assert "moderators look at it now" in saved.content
        await scene.marked("**Diary** is no longer available")
        world.upstream.moderation.approve("diary")
        world.time.skip(seconds=16)
        await scene.ask("Are you back?", "I never left.")
    assert scene.told()[-1] == "**Diary** is back. What was said meanwhile it has not read."


async def test_a_text_too_long_for_a_form_leaves_and_comes_back_as_a_file(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    own(author, "diary", system_prompt=LONG.strip())
    async with world.bot():
        panel = await author.command("edit", character="diary")
        assert "*Texts as files*: prompt" in panel.embeds[0]["description"]
        form = await author.person.click(panel, "Prompt")
        assert "system_prompt" not in fields(form)
        handed = await (await author.person.click(panel, "Texts as files")).final_message()
        files = {file.filename: file.content.decode() for file in handed.attachments}
        assert files["prompt.txt"] == LONG.strip()
        changed = (LONG + "And every storm.").encode()
        upload = author.upload("prompt.txt", changed)
        await author.fill(handed, "Upload", {"system_prompt": [upload]})
        await scene.until(lambda: bool(handed.embeds), "the panel")
        assert handed.embeds[0]["description"].startswith("Changed so far: prompt.")
        assert handed.attachments == []
        saved = await author.press(handed, "Save")
        assert "is saved" in saved.content
    assert author.owned()[0].system_prompt == changed.decode()


async def test_texts_above_the_ceiling_open_in_age_restricted_channels_only(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    own(author, "diary", content_rating="explicit", creator_content_rating="explicit", summary="Very private.")
    adults = Author(scene.beside("after-dark", nsfw=True), author.person, author.account)
    async with world.bot():
        assert "Diary" in shown(await author.command("mine"))
        for command in ("edit", "export"):
            refused = await author.command(command, character="diary")
            assert "age-restricted channel" in refused.content
            assert refused.attachments == []
        panel = await adults.command("edit", character="diary")
        assert (await adults.person.click(panel, "Texts")).kind == "modal"
        adults.scene.channel.set_nsfw(nsfw=False)
        refused = await adults.person.click(panel, "Texts")
        assert "age-restricted channel" in refused.text


# Archiving


async def test_archiving_is_asked_about_and_cannot_be_undone(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    own(author, "diary", visibility="public", moderation_status="approved", first_message="Dear me.")
    async with world.bot():
        await scene.use("diary")
        question = await author.command("archive", character="diary")
        assert "cannot be undone from here" in question.content
        assert "It speaks in 1 channel here" in question.content
        assert author.written() == []
    async with world.bot():
        answered = await author.press(question, "Archive it")
        assert answered.content.startswith("**Diary** is archived.")
        assert answered.components == []
        await scene.marked("**Diary** is no longer available")
        assert "no characters on NanoGPT yet" in (await author.command("mine")).content
        again = await author.command("edit", character="diary")
        assert "none of your characters" in again.content
    (call,) = author.written()
    assert (call.method, call.path) == ("DELETE", f"/characters/{author.owned()[0].id}")
