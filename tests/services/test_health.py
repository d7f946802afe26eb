import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from bot.services.health import ANSWER_KEPT_SECONDS, HealthService
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.feedback_world import FeedbackWorld
from tests.support.manual_clock import ManualClock


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> AsyncGenerator[FeedbackWorld]:
    made = FeedbackWorld(database, vault, clock)
    yield made
    await made.http.aclose()


def catalogue_after(world: FeedbackWorld, seconds: float) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        world.clock.advance(seconds)
        return httpx.Response(200, json={"characters": []})

    world.upstream.answers.append(answer)


async def test_both_answer_and_are_timed(world: FeedbackWorld) -> None:
    catalogue_after(world, 0.25)
    health = await world.health.check()
    assert (health.database_ms, health.upstream_ms) == (0, pytest.approx(250))
    (request,) = world.upstream.requests
    assert "Authorization" not in request.headers


async def test_an_upstream_that_fails_is_none(world: FeedbackWorld) -> None:
    world.upstream.answer(403)
    assert (await world.health.check()).upstream_ms is None


async def test_an_upstream_that_does_not_answer_in_time_is_none(world: FeedbackWorld) -> None:
    world.upstream.answer(502)  # Tried again after a wait that this clock never ends.
    impatient = HealthService(
        state=world.state, nanogpt=world.nanogpt, clock=world.clock.clock, upstream_wait_seconds=0.01
    )
    assert (await impatient.check()).upstream_ms is None


async def test_many_pings_at_once_ask_once(world: FeedbackWorld) -> None:
    catalogue_after(world, 0.1)
    answers = await asyncio.gather(*(world.health.check() for _ in range(5)))
    assert len(set(answers)) == 1
    assert len(world.upstream.requests) == 1


async def test_an_answer_is_old_after_half_a_minute(world: FeedbackWorld) -> None:
    for _ in range(2):
        catalogue_after(world, 0.1)
        await world.health.check()
        world.clock.advance(ANSWER_KEPT_SECONDS)
    assert len(world.upstream.requests) == 2
