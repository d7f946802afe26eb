"""Which character speaks where: bringing one to a channel, its settings, its pauses, and its leaving."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from bot.domain import notices, own_wording
from bot.domain.bindings import Binding, BindingState, Conversation, PauseCause, Scope, Trigger
from bot.domain.characters import KnownCharacter
from bot.domain.gate import FRESH_MS, Obstacle
from bot.domain.ids import (
    BindingId,
    ChannelId,
    CharacterRef,
    GuildId,
    MessageId,
    PayerId,
    RoleId,
    UserId,
    snowflake_at,
)
from bot.domain.macros import expand_greeting
from bot.domain.payers import member_payer, paying_member
from bot.domain.persona_names import is_taken
from bot.domain.places import Place
from bot.domain.rights import WANTED, MemberRights, Right, may_decide, required
from bot.domain.unicode_text import is_blank
from bot.errors import UserError
from bot.nanogpt.requests import ApiKey
from bot.services.announcing import Announcer
from bot.services.binding_gate import BindingGate
from bot.services.binding_index import BindingIndex
from bot.services.catalog import CatalogService, Obstructed, Standing
from bot.services.clock import Clock
from bot.services.outlet import Destination, OutletError
from bot.services.own_characters import OwnCharacterFound, OwnCharacterService
from bot.services.server_rules import ServerRules
from bot.services.surroundings import SurroundingsOf
from bot.store.bindings import Bindings
from bot.store.conversations import Conversations

_log = logging.getLogger(__name__)

WATCH_INTERVAL_SECONDS: Final = 900.0
"""How often paused characters are looked at again unasked."""
LOOK_AGAIN_AFTER_SECONDS: Final = 15.0
"""How often at most the messages of a channel make its paused character be looked at again."""
PAUSED_FRESH_MS: Final = 14_000
"""How old what is known of a paused character may be when it is looked at again: it has changed since, if at all."""
NAMES_SECONDS: Final = 5.0
"""How long a command waits to hear who spoke in its channel last."""
RESUMED: Final = "resumed"
_PAUSED: Final = {cause: f"paused:{cause.value}" for cause in PauseCause}
_STANDINGS: Final = frozenset({RESUMED, *_PAUSED.values()})
"""The causes of the notices that tell whether a character speaks; the latest of them holds."""

Greeter: TypeAlias = Callable[[Binding, Conversation, KnownCharacter, str], Awaitable[None]]
"""Sees to it that a greeting is posted in the character's voice before anything else is said."""
Holder: TypeAlias = Callable[[Binding], Callable[[], None]]
"""Lets nothing be said for a binding until the function is called that it returns."""
Speakers: TypeAlias = Callable[[Destination], Awaitable[Collection[str]]]
"""Reads the names of who spoke in a place last. Raises an OutletError."""
Stopper: TypeAlias = Callable[[Conversation], Awaitable[None]]
"""Stops the reply that is under way in a conversation, if any, and returns when its turn has ended.

Never called with the lock held: a turn that ends may have to pause its own binding.
"""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a change, and when."""

    user_id: UserId
    display_name: str
    may_manage: bool
    """Holds Manage Channels in the channel."""
    asked_at: MessageId
    """The snowflake of the interaction: what was said up to then belongs to the time before the change."""
    role_ids: frozenset[RoleId] = frozenset()


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a character is to say first."""

    conversation: Conversation
    known: KnownCharacter
    text: str


@dataclass(frozen=True, slots=True)
class BindingChange:
    """What a command came to."""

    binding: Binding
    answer: str
    """For the person who asked, in private."""
    notice: str | None = None
    """For everyone in the channel; goes before the greeting. None where nothing changed for them."""
    greeting: Greeting | None = None
    release: Callable[[], None] | None = None
    """Lets the character speak; None where nothing keeps it from that."""


class BindingService:
    """Binds characters to channels, and keeps the index in memory in step with the store.

    A command is carried out in two steps, `use` or `reset` and then `greet`, so that the notice about the AI service
    can stand in the channel before the character's first words. Between the two the character is silent.
    """

    def __init__(
        self,
        *,
        bindings: Bindings,
        conversations: Conversations,
        index: BindingIndex,
        catalog: CatalogService,
        gate: BindingGate,
        own: OwnCharacterService,
        rules: ServerRules,
        announcer: Announcer,
        surroundings_of: SurroundingsOf,
        greet: Greeter,
        hold: Holder,
        stop: Stopper,
        speakers: Speakers,
        clock: Clock,
        message_content: bool,
        policy_url: str | None = None,
    ) -> None:
        """`message_content` says whether every message can be read."""
        self._bindings = bindings
        self._conversations = conversations
        self._index = index
        self._catalog = catalog
        self._gate = gate
        self._own = own
        self._rules = rules
        self._announcer = announcer
        self._surroundings_of = surroundings_of
        self._greet = greet
        self._hold = hold
        self._stop = stop
        self._speakers = speakers
        self._clock = clock
        self._message_content = message_content
        self._policy_url = policy_url
        self._changing = asyncio.Lock()
        self._looked_at: dict[BindingId, float] = {}

    async def load(self) -> None:
        """Fill the index from the store, at the start of the process."""
        self._index.load(await self._bindings.live())
        await self._settle_payers(self._index)

    def may_decide(self, guild_id: GuildId, asker: Asker) -> bool:
        """Tell whether somebody may decide who speaks in the channel where they asked."""
        rights = MemberRights(asker.may_manage, asker.role_ids)
        return may_decide(rights, self._rules.manager_role(guild_id))

    # What people ask for. Everything that they can put right is a UserError.

    async def use(
        self,
        place: Place | None,
        asker: Asker,
        address: str,
        trigger: Trigger | None = None,
        *,
        missing: frozenset[Right] = frozenset(),
    ) -> BindingChange:
        """Let a character speak in a channel, in the place of the one that did so before.

        `address` is a slug or an id as typed, `missing` what the bot lacks in the channel. Without a trigger a
        character that is there keeps its own, and a new one answers every message where the bot can read them; one
        that a member paid for begins anew, as everybody may use it by now. The caller posts the notice and then calls
        `greet`, or `release` where that came to nothing. Raises UserError, also with the catalogue's refusals, and
        OwnCharacterFound where the character is the asker's own: then `use_own` is what they may agree to.
        """
        place = self._speakable(place, asker, trigger, missing)
        known = await self._resolved(place, asker, address, trigger)
        async with self._changing:
            there = self._index.get(place.channel_id)
            if there is not None and there.character_ref == known.ref and paying_member(there.payer) is None:
                change = await self._use_again(there, known, trigger, asker)
            else:
                change = await self._move_in(place, there, known, self._chosen(trigger), asker)
        return await self._settled_in(change, there, place, asker, missing)

    async def use_own(
        self,
        place: Place | None,
        asker: Asker,
        ref: CharacterRef,
        trigger: Trigger,
        daily_turns: int,
        *,
        missing: frozenset[Right] = frozenset(),
    ) -> BindingChange:
        """Let a member's own character speak in a channel, as they have agreed to pay for so many replies a day.

        Everything is looked at again, as time has passed since they were asked. The caller posts the notice and then
        calls `greet`, or `release` where that came to nothing. Raises UserError.
        """
        place = self._speakable(place, asker, trigger, missing)
        if not self._rules.of(place.guild_id).own_characters:
            raise UserError(own_wording.FORBIDDEN)
        known = await self._own.current(asker.user_id, ref)
        if known.character.rating > self._catalog.ceiling(place):
            raise UserError(own_wording.ABOVE_CEILING)
        async with self._changing:
            there = self._index.get(place.channel_id)
            change = await self._move_in(place, there, known, trigger, asker, daily_turns=daily_turns)
        return await self._settled_in(change, there, place, asker, missing)

    async def _settled_in(
        self, change: BindingChange, there: Binding | None, place: Place, asker: Asker, missing: frozenset[Right]
    ) -> BindingChange:
        """See to what follows once a character may speak: whom it could be taken for, whom it replaces, and a hint."""
        with _released_on_failure(change.release):
            names = {asker.display_name}
            if there is None or there.id != change.binding.id:
                names.update(await self._last_speakers(place))
            change = replace(change, binding=await self.met(change.binding, names))
            if there is not None and there.id != change.binding.id:
                await self._stop_all(there)
        return _with_hint(change, place, missing)

    async def greet(self, change: BindingChange) -> None:
        """Let the character say its first words, if it has any, and then answer what was said meanwhile."""
        if change.greeting is not None:
            greeting = change.greeting
            await self._greet(change.binding, greeting.conversation, greeting.known, greeting.text)
        self.release(change)

    def release(self, change: BindingChange) -> None:
        """Let the character speak, greeted or not; more than once is no harm."""
        if change.release is not None:
            change.release()

    def current(self, place: Place | None) -> str:
        """Tell who speaks in a channel: which character, what it answers, whether it is paused, and who pays."""
        place, binding = self._bound(place)
        return notices.current(
            binding,
            self._shown_name(binding),
            self._speech(binding.trigger),
            in_thread=place.thread_id is not None,
            more_if_restricted=self._more_if_restricted(binding),
        )

    async def settings(self, place: Place | None, asker: Asker, trigger: Trigger | None = None) -> BindingChange:
        """Change what a character answers; without a trigger just tell what it is. Raises UserError."""
        if trigger is None:
            _, binding = self._bound(place)
            name = self._shown_name(binding)
            return BindingChange(binding, notices.settings_now(name, self._speech(binding.trigger)))
        place = self._manageable(place, asker)
        self._check(trigger)
        async with self._changing:
            _, binding = self._bound(place)
            name, speech = self._shown_name(binding), self._speech(trigger)
            if binding.trigger is trigger:
                return BindingChange(binding, notices.already_here(name, speech))
            self._check_widening(binding, trigger, asker)
            changed = self._put(await self._bindings.set_trigger(binding.id, trigger, asker.asked_at))
        changed = await self.met(changed, (asker.display_name,))
        return BindingChange(changed, notices.trigger_set(name, speech), notices.trigger_changed(name, speech))

    async def leave(self, place: Place | None, asker: Asker) -> BindingChange:
        """End the binding of a channel and forget its conversations. Raises UserError."""
        place = self._manageable(place, asker)
        # It is ended first and stopped after: between the two, nothing that waits can begin.
        async with self._changing:
            _, binding = self._bound(place)
            name = self._shown_name(binding)
            ended = await self._end(binding)
        await self._stop_all(binding)
        if ended is None:
            raise UserError(notices.ALREADY_GONE)
        return BindingChange(ended, notices.moved_out(name), notices.moved_out(name))

    async def reset(self, place: Place | None, asker: Asker) -> BindingChange:
        """Begin the conversation of a channel, or of a thread alone, afresh. Raises UserError.

        The caller posts the notice and then calls `greet`, or `release` where that came to nothing.
        """
        place, binding = self._bound(place)
        if not self.may_decide(place.guild_id, asker):
            raise UserError(notices.NOT_ALLOWED)
        standing = await self._gate.standing(binding, ceiling=self._catalog.ceiling(place))
        scope = Scope.ROOM if place.thread_id is None else Scope.THREAD
        async with self._changing:
            place, binding = self._bound(place)
            conversation = await self._conversation(binding, scope, place.here)
            if scope is Scope.ROOM:
                binding = self._put(await self._bindings.set_trigger(binding.id, binding.trigger, asker.asked_at))
            conversation = await self._conversations.reset(conversation.id, asker.asked_at) or conversation
            release = self._hold(binding)
        with _released_on_failure(release):
            binding = await self.met(binding, (asker.display_name,))
            await self._stop(conversation)
        greeting = None
        if standing.cause is None and standing.known.ref == binding.character_ref:
            greeting = self._greeting(conversation, standing.known, asker)
        notice = notices.begun_afresh(self._shown_name(binding), in_thread=place.thread_id is not None)
        return BindingChange(binding, notices.FORGOTTEN, notice, greeting, release)

    # Names.

    async def met(self, binding: Binding, names: Collection[str]) -> Binding:
        """Mark a character's name for good where it could be taken for one of these people's.

        Returns the binding as it stands then. Whoever speaks or manages the channel is all that the bot knows of a
        server's people: lists of members need another privileged intent.
        """
        known = self._gate.known(binding)
        if binding.name_marked or known is None or not is_taken(known.character.name, names):
            return binding
        async with self._changing:
            marked = await self._bindings.mark_name(binding.id)
            if marked is None:
                return binding
            self._index.put(marked)
        _log.info("Binding %s: somebody goes by the character's name, so it is marked", binding.id)
        return marked

    async def _last_speakers(self, place: Place) -> Collection[str]:
        try:
            async with asyncio.timeout(NAMES_SECONDS):
                return await self._speakers(Destination(place.guild_id, place.channel_id))
        except (OutletError, TimeoutError) as error:
            _log.info("Who spoke in %s last cannot be read: %r", place.channel_id, error)
            return ()

    # Pausing and waking.

    async def pause(self, binding: Binding, cause: PauseCause) -> Binding | None:
        """Stop a character from speaking in its channel, and say so there.

        Returns the binding as it stands now; None when it was paused for this cause already, or has ended.
        """
        async with self._changing:
            paused = await self._bindings.pause(binding.id, cause)
            if paused is None:
                return None
            self._index.put(paused)
        await self._say_paused(paused, cause)
        return paused

    async def _say_paused(self, paused: Binding, cause: PauseCause) -> None:
        _log.info("Binding %s is paused: %s", paused.id, cause.value)
        text = notices.paused(cause, self._shown_name(paused), more_if_restricted=self._more_if_restricted(paused))
        await self._announce_standing(paused, _PAUSED[cause], text)

    async def resume(self, binding: Binding, active_from: MessageId | None = None) -> Binding | None:
        """Let a paused character speak again, and say so in its channel.

        What was said up to `active_from`, by default until now, is not answered. Returns the binding as it stands
        now; None when it was not paused.
        """
        if active_from is None:
            active_from = MessageId(snowflake_at(self._clock.now_ms()))
        async with self._changing:
            resumed = await self._bindings.resume(binding.id, active_from)
            if resumed is None:
                return None
            self._index.put(resumed)
            self._looked_at.pop(resumed.id, None)
        _log.info("Binding %s goes on", binding.id)
        # It has just passed the gate of its channel, so its name may stand there.
        known = self._gate.known(resumed)
        await self._announce_standing(resumed, RESUMED, notices.resumed("" if known is None else known.character.name))
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
        now = self._clock.monotonic()
        if now - self._looked_at.get(binding.id, -LOOK_AGAIN_AFTER_SECONDS) < LOOK_AGAIN_AFTER_SECONDS:
            return None
        self._looked_at[binding.id] = now
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
        surroundings = self._surroundings_of(_room(binding))
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
            if binding.character_ref != ref:
                continue
            try:
                changed = await self._look_again(binding, None, fresh_ms=0)
                if changed is not None and changed.state is BindingState.PAUSED:
                    await self._stop_all(changed)
            except Exception:  # noqa: BLE001 - one channel's trouble must not keep the others
                _log.exception("Binding %s could not be looked at again", binding.id)

    async def key_refused(self, binding: Binding, key: ApiKey | None) -> None:
        """Take note that NanoGPT refused a key; what a member pays for with it stops until they link anew.

        None is a key that was not tried again, as the last answer about it was that.
        """
        user_id = paying_member(binding.payer)
        if user_id is not None and await self._own.refused(user_id, key):
            await self.pause(binding, PauseCause.KEY_REFUSED)

    async def payer_gone(self, payer: PayerId) -> None:
        """Stop what a member paid for, as they have taken their account away; the store has paused it with that."""
        for stopped in await self._bindings.paid_by(payer):
            async with self._changing:
                before = self._index.get(stopped.channel_id)
                if before is None or before.id != stopped.id:
                    continue
                self._index.put(stopped)
            await self._stop_all(stopped)
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
                await self._stop_all(changed)

    async def _settle_payers(self, bindings: Iterable[Binding]) -> None:
        """Let the server's key pay where the operator's did, or the other way round; members' agreements stay."""
        async with self._changing:
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
            await self._stop_all(binding)

    async def channel_deleted(self, channel_id: ChannelId) -> None:
        """End what was bound to a channel that is no more."""
        binding = self._index.get(channel_id)
        if binding is not None:
            await self._stop_all(binding)
            async with self._changing:
                await self._end(binding)

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
                await self._stop_all(binding)

    async def guild_joined(self, guild_id: GuildId) -> None:
        """Speak again where the bot spoke before it was removed, if that is not forgotten yet."""
        for binding in await self._bindings.by_guild(guild_id):
            self._index.put(binding)
        await self._settle_payers(binding for binding in self._index if binding.guild_id == guild_id)

    # Steps of the above. Those that write are called with the lock held.

    def _speakable(
        self, place: Place | None, asker: Asker, trigger: Trigger | None, missing: frozenset[Right]
    ) -> Place:
        place = self._manageable(place, asker)
        if lacking := required(missing):
            raise UserError(notices.missing_rights(lacking, place.channel_id))
        self._check(trigger)
        return place

    async def _resolved(self, place: Place, asker: Asker, address: str, trigger: Trigger | None) -> KnownCharacter:
        """Return the character that everybody may use by that name; raise OwnCharacterFound for one of the asker's."""
        ceiling = self._catalog.ceiling(place)
        try:
            return await self._catalog.resolve(address, ceiling=ceiling, guild_id=place.guild_id)
        except Obstructed as obstructed:
            if obstructed.obstacle is Obstacle.ABOVE_CEILING:
                raise
            own = await self._own.find(asker.user_id, address)
            if own is None:
                raise
        if not self._rules.of(place.guild_id).own_characters:
            raise UserError(own_wording.FORBIDDEN)
        if own.character.rating > ceiling:
            raise UserError(own_wording.ABOVE_CEILING)
        # Everybody here spends the owner's balance, so that less is the better beginning.
        raise OwnCharacterFound(own_wording.question(own.character), own, trigger or Trigger.MENTION)

    def _chosen(self, trigger: Trigger | None) -> Trigger:
        return trigger or (Trigger.EVERY if self._message_content else Trigger.MENTION)

    async def _move_in(
        self,
        place: Place,
        there: Binding | None,
        known: KnownCharacter,
        trigger: Trigger,
        asker: Asker,
        *,
        daily_turns: int | None = None,
    ) -> BindingChange:
        """Bind a character; with `daily_turns`, its owner, who asks, pays for so many replies a day."""
        replaced = None
        if there is not None:
            if there.character_ref != known.ref:
                replaced = self._shown_name(there) or None
            self._looked_at.pop(there.id, None)
        payer = self._rules.payer(place.guild_id) if daily_turns is None else member_payer(asker.user_id)
        bound = await self._bindings.create(
            guild_id=place.guild_id,
            channel_id=place.channel_id,
            character_ref=known.ref,
            trigger=trigger,
            bound_by=asker.user_id,
            payer=payer,
            active_from=asker.asked_at,
            now_ms=self._clock.now_ms(),
            daily_turns=daily_turns,
        )
        release = self._hold(bound.binding)
        self._index.put(bound.binding)
        with _released_on_failure(release):
            await self._announcer.outdated(_room(bound.binding), _STANDINGS)
            conversation = await self._conversation(bound.binding, Scope.ROOM, place.channel_id)
        name = known.character.name
        notice = notices.moved_in(name, self._speech(trigger), replaced=replaced)
        if daily_turns is not None:
            notice = f"{notice}\n{own_wording.own_notice(asker.user_id, daily_turns)}"
        greeting = None if bound.renewed else self._greeting(conversation, known, asker)
        return BindingChange(bound.binding, notices.here_now(name), notice, greeting, release)

    async def _use_again(
        self, there: Binding, known: KnownCharacter, trigger: Trigger | None, asker: Asker
    ) -> BindingChange:
        name = known.character.name
        speech = self._speech(trigger or there.trigger)
        self._check_widening(there, speech.trigger, asker)
        binding, answer, notice = there, notices.already_here(name, speech), None
        if there.state is BindingState.PAUSED:
            # The catalogue has just said that nothing speaks against the character.
            binding = self._put(await self._bindings.resume(there.id, asker.asked_at))
            self._looked_at.pop(there.id, None)
            await self._announcer.outdated(_room(binding), _STANDINGS)
            answer, notice = notices.awake(name), notices.resumed(name)
        if speech.trigger is not there.trigger:
            binding = self._put(await self._bindings.set_trigger(there.id, speech.trigger, asker.asked_at))
            answer, notice = notices.trigger_set(name, speech), notices.trigger_changed(name, speech)
        return BindingChange(binding, answer, notice)

    async def _end(self, binding: Binding) -> Binding | None:
        ended = await self._bindings.end(binding.id, self._clock.now_ms())
        self._index.put(replace(binding, state=BindingState.ENDED))
        self._looked_at.pop(binding.id, None)
        return ended

    async def _stop_all(self, binding: Binding) -> None:
        for conversation in await self._conversations.of_binding(binding.id):
            await self._stop(conversation)

    async def _conversation(self, binding: Binding, scope: Scope, scope_id: ChannelId) -> Conversation:
        return await self._conversations.get_or_create(binding, scope, scope_id, self._clock.now_ms())

    def _put(self, binding: Binding | None) -> Binding:
        """Take a changed binding into the index; one that ended behind the index's back is a UserError."""
        if binding is None:
            raise UserError(notices.ALREADY_GONE)
        self._index.put(binding)
        return binding

    def _manageable(self, place: Place | None, asker: Asker) -> Place:
        if place is None:
            raise UserError(notices.SERVERS_ONLY)
        if not self.may_decide(place.guild_id, asker):
            raise UserError(notices.NOT_ALLOWED)
        if place.thread_id is not None:
            raise UserError(notices.use_in_channel(place))
        return place

    def _bound(self, place: Place | None) -> tuple[Place, Binding]:
        if place is None:
            raise UserError(notices.SERVERS_ONLY)
        binding = self._index.get(place.channel_id)
        if binding is None:
            raise UserError(notices.NOBODY_HERE)
        return place, binding

    def _check(self, trigger: Trigger | None) -> None:
        if trigger is Trigger.EVERY and not self._message_content:
            raise UserError(notices.NO_MESSAGE_CONTENT)

    def _check_widening(self, binding: Binding, trigger: Trigger, asker: Asker) -> None:
        """Refuse to let a character answer more than the member who pays for it has agreed to."""
        owner = paying_member(binding.payer)
        widens = trigger is Trigger.EVERY and binding.trigger is not Trigger.EVERY
        if widens and owner is not None and owner != asker.user_id:
            raise UserError(own_wording.ONLY_OWNER_WIDENS)

    def _speech(self, trigger: Trigger) -> notices.Speech:
        return notices.Speech(trigger, self._message_content, self._policy_url)

    def _shown_name(self, binding: Binding) -> str:
        """Return a character's name, or nothing while it is rated above what the channel may show.

        It is looked at anew each time: a channel may have lost its flag, or the catalogue have changed the rating,
        without a message having made the character pause.
        """
        known = self._gate.known(binding)
        around = self._surroundings_of(_room(binding))
        ceiling = self._catalog.ceiling(None if around is None else around.place)
        if binding.pause_cause is PauseCause.ABOVE_CEILING or known is None or known.character.rating > ceiling:
            return ""
        return known.character.name

    def _more_if_restricted(self, binding: Binding) -> bool:
        """Tell whether the character could speak if the channel were marked as age-restricted."""
        known = self._gate.known(binding)
        restricted = Place(binding.guild_id, binding.channel_id, None, age_restricted=True)
        return known is not None and known.character.rating <= self._catalog.ceiling(restricted)

    def _greeting(self, conversation: Conversation, known: KnownCharacter, asker: Asker) -> Greeting | None:
        first = known.character.first_message
        if first is None:
            return None
        text = expand_greeting(first, char=known.character.name, user=asker.display_name)
        return None if is_blank(text) else Greeting(conversation, known, text)

    async def _announce_standing(self, binding: Binding, cause: str, text: str) -> None:
        await self._announcer.outdated(_room(binding), _STANDINGS - {cause})
        await self._announcer.announce(_room(binding), cause, text)


@contextmanager
def _released_on_failure(release: Callable[[], None] | None) -> Generator[None]:
    """Let a character speak when what keeps it from that is not going to end by itself."""
    try:
        yield
    except BaseException:
        if release is not None:
            release()
        raise


def _with_hint(change: BindingChange, place: Place, missing: frozenset[Right]) -> BindingChange:
    """Add what staff should know where the character has to speak under the bot's own name."""
    if change.notice is None or not missing & WANTED:
        return change
    return replace(change, answer=f"{change.answer}\n{notices.webhook_hint(place.channel_id)}")


def _room(binding: Binding) -> Destination:
    return Destination(binding.guild_id, binding.channel_id)
