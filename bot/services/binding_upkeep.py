"""What becomes of who speaks where: characters, payers, servers and channels change, and bindings with them."""

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from bot.domain.bindings import Binding, BindingState, PauseCause
from bot.domain.gate import FRESH_MS
from bot.domain.ids import ChannelId, CharacterRef, GuildId, MessageId, PayerId, snowflake_at
from bot.domain.payers import paying_member
from bot.domain.places import Place
from bot.nanogpt.requests import ApiKey
from bot.services.binding_book import BindingBook
from bot.services.binding_gate import BindingGate
from bot.services.binding_index import BindingIndex
from bot.services.catalog import CatalogService, Standing
from bot.services.clock import Clock
from bot.services.outlet import Destination
from bot.services.own_characters import OwnCharacterService
from bot.services.server_rules import ServerRules
from bot.services.standing_notices import StandingNotices
from bot.services.surroundings import SurroundingsOf
from bot.store.bindings import Bindings

_log = logging.getLogger(__name__)

WATCH_INTERVAL_SECONDS: Final = 900.0
"""How often paused characters are looked at again unasked."""
PAUSED_FRESH_MS: Final = 14_000
"""How old what is known of a paused character may be when it is looked at again: it has changed since, if at all."""


class BindingUpkeep:
    """Loads what is bound, and pauses, wakes and ends it as events ask for."""

    def __init__(
        self,
        *,
        book: BindingBook,
        standings: StandingNotices,
        bindings: Bindings,
        index: BindingIndex,
        catalog: CatalogService,
        gate: BindingGate,
        own: OwnCharacterService,
        rules: ServerRules,
        surroundings_of: SurroundingsOf,
        clock: Clock,
    ) -> None:
        self._book = book
        self._standings = standings
        self._bindings = bindings
        self._index = index
        self._catalog = catalog
        self._gate = gate
        self._own = own
        self._rules = rules
        self._surroundings_of = surroundings_of
        self._clock = clock

    async def load(self) -> None:
        """Fill the index from the store, at the start of the process."""
        self._index.load(await self._bindings.live())
        await self._settle_payers(self._index)

    # Pausing and waking.

    async def pause(self, binding: Binding, cause: PauseCause) -> Binding | None:
        """Stop a character from speaking in its channel, and say so there.

        Returns the binding as it stands now; None when it was paused for this cause already, or has ended.
        """
        async with self._book.changing:
            paused = await self._bindings.pause(binding.id, cause)
            if paused is None:
                return None
            self._index.put(paused)
        await self._say_paused(paused, cause)
        return paused

    async def _say_paused(self, paused: Binding, cause: PauseCause) -> None:
        _log.info("Binding %s is paused: %s", paused.id, cause.value)
        await self._standings.tell_paused(paused, cause)

    async def resume(self, binding: Binding, active_from: MessageId | None = None) -> Binding | None:
        """Let a paused character speak again, and say so in its channel.

        What was said up to `active_from`, by default until now, is not answered. Returns the binding as it stands
        now; None when it was not paused.
        """
        if active_from is None:
            active_from = MessageId(snowflake_at(self._clock.now_ms()))
        async with self._book.changing:
            resumed = await self._bindings.resume(binding.id, active_from)
            if resumed is None:
                return None
            self._index.put(resumed)
            self._book.forget_look(resumed.id)
        _log.info("Binding %s goes on", binding.id)
        await self._standings.tell_resumed(resumed)
        return resumed

    async def recheck(
        self, binding: Binding, standing: Standing, active_from: MessageId | None = None
    ) -> Binding | None:
        """Pause or wake a character as its standing asks for; returns the binding when that changed it."""
        if standing.cause is not None:
            return await self.pause(binding, standing.cause)
        if binding.state is BindingState.PAUSED:
            return await self.resume(binding, active_from)
        return None

    async def paused_message(self, binding: Binding, message_id: MessageId | None = None) -> Binding | None:
        """Look again at a paused character because somebody spoke in its channel, at most every 15 seconds.

        Returns the binding when it speaks again, so that this message may be answered. `message_id` is the first
        message that is; without it, what was said until now is not answered.
        """
        if not self._book.may_look_again(binding):
            return None
        active_from = None if message_id is None else MessageId(message_id - 1)
        changed = await self._look_again(binding, active_from)
        return changed if changed is not None and changed.state is BindingState.ACTIVE else None

    async def keep_watch(self) -> None:
        """Look every 15 minutes at the paused characters, and at those that members pay for; runs until cancelled."""
        while True:
            await self._clock.sleep(WATCH_INTERVAL_SECONDS)
            for binding in self._index:
                if binding.state is not BindingState.PAUSED and paying_member(binding.payer) is None:
                    continue
                try:
                    await self._look_again(binding, None)
                except Exception:  # noqa: BLE001 - one channel's trouble must not end the watch over the others
                    _log.exception("Binding %s could not be looked at again", binding.id)

    async def _look_again(
        self, binding: Binding, active_from: MessageId | None, fresh_ms: int | None = None
    ) -> Binding | None:
        surroundings = self._surroundings_of(Destination(binding.guild_id, binding.channel_id))
        if surroundings is None:
            return None
        if fresh_ms is None:
            fresh_ms = PAUSED_FRESH_MS if binding.state is BindingState.PAUSED else FRESH_MS
        ceiling = self._catalog.ceiling(surroundings.place)
        standing = await self._gate.standing(binding, ceiling=ceiling, fresh_ms=fresh_ms)
        return await self.recheck(binding, standing, active_from)

    # What becomes of a character.

    def channels_of(self, ref: CharacterRef) -> int:
        """Count the channels in which a character is bound, paused or not."""
        return sum(binding.character_ref == ref for binding in self._index)

    async def character_changed(self, ref: CharacterRef) -> None:
        """Look again at a character wherever it is bound, as it has just been changed, or decided about."""
        for binding in self._index:
            if binding.character_ref == ref:
                await self._look_closely(binding)

    async def _look_closely(self, binding: Binding) -> None:
        """Look again, trusting nothing that is known of the character."""
        try:
            changed = await self._look_again(binding, None, fresh_ms=0)
            if changed is not None and changed.state is BindingState.PAUSED:
                await self._book.stop_all(changed)
        except Exception:  # noqa: BLE001 - one channel's trouble must not keep the others
            _log.exception("Binding %s could not be looked at again", binding.id)

    async def key_refused(self, binding: Binding, key: ApiKey | None) -> None:
        """Take note that NanoGPT refused a key; what a member pays for with it stops until it takes one.

        None is a key that was not tried again, as the last answer about it was that.
        """
        user_id = paying_member(binding.payer)
        if user_id is not None and await self._own.refused(user_id, key):
            await self.pause(binding, PauseCause.KEY_REFUSED)

    async def key_accepted(self, payer: PayerId) -> None:
        """Look again at what stopped because NanoGPT refused a member's key, as it takes that key after all."""
        for binding in self._index:
            if binding.payer == payer and binding.pause_cause is PauseCause.KEY_REFUSED:
                await self._look_closely(binding)

    async def payer_gone(self, payer: PayerId) -> None:
        """Stop what a member paid for, as they have taken their account away; the store has paused it with that."""
        for stopped in await self._bindings.paid_by(payer):
            async with self._book.changing:
                before = self._index.get(stopped.channel_id)
                if before is None or before.id != stopped.id:
                    continue
                self._index.put(stopped)
            await self._book.stop_all(stopped)
            if before.pause_cause is not PauseCause.UNLINKED:
                await self._say_paused(stopped, PauseCause.UNLINKED)

    # What the staff of a server set.

    async def server_changed(self, guild_id: GuildId) -> None:
        """Take note of a server's settings as they stand now: who pays, what may be shown, who may decide."""
        await self._settle_payers(binding for binding in self._index if binding.guild_id == guild_id)
        for binding in self._index:
            if binding.guild_id != guild_id:
                continue
            changed = await self._look_again(binding, None)
            if changed is not None and changed.state is BindingState.PAUSED:
                await self._book.stop_all(changed)

    async def _settle_payers(self, bindings: Iterable[Binding]) -> None:
        """Let the server's key pay where the operator's did, or the other way round; members' agreements stay."""
        async with self._book.changing:
            for binding in bindings:
                payer = self._rules.payer(binding.guild_id)
                if binding.payer != payer and paying_member(binding.payer) is None:
                    changed = await self._bindings.set_payer(binding.id, payer)
                    if changed is not None:
                        self._index.put(changed)

    # What happens on Discord.

    async def channel_changed(self, channel_id: ChannelId, *, age_restricted: bool) -> None:
        """Take note of a channel as it stands now: it may have lost or gained its age restriction."""
        binding = self._index.get(channel_id)
        if binding is None:
            return
        ceiling = self._catalog.ceiling(Place(binding.guild_id, channel_id, None, age_restricted))
        if binding.state is BindingState.PAUSED:
            await self.recheck(binding, await self._gate.standing(binding, ceiling=ceiling))
            return
        # From memory, so that nothing has to be waited for; every reply is checked anew in any case.
        known = self._gate.known(binding)
        if known is not None and known.character.rating > ceiling:
            await self.pause(binding, PauseCause.ABOVE_CEILING)
            await self._book.stop_all(binding)

    async def channel_deleted(self, channel_id: ChannelId) -> None:
        """End what was bound to a channel that is no more."""
        binding = self._index.get(channel_id)
        if binding is not None:
            await self._book.stop_all(binding)
            async with self._book.changing:
                await self._book.end(binding)

    async def channels_seen(self, channels: Mapping[GuildId, Collection[ChannelId]]) -> None:
        """End what is bound to channels that their servers no longer have.

        Discord tells of no deletion that the bot was away for. It does name every channel of a server, also those that
        the bot may not view (https://discord.com/developers/docs/topics/permissions#channel-visibility).
        """
        for binding in self._index:
            there = channels.get(binding.guild_id)
            if there is not None and binding.channel_id not in there:
                _log.info("Channel %s is gone, and with it binding %s", binding.channel_id, binding.id)
                await self.channel_deleted(binding.channel_id)

    async def guild_left(self, guild_id: GuildId) -> None:
        """Fall silent in a server that the bot was removed from; an outage is no such thing.

        What is stored stays for the grace that the retention gives, so that a removal by mistake can be undone. The
        server's key does not.
        """
        await self._rules.remove_key(guild_id)
        for binding in self._index:
            if binding.guild_id == guild_id:
                self._index.drop(binding.channel_id)
                await self._book.stop_all(binding)

    async def guild_joined(self, guild_id: GuildId) -> None:
        """Speak again where the bot spoke before it was removed, if that is not forgotten yet."""
        for binding in await self._bindings.by_guild(guild_id):
            self._index.put(binding)
        await self._settle_payers(binding for binding in self._index if binding.guild_id == guild_id)
