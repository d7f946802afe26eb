"""Card files at the desk: what is kept of them, for how long, and what is given back."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.authoring import Visibility
from bot.domain.card_files.containers import Container
from bot.domain.card_files.reading import read_card_file
from bot.domain.card_files.versions import CardVersion
from bot.domain.card_originals import MOST_FILES
from bot.domain.characters import KnownCharacter
from bot.domain.drafts import DRAFT_MS, MOST_DRAFTS, Draft, Form, Writing, shown_in
from bot.domain.ids import UserId
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.domain.ratings import ContentRating
from bot.domain.sheets import NEW_SHEET
from bot.errors import UserError
from bot.services.card_desk import MOST_AT_ONCE, TIDY_SECONDS
from bot.services.drafting import Saved
from bot.store.database import Database
from bot.store.sealed_files import StoredFile
from bot.store.vault import Vault
from tests.support.card_samples import SAMPLES, V2, card_file
from tests.support.desk_world import ADULT_PLACE, ALICE, BOB, OPEN_PLACE, DeskWorld
from tests.support.manual_clock import ManualClock

PNG = SAMPLES[CardVersion.V2, Container.PNG]
REWRITTEN = replace(
    NEW_SHEET,
    name="Ada the Second",
    summary="A new summary, in {{short}}.",
    description="A new description.\n\nAt length.",
    first_message="A new greeting, {{user}}.",
    system_prompt="A new prompt for {{char}}.",
    base_model="other/model",
    rating=ContentRating.SUGGESTIVE,
    tags=("new", "tags"),
)
REWRITTEN_UPSTREAM = {
    "name": REWRITTEN.name,
    "summary": REWRITTEN.summary,
    "description": REWRITTEN.description,
    "first_message": REWRITTEN.first_message,
    "system_prompt": REWRITTEN.system_prompt,
    "base_model_id": REWRITTEN.base_model,
    "creator_content_rating": "suggestive",
    "tags": list(REWRITTEN.tags),
}


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[DeskWorld]:
    made = DeskWorld(database, vault, clock)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def folder(database: Database) -> Path:
    return database.path.with_suffix(".files")


def there(folder: Path) -> int:
    return len(list(folder.iterdir())) if folder.exists() else 0


def empty(folder: Path) -> None:
    for path in list(folder.iterdir()):
        path.unlink()


def block(folder: Path) -> None:
    folder.write_text("in the way")


async def bring(world: DeskWorld, file: bytes = PNG, name: str = "ada.png") -> Draft:
    world.files["url"] = file
    return await world.cards.bring(ALICE, "url", name, world.drafting)


async def made(world: DeskWorld, file: bytes = PNG, name: str = "ada.png") -> KnownCharacter:
    """Import a file, rate it and nothing else, and make the character."""
    draft = await bring(world, file, name)
    return await rated_and_saved(world, draft)


async def rated_and_saved(world: DeskWorld, draft: Draft) -> KnownCharacter:
    await world.drafting.fill(draft.id, ALICE, Form.LABELS, {"rating": "sfw"})
    return await saved(world, draft)


async def saved(world: DeskWorld, draft: Draft) -> KnownCharacter:
    result = await world.drafting.save(draft.id, ALICE)
    assert isinstance(result, Saved)
    return result.known


async def rewrite(world: DeskWorld, draft: Draft) -> None:
    """Write something else into every field that a card can carry."""
    for form in (Form.TEXTS, Form.PROMPT, Form.LABELS):
        await world.drafting.fill(draft.id, ALICE, form, shown_in(Writing(REWRITTEN), form))


async def edit(world: DeskWorld, known: KnownCharacter, form: Form, values: dict[str, str]) -> None:
    draft = await world.drafting.edit(ALICE, known, ADULT_PLACE)
    await world.drafting.fill(draft.id, ALICE, form, values)
    await saved(world, draft)


# Bringing in


async def test_a_card_becomes_a_private_draft_without_a_rating(world: DeskWorld) -> None:
    draft = await bring(world)
    sheet, notes = draft.writing.now, draft.writing.notes
    assert (sheet.name, sheet.visibility, sheet.allow_api, sheet.rating) == ("Ada", Visibility.PRIVATE, False, None)
    assert (sheet.tags, sheet.base_model) == (("sea-stories", "quiet"), "fake/model")
    assert "lighthouse" in sheet.text("system_prompt")
    assert notes is not None
    assert (notes.format, notes.has_picture, notes.file_kept) == ("Character Card V2, PNG", True, True)
    assert notes.folded
    assert notes.lost
    with pytest.raises(UserError, match="It still needs a content rating"):
        await world.drafting.save(draft.id, ALICE)
    assert await world.drafting.get(draft.id, ALICE) == draft


async def test_a_card_that_takes_the_place_of_a_draft_says_so(world: DeskWorld) -> None:
    for _ in range(MOST_DRAFTS):
        assert (await bring(world)).in_place_of is None
    assert (await bring(world)).in_place_of == "Ada"


async def test_what_a_card_says_of_itself_raises_the_mildest_rating(world: DeskWorld) -> None:
    card = {**V2, "data": {**V2["data"], "tags": ["NSFW"]}}
    draft = await bring(world, card_file(card, CardVersion.V2, Container.JSON), "ada.json")
    assert draft.writing.rating_floor is ContentRating.NSFW
    assert draft.writing.now.rating is None
    with pytest.raises(UserError, match="rated stronger than that"):
        await world.drafting.fill(draft.id, ALICE, Form.LABELS, {"rating": "sfw"})


@pytest.mark.parametrize("form", [Form.TEXTS, Form.PROMPT])
async def test_texts_of_a_card_that_calls_itself_strong_open_in_age_restricted_channels_only(
    world: DeskWorld, form: Form
) -> None:
    card = {**V2, "data": {**V2["data"], "tags": ["NSFW"]}}
    draft = await bring(world, card_file(card, CardVersion.V2, Container.JSON), "ada.json")
    for place in (OPEN_PLACE, None):
        with pytest.raises(UserError, match="above what this channel may show"):
            await world.drafting.form(draft.id, ALICE, form, place)
        with pytest.raises(UserError, match="above what this channel may show"):
            await world.drafting.as_files(draft.id, ALICE, place)
    assert await world.drafting.form(draft.id, ALICE, form, ADULT_PLACE) == draft


@pytest.mark.parametrize("form", [Form.TEXTS, Form.PROMPT])
async def test_texts_of_a_card_open_outside_age_restricted_channels_only_once_they_are_rated(
    world: DeskWorld, form: Form
) -> None:
    draft = await bring(world)
    for place in (OPEN_PLACE, None):
        with pytest.raises(UserError, match=r"no content rating yet.*Choose one with \*Tags and rating\*"):
            await world.drafting.form(draft.id, ALICE, form, place)
        with pytest.raises(UserError, match="no content rating yet"):
            await world.drafting.as_files(draft.id, ALICE, place)
    assert await world.drafting.form(draft.id, ALICE, form, ADULT_PLACE) == draft
    assert await world.drafting.form(draft.id, ALICE, Form.LABELS, OPEN_PLACE) == draft
    rated = await world.drafting.fill(draft.id, ALICE, Form.LABELS, {"rating": "sfw"})
    assert await world.drafting.form(draft.id, ALICE, form, OPEN_PLACE) == rated
    await world.drafting.fill(draft.id, ALICE, Form.LABELS, {"rating": "nsfw"})
    with pytest.raises(UserError, match="above what this channel may show"):
        await world.drafting.form(draft.id, ALICE, form, OPEN_PLACE)


@pytest.mark.parametrize(
    ("file", "said"),
    [(b"", "is empty"), (b"GIF89a", "Only PNG pictures"), (b'{"hello": 1}', "no character card")],
)
async def test_what_is_no_card_is_a_sentence_and_no_draft(
    world: DeskWorld, folder: Path, database: Database, file: bytes, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        await bring(world, file)
    assert await database.read("SELECT id FROM draft") == []
    assert there(folder) == 0


async def test_without_an_account_nothing_is_fetched(world: DeskWorld) -> None:
    with pytest.raises(UserError, match="/account link"):
        await world.cards.bring(BOB, "never asked for", "ada.png", world.drafting)


async def test_a_member_who_has_as_many_files_as_are_kept_can_still_import(world: DeskWorld, folder: Path) -> None:
    first = await bring(world)
    for number in range(MOST_FILES - 1):
        stored = StoredFile(f"{number}", b"k" * 32)
        await world.originals.put(
            ALICE, first.id, stored, size=1, name="old.png", fingerprint="", now_ms=world.clock.now_ms()
        )
    draft = await bring(world)
    notes = draft.writing.notes
    assert notes is not None
    assert (notes.file_kept, draft.writing.card) == (False, None)
    assert there(folder) == 1


async def test_a_disk_that_refuses_costs_the_file_and_not_the_import(
    world: DeskWorld, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    block(folder)
    draft = await bring(world)
    assert draft.writing.card is None
    assert draft.writing.notes is not None
    assert not draft.writing.notes.file_kept
    assert "could not be kept" in caplog.text


# One after the other


async def test_only_so_many_card_files_are_fetched_at_once(world: DeskWorld) -> None:
    members = [UserId(100 + number) for number in range(MOST_AT_ONCE + 1)]
    for member in members:
        secret = AccountSecret(f"sk-nano-fake-{member}")
        await world.accounts.link(member, secret, KeyOrigin.PASTED, world.clock.now_ms())
    world.files["url"] = PNG
    world.gate.clear()
    bringing = [
        asyncio.create_task(world.cards.bring(member, "url", "ada.png", world.drafting)) for member in members[1:]
    ]
    for _ in bringing:
        await world.fetches.get()
    with pytest.raises(UserError, match="Too many card files"):
        await world.cards.bring(members[0], "url", "ada.png", world.drafting)
    assert world.fetches.empty()
    world.gate.set()
    await asyncio.gather(*bringing)
    assert await world.cards.bring(members[0], "url", "ada.png", world.drafting)


async def test_a_member_has_one_card_file_under_way_at_a_time(world: DeskWorld) -> None:
    known = await made(world)
    await world.fetches.get()
    world.gate.clear()
    first = asyncio.create_task(bring(world))
    await world.fetches.get()
    with pytest.raises(UserError, match="Another card file of yours"):
        await bring(world)
    with pytest.raises(UserError, match="Another card file of yours"):
        await world.cards.hand_out(ALICE, known, OPEN_PLACE)
    assert world.fetches.empty()
    world.gate.set()
    assert (await first).writing.now.name == "Ada"
    assert (await world.cards.hand_out(ALICE, known, OPEN_PLACE)).file == PNG


async def test_who_stops_waiting_for_a_file_can_bring_another(world: DeskWorld) -> None:
    world.gate.clear()
    abandoned = asyncio.create_task(bring(world))
    await world.fetches.get()
    abandoned.cancel()
    await asyncio.wait([abandoned])
    world.gate.set()
    assert (await bring(world)).writing.now.name == "Ada"


# Handing out


@pytest.mark.parametrize(("version", "container"), SAMPLES)
async def test_an_unchanged_character_gives_its_file_back_byte_for_byte(
    world: DeskWorld, version: CardVersion, container: Container
) -> None:
    file = SAMPLES[version, container]
    known = await made(world, file, f"my card.{container.value}")
    given = await world.cards.hand_out(ALICE, known, OPEN_PLACE)
    assert given.file == file
    assert given.name == f"my card.{container.value}"
    assert given.sentence == "This is the file you imported, as it was: the character is unchanged since."


@pytest.mark.parametrize(
    ("form", "values"),
    [
        (Form.TEXTS, {"name": "Berta"}),
        (Form.TEXTS, {"summary": "Another."}),
        (Form.TEXTS, {"description": "Another."}),
        (Form.TEXTS, {"first_message": "Another."}),
        (Form.PROMPT, {"system_prompt": "Another."}),
        (Form.LABELS, {"tags": "quiet"}),
    ],
)
@pytest.mark.parametrize("prompts_shown", [True, False])
async def test_what_was_changed_before_it_was_made_is_not_given_back_as_it_was(
    world: DeskWorld, form: Form, values: dict[str, str], *, prompts_shown: bool
) -> None:
    world.upstream.prompts_shown = prompts_shown
    draft = await bring(world)
    await world.drafting.fill(draft.id, ALICE, form, values)
    known = await rated_and_saved(world, draft)
    given = await world.cards.hand_out(ALICE, known, OPEN_PLACE)
    assert "V3 card of the character as it is today" in given.sentence
    assert "under extensions" in given.sentence


async def test_what_was_changed_and_changed_back_before_it_was_made_is_unchanged(world: DeskWorld) -> None:
    draft = await bring(world)
    for name in ("Berta", " Ada\r\n"):
        await world.drafting.fill(draft.id, ALICE, Form.TEXTS, {"name": name})
    known = await rated_and_saved(world, draft)
    assert (await world.cards.hand_out(ALICE, known, OPEN_PLACE)).file == PNG


async def test_what_nanogpt_took_counts_and_not_what_was_written_after_that(world: DeskWorld) -> None:
    world.upstream.prompts_shown = False
    draft = await bring(world)
    await world.drafting.fill(draft.id, ALICE, Form.LABELS, {"rating": "sfw"})
    await world.drafting.fill(draft.id, ALICE, Form.PROMPT, {"system_prompt": "Another."})
    world.upstream.lost = 1
    world.upstream.answer_first()
    world.upstream.answer_first()
    world.upstream.break_down()
    with pytest.raises(UserError, match="did not answer clearly"):
        await world.drafting.save(draft.id, ALICE)

    async def refused() -> None:
        world.upstream.refuse(400, "not that one")

    world.upstream.meanwhile["PATCH"] = refused
    as_it_was = draft.writing.now.text("system_prompt")
    await world.drafting.fill(draft.id, ALICE, Form.PROMPT, {"system_prompt": as_it_was})
    with pytest.raises(UserError, match="not that one"):
        await world.drafting.save(draft.id, ALICE)
    (made_of_it,) = await world.desk.read_all(ALICE)
    known = await world.desk.find(ALICE, made_of_it.character.id)
    assert "V3 card" in (await world.cards.hand_out(ALICE, known, OPEN_PLACE)).sentence


@pytest.mark.parametrize("arrives", ["answered", "lost"])
async def test_a_prompt_that_was_changed_from_here_is_a_change_also_where_nanogpt_does_not_show_it(
    world: DeskWorld, arrives: str
) -> None:
    world.upstream.prompts_shown = False
    known = await made(world)
    world.upstream.lost = int(arrives == "lost")
    with suppress(UserError):
        await edit(world, known, Form.PROMPT, {"system_prompt": "Another."})
    assert world.upstream.characters[known.character.id]["system_prompt"] == "Another."
    given = await world.cards.hand_out(ALICE, known, OPEN_PLACE)
    assert "V3 card of the character as it is today" in given.sentence
    assert "under extensions" in given.sentence


async def test_an_edit_that_nanogpt_refused_is_no_change(world: DeskWorld) -> None:
    world.upstream.prompts_shown = False
    known = await made(world)

    async def refused() -> None:
        world.upstream.refuse(400, "not that one")

    world.upstream.meanwhile["PATCH"] = refused
    with pytest.raises(UserError, match="not that one"):
        await edit(world, known, Form.PROMPT, {"system_prompt": "Another."})
    assert (await world.cards.hand_out(ALICE, known, OPEN_PLACE)).file == PNG


async def test_an_edit_of_what_no_card_says_is_no_change(world: DeskWorld) -> None:
    known = await made(world)
    await edit(world, known, Form.LABELS, {"rating": "suggestive", "base_model": "other/model"})
    assert (await world.cards.hand_out(ALICE, known, ADULT_PLACE)).file == PNG


async def test_publishing_is_no_change_of_the_character(world: DeskWorld) -> None:
    known = await made(world)
    world.upstream.characters[known.character.id] |= {"visibility": "public", "moderation_status": "approved"}
    assert (await world.cards.hand_out(ALICE, known, OPEN_PLACE)).file == PNG


@pytest.mark.parametrize(("version", "container"), SAMPLES)
@pytest.mark.parametrize("moment", ["before it is made", "after it was made", "on the website"])
async def test_every_field_of_an_edited_character_comes_back_with_its_card(
    world: DeskWorld, version: CardVersion, container: Container, moment: str
) -> None:
    draft = await bring(world, SAMPLES[version, container], f"my card.{container.value}")
    if moment == "before it is made":
        await rewrite(world, draft)
        known = await saved(world, draft)
    else:
        known = await rated_and_saved(world, draft)
    if moment == "after it was made":
        draft = await world.drafting.edit(ALICE, known, OPEN_PLACE)
        await rewrite(world, draft)
        await saved(world, draft)
    if moment == "on the website":
        world.upstream.characters[known.character.id] |= REWRITTEN_UPSTREAM
    given = await world.cards.hand_out(ALICE, known, ADULT_PLACE)
    assert given.sentence == (
        "This is a V3 card of the character as it is today. The card you imported stands in it under extensions."
    )
    assert given.name == f"ada-the-second.{container.value}"
    again = await bring(world, given.file, given.name)
    assert again.writing.now == replace(REWRITTEN, rating=None)
    assert again.writing.rating_floor is REWRITTEN.rating
    assert again.writing.notes is not None
    assert again.writing.notes.format == f"Character Card V3, {container.value.upper()}"


async def test_a_character_that_was_never_imported_is_exported_as_json(world: DeskWorld) -> None:
    given = await world.cards.hand_out(ALICE, await world.known("ada"), OPEN_PLACE)
    assert given.name == "ada.json"
    reading = read_card_file(given.file)
    assert (reading.version, reading.mapping.fields.system_prompt) == (CardVersion.V3, "You are ada.")
    assert "imported" not in given.sentence


async def test_a_prompt_that_nanogpt_does_not_show_is_said_to_be_missing(world: DeskWorld) -> None:
    world.upstream.prompts_shown = False
    given = await world.cards.hand_out(ALICE, await world.known("ada"), OPEN_PLACE)
    assert "did not show me the prompt, so it is not in it" in given.sentence
    known = await made(world)
    given = await world.cards.hand_out(ALICE, known, OPEN_PLACE)
    assert given.file == PNG
    assert "cannot tell whether that is the same" in given.sentence


async def test_a_file_that_is_gone_from_the_disk_is_replaced_by_a_new_card(world: DeskWorld, folder: Path) -> None:
    known = await made(world)
    empty(folder)
    given = await world.cards.hand_out(ALICE, known, OPEN_PLACE)
    assert given.name == "ada.json"
    assert "V3 card" in given.sentence


async def test_what_is_above_the_ceiling_is_handed_out_in_age_restricted_channels_only(world: DeskWorld) -> None:
    known = await world.known("ada", creator_content_rating="explicit")
    with pytest.raises(UserError, match="age-restricted channel"):
        await world.cards.hand_out(ALICE, known, OPEN_PLACE)
    assert (await world.cards.hand_out(ALICE, known, ADULT_PLACE)).file


async def test_an_answer_that_told_less_does_not_make_it_look_changed(world: DeskWorld) -> None:
    world.upstream.bare_answers = True
    known = await made(world)
    assert (await world.cards.hand_out(ALICE, known, OPEN_PLACE)).file == PNG


# Forgetting


async def test_a_file_goes_with_its_archived_character(world: DeskWorld, folder: Path) -> None:
    known = await made(world)
    kept = await made(world)
    await world.desk.archive(ALICE, known.ref)
    assert there(folder) == 1
    assert await world.originals.of_character(ALICE, known.ref) is None
    assert (await world.cards.hand_out(ALICE, kept, OPEN_PLACE)).file == PNG


async def test_a_file_goes_with_its_members_account(world: DeskWorld, folder: Path) -> None:
    await made(world)
    await bring(world)
    await world.accounts.unlink(ALICE)
    await world.cards.unlinked(ALICE)
    assert there(folder) == 0


async def test_a_folder_that_cannot_be_read_keeps_nobody_from_unlinking(
    world: DeskWorld, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    block(folder)
    await world.cards.unlinked(ALICE)
    assert "could not be deleted" in caplog.text


async def test_a_file_goes_with_a_draft_that_nobody_saved(world: DeskWorld, folder: Path) -> None:
    await bring(world)
    tidying = asyncio.create_task(world.cards.keep_tidy())
    assert await world.clock.sleeping() == TIDY_SECONDS
    assert there(folder) == 1
    await world.drafts.prune(world.clock.now_ms() + DRAFT_MS)
    world.clock.advance(TIDY_SECONDS)
    assert await world.clock.sleeping() == TIDY_SECONDS
    assert there(folder) == 0
    tidying.cancel()
    await asyncio.gather(tidying, return_exceptions=True)


async def test_tidying_never_takes_a_file_that_is_just_being_kept(world: DeskWorld, folder: Path) -> None:
    bringing = asyncio.create_task(bring(world))
    while not bringing.done():
        await world.cards.tidy()
    assert (await bringing).writing.card is not None
    assert there(folder) == 1
