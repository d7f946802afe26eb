import asyncio
import logging

import pytest

from bot.domain.failures import Failure, FailureCause
from bot.domain.ids import ChannelId, GuildId, RoleId
from bot.domain.linking_wording import BAD_KEY, NO_KEY_TYPED, UNCHECKED_KEY
from bot.domain.payers import OPERATOR, server_payer
from bot.domain.ratings import ContentLimits, ContentRating
from bot.domain.rights import Right
from bot.domain.server_wording import KEY_KEPT, KEY_REMOVED, LEFT_MEANWHILE, NO_EVERYONE, NO_KEY
from bot.errors import UserError
from bot.services.breakers import Breakers
from bot.services.ceilings import Ceilings
from bot.services.server_settings import ServerSettingsService
from bot.store.database import Database
from bot.store.guilds import Guilds
from bot.store.vault import Vault
from tests.support.manual_clock import START_MS, ManualClock
from tests.support.relay_world import GUILD, RelayWorld
from tests.support.scripted_accounts import ScriptedAccounts

KEY = "sk-nano-fake-server"
LOG = ChannelId(333)


class Panel:
    def __init__(self, database: Database, vault: Vault, clock: ManualClock) -> None:
        self.relay = RelayWorld(database, vault, clock)
        self.rules = self.relay.parts.rules
        self.upstream = ScriptedAccounts()
        self.upstream.account(KEY)
        self.breakers = Breakers(clock.clock)
        self.settings = ServerSettingsService(
            rules=self.rules,
            nanogpt=self.upstream.client(clock),
            upkeep=self.relay.upkeep,
            breakers=self.breakers,
            ceilings=Ceilings(ContentLimits(), self.rules.rating_max),
        )


@pytest.fixture
def guilds(database: Database) -> Guilds:
    return Guilds(database)


@pytest.fixture
async def panel(database: Database, vault: Vault, clock: ManualClock) -> Panel:
    made = Panel(database, vault, clock)
    await made.relay.open()
    return made


async def test_each_setting_is_changed_alone(panel: Panel) -> None:
    settings = panel.settings
    await settings.set_manager_role(GUILD, RoleId(5))
    await settings.set_rating_max(GUILD, ContentRating.SUGGESTIVE)
    await settings.set_log_channel(GUILD, LOG)
    await settings.set_own_characters(GUILD, allowed=False)
    now = settings.of(GUILD)
    assert (now.manager_role_id, now.rating_max, now.log_channel_id, now.own_characters) == (
        5,
        ContentRating.SUGGESTIVE,
        LOG,
        False,
    )
    await settings.set_manager_role(GUILD, None)
    await settings.set_rating_max(GUILD, None)
    await settings.set_log_channel(GUILD, None, missing=frozenset(Right))
    await settings.set_own_characters(GUILD, allowed=True)
    now = settings.of(GUILD)
    assert (now.manager_role_id, now.rating_max, now.log_channel_id, now.own_characters) == (None, None, None, True)
    assert settings.highest is ContentRating.NSFW
    assert "`nsfw` at most" in settings.overview(GUILD)


async def test_a_role_that_everyone_has_is_refused(panel: Panel) -> None:
    with pytest.raises(UserError, match=NO_EVERYONE):
        await panel.settings.set_manager_role(GUILD, RoleId(GUILD))
    assert panel.settings.of(GUILD).manager_role_id is None


async def test_a_log_channel_has_to_be_one_that_the_bot_may_write_in(panel: Panel) -> None:
    with pytest.raises(UserError, match="View Channel and Send Messages"):
        await panel.settings.set_log_channel(GUILD, LOG, missing=frozenset(Right))
    await panel.settings.set_log_channel(GUILD, LOG, missing=frozenset({Right.MANAGE_WEBHOOKS}))
    assert panel.settings.of(GUILD).log_channel_id == LOG


async def test_a_key_is_tried_kept_and_deleted(panel: Panel) -> None:
    payer = server_payer(GUILD)
    binding = await panel.relay.bind()
    panel.breakers.note(payer, Failure(FailureCause.BALANCE))
    assert await panel.settings.set_key(GUILD, f" {KEY} ") == KEY_KEPT
    assert panel.breakers.failure(payer) is None
    await panel.settings.apply(GUILD)
    assert panel.relay.index.get(binding.channel_id) is not None
    assert [each.payer for each in panel.relay.index] == [payer]
    panel.breakers.note(payer, Failure(FailureCause.BALANCE))
    assert await panel.settings.remove_key(GUILD) == KEY_REMOVED
    assert panel.breakers.failure(payer) is None
    await panel.settings.apply(GUILD)
    assert [each.payer for each in panel.relay.index] == [OPERATOR]
    with pytest.raises(UserError, match=NO_KEY):
        await panel.settings.remove_key(GUILD)


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ("two words", 200, NO_KEY_TYPED),
        ("sk-nano-fake-unknown", 200, BAD_KEY),
        (KEY, 503, UNCHECKED_KEY),
    ],
)
async def test_what_is_no_good_key_is_neither_kept_nor_repeated(
    panel: Panel, caplog: pytest.LogCaptureFixture, typed: str, status: int, sentence: str
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    panel.upstream.status = status
    with pytest.raises(UserError) as caught:
        await panel.settings.set_key(GUILD, typed)
    assert caught.value.sentence == sentence
    assert panel.rules.payer(GUILD) == OPERATOR
    assert typed not in f"{caplog.text} {sentence} {caught.value.__cause__!r}"


async def test_a_key_that_is_being_checked_while_the_bot_is_removed_is_not_kept(panel: Panel, guilds: Guilds) -> None:
    answer = panel.upstream.held_keys[KEY] = asyncio.Event()
    setting = asyncio.create_task(panel.settings.set_key(GUILD, KEY))
    await panel.upstream.looked_at.wait()
    await guilds.left(GUILD, START_MS)
    await panel.relay.upkeep.guild_left(GUILD)
    answer.set()
    with pytest.raises(UserError, match=LEFT_MEANWHILE):
        await setting
    assert await panel.relay.parts.servers.key(GUILD) is None
    assert panel.rules.payer(GUILD) == OPERATOR
    await guilds.seen([GUILD], START_MS)
    assert await panel.settings.set_key(GUILD, KEY) == KEY_KEPT


async def test_servers_do_not_share_their_settings(panel: Panel) -> None:
    await panel.settings.set_rating_max(GUILD, ContentRating.SFW)
    await panel.settings.set_key(GUILD, KEY)
    other = panel.settings.of(GuildId(201))
    assert (other.rating_max, other.key_set_at_ms) == (None, None)
