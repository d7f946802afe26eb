import pytest

from bot.domain.bindings import BindingState, PauseCause, Trigger
from bot.domain.characters import Character
from bot.domain.ids import ChannelId, CharacterId, MessageId
from bot.domain.linking import (
    AccountSecret,
    KeyOrigin,
    LinkedAccount,
    LoginEnd,
    LoginSecret,
    LoginState,
    PendingLogin,
)
from bot.domain.payers import member_payer
from bot.store.accounts import Accounts
from bot.store.bindings import Bindings
from bot.store.database import Database
from bot.store.own_characters import OwnCharacters
from bot.store.vault import MasterKey, Vault
from tests.store.seed import ALICE, BOB, GUILD, NOW, Seed

SECRET = AccountSecret("sk-nano-fake-1111", "fingerprint-of-alice")
LOGIN = LoginSecret("fake-device-code", "fake-answer-token", "ABCD-EFGH", "https://nano-gpt.example/cli?code=ABCD-EFGH")


@pytest.fixture
def accounts(database: Database, vault: Vault) -> Accounts:
    return Accounts(database, vault)


async def begin(accounts: Accounts, secret: LoginSecret = LOGIN, now_ms: int = NOW) -> PendingLogin:
    return await accounts.begin_login(
        ALICE, secret, now_ms=now_ms, expires_at_ms=now_ms + 600_000, answer_until_ms=now_ms + 900_000
    )


async def test_a_linked_account_is_found_again_with_its_key(accounts: Accounts) -> None:
    assert await accounts.link(ALICE, SECRET, KeyOrigin.PASTED, NOW) is LoginEnd.LINKED
    assert await accounts.get(ALICE) == LinkedAccount(ALICE, KeyOrigin.PASTED, NOW)
    assert await accounts.secret(ALICE) == SECRET
    assert await accounts.get(BOB) is None
    assert await accounts.secret(BOB) is None


async def test_a_new_key_takes_the_place_of_one_that_was_refused(accounts: Accounts) -> None:
    await accounts.link(ALICE, SECRET, KeyOrigin.PASTED, NOW)
    assert await accounts.refused(ALICE, SECRET.key, NOW + 1)
    assert not await accounts.refused(ALICE, SECRET.key, NOW + 2)
    assert await accounts.get(ALICE) == LinkedAccount(ALICE, KeyOrigin.PASTED, NOW, NOW + 1)
    await accounts.link(ALICE, AccountSecret("sk-nano-fake-2222"), KeyOrigin.DEVICE, NOW + 3)
    assert await accounts.get(ALICE) == LinkedAccount(ALICE, KeyOrigin.DEVICE, NOW + 3)
    assert not await accounts.refused(ALICE, SECRET.key, NOW + 4)
    assert not await accounts.refused(BOB, SECRET.key, NOW)
    assert await accounts.get(ALICE) == LinkedAccount(ALICE, KeyOrigin.DEVICE, NOW + 3)


async def test_a_refusal_is_taken_back_for_the_key_it_was_said_of(accounts: Accounts) -> None:
    await accounts.link(ALICE, SECRET, KeyOrigin.PASTED, NOW)
    assert not await accounts.accepted(ALICE, SECRET.key)
    await accounts.refused(ALICE, SECRET.key, NOW + 1)
    assert not await accounts.accepted(ALICE, "sk-nano-fake-old")
    assert not await accounts.accepted(BOB, SECRET.key)
    assert await accounts.accepted(ALICE, SECRET.key)
    assert await accounts.get(ALICE) == LinkedAccount(ALICE, KeyOrigin.PASTED, NOW)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (AccountSecret("sk-nano-fake-1111"), True),
        (AccountSecret("sk-nano-fake-9999", "fingerprint-of-alice"), True),
        (AccountSecret("sk-nano-fake-9999", "another-fingerprint"), False),
        (AccountSecret("sk-nano-fake-9999"), False),
    ],
)
async def test_an_account_is_known_by_its_key_or_its_fingerprint(
    accounts: Accounts, asked: AccountSecret, *, found: bool
) -> None:
    await accounts.link(BOB, AccountSecret("sk-nano-fake-3333"), KeyOrigin.PASTED, NOW)
    await accounts.link(ALICE, SECRET, KeyOrigin.PASTED, NOW)
    assert await accounts.holder_of(asked) == (ALICE if found else None)


async def test_a_fingerprint_comes_later_and_only_for_the_key_it_was_told_of(accounts: Accounts) -> None:
    await accounts.link(ALICE, AccountSecret("sk-nano-fake-1111"), KeyOrigin.DEVICE, NOW)
    await accounts.identify(ALICE, AccountSecret("sk-nano-fake-old", "of-the-old-key"))
    assert await accounts.secret(ALICE) == AccountSecret("sk-nano-fake-1111")
    await accounts.identify(ALICE, SECRET)
    assert await accounts.secret(ALICE) == SECRET
    await accounts.identify(BOB, SECRET)
    assert await accounts.get(BOB) is None


async def test_unlinking_deletes_the_key_the_login_and_what_the_key_saw(
    accounts: Accounts, database: Database, vault: Vault
) -> None:
    own = OwnCharacters(database, vault)
    for member in (ALICE, BOB):
        await accounts.link(member, SECRET, KeyOrigin.PASTED, NOW)
        await own.remember(member, Character(CharacterId("secret"), "Secret"), NOW)
    await begin(accounts)
    assert await accounts.unlink(ALICE)
    assert await accounts.get(ALICE) is None
    assert await accounts.login(ALICE) is None
    assert [member for member, _ in await own.all()] == [BOB]
    assert not await accounts.unlink(ALICE)


async def test_unlinking_pauses_what_the_member_paid_for_and_nothing_but_their_word_changes_that(
    accounts: Accounts, seed: Seed
) -> None:
    bindings = Bindings(seed.database)
    created = [
        await bindings.create(
            guild_id=GUILD,
            channel_id=ChannelId(channel),
            character_ref=await seed.character(),
            trigger=Trigger.MENTION,
            bound_by=member,
            payer=member_payer(member),
            active_from=MessageId(5),
            now_ms=NOW,
            daily_turns=50,
        )
        for channel, member in ((21, ALICE), (22, BOB))
    ]
    mine, theirs = (bound.binding.id for bound in created)
    await accounts.link(ALICE, SECRET, KeyOrigin.PASTED, NOW)
    await accounts.unlink(ALICE)
    for cause in (PauseCause.KEY_REFUSED, PauseCause.UNLINKED):
        assert await bindings.pause(mine, cause) is None
    paused, other = await bindings.get(mine), await bindings.get(theirs)
    assert paused is not None
    assert other is not None
    assert (paused.state, paused.pause_cause) == (BindingState.PAUSED, PauseCause.UNLINKED)
    assert other.state is BindingState.ACTIVE
    assert await bindings.resume(mine, MessageId(9)) is None
    assert await bindings.get(mine) == paused


async def test_a_lost_vault_key_costs_the_key_and_not_the_row(accounts: Accounts, database: Database) -> None:
    await accounts.link(ALICE, SECRET, KeyOrigin.PASTED, NOW)
    await begin(accounts)
    other = Accounts(database, Vault([MasterKey(b"o" * 32)]))
    assert await other.get(ALICE) is not None
    assert await other.secret(ALICE) is None
    assert await other.holder_of(SECRET) is None
    login = await other.login(ALICE)
    assert login is not None
    assert login.secret is None


def test_no_secret_shows_in_a_representation() -> None:
    shown = f"{SECRET!r} {LOGIN!r} {AccountSecret('sk-nano-fake-1111')!r}"
    assert not any(word in shown for word in ("sk-nano", "fake-device", "fake-answer", "ABCD"))


# Logins


async def test_a_login_waits_with_its_secrets(accounts: Accounts) -> None:
    login = await begin(accounts)
    assert login == PendingLogin(ALICE, LoginState.WAITING, LOGIN, None, NOW, NOW + 600_000, NOW + 900_000)
    assert await accounts.login(ALICE) == login
    assert await accounts.open_logins() == [login]
    assert await accounts.login(BOB) is None


async def test_a_login_that_begins_later_takes_the_place_of_the_one_before(accounts: Accounts) -> None:
    first = await begin(accounts)
    second = await begin(accounts, now_ms=NOW + 1)
    assert await accounts.open_logins() == [second]
    assert not await accounts.end_login(first, LoginEnd.EXPIRED)
    assert not await accounts.approve_login(first, LOGIN)
    assert await accounts.login(ALICE) == second


async def test_the_answer_of_a_login_can_become_another(accounts: Accounts) -> None:
    login = await begin(accounts)
    moved = LoginSecret("fake-device-code", "another-token", "ABCD-EFGH", LOGIN.address)
    assert await accounts.change_login(login, moved, answer_until_ms=NOW + 950_000)
    found = await accounts.login(ALICE)
    assert found is not None
    assert (found.secret, found.answer_until_ms, found.started_at_ms) == (moved, NOW + 950_000, NOW)


async def test_a_key_that_came_is_kept_before_it_is_the_members(accounts: Accounts) -> None:
    login = await begin(accounts)
    with_key = LoginSecret("fake-device-code", "fake-answer-token", "ABCD-EFGH", LOGIN.address, "sk-nano-fake-1111")
    assert await accounts.approve_login(login, with_key)
    (approved,) = await accounts.open_logins()
    assert (approved.state, approved.secret) == (LoginState.APPROVED, with_key)
    assert await accounts.get(ALICE) is None
    assert not await accounts.change_login(login, LOGIN, answer_until_ms=NOW)
    assert await accounts.link_approved(approved, SECRET, NOW + 1) is LoginEnd.LINKED
    assert await accounts.get(ALICE) == LinkedAccount(ALICE, KeyOrigin.DEVICE, NOW + 1)
    ended = await accounts.login(ALICE)
    assert ended is not None
    assert (ended.state, ended.secret, ended.end) == (LoginState.ENDED, None, LoginEnd.LINKED)
    assert await accounts.open_logins() == []
    assert not await accounts.end_login(approved, LoginEnd.EXPIRED)
    assert await accounts.link_approved(approved, SECRET, NOW + 2) is None


async def test_a_key_is_kept_only_for_the_login_that_waits_with_it(accounts: Accounts) -> None:
    login = await begin(accounts)
    assert await accounts.link_approved(login, SECRET, NOW) is None
    assert await accounts.approve_login(login, LOGIN)
    later = await begin(accounts, now_ms=NOW + 1)
    assert await accounts.approve_login(later, LOGIN)
    assert await accounts.link_approved(login, SECRET, NOW + 2) is None
    assert await accounts.open_logins() != []
    await accounts.unlink(ALICE)
    assert await accounts.link_approved(later, SECRET, NOW + 2) is None
    assert await accounts.get(ALICE) is None


async def test_a_pasted_key_makes_the_login_needless(accounts: Accounts) -> None:
    await begin(accounts)
    await accounts.link(ALICE, SECRET, KeyOrigin.PASTED, NOW)
    assert await accounts.login(ALICE) is None


async def test_an_end_stays_until_it_was_told(accounts: Accounts) -> None:
    login = await begin(accounts)
    await accounts.told(login)
    assert await accounts.end_login(login, LoginEnd.CONSUMED)
    ended = await accounts.login(ALICE)
    assert ended is not None
    assert (ended.state, ended.end, ended.secret) == (LoginState.ENDED, LoginEnd.CONSUMED, None)
    await accounts.told(ended)
    assert await accounts.login(ALICE) is None
