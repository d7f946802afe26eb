"""Reviews in the stand-in: one an account and character, by accounts that may."""

import pytest

from bot.sandbox.nanogpt.cast import AUTHOR, MEMBER, PRIVATE
from bot.sandbox.nanogpt.catalog import SandboxCharacter
from bot.sandbox.nanogpt.variants import WriteAnswer
from tests.sandbox.nanogpt_visits import Reply, Visit, visiting

TEXT = "Helped me a great deal."


async def review(visit: Visit, body: object, *, slug: str = "helpful-guide", account: str = AUTHOR) -> Reply:
    return await visit.send("PUT", f"/characters/{slug}/review", body, key=visit.key_of(account))


async def test_a_review_is_kept_with_its_account_and_counts_in_the_average() -> None:
    async with visiting() as visit:
        reply = await review(visit, {"rating": 1, "review_text": TEXT})
        assert reply.status == 200
        assert reply.json == {"review": {"rating": 1, "review_text": TEXT}, "rating_avg": 4.51, "rating_count": 13}
        kept = visit.upstream.reviews[0]
        assert (kept.character, kept.account, kept.rating, kept.text) == ("helpful-guide", AUTHOR, 1, TEXT)
        shown = await visit.get("/characters/helpful-guide")
        assert (shown.at("rating_avg"), shown.at("rating_count")) == (4.51, 13)


async def test_a_second_review_of_an_account_takes_the_place_of_its_first() -> None:
    async with visiting() as visit:
        await review(visit, {"rating": 1, "review_text": TEXT})
        reply = await review(visit, {"rating": 5})
        assert reply.json == {"review": {"rating": 5}, "rating_avg": 4.82, "rating_count": 13}
        assert [(kept.rating, kept.text) for kept in visit.upstream.reviews] == [(5, None)]


async def test_two_accounts_have_two_reviews() -> None:
    async with visiting() as visit:
        visit.upstream.catalog.add_account(MEMBER, subscribed=True)
        visit.upstream.catalog.add(SandboxCharacter(slug="new-one", name="New One"))
        await review(visit, {"rating": 2}, slug="new-one")
        reply = await review(visit, {"rating": 5}, slug="new-one", account=MEMBER)
        assert (reply.at("rating_avg"), reply.at("rating_count")) == (3.5, 2)
        assert len(visit.upstream.reviews) == 2


@pytest.mark.parametrize(
    ("usd", "nano", "subscribed", "status"),
    [
        (0.0, 0.0, True, 200),
        (0.0, 0.0, False, 402),
        (1.0, 0.0, False, 402),
        (1.01, 0.0, False, 200),
        (0.0, 0.8, False, 402),
        (0.0, 0.81, False, 200),
        (0.5, 0.5, False, 200),
        (0.5, 0.4, False, 402),
    ],
)
async def test_a_reviewer_needs_a_subscription_or_more_than_a_dollar_with_nano_counted_in(
    usd: float, nano: float, *, subscribed: bool, status: int
) -> None:
    async with visiting() as visit:
        visit.upstream.catalog.accounts.nano_price = 1.25
        visit.upstream.catalog.add_account("someone", usd=usd, nano=nano, subscribed=subscribed)
        assert (await review(visit, {"rating": 3}, account="someone")).status == status
        assert len(visit.upstream.reviews) == (1 if status == 200 else 0)


@pytest.mark.parametrize("status", [400, 402, 403])
async def test_an_account_that_may_not_review_is_told_so_with_the_status_of_the_variant(status: int) -> None:
    async with visiting() as visit:
        visit.upstream.variants.ineligible_status = status
        assert (await review(visit, {"rating": 3}, account=MEMBER)).status == status


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "rating"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": 4.5}, "rating"),
        ({"rating": True}, "rating"),
        ({"rating": "5"}, "rating"),
        ({"rating": 5, "review_text": ""}, "review_text"),
        ({"rating": 5, "review_text": None}, "review_text"),
        ({"rating": 5, "review_text": "too short"}, "review_text"),
        ({"rating": 5, "text": TEXT}, "text"),
    ],
)
async def test_a_review_that_cannot_stand_is_refused_by_name(body: object, param: str) -> None:
    async with visiting() as visit:
        reply = await review(visit, body)
        assert (reply.status, reply.at("error", "param")) == (400, param)
        assert visit.upstream.reviews == []


async def test_an_unknown_field_of_a_review_is_complained_about() -> None:
    async with visiting() as visit:
        await review(visit, {"rating": 5, "stars": 5})
        assert "stars" in visit.upstream.complaints[0]


@pytest.mark.parametrize(("slug", "status"), [("nobody", 404), (PRIVATE, 404)])
async def test_what_cannot_be_read_cannot_be_reviewed(slug: str, status: int) -> None:
    async with visiting() as visit:
        visit.upstream.catalog.add_account(MEMBER, usd=5.0)
        assert (await review(visit, {"rating": 5}, slug=slug, account=MEMBER)).status == status


async def test_a_review_needs_a_key() -> None:
    async with visiting() as visit:
        assert (await visit.send("PUT", "/characters/helpful-guide/review", {"rating": 5})).status == 401


async def test_a_review_of_ones_own_is_taken_unless_the_variant_says_otherwise() -> None:
    async with visiting() as visit:
        assert (await review(visit, {"rating": 5}, slug=PRIVATE)).status == 200
        visit.upstream.variants.refuse_own_review = True
        assert (await review(visit, {"rating": 5}, slug=PRIVATE)).status == 409


@pytest.mark.parametrize(
    ("kind", "status", "raw"),
    [(WriteAnswer.OK, 200, b'{"ok":true}'), (WriteAnswer.EMPTY, 204, b""), (WriteAnswer.TEXT, 200, b"Done.")],
)
async def test_a_review_may_be_answered_with_anything(kind: WriteAnswer, status: int, raw: bytes) -> None:
    async with visiting() as visit:
        visit.upstream.variants.write_answer = kind
        reply = await review(visit, {"rating": 5})
        assert (reply.status, reply.raw) == (status, raw)
        assert len(visit.upstream.reviews) == 1
