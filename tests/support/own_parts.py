"""What stands behind members' own characters: their keys, what those see, and where their owners are."""

from dataclasses import dataclass, field
from typing import Final

from bot.domain.ids import ChannelId, GuildId, UserId
from bot.domain.payers import OPERATOR
from bot.domain.rights import MemberRights
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.requests import ApiKey
from bot.services.binding_gate import BindingGate
from bot.services.catalog import CatalogService
from bot.services.key_ring import KeyRing
from bot.services.outlet import OutletError
from bot.services.own_characters import OwnCharacterService
from bot.services.own_shelf import OwnShelf
from bot.services.server_rules import ServerRules
from bot.store.accounts import Accounts
from bot.store.database import Database
from bot.store.own_characters import OwnCharacters
from bot.store.servers import Servers
from bot.store.vault import Vault
from tests.support.manual_clock import ManualClock

OPERATOR_KEY: Final = ApiKey("sk-nano-fake-0000", OPERATOR)
MANAGER: Final = MemberRights(manages_channel=True)


@dataclass
class Membership:
    """Who is in the servers, with what rights; nobody unless put there."""

    rights: dict[UserId, MemberRights] = field(default_factory=dict[UserId, MemberRights])
    error: OutletError | None = None
    asked: list[tuple[GuildId, ChannelId, UserId]] = field(default_factory=list[tuple[GuildId, ChannelId, UserId]])

    async def rights_of(self, guild_id: GuildId, channel_id: ChannelId, user_id: UserId) -> MemberRights | None:
        """Answer as Discord would."""
        self.asked.append((guild_id, channel_id, user_id))
        if self.error is not None:
            raise self.error
        return self.rights.get(user_id)


class OwnParts:
    """The services for one run of the bot."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: ManualClock,
        *,
        catalog: CatalogService,
        nanogpt: NanoGptClient,
        rules: ServerRules | None = None,
        membership: Membership | None = None,
    ) -> None:
        self.accounts = Accounts(database, vault)
        self.servers = Servers(database, vault)
        self.rules = rules or ServerRules(servers=self.servers, clock=clock.clock)
        self.keys = KeyRing(operator=OPERATOR_KEY, accounts=self.accounts, servers=self.servers, clock=clock.clock)
        self.shelf = OwnShelf(own=OwnCharacters(database, vault), made_private=catalog.made_private, clock=clock.clock)
        self.membership = membership or Membership()
        self.own = OwnCharacterService(
            shelf=self.shelf,
            accounts=self.accounts,
            keys=self.keys,
            nanogpt=nanogpt,
            rules=self.rules,
            rights_of=self.membership.rights_of,
            clock=clock.clock,
        )
        self.gate = BindingGate(catalog=catalog, own=self.own)

    async def load(self) -> None:
        """Load what a start loads."""
        await self.rules.load()
        await self.shelf.load()
