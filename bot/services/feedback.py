"""What members think of characters: ratings that stay here, and reports that go to the catalogue."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from bot.domain.characters import KnownCharacter
from bot.domain.feedback import (
    MAX_DETAILS_CHARACTERS,
    MAX_REVIEW_CHARACTERS,
    MAX_STARS,
    MIN_REVIEW_CHARACTERS,
    MIN_STARS,
    Complaint,
    Rating,
    Report,
    Review,
    ReviewFault,
    read_review,
    shown_average,
)
from bot.domain.ids import CharacterRef, GuildId, PayerId, ReportId, TurnId, UserId
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits
from bot.domain.reporting import parse_reason, report_news
from bot.domain.suggestions import looked_for
from bot.domain.turns import Post, PostKind
from bot.errors import UserError
from bot.services.clock import Clock
from bot.services.outbox import OutboxService
from bot.store.bindings import Bindings
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.posts import Posts
from bot.store.ratings import Ratings
from bot.store.reports import Reports
from bot.store.turns import Turns

REPORTS_PER_HOUR: Final = 5
"""Of one member: every report is a call with the operator's key, and somebody has to read it."""
_HOUR_SECONDS: Final = 3_600.0
_MOST_REPORTERS: Final = 10_000
"""Members whose latest reports are remembered at once; memory for the busiest bot stays at a few megabytes."""

_UNKNOWN: Final = "I do not know that character. Choose one from the list, or look for it with /character search."
_TOO_STRONG: Final = (
    "That character's content rating is above what this channel may show, so it cannot be rated here. "
    "Rate it in an age-restricted channel."
)
_GONE: Final = "The catalogue does not have that character any more, so there is nothing left to report."
_ELSEWHERE: Final = "That button belongs to another channel. Use /character report here instead."
_FAULTS: Final = {
    ReviewFault.STARS: f"Choose {MIN_STARS} to {MAX_STARS} stars and send it again.",
    ReviewFault.TOO_SHORT: f"A review needs at least {MIN_REVIEW_CHARACTERS} characters. "
    "Write a little more, or leave the text empty and give stars alone.",
    ReviewFault.TOO_LONG: f"A review can have at most {MAX_REVIEW_CHARACTERS:,} characters. "
    "Make it shorter and send it again.",
}


@dataclass(frozen=True, slots=True)
class RatingForm:
    """What a form to rate a character begins with."""

    ref: CharacterRef
    name: str
    """As the catalogue spells it."""
    earlier: Review | None


@dataclass(frozen=True, slots=True)
class ReportForm:
    """What a form to report a character begins with."""

    ref: CharacterRef
    name: str | None
    """As the catalogue spells it; None where it may not be shown."""
    turn_id: TurnId | None


@dataclass(frozen=True, slots=True)
class News:
    """What a member does not know yet about their reports."""

    report_ids: tuple[ReportId, ...]
    sentences: tuple[str, ...]


class FeedbackService:
    """Takes ratings and reports. A place of None stands for direct messages."""

    def __init__(
        self,
        *,
        characters: Characters,
        ratings: Ratings,
        reports: Reports,
        turns: Turns,
        posts: Posts,
        conversations: Conversations,
        bindings: Bindings,
        outbox: OutboxService,
        limits: ContentLimits,
        payer: PayerId,
        clock: Clock,
    ) -> None:
        """Take the tables and the outbox; `payer` names the key that reports are sent with."""
        self._characters = characters
        self._ratings = ratings
        self._reports = reports
        self._turns = turns
        self._posts = posts
        self._conversations = conversations
        self._bindings = bindings
        self._outbox = outbox
        self._limits = limits
        self._payer = payer
        self._clock = clock
        self._reported_at: OrderedDict[UserId, tuple[float, ...]] = OrderedDict()

    async def find(self, address: str) -> CharacterRef:
        """Return the character of a slug or id that was seen before, without asking the catalogue.

        Raises UserError when there is none: a form has to open within Discord's three seconds.
        """
        known = await self._characters.find(looked_for(address) or address.strip())
        if known is None:
            raise UserError(_UNKNOWN)
        return known.ref

    async def rating_form(self, user_id: UserId, ref: CharacterRef, place: Place | None) -> RatingForm:
        """Return what the form begins with: the name, and what the member said earlier.

        Raises UserError for an unknown character, and for one above the place's ceiling, without its name.
        """
        known = await self._rateable(ref, place)
        rating = await self._ratings.get(user_id, ref)
        return RatingForm(ref, known.character.name, rating and rating.review)

    async def rate(
        self, user_id: UserId, ref: CharacterRef, *, stars: str, text: str | None, place: Place | None
    ) -> Rating:
        """Keep a member's rating in place of their earlier one. It stays here: the catalogue is not told.

        Raises UserError for what rating_form refuses, for a number of stars that is none, and for a text that is too
        short or too long.
        """
        await self._rateable(ref, place)
        review = read_review(stars, text)
        if isinstance(review, ReviewFault):
            raise UserError(_FAULTS[review])
        guild_id = place.guild_id if place else None
        return await self._ratings.put(user_id, ref, review, guild_id, self._clock.now_ms())

    async def average(self, ref: CharacterRef, guild_id: GuildId | None = None) -> float | None:
        """Return the average stars of one server's members, or of all; None below three ratings."""
        return shown_average(await self._ratings.stars(ref, guild_id))

    async def report_form(self, ref: CharacterRef, turn_id: TurnId | None, place: Place | None) -> ReportForm:
        """Return what the form begins with.

        A character above the place's ceiling can be reported like any other, but is not named. Raises UserError for one
        that is unknown or gone, and for a reply that was not given here.
        """
        known = await self._reportable(ref)
        await self._reply_post(ref, turn_id, place)
        return ReportForm(ref, known.character.name if self._may_show(known, place) else None, turn_id)

    async def report(
        self,
        user_id: UserId,
        ref: CharacterRef,
        *,
        reason: str,
        details: str | None,
        turn_id: TurnId | None,
        place: Place | None,
    ) -> Report:
        """Store a report, and have it sent to the catalogue as soon as that can be.

        `reason` is the value of a ReportReason. Raises UserError for what report_form refuses, for a reason that is
        none, details that are too long, and too many reports in an hour.
        """
        await self._reportable(ref)
        post = await self._reply_post(ref, turn_id, place)
        chosen = parse_reason(reason)
        if chosen is None:
            raise UserError("Choose a reason from the list and send it again.")
        details = (details or "").strip()
        if len(details) > MAX_DETAILS_CHARACTERS:
            raise UserError(
                f"The details can have at most {MAX_DETAILS_CHARACTERS:,} characters. "
                "Make them shorter and send it again."
            )
        recent = self._recent_reports(user_id)
        if len(recent) >= REPORTS_PER_HOUR:
            raise UserError("You have sent several reports within the hour. Wait a while before you send the next one.")
        complaint = Complaint(
            user_id,
            ref,
            chosen.words,
            details or None,
            place.guild_id if place else None,
            place.here if place else None,
            post and post.message_id,
        )
        report = await self._reports.file(complaint, payer=self._payer, now_ms=self._clock.now_ms())
        self._remember_report(user_id, recent)
        self._outbox.stir()
        return report

    async def pending_news(self, user_id: UserId) -> News | None:
        """Return what a member does not know yet of the end of their reports, or None. Call `told` once it is shown."""
        found = [(report.id, news) for report in await self._reports.untold(user_id) if (news := report_news(report))]
        if not found:
            return None
        return News(tuple(report_id for report_id, _ in found), tuple(news for _, news in found))

    async def told(self, news: News) -> None:
        """Write down that a member has read the news."""
        await self._reports.told(news.report_ids, self._clock.now_ms())

    async def _rateable(self, ref: CharacterRef, place: Place | None) -> KnownCharacter:
        known = await self._characters.get(ref)
        if known is None:
            raise UserError(_UNKNOWN)
        if not self._may_show(known, place):
            raise UserError(_TOO_STRONG)
        return known

    async def _reportable(self, ref: CharacterRef) -> KnownCharacter:
        known = await self._characters.get(ref)
        if known is None:
            raise UserError(_UNKNOWN)
        if known.gone_at_ms is not None:
            raise UserError(_GONE)
        return known

    def _may_show(self, known: KnownCharacter, place: Place | None) -> bool:
        age_restricted = place is not None and place.age_restricted
        return known.character.rating <= self._limits.ceiling(age_restricted=age_restricted)

    async def _reply_post(self, ref: CharacterRef, turn_id: TurnId | None, place: Place | None) -> Post | None:
        """Return the first message of the reply that is reported, if it is still known.

        Raises UserError when it was given elsewhere or by another character: anybody can send any custom id.
        """
        turn = None if turn_id is None else await self._turns.get(turn_id)
        if turn is None:
            return None
        conversation = await self._conversations.get(turn.conversation_id)
        binding = conversation and await self._bindings.get(conversation.binding_id)
        if (
            place is None
            or binding is None
            or (binding.guild_id, binding.channel_id, binding.character_ref) != (place.guild_id, place.channel_id, ref)
        ):
            raise UserError(_ELSEWHERE)
        posts = [post for post in await self._posts.of_turn(turn.id) if post.kind is PostKind.REPLY and post.message_id]
        if any(post.thread_id != place.thread_id for post in posts):
            raise UserError(_ELSEWHERE)
        return posts[0] if posts else None

    def _recent_reports(self, user_id: UserId) -> tuple[float, ...]:
        since = self._clock.monotonic() - _HOUR_SECONDS
        return tuple(at for at in self._reported_at.get(user_id, ()) if at > since)

    def _remember_report(self, user_id: UserId, recent: tuple[float, ...]) -> None:
        self._reported_at[user_id] = (*recent, self._clock.monotonic())
        self._reported_at.move_to_end(user_id)
        if len(self._reported_at) > _MOST_REPORTERS:
            self._reported_at.popitem(last=False)
