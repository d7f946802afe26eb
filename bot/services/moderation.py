"""Watching over characters that are with NanoGPT's moderators, and telling their authors what came of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from bot.domain.authoring import Visibility
from bot.domain.characters import KnownCharacter, OwnCharacter
from bot.domain.ids import CharacterId, CharacterRef, UserId
from bot.domain.moderation import (
    APPROVED,
    ENDS,
    WATCH_MS,
    Outcome,
    Verdict,
    Watch,
    is_refusal,
    news_of,
    next_look_ms,
    verdict_on,
)
from bot.domain.splitting import MESSAGE_LIMIT
from bot.domain.unicode_text import utf16_length
from bot.errors import UserError
from bot.services.clock import Clock
from bot.services.desk import CharacterChanged, DeskService
from bot.services.own_shelf import OwnShelf
from bot.store.accounts import NotLinkedError
from bot.store.watches import Watches

_log = logging.getLogger(__name__)

LONGEST_REST_SECONDS: Final = 300.0
"""The wall clock that looks are dated by may be set while the loop rests."""
SHORTEST_REST_SECONDS: Final = 1.0
_MILLISECONDS: Final = 1_000

Messenger: TypeAlias = Callable[[UserId, str], Awaitable[bool]]
"""Writes to a member; tells whether it arrived."""


@dataclass(frozen=True, slots=True)
class DeskNews:
    """What an author has yet to hear."""

    refs: tuple[CharacterRef, ...]
    sentences: tuple[str, ...]


class ModerationService:
    """Reads the list of an author's own characters now and then, for as long as one of them waits."""

    def __init__(
        self,
        *,
        desk: DeskService,
        shelf: OwnShelf,
        watches: Watches,
        write: Messenger,
        changed: CharacterChanged,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._shelf = shelf
        self._watches = watches
        self._write = write
        self._changed = changed
        self._clock = clock
        self._stirred = asyncio.Event()

    async def submitted(self, user_id: UserId, known: KnownCharacter, tell: bool) -> bool:  # noqa: FBT001 - one of three
        """Watch a character that was saved, if the moderators look at it now; tell whether they do."""
        character = known.character
        status = character.moderation_status
        waits = character.visibility == Visibility.PUBLIC.value and status != APPROVED and not is_refusal(status)
        if waits:
            now_ms = self._clock.now_ms()
            due_ms = next_look_ms(0, now_ms)
            try:
                await self._watches.begin(user_id, known.ref, tell=tell, status=status, due_ms=due_ms, now_ms=now_ms)
            except NotLinkedError:
                return False
            self._stirred.set()
        else:
            await self._watches.end(user_id, known.ref)
        return waits

    async def dropped(self, user_id: UserId, ref: CharacterRef) -> None:
        """Stop watching a character that its author has archived."""
        await self._watches.end(user_id, ref)

    async def run(self) -> None:
        """Look whenever somebody's character is due. Runs until cancelled."""
        while True:
            self._stirred.clear()
            await self.look_due()
            await self._rest()

    async def look_due(self) -> None:
        """Look at the characters of every author of whom one is due: one read each."""
        for user_id in await self._watches.due(self._clock.now_ms()):
            await self._look(user_id)

    async def _look(self, user_id: UserId) -> None:
        try:
            mine = {own.character.id: own for own in await self._desk.read_all(user_id)}
        except UserError:
            _log.info("The characters of %s could not be looked at", user_id)
            mine = None
        for watch in await self._watches.of(user_id):
            verdict = None if mine is None else self._verdict(watch, mine)
            await self._settle(watch, verdict)

    def _verdict(self, watch: Watch, mine: dict[CharacterId, OwnCharacter]) -> Verdict | None:
        own = mine.get(watch.character_id)
        if own is None:
            known = self._shelf.by_ref(watch.user_id, watch.ref)
            # A list that was too long to be read whole says nothing of what it left out.
            return Verdict(Outcome.GONE) if known is not None and known.gone_at_ms is not None else None
        return verdict_on(own.character, seen=watch.status, reason=own.moderation_reason)

    async def _settle(self, watch: Watch, verdict: Verdict | None) -> None:
        now_ms = self._clock.now_ms()
        due_ms = next_look_ms(watch.looks + 1, now_ms)
        if verdict is None and now_ms - watch.since_ms >= WATCH_MS:
            verdict = Verdict(Outcome.GIVEN_UP, watch.status)
        if verdict is None:
            await self._watches.looked(watch, due_ms=due_ms)
        elif verdict.outcome is Outcome.WITHDRAWN:
            await self._watches.end(watch.user_id, watch.ref)
        elif await self._watches.found(watch, verdict, due_ms=None if verdict.outcome in ENDS else due_ms):
            await self._tell(watch, verdict)

    async def _tell(self, watch: Watch, verdict: Verdict) -> None:
        try:
            await self._changed(watch.ref)
        except Exception:  # noqa: BLE001 - one channel's trouble keeps nobody's news.
            _log.exception("The bindings of character %s could not be looked at", watch.ref)
        news = self._news(watch.user_id, watch.ref, verdict, named=False) if watch.tell else None
        if news is not None and await self._write(watch.user_id, news):
            await self._watches.told(watch.user_id, [watch.ref])

    # What is told with the next command

    async def pending_news(self, user_id: UserId, *, in_server: bool) -> DeskNews | None:
        """Return what an author has yet to hear, or None. Call `told` once it is shown.

        Outside servers, only what is sfw is named, as in every direct message. What does not fit into one message waits
        for the next time.
        """
        found: list[tuple[CharacterRef, str]] = []
        room = MESSAGE_LIMIT
        for ref, verdict in await self._watches.news(user_id):
            news = self._news(user_id, ref, verdict, named=in_server)
            if news is not None and (not found or utf16_length(news) < room):
                found.append((ref, news))
                room -= utf16_length(news) + 1
        if not found:
            return None
        return DeskNews(tuple(ref for ref, _ in found), tuple(news for _, news in found))

    async def told(self, user_id: UserId, news: DeskNews) -> None:
        """Write down that an author has read the news."""
        await self._watches.told(user_id, news.refs)

    def _news(self, user_id: UserId, ref: CharacterRef, verdict: Verdict, *, named: bool) -> str | None:
        known = self._shelf.by_ref(user_id, ref)
        if known is None:
            return None
        return news_of(verdict, known.character.name, known.character.rating, named=named)

    async def _rest(self) -> None:
        due_ms = await self._watches.next_due_ms()
        if due_ms is None:
            await self._stirred.wait()
            return
        seconds = (due_ms - self._clock.now_ms()) / _MILLISECONDS
        await self._clock.sleep(min(max(seconds, SHORTEST_REST_SECONDS), LONGEST_REST_SECONDS))
