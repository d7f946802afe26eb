"""Which character speaks where, as people ask for it: bringing one to a channel, its settings, and its leaving."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from bot.domain import notices, own_wording
from bot.domain.bindings import Binding, BindingState, Conversation, Scope, Trigger
from bot.domain.characters import KnownCharacter
from bot.domain.gate import Obstacle
from bot.domain.ids import BindingId, ChannelId, CharacterRef, GuildId, MessageId, RoleId, UserId
from bot.domain.macros import expand_greeting
from bot.domain.payers import member_payer, paying_member
from bot.domain.places import Place
from bot.domain.rights import WANTED, MemberRights, Right, may_decide, required
from bot.domain.unicode_text import is_blank
from bot.errors import UserError
from bot.services.binding_book import BindingBook, Stopper
from bot.services.binding_gate import BindingGate
from bot.services.binding_index import BindingIndex
from bot.services.catalog import CatalogService, Obstructed
from bot.services.clock import Clock
from bot.services.outlet import Destination, OutletError
from bot.services.own_characters import OwnCharacterFound, OwnCharacterService
from bot.services.server_rules import ServerRules
from bot.services.standing_notices import StandingNotices
from bot.store.bindings import Bindings
from bot.store.conversations import Conversations
from bot.store.errors import StoreError

_log = logging.getLogger(__name__)

NAMES_SECONDS: Final = 5.0
"""How long a command waits to hear who spoke in its channel last."""

Greeter: TypeAlias = Callable[[Binding, Conversation, KnownCharacter, str], Awaitable[None]]
"""Sees to it that a greeting is posted in the character's voice before anything else is said."""
Holder: TypeAlias = Callable[[Binding], Callable[[], None]]
"""Lets nothing be said for a binding until the function is called that it returns."""
Speakers: TypeAlias = Callable[[Destination], Awaitable[Collection[str]]]
"""Reads the names of who spoke in a place last. Raises an OutletError."""


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
    """Binds characters to channels, and changes and ends that, for those who ask.

    A command is carried out in two steps, `use` or `reset` and then `greet`, so that the notice about the AI service
    can stand in the channel before the character's first words. Between the two the character is silent.
    """

    def __init__(
        self,
        *,
        book: BindingBook,
        standings: StandingNotices,
        bindings: Bindings,
        conversations: Conversations,
        index: BindingIndex,
        catalog: CatalogService,
        gate: BindingGate,
        own: OwnCharacterService,
        rules: ServerRules,
        greet: Greeter,
        hold: Holder,
        stop: Stopper,
        speakers: Speakers,
        clock: Clock,
        message_content: bool,
        policy_url: str | None = None,
    ) -> None:
        """`message_content` says whether every message can be read."""
        self._book = book
        self._standings = standings
        self._bindings = bindings
        self._conversations = conversations
        self._index = index
        self._catalog = catalog
        self._gate = gate
        self._own = own
        self._rules = rules
        self._greet = greet
        self._hold = hold
        self._stop = stop
        self._speakers = speakers
        self._clock = clock
        self._message_content = message_content
        self._policy_url = policy_url
        self._being_told: set[BindingId] = set()
        """Bindings whose channels a command is about to tell of them."""

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
        async with self._book.changing:
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
        async with self._book.changing:
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
            change = replace(change, binding=await self._book.met(change.binding, names))
            if there is not None and there.id != change.binding.id:
                await self._book.stop_all(there)
        return _with_hint(change, place, missing)

    async def tell(self, destination: Destination, notice: str) -> None:
        """Post the notice of a change as the bot, where it could not be the answer to a command. Raises OutletError."""
        await self._standings.tell(destination, notice)

    async def greet(self, change: BindingChange) -> None:
        """Let the character say its first words, if it has any, and then answer what was said meanwhile."""
        if change.binding.id in self._being_told:
            await self._bindings.told(change.binding.id)
        if change.greeting is not None:
            greeting = change.greeting
            await self._greet(change.binding, greeting.conversation, greeting.known, greeting.text)
        self.release(change)

    def release(self, change: BindingChange) -> None:
        """Let the character speak, greeted or not; more than once is no harm."""
        self._being_told.discard(change.binding.id)
        if change.release is not None:
            change.release()

    async def tell_untold(self, guilds: Collection[GuildId]) -> None:
        """Tell the channels of some servers who speaks there, where a stop came between that and the command.

        To be called before anything is answered in them. The character does not greet: whom, is forgotten by now.
        """
        try:
            for binding in await self._bindings.untold():
                if binding.guild_id in guilds and binding.id not in self._being_told:
                    await self._tell_late(binding)
        except StoreError as error:
            _log.warning("Which channels are to be told who speaks there is not known: %s", error)

    async def _tell_late(self, binding: Binding) -> None:
        notice = self._moved_in(binding, self._standings.shown_name(binding))
        try:
            await self.tell(Destination(binding.guild_id, binding.channel_id), notice)
        except OutletError as error:
            _log.warning("Channel %s cannot be told who speaks there: %r", binding.channel_id, error)
        else:
            await self._bindings.told(binding.id)

    def _moved_in(self, binding: Binding, name: str, replaced: str | None = None) -> str:
        notice = notices.moved_in(name, self._speech(binding.trigger), replaced=replaced)
        if binding.daily_turns is None:
            return notice
        return f"{notice}\n{own_wording.own_notice(binding.bound_by, binding.daily_turns)}"

    def current(self, place: Place | None, *, missing: frozenset[Right] = frozenset()) -> str:
        """Tell who speaks in a channel: which character, what it answers, whether it is paused, and who pays.

        `missing` is what the bot lacks there; what a character cannot do without is said as well.
        """
        place, binding = self._bound(place)
        text = notices.current(
            binding,
            self._standings.shown_name(binding),
            self._speech(binding.trigger),
            in_thread=place.thread_id is not None,
            more_if_restricted=self._standings.more_if_restricted(binding),
        )
        lacking = required(missing)
        return f"{text}\n{notices.cannot_speak(lacking, place.channel_id)}" if lacking else text

    async def settings(self, place: Place | None, asker: Asker, trigger: Trigger | None = None) -> BindingChange:
        """Change what a character answers; without a trigger just tell what it is. Raises UserError."""
        if trigger is None:
            _, binding = self._bound(place)
            name = self._standings.shown_name(binding)
            return BindingChange(binding, notices.settings_now(name, self._speech(binding.trigger)))
        place = self._manageable(place, asker)
        self._check(trigger)
        async with self._book.changing:
            _, binding = self._bound(place)
            name, speech = self._standings.shown_name(binding), self._speech(trigger)
            if binding.trigger is trigger:
                return BindingChange(binding, notices.already_here(name, speech))
            self._check_widening(binding, trigger, asker)
            changed = self._put(await self._bindings.set_trigger(binding.id, trigger, asker.asked_at))
        changed = await self._book.met(changed, (asker.display_name,))
        return BindingChange(changed, notices.trigger_set(name, speech), notices.trigger_changed(name, speech))

    async def leave(self, place: Place | None, asker: Asker) -> BindingChange:
        """End the binding of a channel and forget its conversations. Raises UserError."""
        place = self._manageable(place, asker)
        # It is ended first and stopped after: between the two, nothing that waits can begin.
        async with self._book.changing:
            _, binding = self._bound(place)
            name = self._standings.shown_name(binding)
            ended = await self._book.end(binding)
        await self._book.stop_all(binding)
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
        async with self._book.changing:
            place, binding = self._bound(place)
            conversation = await self._conversation(binding, scope, place.here)
            if scope is Scope.ROOM:
                binding = self._put(await self._bindings.set_trigger(binding.id, binding.trigger, asker.asked_at))
            conversation = await self._conversations.reset(conversation.id, asker.asked_at) or conversation
            release = self._hold(binding)
        with _released_on_failure(release):
            binding = await self._book.met(binding, (asker.display_name,))
            await self._stop(conversation)
        greeting = None
        if standing.cause is None and standing.known.ref == binding.character_ref:
            greeting = self._greeting(conversation, standing.known, asker)
        notice = notices.begun_afresh(self._standings.shown_name(binding), in_thread=place.thread_id is not None)
        return BindingChange(binding, notices.FORGOTTEN, notice, greeting, release)

    async def _last_speakers(self, place: Place) -> Collection[str]:
        try:
            async with asyncio.timeout(NAMES_SECONDS):
                return await self._speakers(Destination(place.guild_id, place.channel_id))
        except (OutletError, TimeoutError) as error:
            _log.info("Who spoke in %s last cannot be read: %r", place.channel_id, error)
            return ()

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
                replaced = self._standings.shown_name(there) or None
            self._book.forget_look(there.id)
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
        self._being_told.add(bound.binding.id)
        release = self._hold(bound.binding)
        self._index.put(bound.binding)
        with _released_on_failure(release):
            await self._standings.outdated(bound.binding)
            conversation = await self._conversation(bound.binding, Scope.ROOM, place.channel_id)
        greeting = None if bound.renewed else self._greeting(conversation, known, asker)
        name = known.character.name
        notice = self._moved_in(bound.binding, name, replaced)
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
            self._book.forget_look(there.id)
            await self._standings.outdated(binding)
            answer, notice = notices.awake(name), notices.resumed(name)
        if speech.trigger is not there.trigger:
            binding = self._put(await self._bindings.set_trigger(there.id, speech.trigger, asker.asked_at))
            answer, notice = notices.trigger_set(name, speech), notices.trigger_changed(name, speech)
        return BindingChange(binding, answer, notice)

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

    def _greeting(self, conversation: Conversation, known: KnownCharacter, asker: Asker) -> Greeting | None:
        first = known.character.first_message
        if first is None:
            return None
        text = expand_greeting(first, char=known.character.name, user=asker.display_name)
        return None if is_blank(text) else Greeting(conversation, known, text)


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
