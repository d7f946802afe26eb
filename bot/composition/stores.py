"""The database, the vault, and the tables."""

import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bot.config import Settings
from bot.services.clock import Clock
from bot.store.accounts import Accounts
from bot.store.bindings import Bindings
from bot.store.card_originals import CardOriginals
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.drafts import Drafts
from bot.store.guilds import Guilds
from bot.store.members import Members
from bot.store.notices import Notices
from bot.store.outbox import Outbox
from bot.store.own_characters import OwnCharacters
from bot.store.paid_turns import PaidTurns
from bot.store.personal import Personal
from bot.store.posts import Posts
from bot.store.ratings import Ratings
from bot.store.reports import Reports
from bot.store.retention import Retention
from bot.store.reviews import Reviews
from bot.store.search_pages import SearchPages
from bot.store.servers import Servers
from bot.store.state import State
from bot.store.turns import Turns
from bot.store.vault import MasterKey, Vault, load_or_create_key_file, parse_key
from bot.store.watches import Watches
from bot.store.webhooks import Webhooks

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stores:
    """The tables."""

    database: Database
    vault: Vault
    turns: Turns
    posts: Posts
    bindings: Bindings
    conversations: Conversations
    characters: Characters
    ratings: Ratings
    reviews: Reviews
    reports: Reports
    outbox: Outbox
    search_pages: SearchPages
    webhooks: Webhooks
    notices: Notices
    members: Members
    personal: Personal
    guilds: Guilds
    retention: Retention
    state: State
    accounts: Accounts
    servers: Servers
    own_characters: OwnCharacters
    paid_turns: PaidTurns
    drafts: Drafts
    card_originals: CardOriginals
    watches: Watches


async def open_stores(settings: Settings, clock: Clock, stack: AsyncExitStack) -> Stores:
    """Open the database, with the keys for what it holds sealed. Raises StoreError and KeyFileError."""
    keys = vault_keys(settings)
    database = await Database.open(settings.database.path, now_ms=clock.now_ms())
    stack.push_async_callback(database.close)
    vault = Vault(keys)
    turns = Turns(database, vault)
    outbox = Outbox(database)
    ratings = Ratings(database, vault)
    return Stores(
        database=database,
        vault=vault,
        turns=turns,
        posts=Posts(database, turns),
        bindings=Bindings(database),
        conversations=Conversations(database),
        characters=Characters(database),
        ratings=ratings,
        reviews=Reviews(database, ratings, outbox),
        reports=Reports(database, vault, outbox),
        outbox=outbox,
        search_pages=SearchPages(database),
        webhooks=Webhooks(database, vault),
        notices=Notices(database),
        members=Members(database),
        personal=Personal(database),
        guilds=Guilds(database),
        retention=Retention(database),
        state=State(database),
        accounts=Accounts(database, vault),
        servers=Servers(database, vault),
        own_characters=OwnCharacters(database, vault),
        paid_turns=PaidTurns(database),
        drafts=Drafts(database, vault),
        card_originals=CardOriginals(database, vault),
        watches=Watches(database, vault),
    )


def vault_keys(settings: Settings) -> list[MasterKey]:
    """Return the keys of the settings, else that of the key file, which is made where there is none."""
    keys = [parse_key(key.get_secret_value()) for key in settings.vault.keys]
    if not keys and settings.database.path.exists() and not settings.vault_key_file.exists():
        _log.warning(
            "There is no key file %s, so a new one is made: what the database holds sealed cannot be read with it",
            settings.vault_key_file,
        )
    return keys or [load_or_create_key_file(settings.vault_key_file)]
