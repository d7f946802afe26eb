import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.domain.bindings import Binding, BindingState, PauseCause, Trigger
from bot.domain.drafts import DraftKind, Writing
from bot.domain.failures import Failure, FailureCause
from bot.domain.feedback import OutboxKind
from bot.domain.ids import CharacterId, DraftId, MessageId, UserId
from bot.domain.linking import AccountSecret, KeyOrigin, LoginEnd
from bot.domain.linking_wording import (
    ALREADY_LINKED,
    BAD_KEY,
    CODE_VOID,
    KEY_LOST,
    KEY_REFUSED,
    KEY_VOID,
    NO_KEY_TYPED,
    NOT_LINKED,
    TAKEN,
    UNCHECKED_KEY,
    UNLINKED_MEANWHILE,
)
from bot.domain.payers import member_payer
from bot.domain.places import Place
from bot.domain.privacy_wording import PrivacyFacts
from bot.domain.publishing import UNLINKED_REVIEWS
from bot.domain.sheets import NEW_SHEET
from bot.errors import UserError
from bot.nanogpt.errors import DailyLimitError
from bot.nanogpt.requests import ApiKey
from bot.services.accounts import IDENTIFY_SECONDS
from bot.services.bindings import Asker
from bot.services.ignored_members import IgnoredMembers
from bot.services.own_characters import OwnCharacterFound
from bot.services.privacy import PrivacyService
from bot.store.bindings import Bindings
from bot.store.database import Database
from bot.store.drafts import Drafts
from bot.store.members import Members
from bot.store.outbox import Outbox
from bot.store.own_characters import OwnCharacters
from bot.store.personal import Personal
from bot.store.vault import MasterKey, Vault
from tests.support.account_world import AccountWorld
from tests.support.manual_clock import START_MS, ManualClock
from tests.support.own_parts import MANAGER
from tests.support.relay_world import GUILD, ROOM, character

ALICE, BOB = UserId(400), UserId(401)
KEY, OTHER_KEY = "sk-nano-fake-1111", "sk-nano-fake-2222"
HERE = Place(GUILD, ROOM, None, age_restricted=False)


@pytest.fixture
def world(database: Database, vault: Vault, clock: ManualClock) -> AccountWorld:
    return AccountWorld(database, vault, clock)


async def brought(world: AccountWorld, key: str) -> Binding:
    """Let Alice agree to pay for a private character of hers, which her key alone sees."""
    relay, diary = world.relay, CharacterId("diary")
    relay.town.membership.rights[ALICE] = MANAGER
    private = {"visibility": "private", "moderation_status": None, "allow_api": False, "content_rating": None}
    relay.upstream.characters[diary] = character(diary, name="Dear Diary", **private)
    relay.upstream.owners[diary] = key
    await relay.open()
    alice = Asker(ALICE, "Alice", may_manage=True, asked_at=relay.outlet.next_id())
    with pytest.raises(OwnCharacterFound) as found:
        await relay.binding_service.use(HERE, alice, "Dear Diary", Trigger.EVERY)
    change = await relay.binding_service.use_own(HERE, alice, found.value.known.ref, Trigger.EVERY, 50)
    relay.binding_service.release(change)
    return change.binding


async def standing(world: AccountWorld, binding: Binding) -> Binding:
    """Return how a binding stands, in memory and in the store alike."""
    stored = await Bindings(world.database).get(binding.id)
    assert stored is not None
    assert world.relay.index.get(binding.channel_id) == stored
    return stored


# Pasting


async def test_a_pasted_key_is_tested_and_kept(world: AccountWorld) -> None:
    world.upstream.account(KEY, address="nano_fake_a")
    await world.accounts.paste(ALICE, f"  {KEY}\n")
    secret = await world.store.secret(ALICE)
    assert secret is not None
    assert secret.key == KEY
    assert secret.fingerprint is not None
    assert "nano_fake_a" not in secret.fingerprint
    account = await world.store.get(ALICE)
    assert account is not None
    assert account.origin is KeyOrigin.PASTED


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ("", 200, NO_KEY_TYPED),
        ("two words", 200, NO_KEY_TYPED),
        ("cl\u00e9", 200, NO_KEY_TYPED),
        ("sk-nano-fake-unknown", 200, BAD_KEY),
        (KEY, 503, UNCHECKED_KEY),
        (KEY, 429, UNCHECKED_KEY),
    ],
)
async def test_what_is_no_good_key_is_not_kept_and_not_repeated(
    world: AccountWorld, caplog: pytest.LogCaptureFixture, typed: str, status: int, sentence: str
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    world.upstream.account(KEY)
    world.upstream.status = status
    with pytest.raises(UserError) as caught:
        await world.accounts.paste(ALICE, typed)
    assert caught.value.sentence == sentence
    assert await world.store.get(ALICE) is None
    assert not typed or typed not in f"{caplog.text} {sentence} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("second_key", "second_address"), [(KEY, "nano_fake_other"), ("sk-nano-fake-2222", "nano_fake_a")]
)
async def test_an_account_of_another_member_is_refused(
    world: AccountWorld, second_key: str, second_address: str
) -> None:
    world.upstream.account(KEY, address="nano_fake_a")
    await world.accounts.paste(ALICE, KEY)
    world.upstream.account(second_key, address=second_address)
    with pytest.raises(UserError, match=TAKEN):
        await world.accounts.paste(BOB, second_key)
    assert await world.store.get(BOB) is None
    await world.accounts.unlink(ALICE)
    await world.accounts.paste(BOB, second_key)


async def test_of_two_members_with_one_account_at_once_one_is_refused(world: AccountWorld) -> None:
    world.upstream.account(KEY, address="nano_fake_a")
    world.upstream.account("sk-nano-fake-2222", address="nano_fake_a")
    results = await asyncio.gather(
        world.accounts.paste(ALICE, KEY), world.accounts.paste(BOB, "sk-nano-fake-2222"), return_exceptions=True
    )
    assert [isinstance(result, UserError) for result in results].count(True) == 1


async def test_who_has_an_account_has_to_unlink_it_first_unless_its_key_is_refused(world: AccountWorld) -> None:
    for key in (KEY, "sk-nano-fake-2222"):
        world.upstream.account(key)
    await world.accounts.paste(ALICE, KEY)
    with pytest.raises(UserError, match="have linked a NanoGPT account already"):
        await world.accounts.paste(ALICE, "sk-nano-fake-2222")
    await world.store.refused(ALICE, KEY, START_MS)
    await world.accounts.paste(ALICE, "sk-nano-fake-2222")
    assert await world.store.secret(ALICE) == AccountSecret("sk-nano-fake-2222")
    with pytest.raises(UserError, match=ALREADY_LINKED.split(";", maxsplit=1)[0]):
        await world.accounts.check_unlinked(ALICE)


async def test_an_account_whose_key_cannot_be_read_any_more_is_linked_anew(
    world: AccountWorld, database: Database, clock: ManualClock
) -> None:
    world.upstream.account(KEY)
    await world.accounts.paste(ALICE, KEY)
    lost = AccountWorld(database, Vault([MasterKey(b"another-" * 4)]), clock, upstream=world.upstream)
    with pytest.raises(UserError, match=KEY_LOST):
        await lost.accounts.status(ALICE)
    await lost.accounts.paste(ALICE, KEY)
    assert "You have linked a NanoGPT account" in await lost.accounts.status(ALICE)


async def test_a_new_key_is_tried_at_once_where_the_old_one_was_held_back(world: AccountWorld) -> None:
    world.upstream.account(KEY)
    world.breakers.note(member_payer(ALICE), Failure(FailureCause.BAD_KEY))
    await world.accounts.paste(ALICE, KEY)
    assert world.breakers.failure(member_payer(ALICE)) is None


async def test_what_waits_for_the_catalogue_goes_with_a_new_key_where_the_old_one_was_held_back(
    world: AccountWorld, database: Database
) -> None:
    world.upstream.account(KEY)
    world.courier.answers["1"] = [DailyLimitError(resets_at=START_MS / 1_000 + 600)]
    async with database.transaction() as tx:
        await Outbox(database).put(
            tx, OutboxKind.RATING, "1", payer=member_payer(ALICE), due_at_ms=START_MS, now_ms=START_MS
        )
    for _ in range(2):
        await world.outbox.send_due()
    assert world.courier.sent == ["1"]
    await world.accounts.paste(ALICE, KEY)
    await world.outbox.send_due()
    assert world.courier.sent == ["1", "1"]


@dataclass(frozen=True)
class Desk:
    """What hangs on Alice's account: a character of hers that she pays for, and a draft."""

    world: AccountWorld
    binding: Binding
    draft_id: DraftId

    async def has_draft(self) -> bool:
        """Tell whether the draft is still there."""
        return await Drafts(self.world.database, self.world.vault).get(self.draft_id, START_MS) is not None


async def refused(world: AccountWorld) -> Desk:
    """Let Alice have linked an account whose key NanoGPT refuses by now."""
    world.upstream.account(KEY, address="nano_fake_a")
    await world.accounts.paste(ALICE, KEY)
    drafts = Drafts(world.database, world.vault)
    draft = await drafts.create(ALICE, DraftKind.CREATE, None, Writing(NEW_SHEET), START_MS)
    binding = await brought(world, KEY)
    await world.relay.upkeep.key_refused(binding, ApiKey(KEY, member_payer(ALICE)))
    return Desk(world, binding, draft.id)


async def test_a_key_of_another_account_over_a_refused_one_pays_for_nothing_unasked(world: AccountWorld) -> None:
    desk = await refused(world)
    ref = desk.binding.character_ref
    world.upstream.account(OTHER_KEY, address="nano_fake_other")
    assert await world.accounts.paste(ALICE, OTHER_KEY) is LoginEnd.REPLACED
    assert (await standing(world, desk.binding)).pause_cause is PauseCause.UNLINKED
    assert await Bindings(world.database).resume(desk.binding.id, MessageId(5)) is None
    assert world.relay.parts.shelf.by_ref(ALICE, ref) is None
    assert await OwnCharacters(world.database, world.vault).all() == []
    assert not await desk.has_draft()
    assert await world.store.secret(ALICE) is not None


async def test_a_login_to_another_account_over_a_refused_one_pays_for_nothing_unasked(world: AccountWorld) -> None:
    desk = await refused(world)
    world.upstream.account(OTHER_KEY, address="nano_fake_other")
    login = await world.approved(ALICE, OTHER_KEY)
    assert await world.accounts.approve(login, OTHER_KEY) is LoginEnd.REPLACED
    assert (await standing(world, desk.binding)).pause_cause is PauseCause.UNLINKED
    news = await world.logins.pending_news(ALICE)
    assert news is not None
    assert news.end is LoginEnd.REPLACED


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
async def test_another_key_of_the_same_account_over_a_refused_one_goes_on_as_before(
    world: AccountWorld, key: str
) -> None:
    desk = await refused(world)
    world.upstream.account(key, address="nano_fake_a")
    assert await world.accounts.paste(ALICE, key) is LoginEnd.LINKED
    assert (await standing(world, desk.binding)).pause_cause is PauseCause.KEY_REFUSED
    assert world.relay.parts.shelf.by_ref(ALICE, desk.binding.character_ref) is not None
    assert await desk.has_draft()


async def test_where_it_cannot_be_told_whose_account_it_is_nothing_is_paid_unasked_and_nothing_typed_is_lost(
    world: AccountWorld,
) -> None:
    desk = await refused(world)
    world.upstream.status = 503
    login = await world.approved(ALICE, OTHER_KEY)
    assert await world.accounts.approve(login, OTHER_KEY) is LoginEnd.UNPROVEN
    assert (await standing(world, desk.binding)).pause_cause is PauseCause.UNLINKED
    assert await desk.has_draft()
    await world.store.refused(ALICE, OTHER_KEY, START_MS)
    await Bindings(world.database).end(desk.binding.id, START_MS)
    again = await world.approved(ALICE, KEY)
    assert await world.accounts.approve(again, KEY) is LoginEnd.LINKED


# Looking


async def test_a_status_tells_what_nanogpt_says(world: AccountWorld) -> None:
    world.upstream.account(KEY, usd=0.5, nano=1.0)
    await world.accounts.paste(ALICE, KEY)
    text = await world.accounts.status(ALICE)
    assert "0.50 US dollars and 1.0000 Nano, about 2.00 US dollars" in text
    assert "no active subscription" in text
    assert "NanoGPT will take your ratings" in text
    world.upstream.subscribed.add(KEY)
    world.upstream.nano_price = None
    text = await world.accounts.status(ALICE)
    assert "an active subscription" in text
    assert KEY not in text


async def test_a_status_says_where_nanogpt_does_not_tell(world: AccountWorld) -> None:
    world.upstream.account(KEY)
    await world.accounts.paste(ALICE, KEY)
    world.upstream.status = 503
    assert (await world.accounts.status(ALICE)).count("cannot tell just now") == 3


async def test_a_status_finds_out_that_the_key_is_refused(world: AccountWorld) -> None:
    world.upstream.account(KEY)
    await world.accounts.paste(ALICE, KEY)
    world.upstream.balances.clear()
    assert "refuses the key of your account" in await world.accounts.status(ALICE)
    account = await world.store.get(ALICE)
    assert account is not None
    assert account.refused_at_ms == START_MS


async def test_a_status_takes_back_that_the_key_is_refused_once_nanogpt_takes_it(world: AccountWorld) -> None:
    world.upstream.account(KEY)
    await world.accounts.paste(ALICE, KEY)
    binding = await brought(world, KEY)
    await world.relay.upkeep.key_refused(binding, ApiKey(KEY, member_payer(ALICE)))
    world.breakers.note(member_payer(ALICE), Failure(FailureCause.BAD_KEY))
    assert (await standing(world, binding)).pause_cause is PauseCause.KEY_REFUSED
    world.upstream.status = 503
    assert KEY_REFUSED in await world.accounts.status(ALICE)
    world.upstream.status = 200
    text = await world.accounts.status(ALICE)
    assert "5.00 US dollars" in text
    assert KEY_REFUSED not in text
    account = await world.store.get(ALICE)
    assert account is not None
    assert account.refused_at_ms is None
    assert world.breakers.failure(member_payer(ALICE)) is None
    assert (await standing(world, binding)).state is BindingState.ACTIVE


async def test_what_is_said_of_a_key_says_nothing_of_the_one_that_took_its_place(
    world: AccountWorld,
) -> None:
    world.upstream.account(KEY, address="nano_fake_a")
    world.upstream.account(OTHER_KEY, address="nano_fake_a")
    await world.accounts.paste(ALICE, KEY)
    await world.store.refused(ALICE, KEY, START_MS)
    answer = world.upstream.held_keys[KEY] = asyncio.Event()
    looking = asyncio.create_task(world.accounts.status(ALICE))
    await world.upstream.looked_at.wait()
    await world.accounts.paste(ALICE, OTHER_KEY)
    await world.store.refused(ALICE, OTHER_KEY, START_MS)
    answer.set()
    assert KEY_REFUSED in await looking


async def test_who_has_no_account_is_told_how_to_link_one(world: AccountWorld) -> None:
    with pytest.raises(UserError, match="/account link"):
        await world.accounts.status(ALICE)
    with pytest.raises(UserError, match=NOT_LINKED):
        await world.accounts.unlink(ALICE)


async def test_an_account_that_could_not_be_told_at_first_is_known_later(world: AccountWorld) -> None:
    world.upstream.account(KEY, address="nano_fake_a")
    world.upstream.status = 503
    assert await world.accounts.approve(await world.approved(ALICE, KEY), KEY) is LoginEnd.LINKED
    secret = await world.store.secret(ALICE)
    assert secret == AccountSecret(KEY)
    world.upstream.status = 200
    await world.accounts.status(ALICE)
    world.upstream.account("sk-nano-fake-2222", address="nano_fake_a")
    with pytest.raises(UserError, match=TAKEN):
        await world.accounts.paste(BOB, "sk-nano-fake-2222")


async def linked_unidentified(world: AccountWorld, user_id: UserId, key: str) -> None:
    """Let a member link an account while NanoGPT does not tell whose it is."""
    world.upstream.account(key, address="nano_fake_a")
    world.upstream.status = 503
    assert await world.accounts.approve(await world.approved(user_id, key), key) is LoginEnd.LINKED
    world.upstream.status = 200
    world.clock.advance(1)


async def told(world: AccountWorld, user_id: UserId) -> LoginEnd | None:
    """Return what a member reads of their linking at their next command."""
    news = await world.logins.pending_news(user_id)
    return None if news is None else news.end


async def test_an_account_that_turns_out_to_be_anothers_is_unlinked(world: AccountWorld) -> None:
    world.upstream.account(KEY, address="nano_fake_a")
    await world.accounts.paste(ALICE, KEY)
    world.clock.advance(1)
    await linked_unidentified(world, BOB, OTHER_KEY)
    with pytest.raises(UserError, match="I have unlinked it"):
        await world.accounts.status(BOB)
    assert await told(world, BOB) is None
    assert world.forgotten == [BOB]
    assert await world.store.get(BOB) is None
    assert await world.store.get(ALICE) is not None


async def test_of_two_members_with_one_account_the_first_keeps_it_whoever_asks(world: AccountWorld) -> None:
    await linked_unidentified(world, ALICE, KEY)
    world.upstream.account(OTHER_KEY, address="nano_fake_a")
    await world.accounts.paste(BOB, OTHER_KEY)
    assert "5.00 US dollars" in await world.accounts.status(ALICE)
    secret = await world.store.secret(ALICE)
    assert secret is not None
    assert secret.fingerprint is not None
    assert await world.store.get(BOB) is None
    assert await told(world, BOB) is LoginEnd.LOST
    assert world.forgotten == [BOB]


async def test_whose_account_it_is_is_found_out_soon_after_the_linking(world: AccountWorld) -> None:
    await linked_unidentified(world, ALICE, KEY)
    await linked_unidentified(world, BOB, OTHER_KEY)
    world.upstream.status = 503
    await world.accounts.identify_all()
    assert await world.store.get(BOB) is not None
    world.upstream.status = 200
    running = asyncio.create_task(world.accounts.keep_identified())
    assert await world.clock.sleeping() == IDENTIFY_SECONDS
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await world.store.unidentified() == []
    assert await world.store.get(ALICE) is not None
    assert await told(world, BOB) is LoginEnd.LOST


async def test_an_account_of_which_nothing_can_be_told_is_asked_for_once(world: AccountWorld) -> None:
    world.upstream.account(KEY)
    await world.accounts.paste(ALICE, KEY)
    await world.accounts.identify_all()
    world.upstream.account(KEY, address="nano_fake_a")
    await world.accounts.identify_all()
    assert await world.store.secret(ALICE) == AccountSecret(KEY)


async def test_a_key_that_was_replaced_meanwhile_is_not_taken_for_the_one_that_was_asked_for(
    world: AccountWorld,
) -> None:
    await linked_unidentified(world, ALICE, KEY)
    answer = world.upstream.held_keys[KEY] = asyncio.Event()
    asking = asyncio.create_task(world.accounts.identify_all())
    await world.upstream.looked_at.wait()
    await world.store.refused(ALICE, KEY, START_MS)
    world.upstream.account("sk-nano-fake-3333")
    await world.accounts.paste(ALICE, "sk-nano-fake-3333")
    answer.set()
    await asking
    assert await world.store.secret(ALICE) == AccountSecret("sk-nano-fake-3333")


async def test_the_replies_a_member_paid_for_today_are_told(world: AccountWorld) -> None:
    world.upstream.account(KEY)
    await world.accounts.paste(ALICE, KEY)
    await world.relay.open()
    binding = (await world.relay.bind()).id
    day_start_ms = START_MS - START_MS % 86_400_000
    await world.paid_turns.take(binding, member_payer(ALICE), most=9, day_start_ms=day_start_ms)
    assert "asked to pay for one reply of your own characters today" in await world.accounts.status(ALICE)


# Unlinking


async def test_unlinking_deletes_the_key_and_says_how_to_revoke_it(world: AccountWorld) -> None:
    world.upstream.account(KEY)
    await world.accounts.paste(ALICE, KEY)
    answer = await world.accounts.unlink(ALICE)
    assert "its key is deleted here" in answer
    assert "revoke it on <https://nano-gpt.com/api>" in answer
    assert UNLINKED_REVIEWS in answer
    assert await world.store.secret(ALICE) is None
    assert world.forgotten == [ALICE]


@asynccontextmanager
async def being_checked(world: AccountWorld, key: str) -> AsyncGenerator[asyncio.Task[LoginEnd]]:
    """Paste a key of Alice's, and let NanoGPT answer for it only when the block ends."""
    world.upstream.account(key)
    answer = world.upstream.held_keys[key] = asyncio.Event()
    pasting = asyncio.create_task(world.accounts.paste(ALICE, key))
    try:
        await world.upstream.looked_at.wait()
        yield pasting
    finally:
        answer.set()
        await asyncio.wait({pasting})


async def test_a_key_that_is_being_checked_while_its_member_unlinks_is_not_kept(world: AccountWorld) -> None:
    async with being_checked(world, KEY) as pasting:
        with pytest.raises(UserError, match=KEY_VOID):
            await world.accounts.unlink(ALICE)
    with pytest.raises(UserError, match=UNLINKED_MEANWHILE):
        await pasting
    assert await world.store.get(ALICE) is None
    await world.accounts.paste(ALICE, KEY)
    assert await world.store.secret(ALICE) == AccountSecret(KEY)


async def test_a_key_that_takes_the_place_of_a_refused_one_is_not_kept_over_an_unlinking(world: AccountWorld) -> None:
    world.upstream.account("sk-nano-fake-2222")
    await world.accounts.paste(ALICE, "sk-nano-fake-2222")
    await world.store.refused(ALICE, "sk-nano-fake-2222", START_MS)
    async with being_checked(world, KEY) as pasting:
        assert "its key is deleted here" in await world.accounts.unlink(ALICE)
    with pytest.raises(UserError, match=UNLINKED_MEANWHILE):
        await pasting
    assert await world.store.get(ALICE) is None


async def test_a_key_that_is_being_checked_while_its_member_has_everything_deleted_is_not_kept(
    world: AccountWorld, database: Database, clock: ManualClock
) -> None:
    privacy = PrivacyService(
        members=Members(database),
        ignored=IgnoredMembers(),
        personal=Personal(database),
        facts=PrivacyFacts(30),
        clock=clock.clock,
        deleting=world.accounts.deleting,
    )
    async with being_checked(world, KEY) as pasting:
        await privacy.delete(ALICE)
        assert world.forgotten == [ALICE]
    with pytest.raises(UserError, match=UNLINKED_MEANWHILE):
        await pasting
    assert await world.store.get(ALICE) is None


async def test_a_key_that_is_being_stored_while_its_member_unlinks_is_deleted(
    world: AccountWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.upstream.account(KEY)
    storing, go_on = asyncio.Event(), asyncio.Event()
    link = world.store.link

    async def slow_link(*args: Any, **kwargs: Any) -> LoginEnd:  # noqa: ANN401 - passed on as they are
        storing.set()
        await go_on.wait()
        return await link(*args, **kwargs)

    monkeypatch.setattr(world.store, "link", slow_link)
    pasting = asyncio.create_task(world.accounts.paste(ALICE, KEY))
    await storing.wait()
    unlinking = asyncio.create_task(world.accounts.unlink(ALICE))
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(UserError, match=UNLINKED_MEANWHILE):
        await pasting
    assert "its key is deleted here" in await unlinking
    assert await world.store.get(ALICE) is None


async def test_what_somebody_else_takes_away_does_not_touch_a_key_that_is_being_checked(world: AccountWorld) -> None:
    async with being_checked(world, KEY) as pasting:
        with pytest.raises(UserError, match=NOT_LINKED):
            await world.accounts.unlink(BOB)
    await pasting
    assert await world.store.secret(ALICE) == AccountSecret(KEY)


async def test_unlinking_voids_a_code_that_waits(world: AccountWorld) -> None:
    await world.logins.begin(ALICE, "fake-answer-token", START_MS)
    with pytest.raises(UserError, match=CODE_VOID):
        await world.accounts.unlink(ALICE)
    assert await world.store.login(ALICE) is None
