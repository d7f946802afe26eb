"""What the staff of a server may set for it."""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from bot.domain.ids import ChannelId, GuildId, RoleId
from bot.domain.linking_wording import BAD_KEY, NO_KEY_TYPED, UNCHECKED_KEY
from bot.domain.notices import missing_rights
from bot.domain.payers import server_payer
from bot.domain.ratings import ContentRating
from bot.domain.rights import Right
from bot.domain.server_wording import KEY_KEPT, KEY_REMOVED, LEFT_MEANWHILE, NO_EVERYONE, NO_KEY, panel
from bot.domain.servers import ServerSettings
from bot.errors import UserError
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import BadKeyError, NanoGptError
from bot.nanogpt.requests import ApiKey, UnusableKeyError
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.breakers import Breakers
from bot.services.ceilings import Ceilings
from bot.services.server_rules import ServerRules

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 10.0
"""How long NanoGPT may take to try a key."""
LOGGING_RIGHTS: Final = frozenset({Right.VIEW_CHANNEL, Right.SEND_MESSAGES})


class ServerSettingsService:
    """Changes a server's settings. Who may, the caller has looked at; `apply` makes a change felt, after the answer."""

    def __init__(
        self,
        *,
        rules: ServerRules,
        nanogpt: NanoGptClient,
        upkeep: BindingUpkeep,
        breakers: Breakers,
        ceilings: Ceilings,
    ) -> None:
        self._rules = rules
        self._nanogpt = nanogpt
        self._upkeep = upkeep
        self._breakers = breakers
        self._ceilings = ceilings

    def of(self, guild_id: GuildId) -> ServerSettings:
        """Return the settings of a server."""
        return self._rules.of(guild_id)

    def overview(self, guild_id: GuildId) -> str:
        """Tell the settings of a server."""
        return panel(self._rules.of(guild_id), highest=self._ceilings.highest())

    @property
    def highest(self) -> ContentRating:
        """The strongest rating that the operator allows anywhere."""
        return self._ceilings.highest()

    async def set_manager_role(self, guild_id: GuildId, role_id: RoleId | None) -> None:
        """Name the role whose holders may decide who speaks, or none. Raises UserError for everyone's."""
        if role_id == guild_id:
            # The role that everyone has carries the id of the server.
            raise UserError(NO_EVERYONE)
        await self._rules.change(guild_id, lambda before: replace(before, manager_role_id=role_id))

    async def set_rating_max(self, guild_id: GuildId, rating: ContentRating | None) -> None:
        """Lower what may be shown anywhere in the server; None leaves it to the operator."""
        await self._rules.change(guild_id, lambda before: replace(before, rating_max=rating))

    async def set_log_channel(
        self, guild_id: GuildId, channel_id: ChannelId | None, *, missing: frozenset[Right] = frozenset()
    ) -> None:
        """Name the channel that gets copies of reports, or none. Raises UserError where the bot may not write."""
        lacking = missing & LOGGING_RIGHTS
        if channel_id is not None and lacking:
            raise UserError(missing_rights(lacking, channel_id))
        await self._rules.change(guild_id, lambda before: replace(before, log_channel_id=channel_id))

    async def set_own_characters(self, guild_id: GuildId, *, allowed: bool) -> None:
        """Allow members to bring private characters of their own, or forbid it."""
        await self._rules.change(guild_id, lambda before: replace(before, own_characters=allowed))

    async def set_key(self, guild_id: GuildId, typed: str) -> str:
        """Keep the key that the server pays with, once NanoGPT has taken it; return what that means.

        Raises UserError, and keeps nothing, otherwise.
        """
        try:
            key = ApiKey(typed, server_payer(guild_id))
        except UnusableKeyError:
            # Not even the exception's context may carry what was typed.
            raise UserError(NO_KEY_TYPED) from None
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._nanogpt.accounts.balance(key=key)
        except BadKeyError as error:
            raise UserError(BAD_KEY) from error
        except (NanoGptError, TimeoutError) as error:
            _log.info("A server's key could not be checked: %r", error)
            raise UserError(UNCHECKED_KEY) from error
        if await self._rules.set_key(guild_id, key.reveal()) is None:
            raise UserError(LEFT_MEANWHILE)
        self._breakers.forget(key.id)
        _log.info("Server %s pays with a key of its own", guild_id)
        return KEY_KEPT

    async def remove_key(self, guild_id: GuildId) -> str:
        """Delete the server's key; return what that means. Raises UserError when there is none."""
        if not await self._rules.remove_key(guild_id):
            raise UserError(NO_KEY)
        self._breakers.forget(server_payer(guild_id))
        _log.info("Server %s pays with a key of its own no more", guild_id)
        return KEY_REMOVED

    async def apply(self, guild_id: GuildId) -> None:
        """Let the characters of a server feel what has changed: some may have to pause, others may go on."""
        await self._upkeep.server_changed(guild_id)
