from dataclasses import replace

import pytest

from bot.domain.ids import ChannelId, GuildId, RoleId
from bot.domain.payers import OPERATOR
from bot.domain.ratings import ContentRating
from bot.domain.servers import ServerSettings
from bot.services.server_rules import ServerRules
from bot.store.database import Database
from bot.store.errors import DatabaseFull
from bot.store.servers import Servers
from bot.store.vault import Vault
from tests.support.manual_clock import START_MS, ManualClock

GUILD = GuildId(200)


@pytest.fixture
def rules(database: Database, vault: Vault, clock: ManualClock) -> ServerRules:
    return ServerRules(servers=Servers(database, vault), clock=clock.clock)


async def test_a_server_that_set_nothing_has_the_defaults(rules: ServerRules) -> None:
    await rules.load()
    assert rules.of(GUILD) == ServerSettings(GUILD)
    assert (rules.rating_max(GUILD), rules.manager_role(GUILD), rules.payer(GUILD)) == (None, None, OPERATOR)
    assert rules.log_channel(GUILD) is None


async def test_a_change_counts_at_once_and_outlasts_a_restart(
    rules: ServerRules, database: Database, vault: Vault, clock: ManualClock
) -> None:
    await rules.change(GUILD, lambda before: replace(before, manager_role_id=RoleId(5)))
    await rules.change(GUILD, lambda before: replace(before, rating_max=ContentRating.SFW))
    await rules.change(GUILD, lambda before: replace(before, log_channel_id=ChannelId(6)))
    after_restart = ServerRules(servers=Servers(database, vault), clock=clock.clock)
    await after_restart.load()
    for each in (rules, after_restart):
        assert (each.manager_role(GUILD), each.rating_max(GUILD)) == (5, ContentRating.SFW)
        assert each.log_channel(GUILD) == 6


async def test_a_server_pays_from_the_moment_it_has_a_key(rules: ServerRules) -> None:
    await rules.set_key(GUILD, "sk-nano-fake-server")
    assert rules.of(GUILD).key_set_at_ms == START_MS
    assert rules.payer(GUILD) == "server:200"
    await rules.change(GUILD, lambda before: replace(before, own_characters=False))
    assert rules.payer(GUILD) == "server:200"
    assert await rules.remove_key(GUILD)
    assert rules.payer(GUILD) == OPERATOR
    assert not rules.of(GUILD).own_characters
    assert not await rules.remove_key(GUILD)


async def test_what_could_not_be_stored_does_not_count(database: Database, vault: Vault, clock: ManualClock) -> None:
    class Full(Servers):
        async def put(self, settings: ServerSettings) -> ServerSettings:
            del settings
            raise DatabaseFull(database.path)

    rules = ServerRules(servers=Full(database, vault), clock=clock.clock)
    with pytest.raises(DatabaseFull):
        await rules.change(GUILD, lambda before: replace(before, rating_max=ContentRating.SFW))
    assert rules.rating_max(GUILD) is None
