"""Device logins: one asker for all, every outcome, and a restart anywhere in their middle."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

import httpx
import pytest

from bot.domain.ids import UserId
from bot.domain.linking import KeyOrigin, LoginEnd, LoginState, PendingLogin
from bot.domain.linking_wording import (
    ALMOST_LINKED,
    CLIENT_NAME,
    CODE_VOID,
    NANOGPT_BUSY,
    NANOGPT_DOWN,
    TOO_MANY_LOGINS,
)
from bot.errors import UserError
from bot.services.logins import (
    ANSWER_MS,
    HOLD_SECONDS,
    LEAST_INTERVAL_SECONDS,
    MOST_LOGINS,
    POLL_GAP_SECONDS,
)
from bot.services.outlet import Uncertain
from bot.store.accounts import Accounts
from bot.store.database import Database
from bot.store.errors import DatabaseFull
from bot.store.personal import Personal
from bot.store.vault import MasterKey, Vault
from tests.support.account_world import AccountWorld
from tests.support.manual_clock import START_MS, ManualClock
from tests.support.scripted_accounts import PENDING, approved, outcome

ALICE, BOB = UserId(400), UserId(401)
KEY, CAPPED_KEY = "sk-nano-fake-1111", "sk-nano-fake-capped"
FIRST = "fake-device-1"


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[AccountWorld]:
    world = AccountWorld(database, vault, clock)
    world.upstream.account(KEY, address="nano_fake_a")
    await world.start()
    yield world
    await world.stop()


async def begin(world: AccountWorld, user_id: UserId = ALICE) -> None:
    await world.logins.begin(user_id, "fake-answer-token", world.clock.now_ms())


async def test_a_login_shows_its_code_and_address(world: AccountWorld) -> None:
    login = await world.logins.begin(ALICE, "fake-answer-token", START_MS)
    assert login.secret is not None
    assert (login.secret.user_code, login.secret.address) == ("CODE-1", "https://nano-gpt.example/cli?code=CODE-1")
    assert (login.expires_at_ms, login.answer_until_ms) == (START_MS + 600_000, START_MS + ANSWER_MS)
    assert world.upstream.started == [CLIENT_NAME]


async def test_an_approved_login_becomes_an_account_and_its_answer_says_so(world: AccountWorld) -> None:
    await begin(world)
    world.upstream.script(FIRST, PENDING, approved(KEY))
    await world.until_told()
    assert world.answers.told == [("fake-answer-token", ALICE, LoginEnd.LINKED)]
    account = await world.store.get(ALICE)
    assert account is not None
    assert account.origin is KeyOrigin.DEVICE
    assert await world.store.login(ALICE) is None
    assert await world.logins.pending_news(ALICE) is None
    assert len(world.upstream.polled) == 2


async def test_the_key_is_stored_before_anything_else_is_asked(world: AccountWorld) -> None:
    asked: list[LoginState | None] = []

    async def look(login: PendingLogin, key: str) -> LoginEnd | None:
        stored = await world.store.login(login.user_id)
        asked.append(stored and stored.state)
        assert stored is not None
        assert stored.secret is not None
        assert stored.secret.key == key
        return await approve(login, key)

    approve = world.accounts.approve
    world.accounts.approve = look
    await begin(world)
    world.upstream.script(FIRST, approved(KEY))
    await world.until_told()
    assert asked == [LoginState.APPROVED]


@pytest.mark.parametrize(
    ("status", "end"), [(410, LoginEnd.EXPIRED), (409, LoginEnd.CONSUMED), (404, LoginEnd.INVALID)]
)
async def test_every_other_end_is_told_where_the_code_stands(world: AccountWorld, status: int, end: LoginEnd) -> None:
    await begin(world)
    world.upstream.script(FIRST, outcome(status))
    await world.until_told()
    assert world.answers.told == [("fake-answer-token", ALICE, end)]
    assert await world.store.get(ALICE) is None
    await begin(world)
    assert len(world.upstream.started) == 2


async def test_an_account_of_another_member_is_refused_and_its_key_forgotten(world: AccountWorld) -> None:
    await world.accounts.paste(BOB, KEY)
    await begin(world)
    world.upstream.script(FIRST, approved(KEY))
    await world.until_told()
    assert world.answers.told == [("fake-answer-token", ALICE, LoginEnd.TAKEN)]
    assert await world.store.get(ALICE) is None
    rows = await world.database.read("SELECT token FROM pending_login WHERE token IS NOT NULL")
    assert rows == []


async def test_a_login_that_nanogpt_never_ends_is_ended_a_minute_past_its_time(world: AccountWorld) -> None:
    await begin(world)
    await world.until_told()
    assert world.answers.told == [("fake-answer-token", ALICE, LoginEnd.EXPIRED)]
    assert 660_000 < world.clock.now_ms() - START_MS < 670_000


async def test_trouble_on_the_way_is_not_the_end(world: AccountWorld) -> None:
    await begin(world)
    world.upstream.script(FIRST, httpx.ReadTimeout("slow"), outcome(503), approved(KEY))
    await world.until_told()
    assert await world.store.get(ALICE) is not None


async def test_a_second_link_shows_the_same_code_and_its_answer_is_the_one_changed(world: AccountWorld) -> None:
    first = await world.logins.begin(ALICE, "first-token", world.clock.now_ms())
    second = await world.logins.begin(ALICE, "second-token", world.clock.now_ms() + 1_000)
    assert first.secret is not None
    assert second.secret is not None
    assert second.secret.user_code == first.secret.user_code
    assert len(world.upstream.started) == 1
    world.upstream.script(FIRST, approved(KEY))
    await world.until_told()
    assert world.answers.told == [("second-token", ALICE, LoginEnd.LINKED)]


async def test_a_code_whose_time_is_over_gives_way_to_a_new_one(world: AccountWorld) -> None:
    await begin(world)
    world.clock.advance(601)
    login = await world.logins.begin(ALICE, "another-token", world.clock.now_ms())
    assert login.secret is not None
    assert login.secret.user_code == "CODE-2"


async def test_at_most_thirty_are_under_way(world: AccountWorld) -> None:
    for number in range(MOST_LOGINS):
        await begin(world, UserId(1_000 + number))
    with pytest.raises(UserError, match=TOO_MANY_LOGINS):
        await begin(world)
    await begin(world, UserId(1_000))
    await world.logins.forget(UserId(1_001))
    await begin(world)


async def test_all_are_asked_about_in_turn_one_a_second(world: AccountWorld) -> None:
    for number in range(MOST_LOGINS):
        await begin(world, UserId(1_000 + number))
    await world.until_polled(1)
    began = world.clock.monotonic()
    await world.until_polled(2 * MOST_LOGINS)
    codes = [f"fake-device-{number + 1}" for number in range(MOST_LOGINS)]
    assert world.upstream.polled == codes * 2
    assert world.clock.monotonic() - began >= (2 * MOST_LOGINS - 1) * POLL_GAP_SECONDS


async def test_one_alone_is_not_asked_about_more_often_than_every_five_seconds(world: AccountWorld) -> None:
    await begin(world)
    await world.until_polled(1)
    began = world.clock.monotonic()
    await world.until_polled(4)
    assert world.clock.monotonic() - began >= 3 * LEAST_INTERVAL_SECONDS


@pytest.mark.parametrize(("headers", "seconds"), [({}, HOLD_SECONDS), ({"Retry-After": "20"}, 20)])
async def test_nothing_at_all_is_asked_for_a_while_after_a_429(
    world: AccountWorld, headers: dict[str, str], seconds: float
) -> None:
    await begin(world, ALICE)
    await begin(world, BOB)
    world.upstream.script(FIRST, httpx.Response(429, headers=headers, json={"error": {"message": "slow down"}}))
    await world.until_polled(1)
    began = world.clock.monotonic()
    await world.until_polled(2)
    assert world.clock.monotonic() - began >= seconds
    assert world.upstream.polled == ["fake-device-1", "fake-device-2"]


@pytest.mark.parametrize(("status", "sentence"), [(429, NANOGPT_BUSY), (503, NANOGPT_DOWN), (404, NANOGPT_DOWN)])
async def test_a_login_that_nanogpt_does_not_begin_is_said_so(world: AccountWorld, status: int, sentence: str) -> None:
    world.upstream.start_status = status
    with pytest.raises(UserError, match=sentence):
        await begin(world)
    assert await world.store.login(ALICE) is None


async def test_who_has_an_account_cannot_begin(world: AccountWorld) -> None:
    await world.accounts.paste(ALICE, KEY)
    with pytest.raises(UserError, match="have linked a NanoGPT account already"):
        await begin(world)
    assert world.upstream.started == []


async def test_a_pasted_key_ends_the_login_where_its_code_stands(world: AccountWorld) -> None:
    await begin(world)
    await world.accounts.paste(ALICE, KEY)
    await world.logins.superseded(ALICE, LoginEnd.LINKED)
    assert world.answers.told == [("fake-answer-token", ALICE, LoginEnd.LINKED)]
    assert await world.store.login(ALICE) is None
    await world.logins.superseded(BOB, LoginEnd.LINKED)
    assert len(world.answers.told) == 1


async def test_a_key_that_comes_after_its_login_was_dropped_is_not_kept(world: AccountWorld) -> None:
    world.upstream.held = asyncio.Event()
    await begin(world)
    world.upstream.script(FIRST, approved(KEY))
    world.clock.advance(await world.clock.sleeping())
    await world.upstream.arrived.wait()
    await world.store.unlink(ALICE)
    await world.logins.forget(ALICE)
    world.upstream.held.set()
    await world.until_polled(1)
    assert await world.store.login(ALICE) is None
    assert await world.store.get(ALICE) is None
    assert world.answers.told == []


async def unlinks(world: AccountWorld) -> None:
    with pytest.raises(UserError, match=CODE_VOID):
        await world.accounts.unlink(ALICE)


async def erases(world: AccountWorld) -> None:
    await Personal(world.database).delete(ALICE)
    await world.accounts.forgotten(ALICE)


async def pastes(world: AccountWorld) -> None:
    await world.accounts.paste(ALICE, CAPPED_KEY)
    await world.logins.superseded(ALICE, LoginEnd.LINKED)


@pytest.mark.parametrize(("meanwhile", "key"), [(unlinks, None), (erases, None), (pastes, CAPPED_KEY)])
async def test_a_key_is_not_linked_over_what_its_member_did_while_its_account_was_looked_at(
    world: AccountWorld, meanwhile: Callable[[AccountWorld], Awaitable[None]], key: str | None
) -> None:
    world.upstream.account(CAPPED_KEY, address="nano_fake_capped")
    world.upstream.held_keys[KEY] = answered = asyncio.Event()
    await begin(world)
    world.upstream.script(FIRST, approved(KEY))
    world.clock.advance(await world.clock.sleeping())
    await world.upstream.looked_at.wait()
    await meanwhile(world)
    told = list(world.answers.told)
    answered.set()
    await world.clock.sleeping()
    secret = await world.store.secret(ALICE)
    assert (secret and secret.key) == key
    assert await world.store.login(ALICE) is None
    assert world.answers.told == told


# Answers that cannot be changed


async def test_an_answer_too_old_to_be_changed_leaves_the_news_for_the_next_command(world: AccountWorld) -> None:
    await world.logins.begin(ALICE, "fake-answer-token", world.clock.now_ms() - ANSWER_MS)
    world.upstream.script(FIRST, approved(KEY))
    await world.until_ended(ALICE)
    assert world.answers.told == []
    news = await world.logins.pending_news(ALICE)
    assert news is not None
    assert news.end is LoginEnd.LINKED
    await world.logins.told(news)
    assert await world.logins.pending_news(ALICE) is None


async def test_an_answer_that_discord_does_not_take_leaves_the_news_too(world: AccountWorld) -> None:
    world.answers.error = Uncertain()
    await begin(world)
    world.upstream.script(FIRST, outcome(410))
    await world.until_ended(ALICE)
    news = await world.logins.pending_news(ALICE)
    assert news is not None
    assert news.end is LoginEnd.EXPIRED


# Restarts


async def test_a_restart_in_the_middle_goes_on_and_changes_the_first_answer(world: AccountWorld) -> None:
    await begin(world)
    await world.until_polled(1)
    after = await world.restarted()
    after.upstream.script(FIRST, approved(KEY))
    await after.until_told()
    assert after.answers.told == [("fake-answer-token", ALICE, LoginEnd.LINKED)]
    assert await after.store.get(ALICE) is not None
    await after.stop()


async def test_a_restart_after_the_key_came_does_not_lose_it(world: AccountWorld) -> None:
    async def killed(login: PendingLogin, key: str) -> LoginEnd | None:
        del login, key
        raise asyncio.CancelledError

    world.accounts.approve = killed
    await begin(world)
    world.upstream.script(FIRST, approved(KEY), outcome(409))
    with pytest.raises(asyncio.CancelledError):
        await world.until_told()
    after = await world.restarted()
    await after.until_told()
    assert after.answers.told == [("fake-answer-token", ALICE, LoginEnd.LINKED)]
    assert len(after.upstream.polled) == 1
    await after.stop()


async def test_a_restart_a_quarter_of_an_hour_later_leaves_the_news(world: AccountWorld) -> None:
    await begin(world)
    await world.until_polled(1)
    await world.stop()
    world.clock.advance(ANSWER_MS / 1_000)
    after = await world.restarted()
    after.upstream.script(FIRST, outcome(410))
    await after.until_ended(ALICE)
    assert after.answers.told == []
    news = await after.logins.pending_news(ALICE)
    assert news is not None
    assert news.end is LoginEnd.EXPIRED
    await after.stop()


async def test_a_login_whose_secrets_are_lost_is_started_again(world: AccountWorld) -> None:
    await begin(world)
    await world.stop()
    lost = AccountWorld(
        world.database,
        Vault([MasterKey(b"another-" * 4)]),
        world.clock,
        upstream=world.upstream,
        answers=world.answers,
    )
    await lost.start()
    await lost.until_ended(ALICE)
    news = await lost.logins.pending_news(ALICE)
    assert news is not None
    assert news.end is LoginEnd.INVALID
    assert lost.upstream.polled == []
    await lost.stop()


async def test_a_key_that_cannot_be_stored_at_once_is_stored_later(
    world: AccountWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, failures = Accounts.approve_login, 2

    async def full(self: Accounts, *rest: object) -> bool:
        nonlocal failures
        if failures:
            failures -= 1
            raise DatabaseFull(world.database.path)
        return await real(self, *rest)  # pyright: ignore[reportArgumentType] - handed on as they came

    monkeypatch.setattr(Accounts, "approve_login", full)
    await begin(world)
    world.upstream.script(FIRST, approved(KEY), outcome(409))
    await world.until_polled(1)
    with pytest.raises(UserError, match=ALMOST_LINKED):
        await begin(world)
    await world.until_told()
    assert world.answers.told == [("fake-answer-token", ALICE, LoginEnd.LINKED)]
    assert len(world.upstream.polled) == 1
    assert KEY not in caplog.text


async def test_no_secret_is_logged_on_the_way(world: AccountWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await begin(world)
    world.upstream.script(FIRST, outcome(503), approved(KEY))
    await world.until_told()
    assert not any(word in caplog.text for word in (KEY, FIRST, "fake-answer-token", "CODE-1"))
