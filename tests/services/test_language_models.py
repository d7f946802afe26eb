import asyncio

import pytest

from bot.domain.language_models import LanguageModel
from bot.domain.suggestions import Suggestion
from bot.nanogpt.errors import UnreachableError
from bot.services.language_models import AFTER_FAILURE_SECONDS, RENEW_SECONDS, LanguageModels
from tests.support.manual_clock import ManualClock

LISTED = (
    LanguageModel("deepseek-ai/DeepSeek-V3", "DeepSeek V3"),
    LanguageModel("meta/llama-70b"),
    LanguageModel("x" * 101, "Too long to be chosen"),
)


class Listing:
    """A list that may be down, or empty."""

    def __init__(self) -> None:
        self.models: tuple[LanguageModel, ...] = LISTED
        self.down = False
        self.most_used: str | None = "meta/llama-70b"
        self.asked = 0

    async def read(self) -> tuple[LanguageModel, ...]:
        self.asked += 1
        if self.down:
            raise UnreachableError
        return self.models


@pytest.fixture
def listing() -> Listing:
    return Listing()


@pytest.fixture
def models(listing: Listing, clock: ManualClock) -> LanguageModels:
    return LanguageModels(read=listing.read, most_used=lambda: listing.most_used, clock=clock.clock)


async def test_models_are_offered_by_the_words_of_their_names_from_memory(
    models: LanguageModels, listing: Listing
) -> None:
    await models.renew()
    deepseek = Suggestion("DeepSeek V3 (deepseek-ai/DeepSeek-V3)", "deepseek-ai/DeepSeek-V3")
    assert models.suggest("") == [deepseek, Suggestion("meta/llama-70b", "meta/llama-70b")]
    assert models.suggest("V3 seek") == [deepseek]
    assert models.suggest("V3 lama") == [Suggestion("V3 lama", "V3 lama")]
    assert models.suggest("", limit=1) == [deepseek]
    assert listing.asked == 1


async def test_what_was_typed_is_offered_where_nothing_fits(models: LanguageModels) -> None:
    assert models.suggest(" own/model ") == [Suggestion("own/model", "own/model")]
    assert models.suggest("  ") == []


async def test_a_misspelt_model_is_noticed_once_there_is_a_list(models: LanguageModels) -> None:
    assert models.is_known("meta/lama-70b")
    assert models.closest("meta/lama-70b") is None
    await models.renew()
    assert not models.is_known("meta/lama-70b")
    assert models.closest("meta/lama-70b") == "meta/llama-70b"
    assert models.closest("quite another") is None


@pytest.mark.parametrize(
    ("most_used", "listed", "default"),
    [
        ("meta/llama-70b", True, "meta/llama-70b"),
        ("gone/model", True, None),
        ("gone/model", False, "gone/model"),
        (None, True, None),
    ],
)
async def test_a_new_character_begins_with_what_most_are_built_on_if_that_is_there(
    models: LanguageModels, listing: Listing, most_used: str | None, default: str | None, *, listed: bool
) -> None:
    listing.most_used = most_used
    if listed:
        await models.renew()
    assert models.default() == default


async def test_the_list_is_kept_through_outages_and_empty_answers(
    models: LanguageModels, listing: Listing, clock: ManualClock
) -> None:
    keeping = asyncio.create_task(models.keep_warm())
    assert await clock.sleeping() == RENEW_SECONDS
    listing.models = ()
    clock.advance(RENEW_SECONDS)
    assert await clock.sleeping() == RENEW_SECONDS
    assert models.is_known("meta/llama-70b")
    listing.down = True
    clock.advance(RENEW_SECONDS)
    assert await clock.sleeping() == AFTER_FAILURE_SECONDS
    assert not models.is_known("other")
    listing.down, listing.models = False, (LanguageModel("other"),)
    clock.advance(AFTER_FAILURE_SECONDS)
    assert await clock.sleeping() == RENEW_SECONDS
    assert models.is_known("other")
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
