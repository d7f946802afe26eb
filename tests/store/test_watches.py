import pytest

from bot.domain.ids import CharacterRef
from bot.domain.moderation import Outcome, Verdict, Watch
from bot.store.accounts import Accounts, NotLinkedError
from bot.store.database import Database
from bot.store.vault import MasterKey, Vault
from bot.store.watches import Watches
from tests.store.seed import ALICE, BOB, NOW, Seed

REFUSED = Verdict(Outcome.REFUSED, "rejected", "Too loud.")


@pytest.fixture
async def watches(seed: Seed) -> Watches:
    await seed.linked(ALICE, BOB)
    return Watches(seed.database, seed.vault)


async def begin(watches: Watches, ref: CharacterRef, *, due_ms: int = NOW + 5, now_ms: int = NOW) -> Watch:
    await watches.begin(ALICE, ref, tell=True, status="pending", due_ms=due_ms, now_ms=now_ms)
    return next(watch for watch in await watches.of(ALICE) if watch.ref == ref)


async def test_a_watch_is_read_as_it_was_begun(watches: Watches, seed: Seed) -> None:
    ref = await seed.character("ada")
    assert await watches.next_due_ms() is None
    watch = await begin(watches, ref)
    assert (watch.user_id, watch.character_id, watch.tell, watch.status) == (ALICE, "ada", True, "pending")
    assert (watch.since_ms, watch.looks, watch.due_ms) == (NOW, 0, NOW + 5)
    assert await watches.next_due_ms() == NOW + 5
    assert await watches.of(BOB) == []


async def test_each_author_is_due_once_the_longest_due_first(watches: Watches, seed: Seed) -> None:
    ada, bee = await seed.character("ada"), await seed.character("bee")
    await begin(watches, ada, due_ms=NOW + 9)
    await begin(watches, bee, due_ms=NOW + 7)
    await watches.begin(BOB, ada, tell=False, status=None, due_ms=NOW + 3, now_ms=NOW)
    assert await watches.due(NOW + 2) == []
    assert await watches.due(NOW + 7) == [BOB, ALICE]


async def test_a_look_that_found_nothing_is_counted(watches: Watches, seed: Seed) -> None:
    ref = await seed.character()
    await watches.looked(await begin(watches, ref), due_ms=NOW + 50)
    (watch,) = await watches.of(ALICE)
    assert (watch.looks, watch.due_ms) == (1, NOW + 50)


async def test_a_decision_ends_the_watch_and_is_told_once(watches: Watches, seed: Seed) -> None:
    ref = await seed.character()
    assert await watches.found(await begin(watches, ref), REFUSED, due_ms=None)
    assert await watches.of(ALICE) == []
    assert await watches.next_due_ms() is None
    assert await watches.news(ALICE) == [(ref, REFUSED)]
    assert await watches.news(BOB) == []
    await watches.told(ALICE, [ref])
    assert await watches.news(ALICE) == []


async def test_a_word_that_decides_nothing_is_told_and_watched_on(watches: Watches, seed: Seed) -> None:
    ref = await seed.character()
    verdict = Verdict(Outcome.OTHER, "odd")
    assert await watches.found(await begin(watches, ref), verdict, due_ms=NOW + 60)
    await watches.told(ALICE, [ref])
    (watch,) = await watches.of(ALICE)
    assert (watch.status, watch.due_ms) == ("odd", NOW + 60)
    assert await watches.news(ALICE) == []


async def test_submitting_again_begins_the_watch_anew(watches: Watches, seed: Seed) -> None:
    ref = await seed.character()
    old = await begin(watches, ref)
    await watches.found(old, REFUSED, due_ms=None)
    new = await begin(watches, ref, due_ms=NOW + 20, now_ms=NOW + 10)
    assert (new.looks, new.since_ms) == (0, NOW + 10)
    assert await watches.news(ALICE) == []
    assert not await watches.found(old, REFUSED, due_ms=None)
    await watches.looked(old, due_ms=NOW + 99)
    assert await watches.of(ALICE) == [new]


async def test_a_watch_that_is_ended_says_nothing_more(watches: Watches, seed: Seed) -> None:
    ref = await seed.character()
    await watches.found(await begin(watches, ref), REFUSED, due_ms=None)
    await watches.end(ALICE, ref)
    assert await watches.news(ALICE) == []


async def test_news_that_cannot_be_opened_any_more_are_left_out(
    watches: Watches, seed: Seed, database: Database
) -> None:
    ref = await seed.character()
    await watches.found(await begin(watches, ref), REFUSED, due_ms=None)
    assert await Watches(database, Vault([MasterKey(b"o" * 32)])).news(ALICE) == []


async def test_nothing_is_watched_for_a_member_who_took_their_account_away(watches: Watches, seed: Seed) -> None:
    ref = await seed.character()
    await Accounts(seed.database, seed.vault).unlink(ALICE)
    with pytest.raises(NotLinkedError):
        await begin(watches, ref)
    assert await watches.of(ALICE) == []
