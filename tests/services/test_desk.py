from collections.abc import AsyncGenerator

import httpx
import pytest

from bot.domain.desk_wording import PAGE
from bot.domain.ids import CharacterRef
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.errors import UserError
from bot.nanogpt.errors import BadKeyError
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.desk_world import ALICE, BOB, DeskWorld
from tests.support.manual_clock import START_MS, ManualClock


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[DeskWorld]:
    made = DeskWorld(database, vault, clock)
    await made.open()
    yield made
    await made.close()


# Listing


async def test_ones_own_characters_are_read_whole_and_paged_from_memory(world: DeskWorld) -> None:
    for number in range(PAGE * 2 + 3):
        world.upstream.add(f"c{number:02}")
    world.upstream.add("old", archived_at="2026-01-01T00:00:00Z")
    world.upstream.page_size = 7
    first = await world.desk.mine(ALICE)
    assert (len(first.characters), first.number, first.pages, first.archived) == (PAGE, 1, 3, 1)
    asked = len(world.upstream.requests)
    last = world.desk.page(ALICE, 3)
    assert [known.character.slug for known in last.characters] == ["c20", "c21", "c22"]
    assert world.desk.page(ALICE, 99) == last
    assert world.desk.page(ALICE, 0) == first
    assert len(world.upstream.requests) == asked == 4
    assert all(request.headers["Authorization"] == "Bearer sk-nano-fake-1111" for request in world.upstream.requests)


async def test_what_the_list_leaves_out_is_there_no_more(world: DeskWorld) -> None:
    await world.known("ada")
    await world.known("bee")
    del world.upstream.characters["id-ada"]
    page = await world.desk.mine(ALICE)
    assert [known.character.slug for known in page.characters] == ["bee"]


async def test_somebody_without_an_account_reads_how_to_link_one(world: DeskWorld) -> None:
    for ask in (world.desk.mine(BOB), world.desk.find(BOB, "ada"), world.drafting.new(BOB, None)):
        with pytest.raises(UserError, match=r"/account link") as refused:
            await ask
        assert refused.value.sentence.count(".") <= 2
    assert world.upstream.requests == []


async def test_a_key_that_nanogpt_refuses_is_marked_and_not_tried_again(world: DeskWorld) -> None:
    world.upstream.refuse(401, "Invalid session", code="invalid_api_key")
    with pytest.raises(UserError, match="refuses the key of your account"):
        await world.desk.mine(ALICE)
    with pytest.raises(UserError, match="refuses the key of your account"):
        await world.desk.mine(ALICE)
    assert len(world.upstream.requests) == 1


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (402, {}, "not enough balance"),
        (403, {}, "does not let your account"),
        (429, {"code": "rate_limit_exceeded"}, "too many people"),
        (429, {"code": "daily_rpd_limit_exceeded"}, "limit for today"),
        (404, {}, "no longer available"),
        (400, {"message": "name is *odd*"}, r"did not take it: name is \\\*odd"),
        (503, {}, "does not answer just now"),
    ],
)
async def test_what_goes_wrong_is_a_sentence_about_ones_own_account(
    world: DeskWorld, status: int, error: dict[str, str], said: str
) -> None:
    world.upstream.refuse(status, **error)
    with pytest.raises(UserError, match=said) as refused:
        await world.desk.mine(ALICE)
    assert "bot" not in refused.value.sentence


# Finding


@pytest.mark.parametrize("address", ["ada", "ADA", "id-ada", " ada ", 'Look for "ada"', "Countess  Ada"])
async def test_a_character_is_found_by_id_slug_or_name(world: DeskWorld, address: str) -> None:
    world.upstream.add("ada", name="Countess Ada")
    world.upstream.add("bee")
    found = await world.desk.find(ALICE, address)
    assert found.character.id == "id-ada"
    asked = len(world.upstream.requests)
    assert await world.desk.find(ALICE, address) == found
    assert len(world.upstream.requests) == asked


async def test_nobody_elses_character_is_found(world: DeskWorld) -> None:
    await world.known("ada")
    with pytest.raises(UserError, match="none of your characters"):
        await world.desk.find(ALICE, "helpful-guide")
    with pytest.raises(UserError, match="none of your characters"):
        await world.desk.find(ALICE, " ")


async def test_of_several_with_one_name_nobody_guesses(world: DeskWorld) -> None:
    await world.known("ada", name="Twin")
    await world.known("bee", name="Twin")
    with pytest.raises(UserError, match="Several of your characters"):
        await world.desk.find(ALICE, "twin")
    assert (await world.desk.find(ALICE, "bee")).character.id == "id-bee"


async def test_suggestions_are_ones_own_however_they_stand(world: DeskWorld) -> None:
    await world.known("ada", visibility="private", creator_content_rating="explicit")
    await world.known("bee", visibility="public", moderation_status="rejected")
    world.upstream.requests.clear()
    assert [choice.value for choice in world.desk.suggest(ALICE, "")] == ["ada", "bee"]
    assert [choice.value for choice in world.desk.suggest(ALICE, "be")] == ["bee"]
    assert [choice.value for choice in world.desk.suggest(BOB, "be")] == ['Look for "be"']
    assert world.upstream.requests == []


async def test_a_button_of_somebody_else_opens_nothing(world: DeskWorld) -> None:
    known = await world.known("ada")
    assert world.desk.known(ALICE, known.ref) == known
    for user_id, ref in ((BOB, known.ref), (ALICE, CharacterRef(999))):
        with pytest.raises(UserError, match="somebody else"):
            world.desk.known(user_id, ref)


# Reading


async def test_a_read_tells_what_is_the_authors_alone_and_remembers_the_rest(world: DeskWorld) -> None:
    known = await world.known("ada")
    shown = {"slug": "ada", "name": "Ada L.", "system_prompt": "You are ada."}
    world.upstream.answers.append(lambda _: httpx.Response(200, json={"character": shown}))
    own = await world.desk.read(ALICE, known)
    assert (own.system_prompt, own.character.name, own.character.id) == ("You are ada.", "Ada L.", "id-ada")
    again = world.desk.known(ALICE, known.ref)
    assert again.character.name == "Ada L."
    assert again.checked_at_ms is not None


async def test_what_is_gone_is_no_longer_available_and_nobody_says_why(world: DeskWorld) -> None:
    known = await world.known("ada")
    del world.upstream.characters["id-ada"]
    with pytest.raises(UserError) as refused:
        await world.desk.read(ALICE, known)
    assert refused.value.sentence == "That character is no longer available."
    assert world.desk.page(ALICE, 1).characters == ()


async def test_what_is_archived_is_said_to_be(world: DeskWorld) -> None:
    known = await world.known("ada")
    world.upstream.characters["id-ada"]["archived_at"] = "2026-01-01T00:00:00Z"
    with pytest.raises(UserError, match="archived, and cannot be brought back"):
        await world.desk.read(ALICE, known)
    assert world.desk.page(ALICE, 1).archived == 1


# Archiving


async def test_archiving_is_one_request_and_clears_what_hung_on_it(world: DeskWorld) -> None:
    known = await world.known("ada")
    await world.desk.archive(ALICE, known.ref)
    assert world.upstream.written() == [("DELETE", "/id-ada", {})]
    assert world.dropped == [(ALICE, known.ref)]
    assert world.changed == [known.ref]
    assert world.desk.page(ALICE, 1).characters == ()


async def test_what_was_archived_already_is_archived(world: DeskWorld) -> None:
    known = await world.known("ada")
    world.upstream.characters["id-ada"]["archived_at"] = "2027-01-01T00:00:00Z"
    assert (await world.desk.archive(ALICE, known.ref)).ref == known.ref
    assert world.dropped == [(ALICE, known.ref)]


async def test_what_nanogpt_lists_no_more_is_no_longer_available_and_let_go(world: DeskWorld) -> None:
    known = await world.known("ada")
    del world.upstream.characters["id-ada"]
    with pytest.raises(UserError, match="no longer available"):
        await world.desk.archive(ALICE, known.ref)
    assert world.dropped == [(ALICE, known.ref)]


async def test_what_nanogpt_does_not_find_but_lists_keeps_what_hangs_on_it(world: DeskWorld) -> None:
    known = await world.known("ada")
    world.upstream.refuse(404)
    with pytest.raises(UserError, match="no longer available"):
        await world.desk.archive(ALICE, known.ref)
    world.upstream.refuse(404)
    world.upstream.refuse(503)
    with pytest.raises(UserError, match="cannot say whether it is archived"):
        await world.desk.archive(ALICE, known.ref)
    assert world.dropped == []


@pytest.mark.parametrize("is_found", [True, False])
async def test_an_archiving_whose_answer_was_lost_is_looked_up(world: DeskWorld, *, is_found: bool) -> None:
    known = await world.known("ada")
    world.upstream.lost = 1
    if not is_found:
        world.upstream.answer_first()
        world.upstream.refuse(404)
    await world.desk.archive(ALICE, known.ref)
    assert world.dropped == [(ALICE, known.ref)]
    assert world.desk.page(ALICE, 1).characters == ()
    assert len(world.upstream.written()) == 1


async def test_an_archiving_that_did_not_arrive_says_that_the_character_is_there(world: DeskWorld) -> None:
    known = await world.known("ada")
    world.upstream.break_down()
    with pytest.raises(UserError, match="the character is still there"):
        await world.desk.archive(ALICE, known.ref)
    assert world.dropped == []
    await world.desk.archive(ALICE, known.ref)
    assert world.dropped == [(ALICE, known.ref)]


async def test_an_archiving_that_cannot_be_looked_up_says_that_nobody_knows(world: DeskWorld) -> None:
    known = await world.known("ada")
    world.upstream.break_down()
    world.upstream.refuse(503)
    with pytest.raises(UserError, match="cannot say whether it is archived"):
        await world.desk.archive(ALICE, known.ref)
    assert world.dropped == []


async def test_an_archiving_that_is_refused_changes_nothing(world: DeskWorld) -> None:
    known = await world.known("ada")
    world.upstream.refuse(403)
    with pytest.raises(UserError, match="does not let your account"):
        await world.desk.archive(ALICE, known.ref)
    with pytest.raises(UserError, match="somebody else"):
        await world.desk.archive(BOB, known.ref)
    assert world.dropped == world.changed == []
    assert [each.character.id for each in world.desk.page(ALICE, 1).characters] == ["id-ada"]


async def test_bindings_that_cannot_be_looked_at_do_not_undo_what_was_done(
    world: DeskWorld, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await world.known("ada")

    async def fail(_: CharacterRef) -> None:
        raise KeyError("no such binding")

    monkeypatch.setattr(world.desk, "_changed", fail)
    await world.desk.archive(ALICE, known.ref)
    assert "could not be looked at" in caplog.text


async def test_a_late_refusal_of_the_key_before_is_not_held_against_the_one_linked_since(world: DeskWorld) -> None:
    async def relinked() -> None:
        async with world.desk.asking(ALICE):
            await world.accounts.link(ALICE, AccountSecret("sk-nano-fake-2222"), KeyOrigin.PASTED, START_MS)
            raise BadKeyError

    with pytest.raises(UserError, match="refuses"):
        await relinked()
    account = await world.accounts.get(ALICE)
    assert account is not None
    assert account.refused_at_ms is None
    with pytest.raises(UserError, match="refuses"):
        async with world.desk.asking(ALICE):
            raise BadKeyError
    with pytest.raises(UserError, match="refuses"):
        await world.desk.key(ALICE)
