import logging
from typing import Any, Self

import discord
import pytest
from discord import ui

from bot.errors import UserError
from bot.views.base import AnsweringItem
from bot.views.registry import DYNAMIC_ITEMS
from tests.support.recording_interaction import RecordingInteraction


class Knock(AnsweringItem[ui.Button[Any]], kind="knock", least=1, ids=2):
    def __init__(self, door: int, times: int | None = None) -> None:
        ids = (door,) if times is None else (door, times)
        super().__init__(ui.Button(label="Knock", custom_id=self.id_for(*ids)))
        self.ids = ids

    @classmethod
    def from_ids(cls, *ids: int) -> Self:
        return cls(*ids)

    async def act(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Come in")
        if len(self.ids) > 1:
            raise UserError("Not so loud.")
        raise KeyError("nobody home")


@pytest.mark.parametrize("ids", [(35,), (35, 7)])
async def test_an_item_is_built_from_its_custom_id_alone(ids: tuple[int, ...]) -> None:
    pressed = Knock(*ids)
    match = pressed.template.fullmatch(pressed.custom_id)
    assert match is not None
    rebuilt = await Knock.from_custom_id(RecordingInteraction().seen, ui.Button(), match)
    assert rebuilt.ids == ids
    assert pressed.custom_id == ":".join(("v1", "knock", "z", "7")[: 2 + len(ids)])


async def test_an_item_answers_its_own_failures(caplog: pytest.LogCaptureFixture) -> None:
    interaction = RecordingInteraction(discord.InteractionType.component)
    await Knock(1, 2).callback(interaction.seen)
    assert [message["content"] for _, message in interaction.said] == ["Come in", "Not so loud."]
    with caplog.at_level(logging.ERROR):
        await Knock(1).callback(interaction.seen)
    assert interaction.said[-1][1]["content"].startswith("Something went wrong.")
    assert "nobody home" in caplog.text


def test_no_custom_id_reaches_two_kinds_of_item() -> None:
    kinds = [item.kind for item in DYNAMIC_ITEMS if issubclass(item, AnsweringItem)]
    assert len(kinds) == len(set(kinds)) == len(DYNAMIC_ITEMS)
