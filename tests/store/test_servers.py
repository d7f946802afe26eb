import pytest

from bot.domain.ids import ChannelId, GuildId, RoleId
from bot.domain.ratings import ContentRating
from bot.domain.servers import ServerSettings
from bot.store.database import Database
from bot.store.guilds import Guilds
from bot.store.servers import Servers
from bot.store.vault import MasterKey, Vault
from tests.store.seed import GUILD, NOW

OTHER = GuildId(11)
KEY = "sk-nano-fake-server"
FULL = ServerSettings(GUILD, RoleId(5), ContentRating.SUGGESTIVE, ChannelId(6), own_characters=False)


@pytest.fixture
def servers(database: Database, vault: Vault) -> Servers:
    return Servers(database, vault)


async def test_settings_are_kept_one_set_a_server(servers: Servers) -> None:
    assert await servers.all() == []
    await servers.put(ServerSettings(OTHER))
    await servers.put(ServerSettings(GUILD))
    assert await servers.put(FULL) == FULL
    assert await servers.all() == [FULL, ServerSettings(OTHER)]


async def test_the_mildest_rating_is_not_taken_for_none(servers: Servers) -> None:
    mild = ServerSettings(GUILD, rating_max=ContentRating.SFW)
    assert await servers.put(mild) == mild


async def test_a_key_and_the_settings_leave_each_other_alone(servers: Servers) -> None:
    await servers.put_key(GUILD, KEY, NOW)
    await servers.put(FULL)
    (settings,) = await servers.all()
    assert (settings.key_set_at_ms, settings.own_characters) == (NOW, False)
    assert await servers.key(GUILD) == KEY
    replaced = await servers.put_key(GUILD, "sk-nano-fake-other", NOW + 1)
    assert replaced is not None
    assert (replaced.key_set_at_ms, replaced.manager_role_id) == (NOW + 1, FULL.manager_role_id)
    assert await servers.key(GUILD) == "sk-nano-fake-other"


async def test_a_server_may_have_a_key_before_any_setting(servers: Servers) -> None:
    assert await servers.put_key(GUILD, KEY, NOW) == ServerSettings(GUILD, key_set_at_ms=NOW)


async def test_a_server_that_was_left_gets_no_key_until_it_is_joined_again(
    servers: Servers, database: Database
) -> None:
    guilds = Guilds(database)
    await guilds.left(GUILD, NOW)
    assert await servers.put_key(GUILD, KEY, NOW) is None
    assert await servers.all() == []
    await guilds.seen([GUILD], NOW + 1)
    assert await servers.put_key(GUILD, KEY, NOW + 1) is not None


async def test_a_removed_key_is_gone(servers: Servers) -> None:
    await servers.put_key(GUILD, KEY, NOW)
    assert await servers.remove_key(GUILD)
    assert not await servers.remove_key(GUILD)
    assert await servers.key(GUILD) is None
    assert await servers.key(OTHER) is None
    assert await servers.all() == [ServerSettings(GUILD)]


async def test_a_lost_vault_key_does_not_let_the_server_pay_with_nothing(servers: Servers, database: Database) -> None:
    await servers.put_key(GUILD, KEY, NOW)
    other = Servers(database, Vault([MasterKey(b"o" * 32)]))
    assert await other.key(GUILD) is None
    (settings,) = await other.all()
    assert settings.key_set_at_ms == NOW
    assert await other.remove_key(GUILD)
