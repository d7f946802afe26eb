import pytest

from bot.domain.characters import Character
from bot.domain.ids import CharacterId, UserId
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.services.own_shelf import OwnShelf, UnlinkedError
from bot.store.accounts import Accounts
from bot.store.database import Database
from bot.store.own_characters import OwnCharacters
from bot.store.vault import Vault
from tests.support.manual_clock import START_MS, ManualClock

ALICE, BOB = UserId(31), UserId(32)
DIARY = Character(CharacterId("diary"), "diary", visibility="private", first_message="Dear diary,")
NOVEL = Character(CharacterId("novel"), "A Novel", visibility="private")


async def nobody_hears(character_id: CharacterId) -> None:
    del character_id


@pytest.fixture
async def accounts(database: Database, vault: Vault) -> Accounts:
    accounts = Accounts(database, vault)
    for member in (ALICE, BOB):
        await accounts.link(member, AccountSecret(f"sk-nano-fake-{member}"), KeyOrigin.PASTED, START_MS)
    return accounts


@pytest.fixture
def own(accounts: Accounts, database: Database, vault: Vault) -> OwnCharacters:
    del accounts
    return OwnCharacters(database, vault)


@pytest.fixture
def shelf(own: OwnCharacters, clock: ManualClock) -> OwnShelf:
    return OwnShelf(own=own, made_private=nobody_hears, clock=clock.clock)


async def test_each_member_has_a_shelf_of_their_own_by_name(shelf: OwnShelf) -> None:
    diary = await shelf.remember(ALICE, DIARY)
    (novel,) = await shelf.remember_listed(ALICE, [NOVEL])
    assert shelf.of(ALICE) == [novel, diary]
    assert shelf.of(BOB) == []
    assert shelf.by_ref(ALICE, diary.ref) == diary
    assert shelf.by_ref(BOB, diary.ref) is None


async def test_memory_and_store_say_the_same(shelf: OwnShelf, own: OwnCharacters, clock: ManualClock) -> None:
    diary = await shelf.remember(ALICE, DIARY)
    clock.advance(5)
    await shelf.remember_listed(ALICE, [Character(DIARY.id, "My diary"), NOVEL])
    await shelf.gone(ALICE, diary.ref)
    again = OwnShelf(own=own, made_private=nobody_hears, clock=clock.clock)
    await again.load()
    assert again.of(ALICE) == shelf.of(ALICE)
    assert again.by_ref(ALICE, diary.ref) == shelf.by_ref(ALICE, diary.ref)


async def test_what_is_gone_or_archived_is_not_listed(shelf: OwnShelf, clock: ManualClock) -> None:
    diary = await shelf.remember(ALICE, DIARY)
    await shelf.remember(ALICE, Character(NOVEL.id, "A Novel", archived=True))
    clock.advance(1)
    await shelf.gone(ALICE, diary.ref)
    gone_at_ms = clock.now_ms()
    clock.advance(1)
    assert shelf.of(ALICE) == []
    assert shelf.archived(ALICE) == 1
    gone = await shelf.gone(ALICE, diary.ref)
    assert gone is not None
    assert gone.gone_at_ms == gone_at_ms
    assert gone == shelf.by_ref(ALICE, diary.ref)
    assert await shelf.gone(BOB, diary.ref) is None
    await shelf.remember_listed(ALICE, [DIARY])
    assert [known.character for known in shelf.of(ALICE)] == [DIARY]


async def test_what_a_member_takes_away_is_forgotten(shelf: OwnShelf) -> None:
    diary = await shelf.remember(ALICE, DIARY)
    theirs = await shelf.remember(BOB, DIARY)
    assert theirs.ref == diary.ref
    shelf.forget(ALICE)
    shelf.forget(ALICE)
    assert shelf.of(ALICE) == []
    assert shelf.of(BOB) == [theirs]


async def test_what_a_key_told_too_late_is_not_kept(shelf: OwnShelf, accounts: Accounts) -> None:
    await shelf.remember(ALICE, DIARY)
    await accounts.unlink(ALICE)
    shelf.forget(ALICE)
    with pytest.raises(UnlinkedError):
        await shelf.remember(ALICE, DIARY)
    with pytest.raises(UnlinkedError):
        await shelf.remember_listed(ALICE, [NOVEL])
    assert shelf.of(ALICE) == []
    await shelf.remember(BOB, DIARY)


async def test_it_is_told_what_is_its_authors_alone_also_where_a_list_does_not_say(
    own: OwnCharacters, clock: ManualClock
) -> None:
    heard: list[CharacterId] = []

    async def hear(character_id: CharacterId) -> None:
        heard.append(character_id)

    shelf = OwnShelf(own=own, made_private=hear, clock=clock.clock)
    await shelf.remember(ALICE, DIARY)
    await shelf.remember(ALICE, Character(CharacterId("poem"), "A Poem", visibility="public"))
    await shelf.remember_listed(ALICE, [Character(DIARY.id, "diary"), NOVEL, Character(CharacterId("play"), "A Play")])
    assert heard == [DIARY.id, DIARY.id, NOVEL.id]
