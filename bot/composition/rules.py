"""What decides who may be shown and who may speak where."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from bot.composition.discord_side import DiscordSide
from bot.composition.ground import Ground
from bot.gateway.members import MemberReader
from bot.services.binding_gate import BindingGate
from bot.services.catalog import CatalogService
from bot.services.catalog_search import SearchService
from bot.services.ceilings import Ceilings
from bot.services.character_shelf import CharacterShelf
from bot.services.own_characters import OwnCharacterService
from bot.services.own_shelf import OwnShelf
from bot.services.server_rules import ServerRules


@dataclass(frozen=True, slots=True)
class Rules:
    """What servers set, what the catalogue says, and what members' own keys see."""

    servers: ServerRules
    ceilings: Ceilings
    catalog: CatalogService
    searches: SearchService
    own_shelf: OwnShelf
    own: OwnCharacterService
    gate: BindingGate


async def open_rules(ground: Ground, discord_side: DiscordSide, stack: AsyncExitStack) -> Rules:
    """Build the rules, and load what is remembered of servers and characters."""
    stores, nanogpt, clock = ground.stores, ground.nanogpt, ground.clock
    servers = ServerRules(servers=stores.servers, clock=clock)
    await servers.load()
    ceilings = Ceilings(ground.settings.content.limits, servers.rating_max)
    shelf = CharacterShelf(characters=stores.characters, clock=clock)
    await shelf.load()
    catalog = CatalogService(shelf=shelf, client=nanogpt, ceilings=ceilings, clock=clock)
    stack.push_async_callback(catalog.aclose)
    searches = SearchService(shelf=shelf, client=nanogpt, pages=stores.search_pages, clock=clock)
    own_shelf = OwnShelf(own=stores.own_characters, made_private=catalog.made_private, clock=clock)
    await own_shelf.load()
    own = OwnCharacterService(
        shelf=own_shelf,
        accounts=stores.accounts,
        keys=ground.keys,
        nanogpt=nanogpt,
        rules=servers,
        rights_of=MemberReader(discord_side.client).rights,
        clock=clock,
    )
    stack.push_async_callback(own.aclose)
    gate = BindingGate(catalog=catalog, own=own)
    return Rules(servers, ceilings, catalog, searches, own_shelf, own, gate)
