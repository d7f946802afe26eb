from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from bot.domain.ids import MessageId, UserId
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.domain.privacy_wording import PrivacyFacts, deleted_sentence
from bot.services.ignored_members import IgnoredMembers
from bot.services.privacy import PrivacyService
from bot.store.accounts import Accounts
from bot.store.database import Database
from bot.store.errors import DatabaseFull
from bot.store.members import Members
from bot.store.personal import Personal
from bot.store.vault import Vault
from tests.support.feedback_world import MEMBER, OPEN_PLACE, FeedbackWorld
from tests.support.manual_clock import ManualClock

NOW = MessageId(1_000)


def privacy_of(
    database: Database, ignored: IgnoredMembers, clock: ManualClock, members: Members | None = None
) -> PrivacyService:
    return PrivacyService(
        members=members or Members(database),
        ignored=ignored,
        personal=Personal(database),
        facts=PrivacyFacts(30),
        clock=clock.clock,
    )


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[FeedbackWorld]:
    made = FeedbackWorld(database, vault, clock)
    yield made
    await made.http.aclose()


async def test_ignoring_takes_effect_at_once_and_outlasts_a_restart(
    world: FeedbackWorld, database: Database, clock: ManualClock
) -> None:
    assert not world.ignored.is_ignored(MEMBER)
    assert await world.privacy.toggle_ignored(MEMBER, NOW)
    assert world.ignored.is_ignored(MEMBER)
    assert not world.ignored.is_ignored(UserId(401))
    after_restart = IgnoredMembers()
    await privacy_of(database, after_restart, clock).load()
    assert after_restart.is_ignored(MEMBER)


async def test_asking_again_is_being_heard_again(world: FeedbackWorld) -> None:
    await world.privacy.toggle_ignored(MEMBER, NOW)
    assert not await world.privacy.toggle_ignored(MEMBER, NOW)
    assert not world.ignored.is_ignored(MEMBER)
    await world.privacy.load()
    assert not world.ignored.is_ignored(MEMBER)


async def test_what_was_written_before_somebody_is_heard_again_stays_unheard(
    world: FeedbackWorld, database: Database, clock: ManualClock
) -> None:
    await world.privacy.toggle_ignored(MEMBER, MessageId(NOW - 9))
    assert not world.ignored.was_ignored(MEMBER, NOW)
    await world.privacy.toggle_ignored(MEMBER, NOW)
    after_restart = IgnoredMembers()
    await privacy_of(database, after_restart, clock).load()
    for ignored in (world.ignored, after_restart):
        assert ignored.was_ignored(MEMBER, NOW)
        assert not ignored.was_ignored(MEMBER, MessageId(NOW + 1))
        assert not ignored.was_ignored(UserId(401), NOW)
    assert "You are ignored" not in await world.privacy.overview(MEMBER)


async def test_a_wish_that_could_not_be_stored_is_not_half_granted(database: Database, clock: ManualClock) -> None:
    class Full(Members):
        async def ignore(self, user_id: UserId, now_ms: int) -> bool:
            del user_id, now_ms
            raise DatabaseFull(database.path)

    ignored = IgnoredMembers()
    with pytest.raises(DatabaseFull):
        await privacy_of(database, ignored, clock, Full(database)).toggle_ignored(MEMBER, NOW)
    assert not ignored.is_ignored(MEMBER)


async def test_the_overview_counts_what_is_kept(world: FeedbackWorld) -> None:
    ref = await world.character()
    await world.feedback.rate(MEMBER, ref, stars="4", text=None, place=OPEN_PLACE)
    text = await world.privacy.overview(MEMBER)
    for part in ("1 rating of", "0 reports", "at most 30 days", "NanoGPT", "<https://bot.test/privacy>"):
        assert part in text
    assert "You are ignored" not in text


async def test_the_overview_says_since_when_somebody_is_ignored(world: FeedbackWorld) -> None:
    await world.privacy.toggle_ignored(MEMBER, NOW)
    assert f"since <t:{world.clock.now_ms() // 1_000}:D>" in await world.privacy.overview(MEMBER)


async def test_deleting_tells_what_was_deleted_and_keeps_the_wish_to_be_ignored(world: FeedbackWorld) -> None:
    ref = await world.character()
    await world.feedback.rate(MEMBER, ref, stars="4", text=None, place=OPEN_PLACE)
    await world.feedback.rate(UserId(401), ref, stars="1", text=None, place=OPEN_PLACE)
    await world.privacy.toggle_ignored(MEMBER, NOW)
    deleted = await world.privacy.delete(MEMBER)
    assert deleted.ratings == 1
    assert await world.ratings.get(MEMBER, ref) is None
    assert await world.ratings.get(UserId(401), ref) is not None
    assert world.ignored.is_ignored(MEMBER)


async def test_deleting_leaves_what_a_character_said_to_others(world: FeedbackWorld) -> None:
    binding = await world.bind(await world.character())
    turn = await world.reply(binding, OPEN_PLACE, [MessageId(500)])
    await world.privacy.delete(MEMBER)
    version = await world.turns.latest_version(turn)
    assert version is not None
    assert version.text == "Hello there"


async def test_whoever_keeps_more_hears_of_a_deletion_before_and_once_it_is_done(
    world: FeedbackWorld, database: Database, vault: Vault, clock: ManualClock
) -> None:
    accounts = Accounts(database, vault)
    await accounts.link(MEMBER, AccountSecret("sk-nano-fake-1111"), KeyOrigin.PASTED, clock.now_ms())
    heard: list[tuple[UserId, bool]] = []

    @asynccontextmanager
    async def hear(user_id: UserId) -> AsyncGenerator[None]:
        heard.append((user_id, await accounts.get(user_id) is not None))
        yield
        heard.append((user_id, await accounts.get(user_id) is not None))

    privacy = PrivacyService(
        members=Members(database),
        ignored=IgnoredMembers(),
        personal=Personal(database),
        facts=PrivacyFacts(30),
        clock=clock.clock,
        deleting=hear,
    )
    assert "the key of the NanoGPT account that you linked" in await privacy.overview(MEMBER)
    deleted = await privacy.delete(MEMBER)
    assert heard == [(MEMBER, True), (MEMBER, False)]
    assert "revoke its key" in deleted_sentence(deleted)
    assert "NanoGPT account" not in await world.privacy.overview(MEMBER)
