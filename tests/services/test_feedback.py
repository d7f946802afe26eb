import json
from collections.abc import AsyncGenerator
from dataclasses import replace

import httpx
import pytest

from bot.domain.bindings import BindingState
from bot.domain.characters import Character, KnownCharacter
from bot.domain.feedback import Addressee, OutboxKind, Report, ReportState, Review
from bot.domain.ids import ChannelId, CharacterId, CharacterRef, GuildId, MessageId, TurnId, UserId
from bot.domain.places import Place
from bot.domain.publishing import Whereabouts
from bot.domain.ratings import ContentRating
from bot.domain.reporting import Readers, ReportReason
from bot.domain.turns import PostKind, Transport
from bot.errors import UserError
from bot.services.feedback import REPORTS_PER_HOUR, FeedbackService
from bot.services.outbox import HELD_SECONDS
from bot.services.outlet import Busy, Destination, Forbidden
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.feedback_world import (
    ADULT_PLACE,
    CHANNEL,
    GUILD,
    KEY,
    LOG_CHANNEL,
    MEMBER,
    OPEN_PLACE,
    OPERATOR,
    FeedbackWorld,
)
from tests.support.manual_clock import ManualClock

NOBODY = CharacterRef(999)
ELSEWHERE = Place(GuildId(201), ChannelId(310), None, age_restricted=True)
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


@pytest.mark.parametrize("address", ["Ada Lovelace", " ada  LOVELACE ", 'Look for "Ada Lovelace"'])
async def test_a_character_is_found_by_a_name_that_is_its_alone(world: FeedbackWorld, address: str) -> None:
    ref = await world.character("Ada Lovelace", slug="countess")
    await world.character("Ada", slug="ada")
    assert await world.feedback.find(address) == ref
    assert world.upstream.requests == []


async def test_a_slug_goes_before_the_name_of_another(world: FeedbackWorld) -> None:
    ref = await world.character("Countess", slug="ada")
    await world.character("Ada", slug="countess")
    assert await world.feedback.find("ada") == ref


async def test_a_name_that_several_bear_is_to_be_chosen_from_the_list(world: FeedbackWorld) -> None:
    for slug in ("first", "second"):
        await world.character("Ada Lovelace", slug=slug)
    with pytest.raises(UserError, match=r"^Several characters .* from the list"):
        await world.feedback.find("Ada Lovelace")


@pytest.mark.parametrize("address", ["", "nobody", 'Look for "nobody"', "Hidden Ada", "~"])
async def test_an_unknown_character_is_a_sentence(world: FeedbackWorld, address: str) -> None:
    await world.character()
    await world.character("Hidden Ada", slug="hidden", visibility="private")
    with pytest.raises(UserError, match=r"/character search, and use the buttons"):
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


@pytest.mark.parametrize("publish", [True, False])
async def test_no_rating_of_a_member_without_an_account_leaves_the_bot(world: FeedbackWorld, *, publish: bool) -> None:
    ref = await world.character()
    await world.feedback.rate(MEMBER, ref, stars="5", text="As good as it gets.", place=OPEN_PLACE, publish=publish)
    await world.sending.send_due()
    assert world.upstream.requests == []


async def test_a_linked_members_rating_leaves_only_where_they_were_told_so(world: FeedbackWorld) -> None:
    ref = await world.character()
    assert not (await world.feedback.rating_form(MEMBER, ref, OPEN_PLACE)).publishes
    await world.link()
    assert (await world.feedback.rating_form(MEMBER, ref, OPEN_PLACE)).publishes
    await world.feedback.rate(MEMBER, ref, stars="5", text=None, place=OPEN_PLACE)
    await world.sending.send_due()
    assert world.upstream.requests == []
    await world.feedback.rate(MEMBER, ref, stars="4", text=None, place=OPEN_PLACE, publish=True)
    await world.sending.send_due()
    assert len(world.upstream.requests) == 1


async def test_a_refused_review_is_told_until_it_was_shown(world: FeedbackWorld) -> None:
    ref = await world.character()
    await world.link()
    world.upstream.answer(402, "top up")
    await world.feedback.rate(MEMBER, ref, stars="4", text=None, place=OPEN_PLACE, publish=True)
    await world.sending.send_due()
    news = await world.feedback.pending_news(MEMBER)
    assert news is not None
    assert "`top up`" in news.sentences[0]
    assert "Ada" not in news.sentences[0]
    assert await world.feedback.pending_news(UserId(401)) is None
    await world.feedback.told(news)
    assert await world.feedback.pending_news(MEMBER) is None


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
    shared: bool = False,
) -> Report:
    return await world.feedback.report(
        MEMBER, ref, reason=reason, details=details, turn_id=turn_id, place=place, shared=shared
    )


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
        await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)


async def test_a_character_above_the_ceiling_can_be_reported_but_is_not_named(world: FeedbackWorld) -> None:
    ref = await world.character("Vixen", rating=ContentRating.EXPLICIT)
    assert (await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)).name is None
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
        await world.feedback.report_form(MEMBER, ref, turn, place)
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


async def test_news_that_do_not_fit_into_one_message_are_told_one_after_the_other(world: FeedbackWorld) -> None:
    await world.link()
    world.upstream.answer(409, "already reported")
    await report(world, await world.character())
    await world.sending.send_due()
    refs = [await world.character(f"No {number}", slug=f"no-{number}") for number in range(9)]
    for ref in refs:
        world.upstream.answer(402, "x" * 300)
        await world.feedback.rate(MEMBER, ref, stars="4", text=None, place=OPEN_PLACE, publish=True)
        await world.sending.send_due()
    told: list[str] = []
    while news := await world.feedback.pending_news(MEMBER):
        assert len("\n".join(news.sentences)) <= 2_000
        await world.feedback.told(news)
        told += news.sentences
    assert len(told) == 10
    assert "already reported" in told[0]


# Reports with the member's own key


async def test_a_linked_members_report_goes_with_their_own_key(world: FeedbackWorld) -> None:
    ref = await world.character()
    assert not (await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)).readers.linked
    key = await world.link()
    assert (await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)).readers.linked
    await report(world, ref)
    await world.sending.send_due()
    assert world.upstream.requests[0].headers["Authorization"] == f"Bearer {key.reveal()}"


async def test_a_report_outlasts_the_unlinking_of_its_reporter(world: FeedbackWorld) -> None:
    await world.link()
    await report(world, await world.character())
    await world.accounts.unlink(MEMBER)
    await world.sending.send_due()
    assert [request.headers["Authorization"] for request in world.upstream.requests] == [f"Bearer {KEY.reveal()}"]


async def test_a_refused_key_is_marked_bad_and_the_report_goes_with_the_operators(world: FeedbackWorld) -> None:
    key = await world.link()
    world.upstream.answer(401)
    filed = await report(world, await world.character())
    await world.sending.send_due()
    sent = [request.headers["Authorization"] for request in world.upstream.requests]
    assert sent == [f"Bearer {key.reveal()}", f"Bearer {KEY.reveal()}"]
    assert await world.is_refused()
    stored = await world.reports.get(filed.id)
    assert stored is not None
    assert stored.state is ReportState.ACCEPTED


REFUSALS_OF_A_KEY: dict[int, str] = {
    402: "Insufficient balance",
    403: "Not for you",
    429: "Daily request limit exceeded",
}


@pytest.mark.parametrize("status", REFUSALS_OF_A_KEY)
async def test_a_report_that_the_members_account_cannot_send_goes_with_the_operators_key(
    world: FeedbackWorld, status: int
) -> None:
    key = await world.link()
    refuse_key(world, status)
    filed = await report(world, await world.character())
    await world.sending.send_due()
    sent = [request.headers["Authorization"] for request in world.upstream.requests]
    assert sent == [f"Bearer {key.reveal()}", f"Bearer {KEY.reveal()}"]
    assert not await world.is_refused()
    stored = await world.reports.get(filed.id)
    assert stored is not None
    assert stored.state is ReportState.ACCEPTED


@pytest.mark.parametrize("status", REFUSALS_OF_A_KEY)
async def test_a_members_rating_does_not_wait_for_what_was_said_to_their_report(
    world: FeedbackWorld, status: int
) -> None:
    await world.link()
    ref = await world.character()
    refuse_key(world, status)
    world.upstream.answer(402, "Insufficient balance")
    await report(world, ref)
    await world.sending.send_due()
    await world.feedback.rate(MEMBER, ref, stars="5", text=None, place=OPEN_PLACE, publish=True)
    await world.sending.send_due()
    assert (await world.publishing.standing(MEMBER, ref)).where is Whereabouts.PUBLISHED


async def test_a_report_that_nobody_could_send_yet_waits_for_the_operator_alone(world: FeedbackWorld) -> None:
    await world.link()
    for _ in range(2):
        world.upstream.answer(402, "Insufficient balance")
    filed = await report(world, await world.character())
    await world.sending.send_due()
    world.clock.advance(HELD_SECONDS)
    await world.sending.send_due()
    sent = [request.headers["Authorization"] for request in world.upstream.requests]
    assert sent[1:] == [f"Bearer {KEY.reveal()}"] * 2
    stored = await world.reports.get(filed.id)
    assert stored is not None
    assert stored.state is ReportState.ACCEPTED


async def test_a_report_does_not_wait_for_a_key_that_rests(world: FeedbackWorld) -> None:
    await world.link()
    ref = await world.character()
    refuse_key(world, 429)
    await world.feedback.rate(MEMBER, ref, stars="5", text=None, place=OPEN_PLACE, publish=True)
    await world.sending.send_due()
    await report(world, ref)
    await world.sending.send_due()
    assert world.upstream.requests[-1].headers["Authorization"] == f"Bearer {KEY.reveal()}"
    assert len(world.upstream.requests) == 2


def refuse_key(world: FeedbackWorld, status: int) -> None:
    """Let NanoGPT say something of the next key."""
    error = {"message": REFUSALS_OF_A_KEY[status], "code": "daily_rpd_limit_exceeded" if status == 429 else None}
    world.upstream.answers.append(lambda _: httpx.Response(status, json={"error": error}))


# What the staff of the server reads


async def test_without_a_channel_for_reports_nobody_in_the_server_reads_them(world: FeedbackWorld) -> None:
    ref = await world.character()
    assert not (await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)).readers.staff
    filed = await report(world, ref, shared=True)
    await world.sending.send_due()
    assert world.outlet.posted == []
    assert "staff" not in await world.feedback.receipt(filed)


async def test_the_staff_gets_a_copy_with_a_link_and_without_the_reporter(world: FeedbackWorld) -> None:
    ref = await world.character()
    world.want_reports()
    turn = await world.reply(await world.bind(ref), OPEN_PLACE, [MessageId(500), MessageId(501)])
    assert (await world.feedback.report_form(MEMBER, ref, turn, OPEN_PLACE)).readers.staff
    filed = await report(world, ref, turn_id=turn)
    await world.sending.send_due()
    ((destination, transport, draft),) = world.outlet.posted
    assert (destination, transport) == (Destination(GUILD, LOG_CHANNEL), Transport.BOT)
    assert "**Ada** was reported: Hate or harassment" in draft.text
    assert "https://discord.com/channels/200/300/500" in draft.text
    assert str(MEMBER) not in draft.text
    assert "insulted" not in draft.text
    assert len(world.upstream.requests) == 1
    assert "a copy, without your name and your details" in await world.feedback.receipt(filed)


async def test_who_reported_and_why_is_shown_where_the_reporter_wants_that(world: FeedbackWorld) -> None:
    world.want_reports()
    filed = await report(world, await world.character(), shared=True)
    await world.sending.send_due()
    assert f"<@{MEMBER}>" in world.outlet.texts[0]
    assert "It insulted everybody." in world.outlet.texts[0]
    assert "a copy, with your name and your details" in await world.feedback.receipt(filed)


@pytest.mark.parametrize("age_restricted", [True, False])
async def test_the_copy_keeps_to_the_ceiling_of_its_channel(world: FeedbackWorld, *, age_restricted: bool) -> None:
    ref = await world.character("Vixen", slug="vixen", rating=ContentRating.NSFW)
    world.want_reports()
    world.around[LOG_CHANNEL] = Place(GUILD, LOG_CHANNEL, None, age_restricted=age_restricted)
    await report(world, ref, shared=True, place=ADULT_PLACE)
    await world.sending.send_due()
    (text,) = world.outlet.texts
    assert ("Vixen" in text) is age_restricted
    assert ("insulted" in text) is age_restricted
    assert f"<@{MEMBER}>" in text


async def test_a_copy_that_cannot_be_posted_changes_nothing_for_the_catalogue(world: FeedbackWorld) -> None:
    world.want_reports()
    world.outlet.failures.append(Forbidden())
    filed = await report(world, await world.character())
    await world.sending.send_due()
    stored = await world.reports.get(filed.id)
    assert stored is not None
    assert stored.state is ReportState.ACCEPTED
    assert await world.feedback.pending_news(MEMBER) is None
    assert await world.outbox.next_due_ms() is None


async def test_a_copy_waits_for_discord_and_for_the_gateway_to_describe_the_channel(world: FeedbackWorld) -> None:
    world.want_reports()
    place = world.around.pop(LOG_CHANNEL)
    await report(world, await world.character())
    await world.sending.send_due()
    world.around[LOG_CHANNEL] = place
    world.outlet.failures.append(Busy(90.0))
    for minutes in (1, 2):
        assert world.outlet.posted == []
        world.clock.advance(60 * minutes)
        await world.sending.send_due()
    world.clock.advance(120)
    await world.sending.send_due()
    assert len(world.outlet.posted) == 1


async def test_a_channel_that_is_never_described_is_told_no_name(world: FeedbackWorld) -> None:
    world.want_reports()
    world.around.clear()
    await report(world, await world.character(rating=ContentRating.SUGGESTIVE), place=ADULT_PLACE)
    for _ in range(5):
        await world.sending.send_due()
        world.clock.advance(600)
    (text,) = world.outlet.texts
    assert "Ada" not in text


async def test_a_deleted_report_is_copied_to_nobody(world: FeedbackWorld) -> None:
    world.want_reports()
    world.outlet.failures.append(Busy(1.0))
    await report(world, await world.character(), shared=True)
    await world.sending.send_due()
    await world.privacy.delete(MEMBER)
    world.clock.advance(60)
    await world.sending.send_due()
    assert world.outlet.posted == []
    assert await world.outbox.next_due_ms() is None


# Private characters


async def test_a_private_character_is_reported_to_the_staff_alone(world: FeedbackWorld) -> None:
    ref = await world.own_character()
    world.want_reports()
    await world.link()
    form = await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)
    assert (form.name, form.readers) == ("Mia", Readers(Addressee.STAFF, linked=False, staff=True))
    filed = await report(world, ref)
    await world.sending.send_due()
    assert world.upstream.requests == []
    assert "**Mia** was reported" in world.outlet.texts[0]
    assert "nobody else" in await world.feedback.receipt(filed)
    stored = await world.reports.get(filed.id)
    assert stored is not None
    assert stored.state is ReportState.ACCEPTED


async def test_a_private_character_that_nobody_could_read_of_is_not_reported(world: FeedbackWorld) -> None:
    ref = await world.own_character()
    with pytest.raises(UserError, match="has set no channel for reports"):
        await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)
    with pytest.raises(UserError, match="has set no channel for reports"):
        await report(world, ref)
    world.want_reports()
    with pytest.raises(UserError, match="has set no channel for reports"):
        await report(world, ref, place=None)
    assert await world.outbox.next_due_ms() is None


async def test_a_report_that_the_staff_cannot_be_shown_is_told(world: FeedbackWorld) -> None:
    ref = await world.own_character()
    world.want_reports()
    await report(world, ref)
    world.log_channels.clear()
    await world.sending.send_due()
    news = await world.feedback.pending_news(MEMBER)
    assert news is not None
    assert "could not be shown to the staff" in news.sentences[0]


async def test_a_report_that_never_reached_the_staff_is_told(world: FeedbackWorld) -> None:
    ref = await world.own_character()
    world.want_reports()
    await report(world, ref)
    world.clock.advance(7 * 86_400)
    await world.sending.send_due()
    news = await world.feedback.pending_news(MEMBER)
    assert news is not None
    assert "did not reach the staff" in news.sentences[0]


async def test_a_private_character_is_known_only_where_it_speaks(world: FeedbackWorld) -> None:
    ref = await world.own_character()
    assert (await world.feedback.rating_form(MEMBER, ref, OPEN_PLACE)).name == "Mia"
    with pytest.raises(UserError) as refusal:
        await world.feedback.rating_form(MEMBER, ref, ELSEWHERE)
    assert "Mia" not in refusal.value.sentence


async def test_what_its_author_has_withdrawn_is_reported_to_the_staff_alone(world: FeedbackWorld) -> None:
    ref = await world.withdrawn_character()
    world.want_reports()
    await world.link()
    for place in (OPEN_PLACE, ELSEWHERE):
        world.log_channels[place.guild_id] = LOG_CHANNEL
        form = await world.feedback.report_form(MEMBER, ref, None, place)
        assert form.readers == Readers(Addressee.STAFF, linked=False, staff=True)
    await report(world, ref)
    await world.sending.send_due()
    assert world.upstream.requests == []
    assert "**Secret Ada** was reported" in world.outlet.texts[0]
    assert "catalogue" not in world.outlet.texts[0]


async def test_what_its_author_has_withdrawn_is_rated_here_alone(world: FeedbackWorld) -> None:
    ref = await world.withdrawn_character()
    await world.link()
    assert not (await world.feedback.rating_form(MEMBER, ref, OPEN_PLACE)).publishes
    await world.feedback.rate(MEMBER, ref, stars="1", text=None, place=OPEN_PLACE, publish=True)
    await world.sending.send_due()
    assert world.upstream.requests == []
    assert (await world.publishing.standing(MEMBER, ref)).where is Whereabouts.PRIVATE
    assert await world.publishing.unpublished(MEMBER) == ()


async def test_what_its_author_has_withdrawn_counts_as_they_rate_it_now(world: FeedbackWorld) -> None:
    ref = await world.withdrawn_character(rating=ContentRating.NSFW)
    with pytest.raises(UserError, match="above what this channel may show"):
        await world.feedback.rating_form(MEMBER, ref, OPEN_PLACE)
    assert (await world.feedback.rating_form(MEMBER, ref, ADULT_PLACE)).name == "Secret Ada"


async def test_what_the_catalogue_has_no_more_can_be_reported_where_it_speaks(world: FeedbackWorld) -> None:
    ref = await world.withdrawn_character()
    world.want_reports()
    await world.characters.gone(CharacterId("id-ada"), world.clock.now_ms())
    assert (await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)).name == "Secret Ada"


async def test_a_private_character_whose_owner_has_unlinked_is_reported_to_the_staff_alone(
    world: FeedbackWorld,
) -> None:
    ref = await world.own_character()
    world.want_reports()
    nameless = Character(CharacterId(""), "")
    world.own[ref] = KnownCharacter(ref, nameless, seen_at_ms=0, checked_at_ms=None, gone_at_ms=None)
    form = await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)
    assert (form.name, form.readers.addressee) == (None, Addressee.STAFF)


async def test_what_its_owner_has_published_is_reported_to_the_catalogue(world: FeedbackWorld) -> None:
    ref = await world.own_character()
    world.own[ref] = replace(world.own[ref], character=replace(world.own[ref].character, visibility="public"))
    form = await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)
    assert form.readers.addressee is Addressee.CATALOGUE


async def test_what_was_private_when_it_last_spoke_is_what_the_catalogue_says_it_is(world: FeedbackWorld) -> None:
    ref = await world.withdrawn_character()
    (binding,) = world.index
    world.index.put(replace(binding, state=BindingState.PAUSED))
    form = await world.feedback.report_form(MEMBER, ref, None, OPEN_PLACE)
    assert (form.name, form.readers.addressee) == ("Ada", Addressee.CATALOGUE)


# By a message of the character's


async def test_a_message_tells_whose_words_it_is(world: FeedbackWorld) -> None:
    ref = await world.character()
    turn = await world.reply(await world.bind(ref), OPEN_PLACE, [MessageId(500), MessageId(501)])
    assert await world.feedback.spoken_by(MessageId(501)) == (ref, turn)


async def test_a_message_of_nobody_in_particular_is_a_sentence(world: FeedbackWorld) -> None:
    with pytest.raises(UserError, match="not a message of a character"):
        await world.feedback.spoken_by(MessageId(500))


async def test_a_warning_of_the_bot_is_no_characters_message(world: FeedbackWorld) -> None:
    turn = await world.reply(await world.bind(await world.character()), OPEN_PLACE, [MessageId(500)])
    post_id, _ = await world.posts.intend(
        turn, PostKind.MARK, 0, channel_id=CHANNEL, thread_id=None, transport=Transport.BOT, now_ms=1
    )
    await world.posts.posted(post_id, MessageId(510))
    with pytest.raises(UserError, match="not a message of a character"):
        await world.feedback.spoken_by(MessageId(510))
