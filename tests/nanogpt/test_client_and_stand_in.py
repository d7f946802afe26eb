"""The client and the stand-in know nothing of one another: here they speak over a socket, in every variant."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from typing import Final

import pytest

from bot.domain.accounts import LoginApproved, LoginConsumed, LoginExpired, LoginInvalid, LoginPending
from bot.domain.authoring import CharacterChanges, CharacterFields, Visibility
from bot.domain.characters import OwnCharacter
from bot.domain.conversation import InputItem
from bot.domain.ids import CharacterId, PayerId
from bot.domain.ratings import ContentRating
from bot.nanogpt import errors
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.pace import Pace
from bot.nanogpt.requests import ApiKey, ResponseRequest
from bot.nanogpt.transport import TimeLimits, build_http_client
from bot.sandbox.nanogpt.cast import AUTHOR, MEMBER, PENDING, PRIVATE
from bot.sandbox.nanogpt.catalog import DEFAULT_MODEL
from bot.sandbox.nanogpt.faults import Fault, Route
from bot.sandbox.nanogpt.language_models import MODELS
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.sandbox.nanogpt.variants import ListEnvelope, SingleEnvelope, UsageShape, WriteAnswer

ADA: Final = CharacterFields(
    name="Ada",
    base_model=DEFAULT_MODEL,
    system_prompt="You are Ada.",
    creator_rating=ContentRating.SUGGESTIVE,
    summary="Counts",
    visibility=Visibility.PUBLIC,
    allow_api=True,
    tags=("maths",),
)
NOON: Final = 1_770_033_600.0
LIFETIME_SECONDS: Final = 600.0


@dataclass
class Meeting:
    """The client and the stand-in, and the stand-in's clock."""

    upstream: NanoGptSandbox
    client: NanoGptClient
    clock: list[float]

    def key(self, account: str) -> ApiKey:
        return ApiKey(self.upstream.catalog.add_account(account).key, PayerId(account))


@asynccontextmanager
async def meeting(limits: TimeLimits | None = None) -> AsyncGenerator[Meeting]:
    clock = [NOON]
    async with NanoGptSandbox(now=lambda: clock[0]) as upstream, build_http_client(max_connections=4) as http:
        client = NanoGptClient(
            http,
            base_url=upstream.base_url,
            responses_url=upstream.responses_url,
            pace=Pace(),
            jitter=lambda: 0.0,
            limits=limits,
        )
        yield Meeting(upstream, client, clock)
        upstream.assert_clean()


async def test_a_characters_whole_life() -> None:
    async with meeting() as met:
        desk, key = met.client.desk, met.key(MEMBER)
        made = await desk.create_character(ADA, key=key)
        assert isinstance(made, OwnCharacter)
        assert (made.system_prompt, made.creator_rating) == ("You are Ada.", ContentRating.SUGGESTIVE)
        assert (made.character.moderation_status, made.character.tags) == ("pending", ("maths",))
        met.upstream.moderation.approve("ada")
        assert (await met.client.get_character("ada")).rating is ContentRating.SUGGESTIVE
        reply = ResponseRequest(CharacterId(made.character.id), (InputItem("user", "Hi"),))
        assert (await met.client.create_response(reply, key=met.key(AUTHOR))).text

        changed = await desk.change_character("ada", CharacterChanges(summary="", tags=()), key=key)
        assert changed is not None
        assert (changed.character.summary, changed.character.tags) == (None, ())
        assert changed.character.moderation_status == "pending"
        assert met.upstream.calls[-1].body == {"summary": "", "tags": []}
        met.upstream.moderation.reject("ada", "Counts too much.")
        assert (await desk.own_character("ada", key=key)).moderation_reason == "Counts too much."

        await desk.archive_character("ada", key=key)
        (archived,) = (await desk.my_characters(key=key)).characters
        assert archived.character.archived
        with pytest.raises(errors.NotFoundError):
            await desk.archive_character("ada", key=key)


@pytest.mark.parametrize("kind", [WriteAnswer.OK, WriteAnswer.EMPTY, WriteAnswer.TEXT])
async def test_writes_are_taken_for_done_whatever_the_answer_holds(kind: WriteAnswer) -> None:
    async with meeting() as met:
        met.upstream.variants.write_answer = kind
        desk, key = met.client.desk, met.key(AUTHOR)
        assert await desk.create_character(ADA, key=key) is None
        assert await desk.change_character(PRIVATE, CharacterChanges(name="Bea"), key=key) is None
        await met.client.review("helpful-guide", rating=4, text=None, key=key)
        await desk.archive_character(PENDING, key=key)
        names = [(own.character.name, own.character.archived) for own in (await desk.my_characters(key=key)).characters]
        assert ("Ada", False) in names
        assert ("Bea", False) in names
        assert ("Haiku Clerk", True) in names
        assert len(met.upstream.reviews) == 1


@pytest.mark.parametrize(("envelope", "single", "camel"), list(product(ListEnvelope, SingleEnvelope, [False, True])))
async def test_an_author_reads_the_same_in_every_dress(
    envelope: ListEnvelope, single: SingleEnvelope, *, camel: bool
) -> None:
    async with meeting() as met:
        variants = met.upstream.variants
        variants.list_envelope, variants.single_envelope, variants.camel_case = envelope, single, camel
        desk, key = met.client.desk, met.key(AUTHOR)
        met.upstream.moderation.reject(PENDING, "Too long.")
        page = await desk.my_characters(key=key)
        assert [own.character.slug for own in page.characters] == [PRIVATE, "rehearsal-partner", PENDING]
        assert page.characters[0].system_prompt == "You are a diary."
        assert page.characters[2].moderation_reason == "Too long."
        assert await desk.own_character(PRIVATE, key=key) == page.characters[0]


async def test_a_prompt_and_a_slug_that_are_kept_back_are_none() -> None:
    async with meeting() as met:
        met.upstream.variants.owner_prompt = False
        met.upstream.variants.private_without_slug = True
        own = await met.client.desk.own_character(PRIVATE, key=met.key(AUTHOR))
        assert (own.system_prompt, own.character.slug, own.character.name) == (None, None, "Diary Keeper")


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.SILENT_ANSWER])
async def test_a_create_that_nobody_answered_is_uncertain_and_found_among_ones_own(fault: Fault) -> None:
    async with meeting(TimeLimits(lookup_idle=0.2)) as met:
        met.upstream.faults.next(fault, on=Route.CREATE)
        key = met.key(MEMBER)
        with pytest.raises(errors.NanoGptError) as caught:
            await met.client.desk.create_character(ADA, key=key)
        assert caught.value.uncertain
        (own,) = (await met.client.desk.my_characters(key=key)).characters
        assert own.character.name == "Ada"
        assert [call.route for call in met.upstream.calls].count(Route.CREATE.value) == 1


async def test_a_refused_create_tells_what_is_wrong_and_is_not_uncertain() -> None:
    async with meeting() as met:
        fields = CharacterFields("Ada", "no/model", "You are Ada.", ContentRating.SFW)
        with pytest.raises(errors.InvalidRequestError) as caught:
            await met.client.desk.create_character(fields, key=met.key(MEMBER))
        assert (caught.value.param, caught.value.uncertain) == ("base_model_id", False)
        assert caught.value.message == "base_model_id is not a model of the list"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, errors.InvalidRequestError),
        (402, errors.InsufficientBalanceError),
        (403, errors.NotPermittedError),
    ],
)
async def test_a_review_that_is_not_accepted_is_named_by_its_status(
    status: int, expected: type[errors.NanoGptError]
) -> None:
    async with meeting() as met:
        met.upstream.variants.ineligible_status = status
        with pytest.raises(errors.NanoGptError) as caught:
            await met.client.review("helpful-guide", rating=5, text=None, key=met.key(MEMBER))
        assert type(caught.value) is expected
        assert not caught.value.uncertain


async def test_two_members_review_one_character_under_their_own_accounts() -> None:
    async with meeting() as met:
        met.upstream.catalog.add_account(MEMBER, usd=2.0)
        before = await met.client.get_character("helpful-guide")
        for account, rating in ((AUTHOR, 5), (MEMBER, 3), (MEMBER, 4)):
            await met.client.review("helpful-guide", rating=rating, text="Helped me a lot.", key=met.key(account))
        after = await met.client.get_character("helpful-guide")
        assert (before.stars_count, after.stars_count) == (12, 14)
        assert [(kept.account, kept.rating) for kept in met.upstream.reviews] == [(AUTHOR, 5), (MEMBER, 4)]


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("shape", list(UsageShape))
async def test_figures_are_read_in_every_shape(shape: UsageShape, *, numbers: bool) -> None:
    async with meeting() as met:
        met.upstream.variants.number_balances, met.upstream.variants.usage_shape = numbers, shape
        met.upstream.catalog.add_account("someone", usd=1.5, nano=0.25, subscribed=True)
        accounts, key = met.client.accounts, met.key("someone")
        balance = await accounts.balance(key=key)
        assert (balance.usd, balance.nano) == (1.5, 0.25)
        usage = await accounts.subscription(key=key)
        assert usage.active
        assert len(usage.windows) == 2
        assert {window.share_used for window in usage.windows} == {0.0}
        assert not (await accounts.subscription(key=met.key(MEMBER))).active
        assert await accounts.nano_price() == met.upstream.catalog.accounts.nano_price


@pytest.mark.parametrize("status", [400, 401])
async def test_a_revoked_key_is_bad(status: int) -> None:
    async with meeting() as met:
        met.upstream.variants.bad_balance_status = status
        key = met.key(MEMBER)
        met.upstream.catalog.revoke_key(MEMBER)
        with pytest.raises(errors.BadKeyError):
            await met.client.accounts.balance(key=key)
        with pytest.raises(errors.BadKeyError):
            await met.client.desk.my_characters(key=key)


async def test_models_are_listed_with_their_prices() -> None:
    async with meeting() as met:
        listed = await met.client.models()
        assert [(model.id, model.prompt_price) for model in listed] == [
            (model.id, model.prompt_price) for model in MODELS
        ]


async def test_a_login_from_its_beginning_to_its_key() -> None:
    async with meeting() as met:
        accounts = met.client.accounts
        begun = await accounts.start_login("a bot")
        assert begun.address == f"{met.upstream.site_url}/cli-login/verify?code={begun.user_code}"
        assert await accounts.poll_login(begun.device_code) == LoginPending()
        met.upstream.logins.approve(begun.user_code, MEMBER)
        approved = await accounts.poll_login(begun.device_code)
        assert isinstance(approved, LoginApproved)
        assert (await accounts.balance(key=ApiKey(approved.key, PayerId("linked")))).usd == 0.4
        assert await accounts.poll_login(begun.device_code) == LoginConsumed()
        assert await accounts.poll_login("fake-unknown") == LoginInvalid()


async def test_a_login_that_nobody_approves_expires() -> None:
    async with meeting() as met:
        begun = await met.client.accounts.start_login("a bot")
        met.clock[0] += LIFETIME_SECONDS
        assert await met.client.accounts.poll_login(begun.device_code) == LoginExpired()


async def test_a_key_whose_answer_was_lost_is_consumed() -> None:
    async with meeting() as met:
        begun = await met.client.accounts.start_login("a bot")
        met.upstream.logins.approve(begun.user_code, MEMBER)
        met.upstream.faults.next(Fault.LOST_ANSWER, on=Route.LOGIN_POLL)
        with pytest.raises(errors.UnreachableError) as caught:
            await met.client.accounts.poll_login(begun.device_code)
        assert caught.value.uncertain
        assert await met.client.accounts.poll_login(begun.device_code) == LoginConsumed()


async def test_too_many_logins_are_told_when_to_come_back() -> None:
    async with meeting() as met:
        for _ in range(10):
            await met.client.accounts.start_login("a bot")
        with pytest.raises(errors.ThroughputLimitedError) as caught:
            await met.client.accounts.start_login("a bot")
        assert caught.value.retry_after == 60.0
