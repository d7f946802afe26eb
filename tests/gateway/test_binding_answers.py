from collections.abc import Callable
from typing import Any, cast

import aiohttp
import pytest

from bot.gateway.binding_answers import tell
from bot.services.bindings import BindingChange, BindingService
from bot.services.outlet import Destination, Uncertain
from tests.support.recording_interaction import RecordingInteraction


class _Bindings:
    """Stands for the service: says with what a change was gone on with."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def tell(self, destination: Destination, notice: str) -> None:
        self.done.append(f"{notice} ({destination.place})")

    async def greet(self, change: BindingChange) -> None:
        assert change.notice == "Somebody moved in."
        self.done.append("greet")

    def release(self, change: BindingChange) -> None:
        assert change.notice == "Somebody moved in."
        self.done.append("release")

    @property
    def service(self) -> BindingService:
        return cast("BindingService", cast("object", self))


def change(notice: str | None = "Somebody moved in.", release: Callable[[], None] | None = None) -> BindingChange:
    return BindingChange(cast("Any", None), "It is here now.", notice, release=release)


async def test_the_channel_is_told_and_then_the_character_greets() -> None:
    bindings, interaction = _Bindings(), RecordingInteraction()
    await tell(interaction.seen, bindings.service, change())
    assert interaction.text == "Somebody moved in."
    assert bindings.done == ["greet", "release"]


async def test_a_notice_that_cannot_be_posted_leaves_the_character_free_to_speak() -> None:
    bindings, interaction = _Bindings(), RecordingInteraction(failure=ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await tell(interaction.seen, bindings.service, change())
    assert bindings.done == ["release"]


async def test_a_notice_that_cannot_be_posted_anywhere_leaves_the_character_free_to_speak() -> None:
    bindings, interaction = _Bindings(), RecordingInteraction(failure=aiohttp.ClientError())
    with pytest.raises(Uncertain):
        await tell(interaction.seen, bindings.service, change())
    assert bindings.done == ["release"]


async def test_a_change_that_concerns_nobody_else_is_answered_in_private() -> None:
    bindings, interaction = _Bindings(), RecordingInteraction()
    await tell(interaction.seen, bindings.service, change(notice=None))
    assert interaction.text == "It is here now."
    assert bindings.done == []
