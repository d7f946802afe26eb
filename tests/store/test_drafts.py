from dataclasses import replace

import pytest

from bot.domain.authoring import Visibility
from bot.domain.characters import Character, OwnCharacter
from bot.domain.drafts import DRAFT_MS, MOST_DRAFTS, CardNotes, Draft, DraftKind, Form, Sent, Writing, with_typed
from bot.domain.ids import CardFileId, CharacterId, DraftId
from bot.domain.ratings import ContentRating
from bot.domain.sheets import NEW_SHEET, Sheet
from bot.store.accounts import Accounts, NotLinkedError
from bot.store.database import Database
from bot.store.drafts import Drafts, DraftsFullError
from bot.store.vault import MasterKey, Vault
from tests.store.seed import ALICE, BOB, NOW, Seed

WHOLE = Writing(
    Sheet(
        name="Ada \U0001f600",
        system_prompt="",
        rating=ContentRating.NSFW,
        tags=("a", "b"),
        visibility=Visibility.UNLISTED,
        allow_api=True,
    ),
    before=OwnCharacter(Character(CharacterId("id"), "Ada", tags=("a",)), "You count.", ContentRating.SFW, "no"),
    typed={Form.TEXTS.value: {"name": ""}},
    sent=Sent((Sheet(name="Ada", rating=ContentRating.SFW),), (CharacterId("other"),)),
    tell=True,
    notes=CardNotes("V2", ("name",), ("scenario",), ("lorebook",), has_picture=True, file_kept=False),
    card=CardFileId(9),
)


@pytest.fixture
async def drafts(seed: Seed) -> Drafts:
    await seed.linked(ALICE, BOB)
    return Drafts(seed.database, seed.vault)


async def test_no_draft_is_opened_for_a_member_who_took_their_account_away(drafts: Drafts, seed: Seed) -> None:
    await Accounts(seed.database, seed.vault).unlink(ALICE)
    with pytest.raises(NotLinkedError):
        await opened(drafts)
    assert "draft" not in await seed.counts()


async def opened(drafts: Drafts, writing: Writing = WHOLE, now_ms: int = NOW) -> Draft:
    return await drafts.create(ALICE, DraftKind.CREATE, None, writing, now_ms)


def named(name: str) -> Writing:
    return Writing(replace(NEW_SHEET, name=name))


@pytest.mark.parametrize("writing", [WHOLE, Writing(NEW_SHEET)])
async def test_a_draft_is_read_as_it_was_written(drafts: Drafts, seed: Seed, writing: Writing) -> None:
    ref = await seed.character()
    draft = await drafts.create(ALICE, DraftKind.EDIT, ref, writing, NOW)
    assert draft == Draft(draft.id, ALICE, DraftKind.EDIT, ref, writing, NOW)
    assert await drafts.get(draft.id, NOW) == draft


async def test_a_draft_is_changed_and_touched(drafts: Drafts) -> None:
    draft = await opened(drafts)
    changed = await drafts.change(draft.id, lambda held: with_typed(held, Form.PROMPT, {"system_prompt": "x"}), NOW + 9)
    assert changed is not None
    assert changed.touched_at_ms == NOW + 9
    assert set(changed.writing.typed) == {"texts", "prompt"}
    assert await drafts.get(draft.id, NOW + 9) == changed


async def test_a_draft_lives_an_hour_from_its_last_touch(drafts: Drafts) -> None:
    draft = await opened(drafts)
    assert await drafts.get(draft.id, NOW + DRAFT_MS - 1) is not None
    assert await drafts.get(draft.id, NOW + DRAFT_MS) is None
    assert await drafts.change(draft.id, lambda held: held, NOW + DRAFT_MS) is None
    await drafts.change(draft.id, lambda held: held, NOW + DRAFT_MS - 1)
    assert await drafts.prune(NOW + DRAFT_MS) == 0
    assert await drafts.get(draft.id, NOW + DRAFT_MS) is not None
    assert await drafts.prune(NOW + 2 * DRAFT_MS) == 1


async def test_a_change_that_fails_leaves_the_draft_as_it_was(drafts: Drafts) -> None:
    draft = await opened(drafts)

    def fail(_: Writing) -> Writing:
        raise KeyError

    with pytest.raises(KeyError):
        await drafts.change(draft.id, fail, NOW + 9)
    assert await drafts.get(draft.id, NOW) == draft


async def test_what_was_settled_is_gone_and_its_number_is_never_given_again(drafts: Drafts, seed: Seed) -> None:
    draft = await opened(drafts)
    assert await drafts.settle(draft.id, await seed.character(), lambda _: None, NOW) is None
    assert await drafts.get(draft.id, NOW) is None
    assert (await opened(drafts)).id > draft.id
    assert await drafts.get(DraftId(999), NOW) is None


async def test_what_is_left_of_a_new_character_is_an_edit_of_it(drafts: Drafts, seed: Seed) -> None:
    draft, ref = await opened(drafts), await seed.character()
    left = await drafts.settle(draft.id, ref, lambda held: replace(held, tell=False), NOW + 1)
    assert left == Draft(draft.id, ALICE, DraftKind.EDIT, ref, replace(WHOLE, tell=False), NOW + 1)
    assert await drafts.get(draft.id, NOW + 1) == left
    assert await drafts.settle(DraftId(999), ref, lambda held: held, NOW) is None


async def test_the_oldest_draft_of_a_member_makes_room_and_is_named(drafts: Drafts) -> None:
    theirs = await drafts.create(BOB, DraftKind.CREATE, None, WHOLE, NOW)
    made = [await opened(drafts, named(f"Ada {number}"), NOW + number) for number in range(MOST_DRAFTS)]
    assert [draft.in_place_of for draft in made] == [None] * MOST_DRAFTS
    await drafts.change(made[0].id, lambda held: held, NOW + 100)
    newest = await opened(drafts, named("Berta"), NOW + 101)
    assert newest.in_place_of == "Ada 1"
    kept = [draft.id for draft in (*made, newest) if await drafts.get(draft.id, NOW + 101)]
    assert kept == [made[0].id, *(draft.id for draft in made[2:]), newest.id]
    assert await drafts.get(newest.id, NOW + 101) == replace(newest, in_place_of=None)
    assert await drafts.get(theirs.id, NOW) is not None


async def test_a_draft_that_is_too_old_makes_room_before_one_that_is_not(drafts: Drafts) -> None:
    made = [await opened(drafts, now_ms=NOW + number) for number in range(MOST_DRAFTS)]
    assert (await opened(drafts, now_ms=NOW + DRAFT_MS)).in_place_of is None
    assert await drafts.get(made[1].id, NOW + DRAFT_MS) is not None


async def test_a_draft_that_may_be_a_character_already_makes_no_room(drafts: Drafts) -> None:
    sent = await opened(drafts, WHOLE, NOW)
    made = [await opened(drafts, named("Ada"), NOW + number) for number in range(1, MOST_DRAFTS)]
    await opened(drafts, named("Berta"), NOW + 100)
    assert await drafts.get(sent.id, NOW + 100) is not None
    assert await drafts.get(made[0].id, NOW + 100) is None


async def test_no_draft_is_opened_where_all_of_them_may_be_characters_already(drafts: Drafts) -> None:
    made = [await opened(drafts, WHOLE, NOW + number) for number in range(MOST_DRAFTS)]
    with pytest.raises(DraftsFullError):
        await opened(drafts, named("Ada"), NOW + 100)
    for draft in made:
        assert await drafts.get(draft.id, NOW + 100) == draft
    await drafts.change(made[3].id, lambda held: replace(held, sent=None), NOW + 101)
    assert await opened(drafts, named("Ada"), NOW + 102)
    assert await drafts.get(made[3].id, NOW + 102) is None


async def test_a_draft_that_nobody_can_open_makes_room(drafts: Drafts, database: Database) -> None:
    others = Drafts(database, Vault([MasterKey(b"o" * 32)]))
    lost = await others.create(ALICE, DraftKind.CREATE, None, WHOLE, NOW)
    made = [await opened(drafts, named("Ada"), NOW + number) for number in range(1, MOST_DRAFTS)]
    assert (await opened(drafts, named("Berta"), NOW + 100)).in_place_of == ""
    assert await others.get(lost.id, NOW) is None
    assert await drafts.get(made[0].id, NOW + 100) is not None


async def test_a_draft_that_cannot_be_opened_any_more_is_none(drafts: Drafts, database: Database) -> None:
    draft = await opened(drafts)
    others = Drafts(database, Vault([MasterKey(b"o" * 32)]))
    assert await others.get(draft.id, NOW) is None
    assert await others.change(draft.id, lambda held: replace(held, tell=False), NOW) is None
