import pytest

from bot.domain.ids import GuildId, PayerId, UserId
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.domain.payers import OPERATOR, member_payer, server_payer
from bot.nanogpt.requests import ApiKey
from bot.services.key_ring import KeyRing, NoKeyError
from bot.store.accounts import Accounts
from bot.store.database import Database
from bot.store.servers import Servers
from bot.store.vault import MasterKey, Vault
from tests.support.manual_clock import START_MS, ManualClock

GUILD = GuildId(200)
ALICE = UserId(400)
KEY = ApiKey("sk-nano-fake-0000", OPERATOR)


class Ring:
    def __init__(self, database: Database, vault: Vault, clock: ManualClock) -> None:
        self.accounts = Accounts(database, vault)
        self.servers = Servers(database, vault)
        self.keys = KeyRing(operator=KEY, accounts=self.accounts, servers=self.servers, clock=clock.clock)

    async def link(self) -> None:
        await self.accounts.link(ALICE, AccountSecret("sk-nano-fake-alice"), KeyOrigin.PASTED, START_MS)


@pytest.fixture
def ring(database: Database, vault: Vault, clock: ManualClock) -> Ring:
    return Ring(database, vault, clock)


async def test_each_payer_has_a_key_of_its_own(ring: Ring) -> None:
    await ring.link()
    await ring.servers.put_key(GUILD, "sk-nano-fake-server", START_MS)
    assert await ring.keys.key(OPERATOR) == KEY
    assert await ring.keys.key(server_payer(GUILD)) == ApiKey("sk-nano-fake-server", server_payer(GUILD))
    mine = ApiKey("sk-nano-fake-alice", member_payer(ALICE))
    assert await ring.keys.key(member_payer(ALICE)) == mine
    assert await ring.keys.of_member(ALICE) == mine
    assert await ring.keys.is_linked(ALICE)


@pytest.mark.parametrize("payer", [member_payer(ALICE), server_payer(GUILD), PayerId("somebody")])
async def test_a_payer_without_a_key_does_not_pay_with_anothers(ring: Ring, payer: PayerId) -> None:
    with pytest.raises(NoKeyError):
        await ring.keys.key(payer)
    assert await ring.keys.of_member(ALICE) is None
    assert not await ring.keys.is_linked(ALICE)


async def test_a_refused_key_is_not_used_until_it_is_linked_anew(ring: Ring) -> None:
    await ring.link()
    await ring.servers.put_key(GUILD, "sk-nano-fake-server", START_MS)
    for payer in (OPERATOR, server_payer(GUILD), member_payer(ALICE)):
        await ring.keys.refused(await ring.keys.key(payer))
    assert await ring.keys.key(OPERATOR) == KEY
    assert await ring.keys.of_member(ALICE) is None
    assert await ring.keys.is_linked(ALICE)
    with pytest.raises(NoKeyError):
        await ring.keys.key(member_payer(ALICE))
    await ring.link()
    assert await ring.keys.of_member(ALICE) is not None


async def test_what_is_said_of_an_old_key_says_nothing_of_the_one_linked_since(ring: Ring) -> None:
    await ring.link()
    await ring.keys.refused(ApiKey("sk-nano-fake-before", member_payer(ALICE)))
    assert await ring.keys.of_member(ALICE) is not None


async def test_a_lost_vault_key_is_no_key(ring: Ring, database: Database, clock: ManualClock) -> None:
    await ring.link()
    await ring.servers.put_key(GUILD, "sk-nano-fake-server", START_MS)
    other = Ring(database, Vault([MasterKey(b"o" * 32)]), clock)
    for payer in (member_payer(ALICE), server_payer(GUILD)):
        with pytest.raises(NoKeyError):
            await other.keys.key(payer)
