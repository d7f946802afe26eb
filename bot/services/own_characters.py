"""Characters of members' own, which only their owner's key may use: finding them, and whether they may speak."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from bot.domain.bindings import Binding, PauseCause, Trigger
from bot.domain.characters import KnownCharacter
from bot.domain.gate import FRESH_MS, own_pause_cause
from bot.domain.ids import ChannelId, CharacterRef, GuildId, UserId
from bot.domain.linking_wording import KEY_REFUSED, NOT_LINKED
from bot.domain.own_wording import GONE, NOT_YOURS
from bot.domain.payers import paying_member
from bot.domain.ratings import ContentRating
from bot.domain.rights import MemberRights, may_decide
from bot.domain.suggestions import folded, looked_for
from bot.errors import UserError
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import BadKeyError, NanoGptError, NotFoundError
from bot.nanogpt.requests import ApiKey
from bot.services.catalog import CATALOGUE_DOWN, QUIET_SECONDS, READ_SECONDS, RESOLVE_SECONDS, REUSE_MS
from bot.services.clock import Clock
from bot.services.key_ring import KeyRing
from bot.services.outlet import OutletError
from bot.services.own_shelf import OwnShelf, UnlinkedError
from bot.services.server_rules import ServerRules
from bot.services.single_flight import SingleFlight
from bot.store.accounts import Accounts

_log = logging.getLogger(__name__)

MOST_PAGES: Final = 20
"""Pages of one's own characters that are looked through for one."""
OWNER_FRESH_SECONDS: Final = 600.0
"""How long it counts that an owner was seen in a server with the right to decide."""
OWNER_AWAY_SECONDS: Final = 60.0
"""How long it counts that they were not: Discord answers 404 to each look for somebody who is not there."""

RightsOf: TypeAlias = Callable[[GuildId, ChannelId, UserId], Awaitable[MemberRights | None]]
"""Asks Discord what a member holds in a channel; None for one who is not in the server. Raises OutletError."""


class OwnCharacterFound(UserError):
    """What a member named is a character of their own, so that they have to agree to pay for it first."""

    def __init__(self, question: str, known: KnownCharacter, trigger: Trigger) -> None:
        super().__init__(question)
        self.known = known
        self.trigger = trigger


class OwnCharacterService:
    """Knows members' own characters by what their owners' keys see, and never tries another key."""

    def __init__(
        self,
        *,
        shelf: OwnShelf,
        accounts: Accounts,
        keys: KeyRing,
        nanogpt: NanoGptClient,
        rules: ServerRules,
        rights_of: RightsOf,
        clock: Clock,
    ) -> None:
        self._shelf = shelf
        self._accounts = accounts
        self._keys = keys
        self._nanogpt = nanogpt
        self._rules = rules
        self._rights_of = rights_of
        self._clock = clock
        self._reads = SingleFlight(self._read)
        self._owners: dict[tuple[GuildId, ChannelId, UserId], tuple[float, bool]] = {}
        self._quiet_until = 0.0
        self._refused_ms: dict[tuple[UserId, CharacterRef], int] = {}

    async def aclose(self) -> None:
        """Cancel the reads under way, and wait for them."""
        await self._reads.aclose()

    def known(self, user_id: UserId, ref: CharacterRef) -> KnownCharacter | None:
        """Return what a member's key has seen of a character, from memory."""
        return self._shelf.by_ref(user_id, ref)

    async def find(self, user_id: UserId, typed: str) -> KnownCharacter | None:
        """Look for the character that a member named among their own: by id, slug or name.

        None where there is none, or more than one of that name, and for a member without an account. Raises UserError
        when NanoGPT refuses the key or does not answer.
        """
        key = await self._keys.of_member(user_id)
        if key is None:
            return None
        address = looked_for(typed) or typed.strip()
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                named = await self._named(user_id, address, key)
                if len(named) != 1:
                    return None
                named_id = named[0].character.id
                found = await self._nanogpt.desk.own_character(named_id, key=key)
                return await self._shelf.remember(user_id, found.under(named_id).character)
        except NotFoundError:
            return None
        except BadKeyError as error:
            await self._keys.refused(key)
            raise UserError(KEY_REFUSED) from error
        except (NanoGptError, TimeoutError) as error:
            _log.info("A member's own characters could not be listed: %r", error)
            raise UserError(CATALOGUE_DOWN) from error

    async def _named(self, user_id: UserId, address: str, key: ApiKey) -> list[KnownCharacter]:
        wanted = folded(address)
        by_name: list[KnownCharacter] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._nanogpt.desk.my_characters(key=key, cursor=cursor)
            listed = [own.character for own in page.characters if not own.character.archived]
            for known in await self._shelf.remember_listed(user_id, listed):
                character = known.character
                if character.id == address or (character.slug or "").lower() == address.lower():
                    return [known]
                if wanted and folded(character.name) == wanted:
                    by_name.append(known)
            cursor = page.next_cursor
            if cursor is None:
                break
        return by_name

    async def current(self, user_id: UserId, ref: CharacterRef) -> KnownCharacter:
        """Return one of a member's own characters as their key sees it now, or saw it within the last minute.

        Raises UserError when it is not theirs, cannot be had, or cannot be asked for.
        """
        if not await self._keys.is_linked(user_id):
            raise UserError(NOT_LINKED)
        known = self._shelf.by_ref(user_id, ref)
        if known is None:
            raise UserError(NOT_YOURS)
        if self._age_ms(known) > REUSE_MS or known.gone_at_ms is not None:
            try:
                known = await self._reads.get((user_id, ref), seconds=RESOLVE_SECONDS)
            except BadKeyError as error:
                raise UserError(KEY_REFUSED) from error
            except (NanoGptError, TimeoutError) as error:
                raise UserError(CATALOGUE_DOWN) from error
        if known.gone_at_ms is not None or known.character.archived:
            raise UserError(GONE)
        self._refused_ms.pop((user_id, ref), None)
        return known

    async def pause_cause(
        self, binding: Binding, *, ceiling: ContentRating, fresh_ms: int = FRESH_MS
    ) -> PauseCause | None:
        """Tell why a member's own character may not speak where it is bound, by knowledge at most `fresh_ms` old.

        1. Its owner has to have an account here, and a key that NanoGPT takes. Who unlinked has to agree anew.
        2. The server has to allow it, and the owner to be there and may decide who speaks in the channel.
        3. The owner's key has to see it, rated within the ceiling.
        """
        user_id = paying_member(binding.payer)
        assert user_id is not None, "only members' own characters are asked about"
        account = await self._accounts.get(user_id)
        known = self._shelf.by_ref(user_id, binding.character_ref)
        if account is None or known is None or binding.pause_cause is PauseCause.UNLINKED:
            return PauseCause.UNLINKED
        if account.refused_at_ms is not None:
            return PauseCause.KEY_REFUSED
        if not self._rules.of(binding.guild_id).own_characters:
            return PauseCause.OWN_FORBIDDEN
        if not await self._owner_may_decide(binding, user_id):
            return PauseCause.OWNER_AWAY
        which = (user_id, binding.character_ref)
        if fresh_ms <= 0:
            self._refused_ms.pop(which, None)
        if self._is_refused(which):
            return PauseCause.UNAVAILABLE
        if self._age_ms(known) > fresh_ms and self._clock.monotonic() >= self._quiet_until:
            try:
                known = await self._reads.get(which, seconds=READ_SECONDS)
            except BadKeyError:
                return PauseCause.KEY_REFUSED
            except (NanoGptError, TimeoutError) as error:
                self._quiet_until = self._clock.monotonic() + QUIET_SECONDS
                _log.info("Own character %s stands by what is known of it: %r", binding.character_ref, error)
        return own_pause_cause(known, ceiling=ceiling, now_ms=self._clock.now_ms())

    async def refused(self, user_id: UserId, key: ApiKey | None) -> bool:
        """Take note that NanoGPT refused a key; tell whether the one that its member has now is refused.

        None is a key that was not tried again, as the last answer about it was that.
        """
        if key is not None:
            await self._keys.refused(key)
        account = await self._accounts.get(user_id)
        return account is not None and account.refused_at_ms is not None

    async def withdrawn(self, binding: Binding) -> None:
        """Write down that a member's own character cannot be spoken with, as the AI service said so.

        It is tried again after 10 minutes, or once its owner brings or changes it.
        """
        user_id = paying_member(binding.payer)
        if user_id is not None:
            await self._shelf.gone(user_id, binding.character_ref)
            self._refused_ms[user_id, binding.character_ref] = self._clock.now_ms()

    async def _owner_may_decide(self, binding: Binding, user_id: UserId) -> bool:
        """Tell whether the owner is there and may decide; while Discord does not say, what it said last counts."""
        place = (binding.guild_id, binding.channel_id, user_id)
        now = self._clock.monotonic()
        seen = self._owners.get(place)
        if seen is not None and now - seen[0] < (OWNER_FRESH_SECONDS if seen[1] else OWNER_AWAY_SECONDS):
            return seen[1]
        try:
            rights = await self._rights_of(*place)
        except OutletError as error:
            _log.info("The owner of an own character could not be looked up in %s: %r", binding.channel_id, error)
            return seen is None or seen[1]
        may = rights is not None and may_decide(rights, self._rules.manager_role(binding.guild_id))
        self._owners[place] = (now, may)
        return may

    def _is_refused(self, which: tuple[UserId, CharacterRef]) -> bool:
        """Tell whether the AI service said lately that a character cannot be spoken with; its owner still sees it."""
        refused_ms = self._refused_ms.get(which)
        return refused_ms is not None and self._clock.now_ms() - refused_ms <= FRESH_MS

    def _age_ms(self, known: KnownCharacter) -> int:
        return self._clock.now_ms() - (known.checked_at_ms or 0)

    async def _read(self, which: tuple[UserId, CharacterRef]) -> KnownCharacter:
        """Read one in full with its owner's key; one that is not there any more comes back marked as gone."""
        user_id, ref = which
        known = self._shelf.by_ref(user_id, ref)
        key = await self._keys.of_member(user_id)
        if known is None or key is None:
            raise BadKeyError
        try:
            found = await self._nanogpt.desk.own_character(known.character.id, key=key)
        except NotFoundError:
            return await self._shelf.gone(user_id, ref) or known
        except BadKeyError:
            await self._keys.refused(key)
            raise
        try:
            return await self._shelf.remember(user_id, found.under(known.character.id).character)
        except UnlinkedError as error:
            # What the key saw is forgotten, and stays so.
            raise BadKeyError from error
