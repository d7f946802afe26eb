import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import suppress

import httpx
import pytest

from bot.domain.feedback import NotAccepted, OutboxKind, review_subject
from bot.domain.ids import CharacterRef, UserId
from bot.domain.publishing import Whereabouts
from bot.errors import UserError
from bot.services.publishing import PublishingService
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.feedback_world import KEY, MEMBER, OPEN_PLACE, FeedbackWorld
from tests.support.manual_clock import ManualClock

OTHER = UserId(401)
TEXT = "Patient and precise."


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[FeedbackWorld]:
    made = FeedbackWorld(database, vault, clock)
    yield made
    await made.http.aclose()


@pytest.fixture
def publishing(world: FeedbackWorld) -> PublishingService:
    return world.publishing


@pytest.fixture
async def ref(world: FeedbackWorld) -> CharacterRef:
    return await world.character()


async def rate(
    world: FeedbackWorld,
    ref: CharacterRef,
    *,
    stars: int = 4,
    text: str | None = None,
    who: UserId = MEMBER,
    publish: bool = True,
) -> None:
    await world.feedback.rate(who, ref, stars=str(stars), text=text, place=OPEN_PLACE, publish=publish)


async def where(world: FeedbackWorld, ref: CharacterRef, who: UserId = MEMBER) -> Whereabouts:
    return (await world.publishing.standing(who, ref)).where


async def refusal(world: FeedbackWorld, ref: CharacterRef) -> NotAccepted | None:
    rating = await world.ratings.get(MEMBER, ref)
    assert rating is not None
    return rating.refused and rating.refused.cause


# What is sent


async def test_a_review_is_its_members_own(world: FeedbackWorld, ref: CharacterRef) -> None:
    keys = {who: await world.link(who) for who in (MEMBER, OTHER)}
    for who in keys:
        await rate(world, ref, text=TEXT, who=who)
    await world.sending.send_due()
    first, second = world.upstream.requests
    assert {(each.method, each.url.path) for each in (first, second)} == {("PUT", "/api/v1/characters/id-ada/review")}
    assert json.loads(first.content) == {"rating": 4, "review_text": TEXT}
    sent = [request.headers["Authorization"].removeprefix("Bearer ") for request in (first, second)]
    assert sent == [keys[MEMBER].reveal(), keys[OTHER].reveal()]
    assert KEY.reveal() not in sent


async def test_stars_alone_are_a_review(world: FeedbackWorld, ref: CharacterRef) -> None:
    await world.link()
    await rate(world, ref, stars=2)
    await world.sending.send_due()
    assert json.loads(world.upstream.requests[0].content) == {"rating": 2}


async def test_the_latest_of_several_ratings_is_sent_once(world: FeedbackWorld, ref: CharacterRef) -> None:
    await world.link()
    for stars in (5, 1, 3):
        await rate(world, ref, stars=stars)
    await world.sending.send_due()
    assert [json.loads(request.content)["rating"] for request in world.upstream.requests] == [3]
    assert await where(world, ref) is Whereabouts.PUBLISHED


async def test_rating_again_replaces_the_review(world: FeedbackWorld, ref: CharacterRef) -> None:
    await world.link()
    for stars in (5, 1):
        await rate(world, ref, stars=stars)
        await world.sending.send_due()
    assert [json.loads(request.content)["rating"] for request in world.upstream.requests] == [5, 1]


async def test_a_rating_that_changed_while_it_was_sent_is_sent_again(world: FeedbackWorld, ref: CharacterRef) -> None:
    await world.link()
    await rate(world, ref, stars=5)

    async def meanwhile(_: httpx.Request) -> httpx.Response:
        world.clock.advance(1)
        await rate(world, ref, stars=1)
        return httpx.Response(200, json={})

    world.upstream.answers.append(meanwhile)
    await world.sending.send_due()
    assert [json.loads(request.content)["rating"] for request in world.upstream.requests] == [5, 1]
    assert await where(world, ref) is Whereabouts.PUBLISHED


async def test_a_rating_that_was_deleted_is_not_sent(world: FeedbackWorld, ref: CharacterRef) -> None:
    await world.link()
    await rate(world, ref)
    await world.privacy.delete(MEMBER)
    await world.sending.send_due()
    assert world.upstream.requests == []
    assert await world.outbox.next_due_ms() is None


async def test_a_review_outlasts_an_outage(world: FeedbackWorld, ref: CharacterRef) -> None:
    await world.link()
    world.upstream.answer(503)
    await rate(world, ref)
    await world.sending.send_due()
    assert await where(world, ref) is Whereabouts.WAITING
    world.clock.advance(60)
    await world.sending.send_due()
    assert await where(world, ref) is Whereabouts.PUBLISHED


async def test_a_review_that_nobody_took_in_a_week_is_told(world: FeedbackWorld, ref: CharacterRef) -> None:
    await world.link()
    await rate(world, ref)
    world.clock.advance(7 * 86_400)
    await world.sending.send_due()
    assert await refusal(world, ref) is NotAccepted.EXPIRED
    assert await world.feedback.pending_news(MEMBER) is not None


# What is not accepted


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, NotAccepted.INVALID),
        (402, NotAccepted.BALANCE),
        (403, NotAccepted.FORBIDDEN),
        (404, NotAccepted.GONE),
        (409, NotAccepted.CONFLICT),
        (401, NotAccepted.KEY),
    ],
)
async def test_what_is_not_accepted_stays_here_and_is_not_asked_for_again(
    world: FeedbackWorld, ref: CharacterRef, status: int, cause: NotAccepted
) -> None:
    await world.link()
    world.upstream.answer(status, "no")
    await rate(world, ref, stars=4)
    await world.sending.send_due()
    assert (await where(world, ref), await refusal(world, ref)) == (Whereabouts.REFUSED, cause)
    assert await world.outbox.next_due_ms() is None
    assert (await world.publishing.standing(MEMBER, ref)).rating.review.stars == 4
    assert len(world.upstream.requests) == 1


async def test_pressing_publish_or_rating_again_asks_again(world: FeedbackWorld, ref: CharacterRef) -> None:
    await world.link()
    for _ in range(2):
        world.upstream.answer(402, "top up")
    await rate(world, ref)
    await world.sending.send_due()
    assert (await world.publishing.publish(MEMBER, ref)).where is Whereabouts.WAITING
    await world.sending.send_due()
    assert await where(world, ref) is Whereabouts.REFUSED
    await rate(world, ref)
    await world.sending.send_due()
    assert await where(world, ref) is Whereabouts.PUBLISHED


async def test_a_refused_key_is_marked_bad_and_used_no_more(world: FeedbackWorld) -> None:
    first, second = await world.character(), await world.character("Bob", slug="bob")
    await world.link()
    world.upstream.answer(401)
    for ref in (first, second):
        await rate(world, ref)
    await world.sending.send_due()
    assert await world.is_refused()
    assert len(world.upstream.requests) == 1
    assert [await refusal(world, ref) for ref in (first, second)] == [NotAccepted.KEY, NotAccepted.KEY]


async def test_the_refusal_of_one_member_holds_nobody_else(world: FeedbackWorld, ref: CharacterRef) -> None:
    for who in (MEMBER, OTHER):
        await world.link(who)
        await rate(world, ref, who=who)
    world.upstream.answer(402)
    await world.sending.send_due()
    assert [await where(world, ref, who) for who in (MEMBER, OTHER)] == [Whereabouts.REFUSED, Whereabouts.PUBLISHED]


# Where a rating stands


async def test_without_an_account_a_rating_stays_here(world: FeedbackWorld, ref: CharacterRef) -> None:
    await rate(world, ref)
    assert await where(world, ref) is Whereabouts.UNLINKED
    key = await world.link()
    assert await where(world, ref) is Whereabouts.HERE
    await world.keys.refused(key)
    assert await where(world, ref) is Whereabouts.KEY_REFUSED


async def test_the_rating_of_a_private_character_stays_here(world: FeedbackWorld) -> None:
    ref = await world.character(visibility="private")
    await world.link()
    await rate(world, ref)
    assert await where(world, ref) is Whereabouts.PRIVATE
    assert (await world.publishing.publish(MEMBER, ref)).where is Whereabouts.PRIVATE
    assert await world.publishing.unpublished(MEMBER) == ()
    await world.sending.send_due()
    assert world.upstream.requests == []


async def test_a_rating_that_was_never_given_stands_nowhere(publishing: PublishingService, ref: CharacterRef) -> None:
    with pytest.raises(UserError, match="have not rated"):
        await publishing.standing(MEMBER, ref)
    assert await publishing.outcome(MEMBER, ref) is None


# Publishing later


async def test_a_rating_from_before_is_published_when_its_member_says_so(
    world: FeedbackWorld, publishing: PublishingService, ref: CharacterRef
) -> None:
    await rate(world, ref, stars=5, text=TEXT)
    with pytest.raises(UserError, match="have not linked"):
        await publishing.publish(MEMBER, ref)
    await world.link()
    assert await publishing.unpublished(MEMBER) == (ref,)
    assert (await publishing.publish(MEMBER, ref)).where is Whereabouts.WAITING
    assert await publishing.unpublished(MEMBER) == ()
    await world.sending.send_due()
    assert json.loads(world.upstream.requests[0].content) == {"rating": 5, "review_text": TEXT}
    assert (await publishing.publish(MEMBER, ref)).where is Whereabouts.PUBLISHED
    assert await world.outbox.next_due_ms() is None


async def test_a_refused_key_is_said_to_be_refused(
    world: FeedbackWorld, publishing: PublishingService, ref: CharacterRef
) -> None:
    await rate(world, ref)
    key = await world.link()
    await world.keys.refused(key)
    for ask in (publishing.publish(MEMBER, ref), publishing.publish_all(MEMBER)):
        with pytest.raises(UserError, match="refuses the key"):
            await ask


async def test_all_that_is_not_published_can_be_published_at_once(
    world: FeedbackWorld, publishing: PublishingService
) -> None:
    refs = [await world.character(name, slug=name.lower()) for name in ("Ada", "Bob", "Cyd")]
    with pytest.raises(UserError, match="have not linked"):
        await publishing.publish_all(MEMBER)
    await world.link()
    world.upstream.answer(402)
    await rate(world, refs[0])
    await world.sending.send_due()
    await rate(world, refs[1], publish=False)
    await rate(world, refs[2], publish=True)
    assert await publishing.unpublished(MEMBER) == (refs[0], refs[1])
    assert await publishing.unpublished(MEMBER, also_refused=False) == (refs[1],)
    sent = await publishing.publish_all(MEMBER)
    assert [(each.rating.character_ref, each.where) for each in sent] == [
        (ref, Whereabouts.WAITING) for ref in refs[:2]
    ]
    await world.sending.send_due()
    assert len(world.upstream.requests) == 4
    assert await publishing.publish_all(MEMBER) == ()


# Hearing at once how it went


async def test_whoever_rated_hears_what_the_catalogue_says(
    world: FeedbackWorld, publishing: PublishingService, ref: CharacterRef
) -> None:
    await world.link()
    world.upstream.answer(402, "top up")
    loop = asyncio.create_task(world.sending.run())
    await rate(world, ref)
    outcome = await publishing.outcome(MEMBER, ref)
    assert outcome is not None
    assert outcome.where is Whereabouts.REFUSED
    await publishing.told([outcome])
    assert await world.feedback.pending_news(MEMBER) is None
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop


async def test_whoever_published_all_hears_what_the_catalogue_says_to_each(
    world: FeedbackWorld, publishing: PublishingService
) -> None:
    for name in ("Ada", "Bob"):
        await rate(world, await world.character(name, slug=name.lower()))
    await world.link()
    world.upstream.answer(409)
    loop = asyncio.create_task(world.sending.run())
    outcomes = await publishing.outcomes(await publishing.publish_all(MEMBER))
    assert outcomes is not None
    assert [each.where for each in outcomes] == [Whereabouts.REFUSED, Whereabouts.PUBLISHED]
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop
    assert await publishing.outcomes(()) is None


async def test_of_several_that_all_wait_there_is_nothing_to_hear(
    world: FeedbackWorld, publishing: PublishingService, ref: CharacterRef
) -> None:
    await rate(world, ref)
    await world.link()
    assert await publishing.outcomes(await publishing.publish_all(MEMBER)) is None


async def test_what_was_not_said_in_time_is_news_for_later(world: FeedbackWorld, ref: CharacterRef) -> None:
    await world.link()
    await rate(world, ref)
    assert await world.publishing.outcome(MEMBER, ref) is None
    assert await world.outbox.find(OutboxKind.RATING, review_subject(MEMBER, ref)) is not None
