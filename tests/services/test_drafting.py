"""Drafts from their opening to what NanoGPT is sent, and what becomes of them when it does not answer."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

import httpx
import pytest

from bot.domain.drafts import CLEAR, DRAFT_MS, MOST_DRAFTS, TELL, Draft, DraftKind, Form, Writing, shown_in
from bot.domain.forms import TICKED
from bot.domain.ids import DraftId
from bot.domain.ratings import ContentRating
from bot.domain.sheets import LONGEST_TEXT, NEW_SHEET
from bot.errors import UserError
from bot.services.drafting import TIDY_SECONDS, Question, Saved
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.desk_world import ADULT_PLACE, ALICE, BOB, OPEN_PLACE, DeskWorld
from tests.support.manual_clock import ManualClock


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[DeskWorld]:
    made = DeskWorld(database, vault, clock)
    await made.open()
    yield made
    await made.close()


async def fill(world: DeskWorld, draft: Draft, form: Form, **values: str) -> Draft:
    return await world.drafting.fill(draft.id, ALICE, form, values)


async def finished(world: DeskWorld, **labels: str) -> Draft:
    """Write everything that a new character needs."""
    draft = await world.drafting.new(ALICE, None)
    await fill(world, draft, Form.TEXTS, name="Ada", summary="Counts.", first_message="Hello.")
    await fill(world, draft, Form.PROMPT, system_prompt="You count.")
    return await fill(world, draft, Form.LABELS, tags="Numbers", **({"rating": "sfw"} | labels))


async def saved(world: DeskWorld, draft: Draft, *, confirmed: bool = False) -> Saved:
    result = await world.drafting.save(draft.id, ALICE, confirmed=confirmed)
    assert isinstance(result, Saved)
    return result


async def edited(world: DeskWorld, slug: str = "ada", **fields: object) -> Draft:
    return await world.drafting.edit(ALICE, await world.known(slug, **fields), OPEN_PLACE)


async def refusal(world: DeskWorld, draft: Draft) -> str:
    with pytest.raises(UserError) as refused:
        await world.drafting.save(draft.id, ALICE)
    assert await world.drafting.get(draft.id, ALICE) is not None
    return refused.value.sentence


# A new character


async def test_a_new_character_is_one_request_with_all_of_it(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.requests.clear()
    result = await saved(world, draft)
    assert world.upstream.written() == [
        (
            "POST",
            "",
            {
                "name": "Ada",
                "summary": "Counts.",
                "description": "",
                "base_model_id": "fake/model",
                "system_prompt": "You count.",
                "first_message": "Hello.",
                "visibility": "private",
                "allow_api": False,
                "creator_content_rating": "sfw",
                "tags": ["numbers"],
            },
        )
    ]
    assert [request.method for request in world.upstream.requests] == ["GET", "POST"]
    assert "is made. Only you can see and use it." in result.sentence
    assert not result.submitted
    assert world.changed == [result.known.ref]
    assert [known.ref for _, known, _ in world.made] == [result.known.ref]
    with pytest.raises(UserError, match="draft is gone"):
        await world.drafting.get(draft.id, ALICE)


async def test_a_new_character_begins_with_the_model_that_most_have(world: DeskWorld) -> None:
    assert (await world.drafting.new(ALICE, None)).writing.now.base_model == "fake/model"
    assert (await world.drafting.new(ALICE, " other/model ")).writing.now.base_model == "other/model"
    with pytest.raises(UserError, match=r"no model fake\\/modle\. Did you mean fake\\/model"):
        await world.drafting.new(ALICE, "fake/modle")


async def test_what_is_missing_is_said_before_anything_is_sent(world: DeskWorld) -> None:
    draft = await world.drafting.new(ALICE, None)
    assert await refusal(world, draft) == "It still needs a name, a prompt and a content rating."
    assert world.upstream.written() == []


async def test_a_public_one_is_submitted_and_its_author_may_want_to_be_told(world: DeskWorld) -> None:
    draft = await finished(world)
    await fill(world, draft, Form.ACCESS, visibility="public", allow_api=TICKED, **{TELL: TICKED})
    result = await saved(world, draft)
    assert result.submitted
    assert world.submitted == [(ALICE, result.known.ref, True)]
    assert "moderators look at it now" in result.sentence


async def test_a_refusal_is_told_in_nanogpts_words_and_keeps_the_draft(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.answer_first()
    world.upstream.refuse(400, "name is taken")
    assert await refusal(world, draft) == "NanoGPT did not take it: name is taken Your draft is kept."
    world.upstream.requests.clear()
    await saved(world, draft)
    assert [request.method for request in world.upstream.requests] == ["GET", "POST"]


async def test_a_refused_key_is_marked_when_saving(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.refuse(401, code="invalid_api_key")
    assert "refuses the key of your account" in await refusal(world, draft)
    assert await world.keys.of_member(ALICE) is None


# A creation whose answer was lost


async def test_a_draft_without_a_clear_answer_is_still_looked_for_after_many_more_drafts(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.lost = 1
    world.upstream.answer_first()
    world.upstream.answer_first()
    world.upstream.break_down()
    assert "did not answer clearly" in await refusal(world, draft)
    later = [await world.drafting.new(ALICE, None) for _ in range(2 * MOST_DRAFTS)]
    assert [each.in_place_of for each in later] == [None] * (MOST_DRAFTS - 1) + [""] * (MOST_DRAFTS + 1)
    await saved(world, draft)
    assert [method for method, _, _ in world.upstream.written()] == ["POST"]
    assert len(world.upstream.characters) == 1


async def test_no_draft_is_opened_before_one_without_a_clear_answer_was_looked_for(world: DeskWorld) -> None:
    drafts = [await finished(world) for _ in range(MOST_DRAFTS)]
    for draft in drafts:
        world.upstream.answer_first()
        world.upstream.break_down()
        await refusal(world, draft)
    for opening in (world.drafting.new(ALICE, None), edited(world)):
        with pytest.raises(UserError, match=r"10 drafts to which NanoGPT gave no clear answer"):
            await opening
    await saved(world, drafts[0])
    assert await world.drafting.new(ALICE, None)


async def test_a_draft_is_refused_to_who_takes_their_account_away_meanwhile(world: DeskWorld) -> None:
    await world.accounts.unlink(ALICE)
    with pytest.raises(UserError, match="/account link"):
        await world.drafting.keep(ALICE, Writing(NEW_SHEET))


async def test_what_was_made_without_an_answer_is_found_among_ones_own(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.lost = 1
    result = await saved(world, draft)
    assert [method for method, _, _ in world.upstream.written()] == ["POST"]
    assert len(world.upstream.characters) == 1
    assert result.own is not None


async def test_a_creation_that_never_arrived_is_looked_for_before_it_is_tried_again(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.answer_first()
    world.upstream.break_down()
    assert "did not answer clearly" in await refusal(world, draft)
    world.upstream.requests.clear()
    await saved(world, draft)
    assert [request.method for request in world.upstream.requests] == ["GET", "POST"]
    assert len(world.upstream.characters) == 1


async def test_a_creation_that_turned_up_later_is_not_made_a_second_time(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.answer_first()
    world.upstream.break_down()
    await refusal(world, draft)
    world.upstream.add("late", name="Ada", summary="Counts.", system_prompt="You count.", first_message="Hello.")
    result = await saved(world, draft)
    assert result.known.character.id == "id-late"
    assert [method for method, _, _ in world.upstream.written()] == ["POST"]


@pytest.mark.parametrize("listed_whole", [True, False])
async def test_an_older_namesake_is_not_taken_for_what_was_made(world: DeskWorld, *, listed_whole: bool) -> None:
    twin = {"name": "Ada", "summary": "Counts.", "system_prompt": "You count.", "first_message": "Hello."}
    world.upstream.lists_whole = listed_whole
    world.upstream.add("twin", **twin)
    draft = await finished(world)
    world.upstream.answer_first()
    world.upstream.break_down()
    assert "did not answer clearly" in await refusal(world, draft)
    result = await saved(world, draft)
    assert result.known.character.id != "id-twin"
    assert len(world.upstream.characters) == 2


async def test_a_newer_namesake_is_read_in_full_before_it_is_taken_for_what_was_made(world: DeskWorld) -> None:
    world.upstream.lists_whole = False
    draft = await finished(world)
    world.upstream.answer_first()
    world.upstream.break_down()
    await refusal(world, draft)
    world.upstream.add("other", name="Ada", summary="Sings.")
    result = await saved(world, draft)
    assert result.known.character.id != "id-other"
    assert [method for method, _, _ in world.upstream.written()] == ["POST", "POST"]


async def test_nothing_is_made_while_nobody_can_say_what_is_there(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.refuse(503)
    assert await refusal(world, draft) == "NanoGPT does not answer just now. Try again in a minute. Your draft is kept."
    assert world.upstream.written() == []


async def test_a_clear_refusal_says_nothing_of_what_was_sent_before(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.answer_first()
    world.upstream.break_down()
    await refusal(world, draft)
    world.upstream.answer_first()
    world.upstream.refuse(400, "not now")
    assert "not now" in await refusal(world, draft)
    world.upstream.add("late", name="Ada", summary="Counts.", system_prompt="You count.", first_message="Hello.")
    assert (await saved(world, draft)).known.character.id == "id-late"


async def test_what_turned_up_after_its_draft_was_edited_is_changed_and_not_made_again(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.lost = 1
    world.upstream.answer_first()
    world.upstream.answer_first()
    world.upstream.refuse(503)
    assert "did not answer clearly" in await refusal(world, draft)
    await fill(world, draft, Form.TEXTS, name="Ada L.", summary="Counts well.", first_message="Hello.")
    result = await saved(world, draft)
    assert [write[:2] for write in world.upstream.written()] == [("POST", ""), ("PATCH", "/id-made-0")]
    assert world.upstream.written()[-1][2] == {"name": "Ada L.", "summary": "Counts well."}
    assert [known.ref for _, known, _ in world.made] == [result.known.ref]
    with pytest.raises(UserError, match="draft is gone"):
        await world.drafting.get(draft.id, ALICE)


async def test_what_could_not_be_changed_after_it_turned_up_stays_an_edit(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.lost = 1
    world.upstream.answer_first()
    world.upstream.answer_first()
    world.upstream.refuse(503)
    await refusal(world, draft)
    await fill(world, draft, Form.TEXTS, name="Ada L.")
    for _ in range(3):
        world.upstream.answer_first()
    world.upstream.refuse(400, "not now")
    assert "not now" in await refusal(world, draft)
    assert (await world.drafting.get(draft.id, ALICE)).kind is DraftKind.EDIT
    await saved(world, draft)
    assert [method for method, _, _ in world.upstream.written()] == ["POST", "PATCH", "PATCH"]


async def test_while_nobody_can_look_nothing_is_sent_again(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.answer_first()
    world.upstream.break_down()
    world.upstream.refuse(503)
    assert "did not answer clearly" in await refusal(world, draft)
    world.upstream.refuse(503)
    assert "did not answer clearly" in await refusal(world, draft)
    assert [method for method, _, _ in world.upstream.written()] == ["POST"]


async def test_an_answer_that_names_no_character_is_looked_up(world: DeskWorld) -> None:
    world.upstream.bare_answers = True
    result = await saved(world, await finished(world))
    assert result.known.character.name == "Ada"
    assert len(world.upstream.characters) == 1


async def test_a_new_character_that_its_answer_only_names_is_read_once(world: DeskWorld) -> None:
    world.upstream.sparse_answers = True
    draft = await finished(world)
    await fill(world, draft, Form.ACCESS, visibility="public", allow_api=TICKED, **{TELL: TICKED})
    result = await saved(world, draft)
    assert result.submitted
    assert "moderators look at it now" in result.sentence
    assert result.known.character.rating is ContentRating.SFW
    assert [request.method for request in world.upstream.requests] == ["GET", "POST", "GET"]


async def test_a_new_character_that_is_read_by_its_slug_alone_keeps_its_id(world: DeskWorld) -> None:
    world.upstream.sparse_answers = True
    draft = await finished(world)
    world.upstream.answer_first()
    world.upstream.answer_first()
    shown = {"slug": "made-0", "name": "Ada", "visibility": "private", "creator_content_rating": "sfw"}
    world.upstream.answers.append(lambda _: httpx.Response(200, json=shown))
    assert (await saved(world, draft)).known.character.id == "id-made-0"


async def test_what_an_answer_names_and_nobody_shows_is_looked_for(world: DeskWorld) -> None:
    world.upstream.sparse_answers = True
    draft = await finished(world)
    world.upstream.answer_first()
    world.upstream.answer_first()
    world.upstream.refuse(404)
    result = await saved(world, draft)
    assert result.known.character.name == "Ada"
    assert len(world.upstream.characters) == 1


async def test_two_presses_at_once_make_one_character(world: DeskWorld) -> None:
    draft = await finished(world)
    results = await asyncio.gather(*(world.drafting.save(draft.id, ALICE) for _ in range(2)), return_exceptions=True)
    assert [type(result) for result in results] == [Saved, UserError]
    assert "being saved already" in str(results[1])
    assert len(world.upstream.characters) == 1


# What is written while it is being saved


async def test_what_is_written_while_a_character_is_made_stays_as_an_edit_of_it(world: DeskWorld) -> None:
    draft = await finished(world)
    world.upstream.meanwhile["POST"] = lambda: fill(
        world, draft, Form.TEXTS, name="Ada", description="A thousand words."
    )
    result = await saved(world, draft)
    left = result.left
    assert left is not None
    assert (left.id, left.kind, left.subject) == (draft.id, DraftKind.EDIT, result.known.ref)
    assert "not in it yet" in result.sentence
    result = await saved(world, left)
    assert result.left is None
    assert world.upstream.written()[-1] == ("PATCH", "/id-made-0", {"description": "A thousand words."})
    assert len(world.upstream.characters) == 1


async def test_what_is_written_while_an_edit_is_saved_stays(world: DeskWorld) -> None:
    draft = await edited(world)
    await fill(world, draft, Form.TEXTS, name="Ada L.")
    world.upstream.meanwhile["PATCH"] = lambda: fill(world, draft, Form.PROMPT, system_prompt="You sing.")
    left = (await saved(world, draft)).left
    assert left is not None
    assert left.writing.now.system_prompt == "You sing."
    await saved(world, left)
    assert [body for _, _, body in world.upstream.written()] == [{"name": "Ada L."}, {"system_prompt": "You sing."}]


async def test_a_form_that_could_not_be_taken_while_it_was_saved_is_kept(world: DeskWorld) -> None:
    draft = await edited(world)
    await fill(world, draft, Form.TEXTS, name="Ada L.")
    values = {"name": "Ada L.", "summary": "A thousand words."}
    world.upstream.meanwhile["PATCH"] = lambda: world.drafting.keep_typed(draft.id, ALICE, Form.TEXTS, values)
    left = (await saved(world, draft)).left
    assert left is not None
    assert shown_in(left.writing, Form.TEXTS)["summary"] == "A thousand words."


# An edit


async def test_an_edit_sends_only_what_changed(world: DeskWorld) -> None:
    draft = await edited(world, description="Counts.\nAlways.")
    await fill(world, draft, Form.TEXTS, name="Ada", summary="New.", description="Counts.\r\nAlways. ")
    await fill(world, draft, Form.LABELS, tags="one", rating="sfw", base_model="fake/model")
    await saved(world, draft)
    assert world.upstream.written() == [("PATCH", "/id-ada", {"summary": "New."})]
    assert world.made == []


async def test_an_edit_of_nothing_sends_nothing(world: DeskWorld) -> None:
    draft = await edited(world)
    for form in (Form.TEXTS, Form.PROMPT, Form.LABELS):
        draft = await fill(world, draft, form, **dict(shown_in(draft.writing, form)))
    assert await refusal(world, draft) == "Nothing has changed, so there is nothing to save."
    assert world.upstream.written() == []


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        ({"system_prompt": "", CLEAR: ""}, None),
        ({"system_prompt": "You sing.", CLEAR: ""}, "You sing."),
        ({"system_prompt": "", CLEAR: TICKED}, ""),
    ],
)
async def test_a_prompt_that_was_not_shown_is_kept_unless_one_is_written_or_it_is_cleared(
    world: DeskWorld, values: Mapping[str, str], sent: str | None
) -> None:
    world.upstream.prompts_shown = False
    draft = await edited(world)
    assert shown_in(draft.writing, Form.PROMPT)["system_prompt"] == ""
    await fill(world, draft, Form.TEXTS, name="Ada L.")
    await fill(world, draft, Form.PROMPT, **values)
    await saved(world, draft)
    ((_, _, body),) = world.upstream.written()
    assert body == {"name": "Ada L."} | ({} if sent is None else {"system_prompt": sent})


async def test_an_approved_public_character_is_asked_about_first(world: DeskWorld) -> None:
    draft = await edited(world, visibility="public", moderation_status="approved", allow_api=True)
    await fill(world, draft, Form.TEXTS, name="Ada", summary="New.")
    question = await world.drafting.save(draft.id, ALICE)
    assert isinstance(question, Question)
    assert "reviews it again after this (summary)" in question.text
    assert "pauses in 2 channels here" in question.text
    assert world.upstream.written() == []
    result = await saved(world, draft, confirmed=True)
    assert result.submitted
    assert [method for method, _, _ in world.upstream.written()] == ["PATCH"]


async def test_what_was_approved_while_it_was_edited_is_asked_about_too(world: DeskWorld) -> None:
    draft = await edited(world, visibility="public", moderation_status="pending")
    await fill(world, draft, Form.TEXTS, name="Ada", summary="New.")
    world.upstream.characters["id-ada"]["moderation_status"] = "approved"
    assert isinstance(await world.drafting.save(draft.id, ALICE), Question)


async def test_an_edit_without_an_answer_can_be_sent_again(world: DeskWorld) -> None:
    draft = await edited(world)
    await fill(world, draft, Form.TEXTS, name="Ada", summary="New.")
    world.upstream.lost = 1
    assert "cannot say whether your changes arrived" in await refusal(world, draft)
    await saved(world, draft)
    assert world.upstream.written() == [("PATCH", "/id-ada", {"summary": "New."})] * 2


async def test_an_edit_that_is_refused_keeps_the_draft(world: DeskWorld) -> None:
    draft = await edited(world)
    await fill(world, draft, Form.TEXTS, name="Ada", summary="New.")
    world.upstream.answers.append(lambda _: None)
    world.upstream.refuse(403)
    assert "does not let your account" in await refusal(world, draft)


async def test_an_answer_that_shows_no_character_is_followed_by_a_read(world: DeskWorld) -> None:
    draft = await edited(world)
    await fill(world, draft, Form.TEXTS, name="Ada L.")
    world.upstream.bare_answers = True
    result = await saved(world, draft)
    assert result.known.character.name == "Ada L."


async def test_an_answer_that_only_names_the_character_is_followed_by_a_read(world: DeskWorld) -> None:
    draft = await world.drafting.publish(ALICE, await world.known("ada"))
    await fill(world, draft, Form.ACCESS, visibility="public", allow_api=TICKED, **{TELL: TICKED})
    world.upstream.sparse_answers = True
    result = await saved(world, draft)
    assert result.submitted
    assert "moderators look at it now" in result.sentence
    assert result.known.character.rating is ContentRating.SFW


async def test_an_answer_that_shows_the_character_is_not_followed_by_a_read(world: DeskWorld) -> None:
    draft = await edited(world)
    await fill(world, draft, Form.TEXTS, name="Ada L.")
    world.upstream.requests.clear()
    await saved(world, draft)
    assert [request.method for request in world.upstream.requests] == ["GET", "PATCH"]


async def test_what_is_gone_by_the_time_it_is_saved_is_no_longer_available(world: DeskWorld) -> None:
    draft = await edited(world)
    await fill(world, draft, Form.TEXTS, name="Ada L.")
    world.upstream.characters.clear()
    assert await refusal(world, draft) == "That character is no longer available."


# Publishing


async def test_publishing_changes_who_may_use_it_and_nothing_else(world: DeskWorld) -> None:
    draft = await world.drafting.publish(ALICE, await world.known("ada"))
    assert draft.kind is DraftKind.PUBLISH
    await fill(world, draft, Form.ACCESS, visibility="public", allow_api=TICKED, **{TELL: ""})
    result = await saved(world, draft)
    assert world.upstream.written() == [("PATCH", "/id-ada", {"visibility": "public", "allow_api": True})]
    assert world.submitted == [(ALICE, result.known.ref, False)]


async def test_one_that_waits_already_can_be_asked_about_by_direct_message(world: DeskWorld) -> None:
    waiting = await world.known("ada", visibility="public", moderation_status="pending")
    draft = await world.drafting.publish(ALICE, waiting)
    await fill(world, draft, Form.ACCESS, visibility="public", allow_api="", **{TELL: TICKED})
    result = await saved(world, draft)
    assert world.upstream.written() == []
    assert world.submitted == [(ALICE, waiting.ref, True)]
    assert "by direct message" in result.sentence


async def test_no_message_is_promised_of_what_was_decided_meanwhile(world: DeskWorld) -> None:
    waiting = await world.known("ada", visibility="public", moderation_status="pending", allow_api=True)
    draft = await world.drafting.publish(ALICE, waiting)
    await fill(world, draft, Form.ACCESS, visibility="public", allow_api=TICKED, **{TELL: TICKED})
    world.upstream.characters["id-ada"]["moderation_status"] = "approved"
    sentence = await refusal(world, draft)
    assert "by direct message" not in sentence
    assert "public and approved" in sentence


@pytest.mark.parametrize(("visibility", "reviewed"), [("private", False), ("unlisted", False), ("public", True)])
async def test_what_nobody_reviews_is_no_matter_for_a_message(
    world: DeskWorld, *, visibility: str, reviewed: bool
) -> None:
    approved = await world.known("ada", visibility="public", moderation_status="approved", allow_api=True)
    draft = await world.drafting.publish(ALICE, approved)
    await fill(world, draft, Form.ACCESS, visibility=visibility, allow_api="", **{TELL: ""})
    question = await world.drafting.save(draft.id, ALICE)
    assert isinstance(question, Question)
    assert question.reviewed is reviewed


# Where, and whose


async def test_texts_above_the_ceiling_open_in_age_restricted_channels_only(world: DeskWorld) -> None:
    known = await world.known("ada", creator_content_rating="explicit")
    with pytest.raises(UserError, match="age-restricted channel"):
        await world.drafting.edit(ALICE, known, OPEN_PLACE)
    draft = await world.drafting.edit(ALICE, known, ADULT_PLACE)
    for form in (Form.TEXTS, Form.PROMPT):
        with pytest.raises(UserError, match="age-restricted channel"):
            await world.drafting.form(draft.id, ALICE, form, OPEN_PLACE)
        assert await world.drafting.form(draft.id, ALICE, form, ADULT_PLACE) == draft
    assert await world.drafting.form(draft.id, ALICE, Form.LABELS, OPEN_PLACE) == draft
    with pytest.raises(UserError, match="age-restricted channel"):
        await world.drafting.as_files(draft.id, ALICE, OPEN_PLACE)


async def test_a_draft_rated_up_closes_its_texts_where_they_are_too_strong(world: DeskWorld) -> None:
    draft = await finished(world, rating="nsfw")
    with pytest.raises(UserError, match="age-restricted channel"):
        await world.drafting.form(draft.id, ALICE, Form.TEXTS, None)


async def test_a_draft_is_its_authors_alone(world: DeskWorld) -> None:
    draft = await world.drafting.new(ALICE, None)
    for attempt in (
        world.drafting.form(draft.id, BOB, Form.TEXTS, OPEN_PLACE),
        world.drafting.fill(draft.id, BOB, Form.TEXTS, {"name": "Mine"}),
        world.drafting.save(draft.id, BOB),
    ):
        with pytest.raises(UserError, match="somebody else"):
            await attempt
    assert not await world.drafting.keep_typed(draft.id, BOB, Form.TEXTS, {"name": "Mine"})
    assert (await world.drafting.get(draft.id, ALICE)).writing == draft.writing


async def test_opening_a_form_asks_nobody_but_the_database(world: DeskWorld) -> None:
    draft = await edited(world)
    world.upstream.requests.clear()
    await world.drafting.form(draft.id, ALICE, Form.TEXTS, OPEN_PLACE)
    await fill(world, draft, Form.TEXTS, name="Ada L.")
    assert world.upstream.requests == []


# What is typed in vain


async def test_what_was_typed_in_vain_is_kept_and_shown_again(world: DeskWorld) -> None:
    draft = await world.drafting.new(ALICE, None)
    with pytest.raises(UserError, match="needs a name"):
        await fill(world, draft, Form.TEXTS, name="  ", summary="Counts.")
    held = await world.drafting.get(draft.id, ALICE)
    assert shown_in(held.writing, Form.TEXTS)["summary"] == "Counts."
    assert held.writing.now.summary == ""


async def test_a_misspelt_model_is_kept_to_be_put_right(world: DeskWorld) -> None:
    draft = await world.drafting.new(ALICE, None)
    with pytest.raises(UserError, match="Did you mean"):
        await fill(world, draft, Form.LABELS, tags="a", rating="sfw", base_model="other/modle")
    held = await world.drafting.get(draft.id, ALICE)
    assert shown_in(held.writing, Form.LABELS)["base_model"] == "other/modle"
    assert held.writing.now.base_model == "fake/model"


async def test_a_model_that_a_character_has_already_may_be_listed_no_more(world: DeskWorld) -> None:
    draft = await edited(world, base_model_id="old/model")
    await fill(world, draft, Form.LABELS, tags="", rating="sfw", base_model="old/model")
    await saved(world, draft)


async def test_a_draft_that_nobody_touched_for_an_hour_is_gone(world: DeskWorld) -> None:
    draft = await world.drafting.new(ALICE, None)
    world.clock.advance(DRAFT_MS / 1_000)
    with pytest.raises(UserError, match="kept for an hour"):
        await fill(world, draft, Form.TEXTS, name="Ada")
    assert not await world.drafting.keep_typed(draft.id, ALICE, Form.TEXTS, {"name": "Ada"})
    with pytest.raises(UserError, match="kept for an hour"):
        await world.drafting.save(DraftId(999), ALICE)


async def test_old_drafts_are_deleted_and_not_only_hidden(world: DeskWorld, database: Database) -> None:
    await world.drafting.new(ALICE, None)
    tidying = asyncio.create_task(world.drafting.keep_tidy())
    for _ in range(7):
        assert await world.clock.sleeping() == TIDY_SECONDS
        world.clock.advance(TIDY_SECONDS)
        await asyncio.sleep(0)
    await world.clock.sleeping()
    assert await database.read("SELECT id FROM draft") == []
    tidying.cancel()
    await asyncio.gather(tidying, return_exceptions=True)


# Texts as files


async def test_long_texts_leave_and_come_back_whole(world: DeskWorld) -> None:
    draft = await edited(world, system_prompt="x" * 9_000)
    files = {file.field: file for file in await world.drafting.as_files(draft.id, ALICE, OPEN_PLACE)}
    assert files["system_prompt"].text == "x" * 9_000
    assert files["first_message"].name == "first-message.txt"
    world.files["url"] = "\ufeffYou are ada. é\r\n".encode() + b"y" * 20_000
    draft = await world.drafting.take_files(draft.id, ALICE, {"system_prompt": "url"}, OPEN_PLACE)
    await saved(world, draft)
    ((_, _, body),) = world.upstream.written()
    assert body == {"system_prompt": "You are ada. é\n" + "y" * 20_000}


async def test_a_file_that_says_the_same_is_no_change(world: DeskWorld) -> None:
    draft = await edited(world, system_prompt="Count.\nAlways.")
    world.files["url"] = b"Count.\r\nAlways.\r\n"
    await world.drafting.take_files(draft.id, ALICE, {"system_prompt": "url"}, OPEN_PLACE)
    assert "Nothing has changed" in await refusal(world, draft)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "not plain text"),
        (b" \n", "is empty"),
        (b"z" * (LONGEST_TEXT + 1), "at most 100,000 characters"),
    ],
)
async def test_what_is_wrong_with_a_file_is_a_sentence_and_nothing_is_cut(
    world: DeskWorld, content: bytes, said: str
) -> None:
    draft = await edited(world)
    world.files["url"] = content
    with pytest.raises(UserError, match=said):
        await world.drafting.take_files(draft.id, ALICE, {"description": "url"}, OPEN_PLACE)
    assert (await world.drafting.get(draft.id, ALICE)).writing.now == draft.writing.now


async def test_no_file_at_all_is_a_sentence(world: DeskWorld) -> None:
    draft = await edited(world)
    with pytest.raises(UserError, match="no file among that"):
        await world.drafting.take_files(draft.id, ALICE, {}, OPEN_PLACE)


async def test_a_save_that_meets_a_broken_list_says_so(world: DeskWorld) -> None:
    draft = await edited(world)
    await fill(world, draft, Form.TEXTS, name="Ada L.")
    world.upstream.answers.append(lambda _: httpx.Response(200, text="<html>down</html>"))
    assert "does not answer just now" in await refusal(world, draft)
