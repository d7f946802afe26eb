"""Files of authors: sealed beside the database, and opened only with what lies in it."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.card_originals import MOST_BYTES, MOST_FILES, CardOriginal
from bot.domain.drafts import DraftKind, Writing
from bot.domain.ids import DraftId
from bot.domain.sheets import NEW_SHEET
from bot.store.accounts import Accounts, NotLinkedError
from bot.store.card_originals import CardOriginals
from bot.store.database import Database
from bot.store.drafts import Drafts
from bot.store.personal import Personal
from bot.store.sealed_files import SealedFiles, StoredFile
from bot.store.vault import Vault
from bot.store.watches import Watches
from tests.store.seed import ALICE, BOB, NOW, Seed

CARD = b"the-bytes-of-a-card" * 1_000


def there(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def others_may(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o077)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.files"


@pytest.fixture
def files(folder: Path) -> SealedFiles:
    return SealedFiles(folder)


@pytest.fixture
def originals(database: Database, vault: Vault) -> CardOriginals:
    return CardOriginals(database, vault)


@pytest.fixture
async def draft(seed: Seed) -> DraftId:
    await seed.linked(ALICE, BOB)
    drafts = Drafts(seed.database, seed.vault)
    return (await drafts.create(ALICE, DraftKind.CREATE, None, Writing(NEW_SHEET), NOW)).id


def stored(name: str = "a") -> StoredFile:
    return StoredFile(name, b"k" * 32)


async def kept(originals: CardOriginals, draft: DraftId, name: str = "a", size: int = 10) -> CardOriginal | None:
    return await originals.put(
        ALICE, draft, stored(name), size=size, name="ada.png", fingerprint="of the card", now_ms=NOW
    )


# The files


async def test_a_file_comes_back_as_it_was_and_lies_there_sealed(files: SealedFiles, folder: Path) -> None:
    written = await files.write(CARD)
    assert await files.read(written) == CARD
    assert list(there(folder)) == [written.name]
    assert b"the-bytes" not in there(folder)[written.name]
    assert not others_may(folder)
    assert not others_may(folder / written.name)


async def test_two_files_of_the_same_bytes_have_nothing_in_common(files: SealedFiles, folder: Path) -> None:
    first, second = await files.write(CARD), await files.write(CARD)
    assert first.key != second.key
    assert len(set(there(folder).values())) == 2


async def test_a_file_is_read_with_its_own_key_and_name_only(files: SealedFiles, folder: Path) -> None:
    first, second = await files.write(b"one"), await files.write(b"two")
    assert await files.read(StoredFile(first.name, second.key)) is None
    (folder / first.name).write_bytes((folder / second.name).read_bytes())
    assert await files.read(StoredFile(first.name, second.key)) is None


async def test_a_file_that_is_gone_or_damaged_is_none(files: SealedFiles, folder: Path) -> None:
    written = await files.write(CARD)
    (folder / written.name).write_bytes(b"short")
    assert await files.read(written) is None
    assert await files.read(stored("nobody")) is None


async def test_what_nobody_keeps_is_deleted(files: SealedFiles, folder: Path) -> None:
    assert await files.keep_only([]) == 0
    first, second = await files.write(b"one"), await files.write(b"two")
    (folder / f"{'0a' * 16}.part").write_bytes(b"x")
    assert await files.keep_only([second.name]) == 2
    assert list(there(folder)) == [second.name]
    assert await files.read(first) is None


async def test_what_somebody_else_put_there_stays(files: SealedFiles, folder: Path) -> None:
    written = await files.write(b"one")
    (folder / "lost+found").mkdir()
    (folder / "notes.part").write_bytes(b"x")
    assert await files.keep_only([]) == 1
    assert names_in(folder) == ["lost+found", "notes.part"]
    assert await files.read(written) is None


async def test_what_cannot_be_deleted_keeps_nothing_else(
    files: SealedFiles, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written = await files.write(b"one")
    (folder / ("0a" * 16)).mkdir()
    assert await files.keep_only([]) == 1
    assert await files.read(written) is None
    assert "could not be deleted" in caplog.text


async def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "bot.files").write_text("in the way")
    with pytest.raises(OSError, match=r"bot\.files"):
        await SealedFiles(tmp_path / "bot.files").write(CARD)
    assert there(tmp_path) == {"bot.files": b"in the way"}


def test_the_key_of_a_file_shows_in_no_repr() -> None:
    assert "kkk" not in repr(stored())


# The table


async def test_a_file_belongs_to_its_draft_and_then_to_its_character(
    originals: CardOriginals, draft: DraftId, seed: Seed
) -> None:
    original = await kept(originals, draft)
    assert original is not None
    assert (original.user_id, original.ref, original.file, original.size) == (ALICE, None, "a", 10)
    assert (original.name, original.key, original.fingerprint) == ("ada.png", b"k" * 32, "of the card")
    assert await originals.get(original.id) == original
    ref = await seed.character()
    assert await originals.of_character(ALICE, ref) is None
    attached = await originals.attach(original.id, ref, "fingerprint")
    assert attached is not None
    assert (attached.ref, attached.key, attached.fingerprint) == (ref, b"k" * 32, "fingerprint")
    assert await originals.of_character(ALICE, ref) == attached
    assert await originals.of_character(BOB, ref) is None


async def test_a_character_that_was_changed_is_not_what_was_made_from_its_file_any_more(
    originals: CardOriginals, draft: DraftId, seed: Seed
) -> None:
    original, ref = await kept(originals, draft), await seed.character()
    assert original is not None
    attached = await originals.attach(original.id, ref, "fingerprint")
    assert attached is not None
    await originals.changed(BOB, ref)
    assert await originals.of_character(ALICE, ref) == attached
    await originals.changed(ALICE, ref)
    assert await originals.of_character(ALICE, ref) == replace(attached, fingerprint=None)


async def test_a_file_goes_with_its_draft_and_not_with_a_draft_that_was_saved(
    originals: CardOriginals, draft: DraftId, seed: Seed, database: Database, vault: Vault
) -> None:
    first, second = await kept(originals, draft, "a"), await kept(originals, draft, "b")
    assert first is not None
    assert second is not None
    ref = await seed.character()
    await originals.attach(first.id, ref, None)
    await Drafts(database, vault).settle(draft, ref, lambda _: None, NOW)
    assert await originals.names() == {"a"}
    assert await originals.get(second.id) is None
    assert await originals.attach(second.id, await seed.character(), None) is None


async def test_a_file_is_forgotten_with_its_character(originals: CardOriginals, draft: DraftId, seed: Seed) -> None:
    original, ref = await kept(originals, draft), await seed.character()
    assert original is not None
    await originals.attach(original.id, ref, None)
    await originals.drop(BOB, ref)
    assert await originals.names() == {"a"}
    await originals.drop(ALICE, ref)
    assert await originals.names() == frozenset()


async def test_a_member_may_keep_so_many_files(originals: CardOriginals, draft: DraftId) -> None:
    for number in range(MOST_FILES):
        assert await originals.may_keep(ALICE, 10)
        assert await kept(originals, draft, str(number)) is not None
    assert not await originals.may_keep(ALICE, 10)
    assert await kept(originals, draft, "more") is None
    assert await originals.may_keep(BOB, 10)


async def test_a_member_may_keep_so_many_bytes(originals: CardOriginals, draft: DraftId) -> None:
    assert await kept(originals, draft, "a", MOST_BYTES - 10) is not None
    assert await originals.may_keep(ALICE, 10)
    assert not await originals.may_keep(ALICE, 11)
    assert await kept(originals, draft, "b", 11) is None


@pytest.mark.parametrize("way", ["unlink", "delete"])
async def test_the_desk_is_cleared_with_the_account(
    originals: CardOriginals, draft: DraftId, seed: Seed, database: Database, vault: Vault, way: str
) -> None:
    drafts, watches, ref = Drafts(database, vault), Watches(database, vault), await seed.character()
    for member in (ALICE, BOB):
        theirs = await drafts.create(member, DraftKind.CREATE, None, Writing(NEW_SHEET), NOW)
        await originals.put(
            member, theirs.id, stored(f"of {member}"), size=1, name="ada.png", fingerprint="of the card", now_ms=NOW
        )
        await watches.begin(member, ref, tell=True, status=None, due_ms=NOW, now_ms=NOW)
    if way == "unlink":
        await Accounts(database, vault).unlink(ALICE)
    else:
        await Personal(database).delete(ALICE)
    assert await drafts.get(draft, NOW) is None
    assert await originals.names() == {f"of {BOB}"}
    assert await watches.due(NOW) == [BOB]
    with pytest.raises(NotLinkedError):
        await kept(originals, draft)
