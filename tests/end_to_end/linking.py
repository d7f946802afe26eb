"""What members and staff set up before a test begins, written where the bot will find it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.domain.ids import ChannelId, GuildId, UserId
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.nanogpt.account_payloads import read_balance
from bot.sandbox.discord import Channel, Person
from bot.sandbox.nanogpt.accounts import Account
from bot.services.clock import Clock
from bot.services.server_rules import ServerRules
from bot.store.accounts import Accounts
from bot.store.database import Database
from bot.store.servers import Servers
from bot.store.vault import Vault, load_or_create_key_file
from tests.end_to_end.world import World


@asynccontextmanager
async def resting_store(world: World) -> AsyncGenerator[tuple[Database, Vault]]:
    """Open the database of a world in which no bot runs."""
    settings = world.settings()
    database = await Database.open(settings.database.path, now_ms=Clock().now_ms())
    try:
        yield database, Vault([load_or_create_key_file(settings.vault_key_file)])
    finally:
        await database.close()


async def link(world: World, person: Person, *, usd: float = 5.0, account_id: str | None = None) -> Account:
    """Let a person have linked an account, by default a new one, which holds so many dollars; no bot may run."""
    account = world.upstream.catalog.add_account(account_id or f"of-{person.id}", usd=usd)
    known_by = read_balance({"usd_balance": usd, "nanoDepositAddress": f"nano_fake_{account.id}"}).account
    async with resting_store(world) as (database, vault):
        accounts = Accounts(database, vault)
        secret = AccountSecret(account.key, known_by)
        await accounts.link(UserId(person.id), secret, KeyOrigin.PASTED, Clock().now_ms())
    return account


async def want_reports(world: World, channel: Channel) -> None:
    """Let the staff of a server have set a channel for reports; no bot may run."""
    assert channel.guild is not None
    async with resting_store(world) as (database, vault):
        rules = ServerRules(servers=Servers(database, vault), clock=Clock())
        await rules.load()
        await rules.change(
            GuildId(channel.guild.id), lambda before: replace(before, log_channel_id=ChannelId(channel.id))
        )
