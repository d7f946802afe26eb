"""The watch over submitted characters, from the first look to the author's ear."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from bot.domain.ids import UserId
from bot.domain.moderation import FIRST_LOOK_MS, LONGEST_GAP_MS, WATCH_MS
from bot.domain.splitting import MESSAGE_LIMIT
from bot.domain.unicode_text import utf16_length
from bot.services.moderation import LONGEST_REST_SECONDS
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.desk_world import ALICE, BOB, DeskWorld
from tests.support.manual_clock import ManualClock

MINUTES_5 = FIRST_LOOK_MS / 1_000
DAY = 86_400


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[DeskWorld]:
    made = DeskWorld(database, vault, clock)
    await made.open()
    yield made
    await made.close()


async def submit(world: DeskWorld, slug: str = "ada", *, tell: bool = True, **fields: object) -> None:
    fields = {"visibility": "public", "moderation_status": "pending", **fields}
    known = await world.known(slug, **fields)
    assert await world.moderation.submitted(ALICE, known, tell)
    world.upstream.requests.clear()


async def look(world: DeskWorld, seconds: float = MINUTES_5) -> None:
    world.clock.advance(seconds)
    await world.moderation.look_due()


async def news(world: DeskWorld, user_id: UserId = ALICE, *, in_server: bool = True) -> list[str]:
    found = await world.moderation.pending_news(user_id, in_server=in_server)
    return [] if found is None else list(found.sentences)


async def test_an_approval_is_told_by_direct_message_and_wakes_the_bindings(world: DeskWorld) -> None:
    await submit(world)
    await look(world)
    assert world.letters == []
    world.upstream.characters["id-ada"]["moderation_status"] = "approved"
    await look(world, 2 * MINUTES_5)
    assert world.letters == [(ALICE, "**Ada** has been approved by NanoGPT's moderators.")]
    assert world.changed == [(await world.desk.find(ALICE, "ada")).ref]
    assert await news(world) == []
    assert await world.watches.next_due_ms() is None


async def test_a_refused_direct_message_is_not_tried_again_and_waits_for_the_next_command(world: DeskWorld) -> None:
    world.letters_arrive = False
    await submit(world)
    world.upstream.characters["id-ada"] |= {"moderation_status": "rejected", "moderation_reason": "Too *loud*."}
    await look(world)
    world.letters_arrive = True
    await look(world, DAY)
    assert world.letters == []
    (sentence,) = await news(world)
    assert sentence.startswith("**Ada** was not approved by NanoGPT's moderators (rejected): Too \\*loud")
    assert await news(world, BOB) == []
    found = await world.moderation.pending_news(ALICE, in_server=True)
    assert found is not None
    await world.moderation.told(ALICE, found)
    assert await news(world) == []


@pytest.mark.parametrize(("rating", "named"), [("sfw", "**Ada**"), ("nsfw", "One of your characters")])
async def test_news_outside_servers_name_only_what_is_sfw(world: DeskWorld, rating: str, named: str) -> None:
    await submit(world, tell=False, creator_content_rating=rating)
    world.upstream.characters["id-ada"]["moderation_status"] = "approved"
    await look(world)
    assert await news(world, in_server=False) == [f"{named} has been approved by NanoGPT's moderators."]
    assert await news(world) == ["**Ada** has been approved by NanoGPT's moderators."]


async def test_more_news_than_fit_into_one_message_come_one_after_the_other(world: DeskWorld) -> None:
    slugs = [f"ada-{number}" for number in range(6)]
    for slug in slugs:
        await submit(world, slug, tell=False)
        world.upstream.characters[f"id-{slug}"] |= {"moderation_status": "rejected", "moderation_reason": "*" * 390}
    await look(world)
    heard: list[str] = []
    while (found := await world.moderation.pending_news(ALICE, in_server=True)) is not None:
        assert utf16_length("\n".join(found.sentences)) <= MESSAGE_LIMIT
        heard += found.sentences
        await world.moderation.told(ALICE, found)
    assert len(heard) == len(set(heard)) == len(slugs)


async def test_who_did_not_ask_for_a_message_hears_with_the_next_command(world: DeskWorld) -> None:
    await submit(world, tell=False)
    world.upstream.characters["id-ada"]["moderation_status"] = "approved"
    await look(world)
    assert world.letters == []
    assert await news(world) == ["**Ada** has been approved by NanoGPT's moderators."]


@pytest.mark.parametrize("rating", ["suggestive", "nsfw", "explicit"])
async def test_a_direct_message_names_only_what_everybody_may_see(world: DeskWorld, rating: str) -> None:
    await submit(world, creator_content_rating=rating)
    world.upstream.characters["id-ada"]["moderation_status"] = "approved"
    await look(world)
    assert world.letters == [(ALICE, "One of your characters has been approved by NanoGPT's moderators.")]


async def test_an_author_is_one_read_however_many_wait(world: DeskWorld) -> None:
    await submit(world, "ada")
    world.clock.advance(60)
    await submit(world, "bee")
    await look(world, MINUTES_5)
    assert [request.url.path for request in world.upstream.requests] == ["/api/v1/characters/mine"]
    await look(world, 60)
    assert len(world.upstream.requests) == 1


async def test_looks_grow_rarer_and_end_after_two_weeks(world: DeskWorld) -> None:
    await submit(world)
    looks: list[float] = []
    while (due_ms := await world.watches.next_due_ms()) is not None:
        seconds = (due_ms - world.clock.now_ms()) / 1_000
        looks.append(seconds)
        await look(world, seconds)
    assert looks[:4] == [300, 600, 1_200, 2_400]
    assert max(looks) == LONGEST_GAP_MS / 1_000
    assert WATCH_MS / 1_000 <= sum(looks) <= WATCH_MS / 1_000 + LONGEST_GAP_MS / 1_000
    assert "two weeks" in world.letters[0][1]
    assert len(world.letters) == 1


async def test_submitting_again_begins_with_short_gaps_again(world: DeskWorld) -> None:
    await submit(world)
    for _ in range(6):
        await look(world, LONGEST_GAP_MS / 1_000)
    known = await world.desk.find(ALICE, "ada")
    await world.moderation.submitted(ALICE, known, False)  # noqa: FBT003 - one of three
    assert await world.watches.next_due_ms() == world.clock.now_ms() + FIRST_LOOK_MS


async def test_a_word_that_nobody_knows_is_told_once_and_watched_on(world: DeskWorld) -> None:
    await submit(world)
    world.upstream.characters["id-ada"]["moderation_status"] = "second_look"
    for _ in range(3):
        await look(world, LONGEST_GAP_MS / 1_000)
    assert [text for _, text in world.letters] == ["NanoGPT's moderators say second\\_look of **Ada**."]
    world.upstream.characters["id-ada"]["moderation_status"] = "approved"
    await look(world, LONGEST_GAP_MS / 1_000)
    assert "has been approved" in world.letters[-1][1]


async def test_what_is_gone_is_no_longer_available(world: DeskWorld) -> None:
    await submit(world)
    del world.upstream.characters["id-ada"]
    await look(world)
    assert world.letters == [(ALICE, "**Ada** is no longer available.")]


async def test_what_its_author_took_back_or_archived_is_watched_no_more(world: DeskWorld) -> None:
    await submit(world, "ada")
    await submit(world, "bee")
    world.upstream.characters["id-ada"] |= {"visibility": "private", "moderation_status": None}
    await world.desk.archive(ALICE, (await world.desk.find(ALICE, "bee")).ref)
    await look(world)
    assert world.letters == []
    assert await world.watches.next_due_ms() is None


async def test_nothing_is_watched_that_does_not_wait(world: DeskWorld) -> None:
    for number, (visibility, status) in enumerate(
        [("private", None), ("unlisted", "pending"), ("public", "approved"), ("public", "rejected")]
    ):
        known = await world.known(f"c{number}", visibility=visibility, moderation_status=status)
        assert not await world.moderation.submitted(ALICE, known, True)  # noqa: FBT003 - one of three
    assert await world.watches.next_due_ms() is None


async def test_an_outage_costs_a_look_and_not_the_watch(world: DeskWorld) -> None:
    await submit(world)
    world.upstream.refuse(503)
    await look(world)
    world.upstream.characters["id-ada"]["moderation_status"] = "approved"
    await look(world, 2 * MINUTES_5)
    assert len(world.letters) == 1


async def test_the_watch_ends_with_the_account(world: DeskWorld) -> None:
    await submit(world)
    await world.accounts.unlink(ALICE)
    world.shelf.forget(ALICE)
    assert await world.watches.next_due_ms() is None
    # With a key again, nothing but the watch could ask for what is of no more interest.
    await world.open()
    await look(world)
    assert world.upstream.requests == []


async def test_the_loop_sleeps_until_something_is_due_and_wakes_for_what_is_new(world: DeskWorld) -> None:
    running = asyncio.create_task(world.moderation.run())
    await submit(world)
    assert await world.clock.sleeping() == LONGEST_REST_SECONDS
    world.upstream.characters["id-ada"]["moderation_status"] = "approved"
    world.clock.advance(LONGEST_REST_SECONDS)
    while not world.letters:  # noqa: ASYNC110 - a letter is no event
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
