import json
from collections.abc import AsyncGenerator

import pytest

from bot.domain.feedback import OutboxKind, Report, ReportState, Review
from bot.domain.ids import ChannelId, CharacterRef, GuildId, MessageId, TurnId, UserId
from bot.domain.places import Place
from bot.domain.ratings import ContentRating
from bot.domain.reporting import ReportReason
from bot.errors import UserError
from bot.services.feedback import REPORTS_PER_HOUR, FeedbackService
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.feedback_world import (
    ADULT_PLACE,
    CHANNEL,
    GUILD,
    MEMBER,
    OPEN_PLACE,
    OPERATOR,
    FeedbackWorld,
)
from tests.support.manual_clock import ManualClock

NOBODY = CharacterRef(999)
THREAD_PLACE = Place(GUILD, CHANNEL, ChannelId(301), age_restricted=False)


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[FeedbackWorld]:
    made = FeedbackWorld(database, vault, clock)
    yield made
    await made.http.aclose()


@pytest.fixture
def feedback(world: FeedbackWorld) -> FeedbackService:
    return world.feedback


# Finding the character


@pytest.mark.parametrize("address", ["ada", "ADA", " ada ", "id-ada", 'Look for "ada"'])
async def test_a_character_is_found_by_slug_or_id(world: FeedbackWorld, address: str) -> None:
    ref = await world.character()
    assert await world.feedback.find(address) == ref


@pytest.mark.parametrize("address", ["", "nobody", 'Look for "nobody"'])
async def test_an_unknown_character_is_a_sentence(world: FeedbackWorld, address: str) -> None:
    await world.character()
    with pytest.raises(UserError, match=r"/character search"):
        await world.feedback.find(address)
    assert world.upstream.requests == []


# Ratings


async def test_a_rating_is_kept_with_its_text_and_server(world: FeedbackWorld) -> None:
    ref = await world.character()
    await world.feedback.rate(MEMBER, ref, stars="4", text="  Patient and kind.  ", place=OPEN_PLACE)
    rating = await world.ratings.get(MEMBER, ref)
    assert rating is not None
    assert (rating.review, rating.guild_id) == (Review(4, "Patient and kind."), GUILD)


async def test_a_second_rating_takes_the_place_of_the_first(world: FeedbackWorld) -> None:
    ref = await world.character()
    await world.feedback.rate(MEMBER, ref, stars="4", text="Patient and kind.", place=OPEN_PLACE)
    await world.feedback.rate(MEMBER, ref, stars="2", text="", place=None)
    rating = await world.ratings.get(MEMBER, ref)
    assert rating is not None
    assert (rating.review, rating.guild_id) == (Review(2), None)


async def test_no_rating_ever_leaves_the_bot(world: FeedbackWorld) -> None:
    ref = await world.character()
    await world.feedback.rate(MEMBER, ref, stars="5", text="As good as it gets.", place=OPEN_PLACE)
    await world.sending.send_due()
    assert world.upstream.requests == []


@pytest.mark.parametrize(
    ("stars", "text", "sentence"),
    [
        ("", None, "Choose 1 to 5 stars"),
        ("6", None, "Choose 1 to 5 stars"),
        ("4", "too short", "at least 10 characters"),
        ("4", "x" * 2_001, r"at most 2,000 characters"),
    ],
)
async def test_what_is_wrong_with_a_rating_is_a_sentence(
    world: FeedbackWorld, stars: str, text: str | None, sentence: str
) -> None:
    ref = await world.character()
    with pytest.raises(UserError, match=sentence):
        await world.feedback.rate(MEMBER, ref, stars=stars, text=text, place=OPEN_PLACE)
    assert await world.ratings.get(MEMBER, ref) is None


async def test_the_form_begins_with_what_was_said_earlier(world: FeedbackWorld) -> None:
    ref = await world.character()
    assert (await world.feedback.rating_form(MEMBER, ref, OPEN_PLACE)).earlier is None
    await world.feedback.rate(MEMBER, ref, stars="3", text="Rather slow today.", place=OPEN_PLACE)
    form = await world.feedback.rating_form(MEMBER, ref, OPEN_PLACE)
    assert (form.name, form.earlier) == ("Ada", Review(3, "Rather slow today."))
    assert (await world.feedback.rating_form(UserId(401), ref, OPEN_PLACE)).earlier is None


@pytest.mark.parametrize("place", [OPEN_PLACE, None])
async def test_a_character_above_the_ceiling_is_not_rated_and_not_named(
    world: FeedbackWorld, place: Place | None
) -> None:
    ref = await world.character("Vixen", slug="vixen", rating=ContentRating.NSFW)
    with pytest.raises(UserError) as form:
        await world.feedback.rating_form(MEMBER, ref, place)
    with pytest.raises(UserError) as rating:
        await world.feedback.rate(MEMBER, ref, stars="5", text=None, place=place)
    for refusal in (form, rating):
        assert "content rating" in refusal.value.sentence
        assert "ixen" not in refusal.value.sentence


async def test_it_is_rated_where_it_may_be_shown(world: FeedbackWorld) -> None:
    ref = await world.character(rating=ContentRating.NSFW)
    rating = await world.feedback.rate(MEMBER, ref, stars="5", text=None, place=ADULT_PLACE)
    assert rating.review.stars == 5


async def test_an_unknown_character_is_not_rated(feedback: FeedbackService) -> None:
    with pytest.raises(UserError, match="do not know that character"):
        await feedback.rate(MEMBER, NOBODY, stars="5", text=None, place=OPEN_PLACE)


async def test_an_average_shows_from_three_ratings_on(world: FeedbackWorld) -> None:
    ref = await world.character()
    elsewhere = Place(GuildId(201), ChannelId(310), None, age_restricted=False)
    for number, (stars, place) in enumerate([("5", OPEN_PLACE), ("4", OPEN_PLACE), ("1", elsewhere)]):
        assert await world.feedback.average(ref) is None
        await world.feedback.rate(UserId(number), ref, stars=stars, text=None, place=place)
    assert await world.feedback.average(ref) == pytest.approx(10 / 3)
    assert await world.feedback.average(ref, GUILD) is None


# Reports


async def report(
    world: FeedbackWorld,
    ref: CharacterRef,
    *,
    reason: str = ReportReason.HATE.value,
    details: str | None = "It insulted everybody.",
    turn_id: TurnId | None = None,
    place: Place | None = OPEN_PLACE,
) -> Report:
    return await world.feedback.report(MEMBER, ref, reason=reason, details=details, turn_id=turn_id, place=place)


async def test_a_report_reaches_the_catalogue_without_its_reporter(world: FeedbackWorld) -> None:
    ref = await world.character()
    await report(world, ref)
    await world.sending.send_due()
    (request,) = world.upstream.requests
    assert (request.method, request.url.path) == ("POST", "/api/v1/characters/id-ada/report")
    assert json.loads(request.content) == {"reason": "Hate or harassment", "details": "It insulted everybody."}
    assert str(MEMBER) not in request.content.decode() + str(request.url)


async def test_a_report_without_details_says_none(world: FeedbackWorld) -> None:
    await report(world, await world.character(), details="  ")
    await world.sending.send_due()
    assert json.loads(world.upstream.requests[0].content) == {"reason": "Hate or harassment"}


async def test_an_accepted_report_is_no_news(world: FeedbackWorld) -> None:
    filed = await report(world, await world.character())
    await world.sending.send_due()
    stored = await world.reports.get(filed.id)
    assert stored is not None
    assert stored.state is ReportState.ACCEPTED
    assert await world.feedback.pending_news(MEMBER) is None


async def test_a_refused_report_is_told_until_it_was_shown(world: FeedbackWorld) -> None:
    world.upstream.answer(409, "already reported")
    await report(world, await world.character())
    await world.sending.send_due()
    news = await world.feedback.pending_news(MEMBER)
    assert news is not None
    assert "`already reported`" in news.sentences[0]
    assert await world.feedback.pending_news(UserId(401)) is None
    assert await world.feedback.pending_news(MEMBER) == news
    await world.feedback.told(news)
    assert await world.feedback.pending_news(MEMBER) is None


async def test_a_report_that_is_settled_is_not_sent_again(world: FeedbackWorld, database: Database) -> None:
    filed = await report(world, await world.character())
    await world.sending.send_due()
    now = world.clock.now_ms()
    async with database.transaction() as tx:
        await world.outbox.put(tx, OutboxKind.REPORT, str(filed.id), payer=OPERATOR, due_at_ms=now, now_ms=now)
    await world.sending.send_due()
    assert len(world.upstream.requests) == 1
    assert await world.outbox.next_due_ms() is None


async def test_a_report_outlasts_an_outage(world: FeedbackWorld) -> None:
    world.upstream.answer(502)
    await report(world, await world.character())
    await world.sending.send_due()
    assert len(world.upstream.requests) == 1
    world.clock.advance(60)
    await world.sending.send_due()
    assert len(world.upstream.requests) == 2
    assert await world.outbox.next_due_ms() is None


async def test_a_report_that_nobody_took_in_a_week_is_told(world: FeedbackWorld) -> None:
    await report(world, await world.character())
    world.clock.advance(7 * 86_400)
    await world.sending.send_due()
    news = await world.feedback.pending_news(MEMBER)
    assert news is not None
    assert "within a week" in news.sentences[0]
    assert world.upstream.requests == []


@pytest.mark.parametrize(
    ("reason", "details", "sentence"),
    [("", None, "Choose a reason"), ("nonsense", None, "Choose a reason"), ("hate", "x" * 1_001, "at most 1,000")],
)
async def test_what_is_wrong_with_a_report_is_a_sentence(
    world: FeedbackWorld, reason: str, details: str | None, sentence: str
) -> None:
    ref = await world.character()
    with pytest.raises(UserError, match=sentence):
        await report(world, ref, reason=reason, details=details)
    assert await world.outbox.next_due_ms() is None


async def test_an_unknown_character_is_not_reported(world: FeedbackWorld) -> None:
    with pytest.raises(UserError, match="do not know that character"):
        await report(world, NOBODY)


async def test_a_character_that_is_gone_is_not_reported(world: FeedbackWorld) -> None:
    ref = await world.character()
    known = await world.characters.get(ref)
    assert known is not None
    await world.characters.gone(known.character.id, world.clock.now_ms())
    with pytest.raises(UserError, match="nothing left to report"):
        await world.feedback.report_form(ref, None, OPEN_PLACE)


async def test_a_character_above_the_ceiling_can_be_reported_but_is_not_named(world: FeedbackWorld) -> None:
    ref = await world.character("Vixen", rating=ContentRating.EXPLICIT)
    assert (await world.feedback.report_form(ref, None, OPEN_PLACE)).name is None
    await report(world, ref, reason=ReportReason.MISRATED.value)
    assert await world.outbox.next_due_ms() is not None


async def test_a_report_of_a_reply_names_its_first_message(world: FeedbackWorld) -> None:
    ref = await world.character()
    turn = await world.reply(await world.bind(ref), OPEN_PLACE, [MessageId(500), MessageId(501)])
    stored = await world.feedback.report(MEMBER, ref, reason="hate", details=None, turn_id=turn, place=OPEN_PLACE)
    complaint = stored.complaint
    assert (complaint.guild_id, complaint.channel_id, complaint.message_id) == (GUILD, CHANNEL, MessageId(500))
    assert stored.state is ReportState.WAITING


async def test_a_reply_in_a_thread_is_reported_there(world: FeedbackWorld) -> None:
    ref = await world.character()
    turn = await world.reply(await world.bind(ref), THREAD_PLACE, [MessageId(500)])
    stored = await world.feedback.report(MEMBER, ref, reason="hate", details=None, turn_id=turn, place=THREAD_PLACE)
    assert (stored.complaint.channel_id, stored.complaint.message_id) == (THREAD_PLACE.thread_id, MessageId(500))


@pytest.mark.parametrize(
    "place",
    [
        None,
        THREAD_PLACE,
        Place(GUILD, ChannelId(302), None, age_restricted=False),
        Place(GuildId(201), CHANNEL, None, age_restricted=False),
    ],
)
async def test_a_reply_given_elsewhere_is_not_reported_here(world: FeedbackWorld, place: Place | None) -> None:
    ref = await world.character()
    turn = await world.reply(await world.bind(ref), OPEN_PLACE, [MessageId(500)])
    with pytest.raises(UserError, match="another channel"):
        await world.feedback.report_form(ref, turn, place)
    with pytest.raises(UserError, match="another channel"):
        await report(world, ref, turn_id=turn, place=place)


async def test_a_reply_of_another_character_is_not_reported(world: FeedbackWorld) -> None:
    other = await world.character("Bob", slug="bob")
    turn = await world.reply(await world.bind(await world.character()), OPEN_PLACE, [MessageId(500)])
    with pytest.raises(UserError, match="another channel"):
        await report(world, other, turn_id=turn)


async def test_a_reply_that_was_forgotten_can_still_be_reported(world: FeedbackWorld) -> None:
    ref = await world.character()
    stored = await world.feedback.report(MEMBER, ref, reason="hate", details=None, turn_id=TurnId(77), place=OPEN_PLACE)
    assert stored.complaint.message_id is None


async def test_reports_of_one_member_are_capped_by_the_hour(world: FeedbackWorld) -> None:
    ref = await world.character()
    for _ in range(REPORTS_PER_HOUR):
        await report(world, ref)
    with pytest.raises(UserError, match="several reports"):
        await report(world, ref)
    await world.feedback.report(UserId(401), ref, reason="hate", details=None, turn_id=None, place=OPEN_PLACE)
    world.clock.advance(3_601)
    await report(world, ref)


async def test_a_report_wakes_the_outbox_with_the_operators_key(world: FeedbackWorld) -> None:
    await report(world, await world.character())
    (entry,) = await world.outbox.due(world.clock.now_ms(), 10)
    assert entry.payer == OPERATOR
    await world.sending.send_due()
    assert world.upstream.requests[0].headers["Authorization"] == "Bearer sk-nano-fake-0000"


async def test_a_report_deleted_by_its_reporter_is_sent_without_details(world: FeedbackWorld) -> None:
    await report(world, await world.character())
    await world.privacy.delete(MEMBER)
    await world.sending.send_due()
    assert json.loads(world.upstream.requests[0].content) == {"reason": "Hate or harassment"}
