"""The pages that list an author's own characters, and the news an author hears, as Discord is sent them."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from discord import ui

from bot.domain.characters import Character, KnownCharacter
from bot.domain.custom_ids import read_base36
from bot.domain.ids import CharacterId, CharacterRef, UserId
from bot.services.desk import MinePage
from bot.services.moderation import DeskNews, ModerationService
from bot.store.errors import DatabaseFull
from bot.views.base import AnsweringItem
from bot.views.desk import ArchiveButton, MineOpenSelect, MineTurnButton, mine_view, tell_desk_news
from tests.support.recording_interaction import RecordingInteraction

NEWS = DeskNews((CharacterRef(1), CharacterRef(2)), ("**Ada** has been approved.", "**Bo** is no longer available."))


def page(number: int = 2, pages: int = 3, *, characters: int = 10) -> MinePage:
    known = tuple(
        KnownCharacter(CharacterRef(40 + ref), Character(CharacterId(f"{ref}"), f"Name {ref} " * 50), 0, 0, None)
        for ref in range(characters)
    )
    return MinePage(known, number, pages, 0)


def parts(view: ui.View | None) -> list[ui.Item[Any]]:
    assert view is not None
    assert view.timeout is None
    assert all(isinstance(item, AnsweringItem) for item in view.children)
    return [cast("AnsweringItem[Any]", item).item for item in view.children]


def test_a_page_opens_its_characters_and_turns_both_ways() -> None:
    select, back, forward = parts(mine_view(page()))
    assert isinstance(select, ui.Select)
    assert [read_base36(option.value) for option in select.options] == list(range(40, 50))
    assert all(len(option.label) <= 100 for option in select.options)
    assert isinstance(back, ui.Button)
    assert isinstance(forward, ui.Button)
    assert [(turn.label, turn.disabled, turn.custom_id) for turn in (back, forward)] == [
        ("◀ Page 1", False, "v1:mine-turn:1"),
        ("Page 3 ▶", False, "v1:mine-turn:3"),
    ]


@pytest.mark.parametrize(("number", "disabled"), [(1, [True, False]), (3, [False, True])])
def test_the_ends_cannot_be_passed(number: int, disabled: list[bool]) -> None:
    _, *turns = parts(mine_view(page(number)))
    assert [cast("ui.Button[Any]", turn).disabled for turn in turns] == disabled


def test_a_single_page_does_not_turn_and_an_empty_one_offers_nothing() -> None:
    assert len(parts(mine_view(page(1, 1)))) == 1
    assert mine_view(page(1, 1, characters=0)) is None


@pytest.mark.parametrize(
    ("item", "again"),
    [
        (MineTurnButton(36), MineTurnButton.from_ids(36)),
        (MineOpenSelect(page()), MineOpenSelect.from_ids(2)),
        (ArchiveButton(CharacterRef(36)), ArchiveButton.from_ids(36)),
    ],
)
def test_what_is_pressed_after_a_restart_is_what_was_sent(item: AnsweringItem[Any], again: AnsweringItem[Any]) -> None:
    assert type(again) is type(item)
    if not isinstance(item, MineOpenSelect):
        assert again.custom_id == item.custom_id


class Desk:
    """Has news for one author, until they are told."""

    def __init__(self, *, trouble: Exception | None = None, news: DeskNews | None = NEWS) -> None:
        self.trouble = trouble
        self.news = news
        self.heard: list[tuple[UserId, DeskNews]] = []
        self.in_server: bool | None = None

    async def pending_news(self, user_id: UserId, *, in_server: bool) -> DeskNews | None:
        del user_id
        self.in_server = in_server
        if self.trouble is not None:
            raise self.trouble
        return self.news

    async def told(self, user_id: UserId, news: DeskNews) -> None:
        self.heard.append((user_id, news))

    @property
    def moderation(self) -> ModerationService:
        return cast("ModerationService", cast("object", self))


class Command(RecordingInteraction):
    """A command of an author's that was answered."""

    def __init__(self, failure: Exception | None = None, *, guild_id: int | None = 10) -> None:
        super().__init__(answered=True, failure=failure)
        self.user = SimpleNamespace(id=400)
        self.guild_id = guild_id


def unknown_webhook() -> discord.HTTPException:
    response = SimpleNamespace(status=404, reason="Not Found")
    return discord.NotFound(cast("Any", response), {"code": 10015, "message": "Unknown Webhook"})


async def test_news_follow_an_answer_between_the_bot_and_the_author_and_are_told_once() -> None:
    desk, command = Desk(), Command()
    await tell_desk_news(command.seen, desk.moderation)
    ((way, message),) = command.said
    assert way == "followup"
    assert message["content"] == "**Ada** has been approved.\n**Bo** is no longer available."
    assert message["ephemeral"]
    assert desk.heard == [(UserId(400), NEWS)]


@pytest.mark.parametrize(("guild_id", "in_server"), [(10, True), (None, False)])
async def test_news_are_asked_for_by_whether_they_are_told_in_a_server(
    guild_id: int | None, *, in_server: bool
) -> None:
    desk, command = Desk(), Command(guild_id=guild_id)
    await tell_desk_news(command.seen, desk.moderation)
    assert desk.in_server is in_server


async def test_nothing_is_said_without_news() -> None:
    desk, command = Desk(news=None), Command()
    await tell_desk_news(command.seen, desk.moderation)
    assert command.said == []
    assert desk.heard == []


@pytest.mark.parametrize("trouble", [DatabaseFull(Path("bot.db")), None])
async def test_news_that_cannot_be_told_wait_and_spoil_no_command(
    caplog: pytest.LogCaptureFixture, trouble: Exception | None
) -> None:
    desk, command = Desk(trouble=trouble), Command(unknown_webhook())
    with caplog.at_level(logging.ERROR):
        await tell_desk_news(command.seen, desk.moderation)
    assert "could not be told" in caplog.text
    assert desk.heard == []
