"""Members' ratings as their own reviews in the catalogue: only with their own key, and only when they asked."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from bot.domain.feedback import NotAccepted, OutboxEntry, OutboxKind, Rating, read_review_subject, review_subject
from bot.domain.ids import CharacterRef, PayerId, UserId
from bot.domain.publishing import KEY_IS_REFUSED, NOT_LINKED, NOT_RATED, Standing, Whereabouts
from bot.errors import UserError
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.errors import (
    BadKeyError,
    ConflictError,
    InsufficientBalanceError,
    NanoGptError,
    NotFoundError,
    NotPermittedError,
)
from bot.nanogpt.requests import ApiKey
from bot.services.clock import Clock
from bot.services.faces import Faces
from bot.services.key_ring import KeyRing
from bot.services.outbox import OutboxService
from bot.store.characters import Characters
from bot.store.ratings import Ratings
from bot.store.reviews import Reviews

OUTCOME_SECONDS: Final = 10.0
"""How long a person's answer is kept open for what the catalogue says; news come with a later command."""

_CAUSES: Final[tuple[tuple[type[NanoGptError], NotAccepted], ...]] = (
    (BadKeyError, NotAccepted.KEY),
    (InsufficientBalanceError, NotAccepted.BALANCE),
    (NotPermittedError, NotAccepted.FORBIDDEN),
    (NotFoundError, NotAccepted.GONE),
    (ConflictError, NotAccepted.CONFLICT),
)


class PublishingService:
    """Has ratings sent under their members' own keys, and tells where they stand."""

    def __init__(
        self,
        *,
        faces: Faces,
        ratings: Ratings,
        reviews: Reviews,
        outbox: OutboxService,
        keys: KeyRing,
        clock: Clock,
        outcome_seconds: float = OUTCOME_SECONDS,
    ) -> None:
        self._faces = faces
        self._ratings = ratings
        self._reviews = reviews
        self._outbox = outbox
        self._keys = keys
        self._clock = clock
        self._outcome_seconds = outcome_seconds

    async def payer_of(self, user_id: UserId, ref: CharacterRef) -> PayerId | None:
        """Return under whose key a member's rating of a character is published; None where it stays here."""
        key = None if await self._faces.is_private(ref) else await self._keys.of_member(user_id)
        return None if key is None else key.id

    async def standing(self, user_id: UserId, ref: CharacterRef) -> Standing:
        """Tell where a member's rating of a character stands. Raises UserError when there is none."""
        rating = await self._ratings.get(user_id, ref)
        if rating is None:
            raise UserError(NOT_RATED)
        return Standing(rating, await self._whereabouts(rating))

    async def outcome(self, user_id: UserId, ref: CharacterRef) -> Standing | None:
        """Wait a little for what the catalogue says to a rating on its way; None when it did not say in time."""
        subject = review_subject(user_id, ref)
        if not await self._outbox.tried(OutboxKind.RATING, subject, seconds=self._outcome_seconds):
            return None
        rating = await self._ratings.get(user_id, ref)
        return None if rating is None else Standing(rating, await self._whereabouts(rating))

    async def outcomes(self, standings: Iterable[Standing]) -> tuple[Standing, ...] | None:
        """As outcome, for several at once; None when none of them has come to an end in time."""
        ratings = [standing.rating for standing in standings]
        with suppress(TimeoutError):
            async with asyncio.timeout(self._outcome_seconds):
                for rating in ratings:
                    await self.outcome(rating.user_id, rating.character_ref)
        now = tuple([Standing(each, await self._whereabouts(each)) for each in await self._again(ratings)])
        return now if any(standing.where is not Whereabouts.WAITING for standing in now) else None

    async def told(self, standings: Iterable[Standing]) -> None:
        """Write down that a member has read how these ended."""
        await self._ratings.told([standing.rating for standing in standings], self._clock.now_ms())

    async def publish(self, user_id: UserId, ref: CharacterRef) -> Standing:
        """Have a member's rating sent to the catalogue as their review, also when it was refused before.

        Raises UserError when there is no rating, and when the member has no account that can be used.
        """
        standing = await self.standing(user_id, ref)
        if not standing.can_be_published:
            return standing
        key = await self._usable_key(user_id)
        await self._reviews.send(user_id, ref, key.id, self._clock.now_ms())
        self._outbox.stir()
        return await self.standing(user_id, ref)

    async def unpublished(self, user_id: UserId, *, also_refused: bool = True) -> tuple[CharacterRef, ...]:
        """Return the characters of which a member's rating could be published and is not, nor on its way."""
        found: list[CharacterRef] = []
        for ref in await self._reviews.unsent(user_id):
            rating = await self._ratings.get(user_id, ref)
            if rating is None or (rating.refused is not None and not also_refused) or await self._faces.is_private(ref):
                continue
            found.append(ref)
        return tuple(found)

    async def publish_all(self, user_id: UserId) -> tuple[Standing, ...]:
        """Have everything of a member sent that is not published, and return it.

        Raises UserError when the member has no account that can be used.
        """
        key = await self._usable_key(user_id)
        refs = await self.unpublished(user_id)
        for ref in refs:
            await self._reviews.send(user_id, ref, key.id, self._clock.now_ms())
        self._outbox.stir()
        return tuple([await self.standing(user_id, ref) for ref in refs])

    async def _again(self, ratings: Iterable[Rating]) -> list[Rating]:
        found = [await self._ratings.get(rating.user_id, rating.character_ref) for rating in ratings]
        return [rating for rating in found if rating is not None]

    async def _usable_key(self, user_id: UserId) -> ApiKey:
        key = await self._keys.of_member(user_id)
        if key is None:
            raise UserError(KEY_IS_REFUSED if await self._keys.is_linked(user_id) else NOT_LINKED)
        return key

    async def _whereabouts(self, rating: Rating) -> Whereabouts:
        user_id, ref = rating.user_id, rating.character_ref
        if await self._reviews.is_waiting(user_id, ref):
            return Whereabouts.WAITING
        if rating.published_at_ms is not None:
            return Whereabouts.PUBLISHED
        if rating.refused is not None:
            return Whereabouts.REFUSED
        if await self._faces.is_private(ref):
            return Whereabouts.PRIVATE
        if await self._keys.of_member(user_id) is not None:
            return Whereabouts.HERE
        return Whereabouts.KEY_REFUSED if await self._keys.is_linked(user_id) else Whereabouts.UNLINKED


class ReviewCourier:
    """Sends ratings under their members' keys. Only stars and text leave: who rated, the key tells."""

    def __init__(
        self,
        *,
        ratings: Ratings,
        characters: Characters,
        nanogpt: NanoGptClient,
        keys: KeyRing,
        clock: Clock,
    ) -> None:
        self._ratings = ratings
        self._characters = characters
        self._nanogpt = nanogpt
        self._keys = keys
        self._clock = clock
        self._sent: Rating | None = None
        """What was sent last, as it stood: the outbox sends one entry at a time, and then hears how it ended."""

    @property
    def final(self) -> tuple[type[NanoGptError], ...]:
        """An account that may not review is not asked for again unless its owner says so."""
        return (BadKeyError, InsufficientBalanceError)

    @property
    def fallback(self) -> PayerId | None:
        """A review is its member's own."""
        return None

    async def send(self, entry: OutboxEntry) -> None:
        """Send a rating as it is now; one that was deleted needs no sending."""
        user_id, ref = read_review_subject(entry.subject)
        self._sent = rating = await self._ratings.get(user_id, ref)
        if rating is None:
            return
        known = await self._characters.get(ref)
        assert known is not None, "the schema keeps the character of every rating"
        key = await self._keys.of_member(user_id)
        if key is None:
            raise BadKeyError
        try:
            await self._nanogpt.review(known.character.id, rating=rating.review.stars, text=rating.review.text, key=key)
        except BadKeyError:
            await self._keys.refused(key)
            raise

    async def accepted(self, entry: OutboxEntry) -> None:
        """Write down that the rating is published as it was sent."""
        del entry
        if self._sent is not None:
            await self._ratings.published(self._sent, self._clock.now_ms())

    async def refused(self, entry: OutboxEntry, error: Exception, answer: str) -> None:
        """Write down why it was not taken; the rating stays, and its member is told."""
        del entry
        if self._sent is not None:
            cause = next((cause for kind, cause in _CAUSES if isinstance(error, kind)), NotAccepted.INVALID)
            await self._ratings.refuse(self._sent, cause, answer or None, self._clock.now_ms())

    async def expired(self, entry: OutboxEntry) -> None:
        """Write down that it was given up; the rating stays, and its member is told."""
        rating = await self._ratings.get(*read_review_subject(entry.subject))
        if rating is not None:
            await self._ratings.refuse(rating, NotAccepted.EXPIRED, None, self._clock.now_ms())
