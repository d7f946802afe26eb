from dataclasses import replace

import pytest

from bot.domain.bindings import Trigger
from bot.domain.characters import Character, KnownCharacter, Unusable, unusable_reason
from bot.domain.ids import CharacterId, MessageId
from bot.domain.payers import member_payer
from bot.domain.ratings import ContentRating
from bot.store.accounts import Accounts, NotLinkedError
from bot.store.bindings import Bindings
from bot.store.characters import FORGET_NAMELESS, Characters
from bot.store.database import Database
from bot.store.own_characters import OwnCharacters
from bot.store.personal import Personal
from bot.store.retention import Retention, Swept
from bot.store.vault import MasterKey, Vault
from tests.store.seed import ALICE, BOB, CHANNEL, DAY, GUILD, NOW, Seed

DIARY = Character(
    CharacterId("diary-id"), "Dear Diary", slug="dear-diary", visibility="private", catalogue_rating=ContentRating.SFW
)


@pytest.fixture
async def own(seed: Seed) -> OwnCharacters:
    await seed.linked(ALICE, BOB)
    return OwnCharacters(seed.database, seed.vault)


async def test_what_a_key_saw_belongs_to_its_member(own: OwnCharacters) -> None:
    known = await own.remember(ALICE, DIARY, NOW)
    assert known == KnownCharacter(known.ref, DIARY, NOW, NOW, None)
    assert await own.all() == [(ALICE, known)]
    theirs = await own.remember(BOB, DIARY, NOW + 1)
    assert theirs.ref == known.ref
    assert await own.all() == [(ALICE, known), (BOB, theirs)]


async def test_the_catalogue_learns_no_more_than_the_id(own: OwnCharacters, database: Database) -> None:
    known = await own.remember(ALICE, DIARY, NOW)
    public = await Characters(database).get(known.ref)
    assert public is not None
    assert public.character.name == DIARY.id
    assert public.character.slug is None
    assert public.character.rating is ContentRating.EXPLICIT
    assert unusable_reason(public.character) is Unusable.NOT_PUBLIC
    assert public.checked_at_ms is None


async def test_a_character_of_the_catalogue_keeps_its_row_there(own: OwnCharacters, database: Database) -> None:
    characters = Characters(database)
    (listed,) = await characters.remember([Character(DIARY.id, "Public Diary")], NOW)
    known = await own.remember(ALICE, DIARY, NOW + 1)
    assert known.ref == listed.ref
    assert await characters.get(listed.ref) == listed


async def test_what_is_gone_comes_back_with_the_next_read(own: OwnCharacters) -> None:
    known = await own.remember(ALICE, DIARY, NOW)
    await own.gone(ALICE, known.ref, NOW + 1)
    await own.gone(ALICE, known.ref, NOW + 2)
    ((_, gone),) = await own.all()
    assert gone.gone_at_ms == NOW + 1
    again = await own.remember(ALICE, DIARY, NOW + 3)
    assert again.gone_at_ms is None
    assert again.checked_at_ms == NOW + 3


async def test_a_list_adds_to_what_a_full_read_told(own: OwnCharacters) -> None:
    whole = replace(DIARY, first_message="Dear diary,", moderation_status="pending")
    known = await own.remember(ALICE, whole, NOW)
    await own.gone(ALICE, known.ref, NOW + 1)
    other = Character(CharacterId("other"), "Other", catalogue_rating=ContentRating.NSFW)
    listed, unread = await own.remember_listed(
        ALICE, [Character(DIARY.id, "My Diary", moderation_status="approved"), other], NOW + 2
    )
    assert listed.character == replace(whole, name="My Diary", moderation_status="approved")
    assert (listed.ref, listed.seen_at_ms, listed.checked_at_ms, listed.gone_at_ms) == (known.ref, NOW + 2, NOW, None)
    assert (unread.character, unread.checked_at_ms) == (other, None)
    assert await own.all() == [(ALICE, listed), (ALICE, unread)]


async def test_what_cannot_be_opened_any_more_is_left_out(own: OwnCharacters, database: Database) -> None:
    await own.remember(ALICE, DIARY, NOW)
    assert await OwnCharacters(database, Vault([MasterKey(b"o" * 32)])).all() == []


async def test_nothing_is_kept_for_a_member_who_took_their_account_away(
    own: OwnCharacters, database: Database, vault: Vault
) -> None:
    await own.remember(ALICE, DIARY, NOW)
    await Accounts(database, vault).unlink(ALICE)
    other = Character(CharacterId("other"), "Other")
    with pytest.raises(NotLinkedError):
        await own.remember(ALICE, other, NOW)
    with pytest.raises(NotLinkedError):
        await own.remember_listed(ALICE, [DIARY, other], NOW)
    assert await own.all() == []
    assert await database.read("SELECT id FROM character WHERE id = 'other'") == []


# The row of its own that only names it


async def ids(database: Database) -> list[str]:
    return [row["id"] for row in await database.read("SELECT id FROM character ORDER BY id")]


async def test_the_id_of_a_private_character_goes_with_the_last_account_that_saw_it(
    own: OwnCharacters, seed: Seed
) -> None:
    accounts = Accounts(seed.database, seed.vault)
    await seed.character("guide")
    for member in (ALICE, BOB):
        await own.remember(member, DIARY, NOW)
    await accounts.unlink(ALICE)
    assert await ids(seed.database) == [DIARY.id, "guide"]
    await accounts.unlink(BOB)
    assert await ids(seed.database) == ["guide"]


async def test_the_id_of_a_private_character_goes_once_nothing_refers_to_it(own: OwnCharacters, seed: Seed) -> None:
    known = await own.remember(ALICE, DIARY, NOW)
    bindings = Bindings(seed.database)
    bound = await bindings.create(
        guild_id=GUILD,
        channel_id=CHANNEL,
        character_ref=known.ref,
        trigger=Trigger.EVERY,
        bound_by=ALICE,
        payer=member_payer(ALICE),
        active_from=MessageId(5),
        now_ms=NOW,
        daily_turns=50,
    )
    await Personal(seed.database).delete(ALICE)
    retention = Retention(seed.database)
    assert await retention.sweep(NOW + 99 * DAY, 30 * DAY) == Swept(0, 0)
    assert await ids(seed.database) == [DIARY.id]
    await bindings.end(bound.binding.id, NOW)
    assert await retention.sweep(NOW + 99 * DAY, 30 * DAY) == Swept(0, 2)
    assert await ids(seed.database) == []


async def test_what_the_catalogue_has_told_of_a_character_stays_whoever_unlinks(own: OwnCharacters, seed: Seed) -> None:
    characters = Characters(seed.database)
    await own.remember(ALICE, DIARY, NOW)
    await characters.remember_full(replace(DIARY, visibility="public"), NOW)
    await Accounts(seed.database, seed.vault).unlink(ALICE)
    await Retention(seed.database).sweep(NOW + 99 * DAY, 30 * DAY)
    assert await ids(seed.database) == [DIARY.id]


async def test_every_table_that_refers_to_characters_keeps_their_rows(database: Database) -> None:
    tables = await database.read("SELECT name FROM sqlite_master WHERE type = 'table'")
    for table in (row["name"] for row in tables):
        for key in await database.read(f"PRAGMA foreign_key_list({table})"):
            assert key["table"] != "character" or f"FROM {table} WHERE" in FORGET_NAMELESS
