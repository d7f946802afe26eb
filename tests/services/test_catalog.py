import asyncio
from collections.abc import AsyncGenerator

import pytest

from bot.domain.bindings import PauseCause
from bot.domain.gate import ELSEWHERE, SENTENCES, Obstacle
from bot.domain.ids import ChannelId, CharacterRef, GuildId
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits, ContentRating
from bot.errors import UserError
from bot.services.catalog import (
    CATALOGUE_DOWN,
    NOTHING_TYPED,
    QUIET_SECONDS,
    REFRESH_GAP_SECONDS,
    REFRESH_ROUND_SECONDS,
    SEVERAL,
    WARM_UP_SECONDS,
    CatalogService,
    Obstructed,
)
from bot.services.ceilings import Ceilings
from bot.services.character_shelf import CharacterShelf
from bot.store.characters import Characters
from bot.store.database import Database
from tests.support.fake_catalogue import FakeCatalogue
from tests.support.manual_clock import ManualClock

SFW, SUGGESTIVE, NSFW, EXPLICIT = ContentRating
MINUTE = 60
HOUR = 60 * MINUTE


@pytest.fixture
def upstream() -> FakeCatalogue:
    return FakeCatalogue()


@pytest.fixture
def shelf(database: Database, clock: ManualClock) -> CharacterShelf:
    return CharacterShelf(characters=Characters(database), clock=clock.clock)


@pytest.fixture
async def catalog(upstream: FakeCatalogue, shelf: CharacterShelf, clock: ManualClock) -> AsyncGenerator[CatalogService]:
    async with upstream.client() as client:
        service = CatalogService(
            shelf=shelf,
            client=client,
            ceilings=Ceilings(ContentLimits(default_max=SFW, restricted_max=NSFW)),
            clock=clock.clock,
        )
        yield service
        await service.aclose()


async def refusal(catalog: CatalogService, address: str, ceiling: ContentRating = SFW) -> str:
    with pytest.raises(UserError) as caught:
        await catalog.resolve(address, ceiling=ceiling)
    return caught.value.sentence


# Naming a character.


@pytest.mark.parametrize("address", ["helpful-guide", "Helpful-Guide", " helpful-guide ", "id-of-helpful-guide"])
async def test_a_character_is_found_by_slug_and_by_id(
    catalog: CatalogService, upstream: FakeCatalogue, address: str
) -> None:
    upstream.add("helpful-guide")
    await catalog.resolve("helpful-guide", ceiling=SFW)
    known = await catalog.resolve(address, ceiling=SFW)
    assert known.character.slug == "helpful-guide"
    assert known.checked_at_ms is not None


async def test_a_character_is_read_upstream_once_a_minute_at_most(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    upstream.add("helpful-guide")
    await catalog.resolve("helpful-guide", ceiling=SFW)
    clock.advance(MINUTE)
    await catalog.resolve("helpful-guide", ceiling=SFW)
    assert len(upstream.reads) == 1
    clock.advance(1)
    await catalog.resolve("helpful-guide", ceiling=SFW)
    assert len(upstream.reads) == 2


async def test_many_who_name_a_character_at_once_cause_one_read(
    catalog: CatalogService, upstream: FakeCatalogue
) -> None:
    upstream.add("helpful-guide")
    found = await asyncio.gather(*(catalog.resolve("helpful-guide", ceiling=SFW) for _ in range(20)))
    assert len({known.ref for known in found}) == 1
    assert len(upstream.reads) == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"visibility": "private"}, SENTENCES[Obstacle.UNKNOWN]),
        ({"visibility": "unlisted"}, SENTENCES[Obstacle.UNKNOWN]),
        ({"archived": True}, SENTENCES[Obstacle.ARCHIVED]),
        ({"moderation_status": "pending"}, SENTENCES[Obstacle.NOT_APPROVED]),
        ({"allow_api": False}, SENTENCES[Obstacle.NO_API]),
        ({"content_rating": "nsfw"}, ELSEWHERE),
        ({"creator_content_rating": "suggestive"}, ELSEWHERE),
        ({"content_rating": "explicit"}, SENTENCES[Obstacle.ABOVE_CEILING]),
        ({"content_rating": None, "creator_content_rating": None}, SENTENCES[Obstacle.ABOVE_CEILING]),
    ],
)
async def test_each_refusal_has_its_own_sentence_and_names_nobody(
    catalog: CatalogService, upstream: FakeCatalogue, fields: dict[str, object], sentence: str
) -> None:
    upstream.add("night-bard", "Night Bard", **fields)
    told = await refusal(catalog, "night-bard")
    assert told == sentence
    assert "bard" not in told.lower()


async def test_an_unknown_name_reads_like_a_private_one(catalog: CatalogService) -> None:
    assert await refusal(catalog, "nobody") == SENTENCES[Obstacle.UNKNOWN]


@pytest.mark.parametrize("address", ["", "   ", 'Look for ""'])
async def test_nothing_typed_is_answered_without_asking(
    catalog: CatalogService, upstream: FakeCatalogue, address: str
) -> None:
    assert await refusal(catalog, address) == NOTHING_TYPED
    assert not upstream.requests


async def test_a_choice_to_look_for_a_name_finds_the_one_who_bears_it(
    catalog: CatalogService, upstream: FakeCatalogue
) -> None:
    upstream.add("guide", "Guide", summary="not the helpful guide")
    upstream.add("helpful-guide", "Helpful Guide")
    for typed in ('Look for "helpful guide"', "Helpful Guide", 'Look for "HELPFUL-GUIDE"'):
        assert (await catalog.resolve(typed, ceiling=SFW)).character.slug == "helpful-guide"


async def test_a_name_finds_the_only_one_it_could_mean(catalog: CatalogService, upstream: FakeCatalogue) -> None:
    upstream.add("helpful-guide", "Helpful Guide")
    assert (await catalog.resolve('Look for "helpful gui"', ceiling=SFW)).character.slug == "helpful-guide"


async def test_a_name_of_several_is_not_guessed(catalog: CatalogService, upstream: FakeCatalogue) -> None:
    upstream.add("ada", "Ada")
    upstream.add("ada-2", "Ada")
    upstream.add("ada-lovelace")
    assert await refusal(catalog, 'Look for "Ada"') == SEVERAL
    assert await refusal(catalog, 'Look for "All about"') == SEVERAL


async def test_a_name_leads_to_nobody_above_the_ceiling(catalog: CatalogService, upstream: FakeCatalogue) -> None:
    upstream.add("night-bard", "Night Bard", content_rating="nsfw")
    assert await refusal(catalog, "Night Bard") == SENTENCES[Obstacle.UNKNOWN]
    assert (await catalog.resolve("Night Bard", ceiling=NSFW)).character.slug == "night-bard"


async def test_a_slug_that_no_search_finds_is_still_an_address(
    catalog: CatalogService, upstream: FakeCatalogue
) -> None:
    upstream.add("hg-7", "Helpful Guide", summary="without its short name")
    assert (await catalog.resolve('Look for "hg-7"', ceiling=SFW)).character.name == "Helpful Guide"


async def test_a_slug_that_passed_on_leads_to_its_new_bearer(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    first = upstream.add("guide", "Old Guide")
    await catalog.resolve("guide", ceiling=SFW)
    first.update(id="another-id", slug="old-guide")
    upstream.items[0] = dict(first, id="id-of-guide")
    upstream.items.append(dict(first, id="id-of-new", slug="guide", name="New Guide"))
    clock.advance(2 * MINUTE)
    assert (await catalog.resolve("guide", ceiling=SFW)).character.name == "New Guide"
    assert (await catalog.resolve("old-guide", ceiling=SFW)).character.name == "Old Guide"


async def test_a_withdrawn_character_is_unknown_until_the_catalogue_has_it_again(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    item = upstream.add("helpful-guide")
    await catalog.resolve("helpful-guide", ceiling=SFW)
    upstream.items.clear()
    clock.advance(2 * MINUTE)
    assert await refusal(catalog, "helpful-guide") == SENTENCES[Obstacle.UNKNOWN]
    upstream.items.append(item)
    clock.advance(2 * MINUTE)
    assert (await catalog.resolve("helpful-guide", ceiling=SFW)).gone_at_ms is None


async def test_while_the_catalogue_is_down_a_day_old_knowledge_is_shown_and_no_older(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    upstream.add("helpful-guide")
    read = await catalog.resolve("helpful-guide", ceiling=SFW)
    upstream.status = 503
    clock.advance(24 * HOUR)
    assert await catalog.resolve("helpful-guide", ceiling=SFW) == read
    assert await refusal(catalog, "night-bard") == CATALOGUE_DOWN
    assert await refusal(catalog, "Night Bard") == CATALOGUE_DOWN
    clock.advance(1)
    assert await refusal(catalog, "helpful-guide") == CATALOGUE_DOWN


async def test_a_command_does_not_wait_for_a_catalogue_that_hangs(
    upstream: FakeCatalogue, shelf: CharacterShelf, clock: ManualClock
) -> None:
    upstream.add("helpful-guide")
    upstream.held = asyncio.Event()
    async with upstream.client() as client:
        catalog = CatalogService(
            shelf=shelf, client=client, ceilings=Ceilings(ContentLimits()), clock=clock.clock, resolve_seconds=0.01
        )
        assert await refusal(catalog, "helpful-guide") == CATALOGUE_DOWN
        assert await refusal(catalog, "Helpful Guide") == CATALOGUE_DOWN
        await catalog.aclose()


async def test_a_name_of_one_word_is_found_and_nothing_like_it(
    catalog: CatalogService, upstream: FakeCatalogue
) -> None:
    upstream.add("character-77", "Contessa")
    upstream.add("helpful-guide")
    assert (await catalog.resolve("contessa", ceiling=SFW)).character.slug == "character-77"
    assert await refusal(catalog, "contess") == SENTENCES[Obstacle.UNKNOWN]
    assert await refusal(catalog, "helpful") == SENTENCES[Obstacle.UNKNOWN]


async def test_a_server_that_allows_less_is_not_sent_to_its_age_restricted_channels(
    upstream: FakeCatalogue, shelf: CharacterShelf, clock: ManualClock
) -> None:
    upstream.add("night-bard", content_rating="nsfw", creator_content_rating="nsfw")
    ceilings = Ceilings(ContentLimits(SFW, NSFW), {GuildId(200): SFW}.get)
    async with upstream.client() as client:
        catalog = CatalogService(shelf=shelf, client=client, ceilings=ceilings, clock=clock.clock)
        for guild_id, sentence in ((GuildId(200), SENTENCES[Obstacle.ABOVE_CEILING]), (GuildId(201), ELSEWHERE)):
            with pytest.raises(Obstructed) as caught:
                await catalog.resolve("night-bard", ceiling=SFW, guild_id=guild_id)
            assert (caught.value.obstacle, caught.value.sentence) == (Obstacle.ABOVE_CEILING, sentence)
        await catalog.aclose()


async def test_a_button_leads_to_its_character_through_the_gate(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    item = upstream.add("helpful-guide")
    known = await catalog.resolve("helpful-guide", ceiling=SFW)
    item["content_rating"] = "nsfw"
    clock.advance(2 * MINUTE)
    with pytest.raises(UserError, match="above what this channel may show"):
        await catalog.resolve_ref(known.ref, ceiling=SFW)
    assert (await catalog.resolve_ref(known.ref, ceiling=NSFW)).character.rating is NSFW
    with pytest.raises(UserError, match="no public character"):
        await catalog.resolve_ref(CharacterRef(99), ceiling=NSFW)


def test_the_ceiling_is_the_place_s(catalog: CatalogService) -> None:
    guild, channel = GuildId(1), ChannelId(2)
    assert catalog.ceiling(None) is SFW
    assert catalog.ceiling(Place(guild, channel, None, age_restricted=False)) is SFW
    assert catalog.ceiling(Place(guild, channel, None, age_restricted=True)) is NSFW


# The gate before each reply.


async def bound(catalog: CatalogService, upstream: FakeCatalogue) -> CharacterRef:
    upstream.add("helpful-guide")
    return (await catalog.resolve("helpful-guide", ceiling=SFW)).ref


async def test_a_reply_goes_by_knowledge_of_ten_minutes(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    clock.advance(10 * MINUTE)
    assert (await catalog.standing(ref, ceiling=SFW)).cause is None
    assert len(upstream.reads) == 1
    clock.advance(1)
    standing = await catalog.standing(ref, ceiling=SFW)
    assert standing.cause is None
    assert standing.known.checked_at_ms == clock.now_ms()
    assert len(upstream.reads) == 2


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"content_rating": "suggestive"}, PauseCause.ABOVE_CEILING),
        ({"moderation_status": "pending"}, PauseCause.UNAVAILABLE),
        ({"visibility": "private"}, PauseCause.UNAVAILABLE),
        ({"allow_api": False}, PauseCause.UNAVAILABLE),
        ({"archived": True}, PauseCause.UNAVAILABLE),
        ({"id": "moved", "slug": "moved"}, PauseCause.UNAVAILABLE),
    ],
)
async def test_what_changed_upstream_pauses_within_ten_minutes(
    catalog: CatalogService,
    upstream: FakeCatalogue,
    clock: ManualClock,
    change: dict[str, object],
    cause: PauseCause,
) -> None:
    ref = await bound(catalog, upstream)
    upstream.items[0].update(change)
    clock.advance(11 * MINUTE)
    assert (await catalog.standing(ref, ceiling=SFW)).cause is cause


async def test_a_place_that_lost_its_flag_pauses_at_once(catalog: CatalogService, upstream: FakeCatalogue) -> None:
    upstream.add("night-bard", content_rating="nsfw")
    ref = (await catalog.resolve("night-bard", ceiling=NSFW)).ref
    assert (await catalog.standing(ref, ceiling=NSFW)).cause is None
    assert (await catalog.standing(ref, ceiling=SFW)).cause is PauseCause.ABOVE_CEILING


async def test_while_the_catalogue_is_down_the_last_knowledge_holds_for_a_day(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    upstream.status = 502
    clock.advance(24 * HOUR)
    assert (await catalog.standing(ref, ceiling=SFW)).cause is None
    clock.advance(1)
    assert (await catalog.standing(ref, ceiling=SFW)).cause is PauseCause.UNVERIFIED
    upstream.status = 200
    clock.advance(QUIET_SECONDS)
    assert (await catalog.standing(ref, ceiling=SFW)).cause is None


async def test_replies_do_not_wait_for_a_catalogue_that_just_failed(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    upstream.status = 502
    clock.advance(11 * MINUTE)
    for _ in range(5):
        await catalog.standing(ref, ceiling=SFW)
    assert len(upstream.reads) == 2
    clock.advance(QUIET_SECONDS)
    await catalog.standing(ref, ceiling=SFW)
    assert len(upstream.reads) == 3


async def test_a_refusal_of_one_character_does_not_count_as_a_catalogue_that_failed(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    upstream.add("night-bard")
    other = (await catalog.resolve("night-bard", ceiling=SFW)).ref
    upstream.items.pop(0)
    clock.advance(11 * MINUTE)
    assert (await catalog.standing(ref, ceiling=SFW)).cause is PauseCause.UNAVAILABLE
    await catalog.standing(other, ceiling=SFW)
    assert upstream.reads[-2:] == ["id-of-helpful-guide", "id-of-night-bard"]


async def test_a_slow_read_is_not_waited_for_and_still_counts(
    upstream: FakeCatalogue, shelf: CharacterShelf, clock: ManualClock
) -> None:
    item = upstream.add("helpful-guide")
    async with upstream.client() as client:
        catalog = CatalogService(
            shelf=shelf, client=client, ceilings=Ceilings(ContentLimits()), clock=clock.clock, read_seconds=0.01
        )
        ref = (await catalog.resolve("helpful-guide", ceiling=SFW)).ref
        item["content_rating"] = "nsfw"
        upstream.held = asyncio.Event()
        clock.advance(11 * MINUTE)
        assert (await catalog.standing(ref, ceiling=SFW)).cause is None
        upstream.held.set()
        await catalog.resolve_ref(ref, ceiling=NSFW)
        assert (await catalog.standing(ref, ceiling=SFW)).cause is PauseCause.ABOVE_CEILING
        assert len(upstream.reads) == 2
        await catalog.aclose()


async def test_many_replies_at_once_read_a_character_once(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    clock.advance(11 * MINUTE)
    await asyncio.gather(*(catalog.standing(ref, ceiling=SFW) for _ in range(10)))
    assert len(upstream.reads) == 2


async def test_a_character_known_from_a_list_alone_is_read_before_it_speaks(
    catalog: CatalogService, upstream: FakeCatalogue, shelf: CharacterShelf
) -> None:
    upstream.add("helpful-guide", allow_api=False)
    upstream.list_fields = ("id", "slug", "name", "content_rating")
    await catalog.warm_up()
    known = shelf.by_address("helpful-guide")
    assert known is not None
    assert (await catalog.standing(known.ref, ceiling=SFW)).cause is PauseCause.UNAVAILABLE


async def test_what_the_ai_service_refuses_is_withdrawn_until_it_is_read_again(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    clock.advance(11 * MINUTE)
    await catalog.withdrawn(ref)
    assert (await catalog.standing(ref, ceiling=SFW)).cause is PauseCause.UNAVAILABLE
    assert len(upstream.reads) == 1
    clock.advance(11 * MINUTE)
    assert (await catalog.standing(ref, ceiling=SFW)).cause is None


async def test_a_closer_look_renews_knowledge_that_would_otherwise_do(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    upstream.items[0]["moderation_status"] = "pending"
    clock.advance(20)
    assert (await catalog.standing(ref, ceiling=SFW, fresh_ms=21_000)).cause is None
    assert (await catalog.standing(ref, ceiling=SFW, fresh_ms=14_000)).cause is PauseCause.UNAVAILABLE
    upstream.items[0]["moderation_status"] = "approved"
    assert (await catalog.standing(ref, ceiling=SFW, fresh_ms=14_000)).cause is PauseCause.UNAVAILABLE
    clock.advance(15)
    assert (await catalog.standing(ref, ceiling=SFW, fresh_ms=14_000)).cause is None


async def test_a_closer_look_does_not_ask_the_catalogue_what_the_ai_service_knows_better(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    await catalog.withdrawn(ref)
    clock.advance(9 * MINUTE)
    assert (await catalog.standing(ref, ceiling=SFW, fresh_ms=14_000)).cause is PauseCause.UNAVAILABLE
    # Its author has just changed it.
    clock.advance(1)
    assert (await catalog.standing(ref, ceiling=SFW, fresh_ms=0)).cause is None


async def test_what_the_ai_service_refuses_rests_though_a_list_still_names_it(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    for _ in range(2):
        await catalog.withdrawn(ref)
        await catalog.warm_up()
        clock.advance(10 * MINUTE)
        assert (await catalog.standing(ref, ceiling=SFW)).cause is PauseCause.UNAVAILABLE
        assert (await catalog.standing(ref, ceiling=SFW, fresh_ms=14_000)).cause is PauseCause.UNAVAILABLE
        clock.advance(1)
        assert (await catalog.standing(ref, ceiling=SFW)).cause is None


async def test_a_gone_character_is_asked_for_every_ten_minutes_only(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    upstream.items.clear()
    clock.advance(11 * MINUTE)
    for _ in range(5):
        assert (await catalog.standing(ref, ceiling=SFW)).cause is PauseCause.UNAVAILABLE
    assert len(upstream.reads) == 2


async def test_a_ref_that_was_never_given_out_is_a_mistake_of_ours(catalog: CatalogService) -> None:
    with pytest.raises(KeyError):
        await catalog.standing(CharacterRef(99), ceiling=SFW)


async def test_a_character_listed_under_its_slug_keeps_its_row(
    catalog: CatalogService, upstream: FakeCatalogue, shelf: CharacterShelf
) -> None:
    upstream.add("helpful-guide")
    upstream.list_fields = ("slug", "name", "content_rating")
    await catalog.warm_up()
    known = shelf.by_address("helpful-guide")
    assert known is not None
    standing = await catalog.standing(known.ref, ceiling=SFW)
    assert standing.known.ref == known.ref
    assert standing.known.checked_at_ms is not None


# In the background.


async def test_characters_in_use_are_read_again_before_they_are_needed(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    upstream.add("night-bard")
    other = (await catalog.resolve("night-bard", ceiling=SFW)).ref
    upstream.add("unused")
    await catalog.resolve("unused", ceiling=SFW)
    task = asyncio.create_task(catalog.keep_fresh(lambda: [ref, other, ref, CharacterRef(99)]))
    assert await clock.sleeping() == REFRESH_ROUND_SECONDS
    assert len(upstream.reads) == 3
    clock.advance(7 * MINUTE + 1)
    assert await clock.sleeping() == REFRESH_GAP_SECONDS
    clock.advance(REFRESH_GAP_SECONDS)
    assert await clock.sleeping() == REFRESH_GAP_SECONDS
    clock.advance(REFRESH_GAP_SECONDS)
    assert await clock.sleeping() == REFRESH_ROUND_SECONDS
    assert upstream.reads[3:] == ["id-of-helpful-guide", "id-of-night-bard"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_reading_in_the_background_is_slowed_by_a_catalogue_that_fails(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    ref = await bound(catalog, upstream)
    upstream.status = 502
    clock.advance(8 * MINUTE)
    task = asyncio.create_task(catalog.keep_fresh(lambda: [ref]))
    assert await clock.sleeping() == QUIET_SECONDS
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_catalogue_is_listed_at_start_and_every_half_hour(
    catalog: CatalogService, upstream: FakeCatalogue, clock: ManualClock
) -> None:
    upstream.add("helpful-guide")
    upstream.add("night-bard", content_rating="nsfw")
    upstream.add("too-much", content_rating="explicit")
    task = asyncio.create_task(catalog.keep_warm())
    assert await clock.sleeping() == WARM_UP_SECONDS
    assert {params["content_rating_max"] for params in upstream.lists} == {"nsfw"}
    assert [choice.value for choice in catalog.suggest("", ceiling=EXPLICIT)] == ["helpful-guide", "night-bard"]
    assert [choice.value for choice in catalog.suggest("", ceiling=SFW)] == ["helpful-guide"]
    upstream.status = 502
    clock.advance(WARM_UP_SECONDS)
    assert await clock.sleeping() < WARM_UP_SECONDS
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("turned", ["2", None], ids=["a cursor that repeats", "no cursor"])
async def test_listing_ends_with_the_catalogue(
    catalog: CatalogService, upstream: FakeCatalogue, turned: str | None
) -> None:
    for number in range(10):
        upstream.add(f"character-{number}")
    upstream.largest_page = 2
    upstream.turn_page = lambda asked, following: following if asked is None else turned
    await catalog.warm_up()
    assert len(upstream.lists) == 4


async def test_listing_stops_after_a_few_pages(catalog: CatalogService, upstream: FakeCatalogue) -> None:
    for number in range(20):
        upstream.add(f"character-{number}")
    upstream.largest_page = 2
    await catalog.warm_up()
    assert len(upstream.lists) == 8


async def test_closing_ends_the_reads_under_way(catalog: CatalogService, upstream: FakeCatalogue) -> None:
    upstream.add("helpful-guide")
    upstream.held = asyncio.Event()
    asking = asyncio.create_task(catalog.resolve("helpful-guide", ceiling=SFW))
    await upstream.arrived.wait()
    await catalog.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asking
