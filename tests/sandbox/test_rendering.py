"""How messages, forms and suggestions look as text."""

import pytest

from bot.sandbox.discord import Choice, DiscordSandbox, Guild, Message, Modal, posting
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.model import MessageType
from bot.sandbox.discord.posting import Draft
from bot.sandbox.rendering import (
    WIDTH,
    author_name,
    button_labels,
    choice_lines,
    message_lines,
    modal_lines,
    select_ids,
)

BUTTONS: JsonObject = {
    "type": 1,
    "components": [
        {"type": 2, "style": 2, "label": "★ Rate", "custom_id": "v1:rate:1"},
        {"type": 2, "style": 2, "label": "Retry", "emoji": {"name": "🔁"}, "custom_id": "v1:retry:1"},
        {"type": 2, "style": 2, "label": "◀", "disabled": True, "custom_id": "v1:turn:1"},
    ],
}
MENU: JsonObject = {
    "type": 1,
    "components": [{"type": 3, "custom_id": "v1:open:1", "placeholder": "Open…", "options": []}],
}


@pytest.fixture
def sandbox() -> DiscordSandbox:
    return DiscordSandbox()


@pytest.fixture
def guild(sandbox: DiscordSandbox) -> Guild:
    return sandbox.add_guild("Writers")


def posted(
    guild: Guild,
    content: str = "",
    *,
    embeds: list[JsonObject] | None = None,
    components: list[JsonObject] | None = None,
    only_for: int | None = None,
) -> Message:
    channel = guild.add_channel("general")
    return posting.post(
        Draft(
            channel,
            guild.world.bot,
            content,
            MessageType.DEFAULT,
            embeds=embeds or [],
            components=components or [],
            ephemeral_for=only_for,
        )
    )


def test_programs_are_tagged_and_private_answers_are_marked(guild: Guild) -> None:
    assert author_name(posted(guild, "hello")) == "character-bot APP"
    assert author_name(posted(guild, "hello", only_for=guild.owner.id)) == "character-bot APP (only you see this)"


async def test_people_go_by_their_name_on_the_server(guild: Guild) -> None:
    guild.owner.member.nick = "Ada"
    message = await guild.owner.say(guild.add_channel("general"), "hello")
    assert author_name(message) == "Ada"


def test_buttons_and_menus_stand_under_the_text(guild: Guild) -> None:
    message = posted(guild, "hello", components=[BUTTONS, MENU])
    assert message_lines(message) == ["hello", "[★ Rate] [🔁 Retry] (◀)", "[Open… ▾]"]
    assert button_labels(message) == ["★ Rate", "Retry", "◀"]
    assert select_ids(message) == ["v1:open:1"]


def test_layouts_are_read_from_top_to_bottom(guild: Guild) -> None:
    button: JsonObject = {"type": 2, "style": 2, "label": "Open", "custom_id": "v1:open:1"}
    section: JsonObject = {"type": 9, "components": [{"type": 10, "content": "One"}], "accessory": button}
    message = posted(guild, components=[{"type": 17, "components": [section, {"type": 10, "content": "Two"}]}])
    assert message_lines(message) == ["One", "[Open]", "Two"]
    assert button_labels(message) == ["Open"]


def test_cards_are_set_off(guild: Guild) -> None:
    embed: JsonObject = {
        "title": "Guide",
        "description": "Helps.",
        "fields": [{"name": "Tags", "value": "writing\nhumor"}],
        "footer": {"text": "by mira"},
    }
    assert message_lines(posted(guild, embeds=[embed])) == [
        "▌ Guide",
        "▌ Helps.",
        "▌ Tags: writing / humor",
        "▌ by mira",
    ]


def test_markup_is_shown_as_a_client_shows_it(guild: Guild) -> None:
    room = guild.add_channel("den")
    text = f"<@{guild.owner.id}> in {room.mention}: </help:5> until <t:99:R>, <https://bot.example/privacy>, a\\_b"
    expected = "@Owner in #den: /help until soon, https://bot.example/privacy, a_b"
    assert message_lines(posted(guild, text)) == [expected]


def test_long_lines_are_wrapped_but_not_in_code(guild: Guild) -> None:
    long = "word " * 40
    lines = message_lines(posted(guild, f"{long}\n```python\n{long}\n```\n{long}"))
    assert long in lines
    assert all(len(line) <= WIDTH for line in lines if line != long)


def test_a_form_shows_its_fields() -> None:
    modal = Modal(
        "Rate Guide",
        "v1:rate-form:1",
        [
            {"type": 10, "content": "Be kind."},
            {"type": 18, "label": "Stars", "component": {"type": 21, "options": [{"label": "5"}, {"label": "4"}]}},
            {"type": 18, "label": "Why?", "component": {"type": 4, "placeholder": "optional"}},
        ],
    )
    assert modal_lines(modal) == ["┌ Rate Guide", "│ Be kind.", "│ Stars: 5 · 4", "│ Why?: optional", "└ [Submit]"]


def test_suggestions_are_a_list() -> None:
    assert choice_lines([Choice("Helpful Guide", "helpful-guide")]) == ["→ Helpful Guide"]
