"""What members think of characters: their ratings, which may become reviews in the catalogue, and their reports."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.domain.bindings import Binding
from bot.domain.characters import KnownCharacter
from bot.domain.feedback import (
    MAX_DETAILS_CHARACTERS,
    MAX_REVIEW_CHARACTERS,
    MAX_STARS,
    MIN_REVIEW_CHARACTERS,
    MIN_STARS,
    Addressee,
    Complaint,
    Rating,
    Report,
    Review,
    ReviewFault,
    fitting_news,
    read_review,
    shown_average,
)
from bot.domain.ids import ChannelId, CharacterRef, GuildId, MessageId, ReportId, TurnId, UserId
from bot.domain.payers import OPERATOR, member_payer
from bot.domain.places import Place
from bot.domain.publishing import review_news
from bot.domain.reporting import NO_STAFF_CHANNEL, TO_CATALOGUE, Readers, parse_reason, receipt, report_news
from bot.domain.suggestions import looked_for
from bot.domain.turns import Post, PostKind, Turn
from bot.errors import UserError
from bot.services.ceilings import Ceilings
from bot.services.clock import Clock
from bot.services.faces import Faces
from bot.services.key_ring import KeyRing
from bot.services.outbox import OutboxService
from bot.services.publishing import PublishingService
from bot.store.bindings import Bindings
from bot.store.characters import Characters
from bot.store.conversations import Conversations
from bot.store.posts import Posts
from bot.store.ratings import Ratings
from bot.store.reports import Reports
from bot.store.reviews import Reviews
from bot.store.turns import Turns

REPORTS_PER_HOUR: Final = 5
"""Of one member: most reports are calls with the operator's key, and somebody has to read each."""
_HOUR_SECONDS: Final = 3_600.0
_MOST_REPORTERS: Final = 10_000
"""Members whose latest reports are remembered at once; memory for the busiest bot stays at a few megabytes."""

_UNKNOWN: Final = "I do not know that character. Choose one from the list, or look for it with /character search."
_NOT_MET: Final = (
    "I have not come across that character yet. Look for it with /character search, and use the buttons on its profile."
)
_SEVERAL: Final = "Several characters go by that name. Choose the one you mean from the list."
_TOO_STRONG: Final = (
    "That character's content rating is above what this channel may show, so it cannot be rated here. "
    "Rate it in an age-restricted channel."
)
_GONE: Final = "The catalogue does not have that character any more, so there is nothing left to report."
_ELSEWHERE: Final = "That button belongs to another channel. Use /character report here instead."
_NOT_A_CHARACTERS: Final = (
    "That is not a message of a character's, or so old that I do not know whose it was. Choose one that a character "
    "said, or use /character rate and /character report."
)
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
    publishes: bool = False
    """Whether what is sent with it becomes the member's own review in the catalogue."""


@dataclass(frozen=True, slots=True)
class ReportForm:
    """What a form to report a character begins with."""

    ref: CharacterRef
    name: str | None
    """As the catalogue spells it; None where it may not be shown."""
    turn_id: TurnId | None
    readers: Readers = TO_CATALOGUE


@dataclass(frozen=True, slots=True)
class News:
    """What a member does not know yet about their reports and reviews."""

    report_ids: tuple[ReportId, ...]
    sentences: tuple[str, ...]
    reviews: tuple[Rating, ...] = ()


class FeedbackService:
    """Takes ratings and reports. A place of None stands for direct messages."""

    def __init__(
        self,
        *,
        characters: Characters,
        named: Callable[[str], Sequence[KnownCharacter]],
        ratings: Ratings,
        reviews: Reviews,
        reports: Reports,
        turns: Turns,
        posts: Posts,
        conversations: Conversations,
        bindings: Bindings,
        faces: Faces,
        outbox: OutboxService,
        publishing: PublishingService,
        keys: KeyRing,
        log_channel_of: Callable[[GuildId], ChannelId | None],
        ceilings: Ceilings,
        clock: Clock,
    ) -> None:
        """Take the tables and the outbox.

        `named` tells from memory which characters bear a name, and `log_channel_of` where a server wants its reports;
        None where it has not said.
        """
        self._characters = characters
        self._named = named
        self._ratings = ratings
        self._reviews = reviews
        self._reports = reports
        self._turns = turns
        self._posts = posts
        self._conversations = conversations
        self._bindings = bindings
        self._faces = faces
        self._outbox = outbox
        self._publishing = publishing
        self._keys = keys
        self._log_channel_of = log_channel_of
        self._ceilings = ceilings
        self._clock = clock
        self._reported_at: OrderedDict[UserId, tuple[float, ...]] = OrderedDict()

    async def find(self, address: str) -> CharacterRef:
        """Return the character of a slug, an id or a name that was seen before, without asking the catalogue.

        Raises UserError when there is none, or several: a form has to open within Discord's three seconds.
        """
        address = looked_for(address) or address.strip()
        known = await self._characters.find(address)
        if known is not None:
            return known.ref
        bearers = self._named(address)
        if len(bearers) != 1:
            raise UserError(_SEVERAL if bearers else _NOT_MET)
        return bearers[0].ref

    async def spoken_by(self, message_id: MessageId) -> tuple[CharacterRef, TurnId]:
        """Return whose words a message is, and of which turn. Raises UserError for one that is no character's."""
        post = await self._posts.by_message(message_id)
        turn = None if post is None or post.kind is not PostKind.REPLY else await self._turns.get(post.turn_id)
        binding = None if turn is None else await self._binding_of(turn)
        if turn is None or binding is None:
            raise UserError(_NOT_A_CHARACTERS)
        return binding.character_ref, turn.id

    async def rating_form(self, user_id: UserId, ref: CharacterRef, place: Place | None) -> RatingForm:
        """Return what the form begins with: the name, and what the member said earlier.

        Raises UserError for an unknown character, and for one above the place's ceiling, without its name.
        """
        known = await self._rateable(ref, place)
        rating = await self._ratings.get(user_id, ref)
        publishes = await self._publishing.payer_of(user_id, ref) is not None
        return RatingForm(ref, known.character.name, rating and rating.review, publishes)

    async def rate(
        self,
        user_id: UserId,
        ref: CharacterRef,
        *,
        stars: str,
        text: str | None,
        place: Place | None,
        publish: bool = False,
    ) -> Rating:
        """Keep a member's rating in place of their earlier one.

        With `publish`, and where the member has an account to do it with, it is sent to the catalogue as their own
        review; else it stays here. Raises UserError for what rating_form refuses, for a number of stars that is none,
        and for a text that is too short or too long.
        """
        await self._rateable(ref, place)
        review = read_review(stars, text)
        if isinstance(review, ReviewFault):
            raise UserError(_FAULTS[review])
        rating = await self._reviews.rate(
            user_id,
            ref,
            review,
            place.guild_id if place else None,
            payer=await self._publishing.payer_of(user_id, ref) if publish else None,
            now_ms=self._clock.now_ms(),
        )
        self._outbox.stir()
        return rating

    async def average(self, ref: CharacterRef, guild_id: GuildId | None = None) -> float | None:
        """Return the average stars of one server's members, or of all; None below three ratings."""
        return shown_average(await self._ratings.stars(ref, guild_id))

    async def report_form(
        self, user_id: UserId, ref: CharacterRef, turn_id: TurnId | None, place: Place | None
    ) -> ReportForm:
        """Return what the form begins with.

        A character above the place's ceiling can be reported like any other, but is not named. Raises UserError for one
        that is unknown or gone, for a reply that was not given here, and for a private one where nobody could read it.
        """
        known = await self._reportable(ref, place)
        await self._reply_post(ref, turn_id, place)
        readers = await self._readers(user_id, ref, place)
        return ReportForm(ref, known.character.name if self._may_show(known, place) else None, turn_id, readers)

    async def report(
        self,
        user_id: UserId,
        ref: CharacterRef,
        *,
        reason: str,
        details: str | None,
        turn_id: TurnId | None,
        place: Place | None,
        shared: bool = False,
    ) -> Report:
        """Store a report, and have it sent to those who read it as soon as that can be.

        That is the catalogue, and the staff of the server where it wants a copy; of a private character the staff
        alone. `reason` is the value of a ReportReason; with `shared` the staff may read the reporter's name and the
        details. Raises UserError for what report_form refuses, for a reason that is none, details that are too long,
        and too many reports in an hour.
        """
        await self._reportable(ref, place)
        post = await self._reply_post(ref, turn_id, place)
        readers = await self._readers(user_id, ref, place)
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
            readers.addressee,
            shared,
        )
        report = await self._reports.file(
            complaint,
            payer=member_payer(user_id) if readers.linked else OPERATOR,
            now_ms=self._clock.now_ms(),
            copied=readers.staff,
        )
        self._remember_report(user_id, recent)
        self._outbox.stir()
        return report

    async def receipt(self, report: Report) -> str:
        """Return what the reporter reads once their report is stored."""
        complaint = report.complaint
        staff = complaint.guild_id is not None and self._log_channel_of(complaint.guild_id) is not None
        return receipt(complaint, staff=staff)

    async def pending_news(self, user_id: UserId) -> News | None:
        """Return what a member does not know yet of how their reports and reviews ended, or None.

        As much of it as fits into a message, the oldest reports first; the rest is for the next time. Call `told` once
        it is shown.
        """
        reports = [(report.id, news) for report in await self._reports.untold(user_id) if (news := report_news(report))]
        reviews = [(rating, news) for rating in await self._ratings.untold(user_id) if (news := review_news(rating))]
        sentences = fitting_news(news for _, news in (*reports, *reviews))
        if not sentences:
            return None
        told = len(sentences)
        return News(
            tuple(report_id for report_id, _ in reports[:told]),
            sentences,
            tuple(rating for rating, _ in reviews[: max(0, told - len(reports))]),
        )

    async def told(self, news: News) -> None:
        """Write down that a member has read the news."""
        await self._reports.told(news.report_ids, self._clock.now_ms())
        await self._ratings.told(news.reviews, self._clock.now_ms())

    async def _readers(self, user_id: UserId, ref: CharacterRef, place: Place | None) -> Readers:
        """Tell who will read a report. Raises UserError where nobody would."""
        staff = place is not None and self._log_channel_of(place.guild_id) is not None
        if await self._faces.is_private(ref):
            if not staff:
                raise UserError(NO_STAFF_CHANNEL)
            return Readers(Addressee.STAFF, linked=False, staff=True)
        linked = await self._keys.of_member(user_id) is not None
        return Readers(Addressee.CATALOGUE, linked=linked, staff=staff)

    async def _rateable(self, ref: CharacterRef, place: Place | None) -> KnownCharacter:
        known = await self._faces.of(ref, place and place.guild_id)
        if known is None:
            raise UserError(_UNKNOWN)
        if not self._may_show(known, place):
            raise UserError(_TOO_STRONG)
        return known

    async def _reportable(self, ref: CharacterRef, place: Place | None) -> KnownCharacter:
        known = await self._faces.of(ref, place and place.guild_id)
        if known is None:
            raise UserError(_UNKNOWN)
        if known.gone_at_ms is not None:
            raise UserError(_GONE)
        return known

    def _may_show(self, known: KnownCharacter, place: Place | None) -> bool:
        return known.character.rating <= self._ceilings.of(place)

    async def _reply_post(self, ref: CharacterRef, turn_id: TurnId | None, place: Place | None) -> Post | None:
        """Return the first message of the reply that is reported, if it is still known.

        Raises UserError when it was given elsewhere or by another character: anybody can send any custom id.
        """
        turn = None if turn_id is None else await self._turns.get(turn_id)
        if turn is None:
            return None
        binding = await self._binding_of(turn)
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

    async def _binding_of(self, turn: Turn) -> Binding | None:
        conversation = await self._conversations.get(turn.conversation_id)
        return None if conversation is None else await self._bindings.get(conversation.binding_id)

    def _recent_reports(self, user_id: UserId) -> tuple[float, ...]:
        since = self._clock.monotonic() - _HOUR_SECONDS
        return tuple(at for at in self._reported_at.get(user_id, ()) if at > since)

    def _remember_report(self, user_id: UserId, recent: tuple[float, ...]) -> None:
        self._reported_at[user_id] = (*recent, self._clock.monotonic())
        self._reported_at.move_to_end(user_id)
        if len(self._reported_at) > _MOST_REPORTERS:
            self._reported_at.popitem(last=False)
