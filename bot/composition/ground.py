"""What every other part stands on."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from bot.composition.nanogpt import open_nanogpt
from bot.composition.stores import Stores, open_stores
from bot.config import Settings
from bot.domain.payers import OPERATOR
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.pace import Pace
from bot.nanogpt.requests import ApiKey
from bot.services.clock import Clock
from bot.services.key_ring import KeyRing


@dataclass(frozen=True, slots=True)
class Ground:
    """The settings, the clock, the tables, and the way to NanoGPT with the keys for it."""

    settings: Settings
    clock: Clock
    stores: Stores
    nanogpt: NanoGptClient
    keys: KeyRing


async def open_ground(settings: Settings, clock: Clock, pace: Pace | None, stack: AsyncExitStack) -> Ground:
    """Open the database first and the connections to NanoGPT after it. Raises StoreError and KeyFileError."""
    stores = await open_stores(settings, clock, stack)
    nanogpt = await open_nanogpt(settings, pace, clock, stack)
    keys = KeyRing(operator=operator_key(settings), accounts=stores.accounts, servers=stores.servers, clock=clock)
    return Ground(settings, clock, stores, nanogpt, keys)


def operator_key(settings: Settings) -> ApiKey:
    """Return the key that pays where nobody else does."""
    return ApiKey(settings.nanogpt.api_key.get_secret_value(), OPERATOR)
