from typing import Any, Final

import pytest

from bot.sandbox.discord.component_rules import check_components, check_embeds, check_modal
from bot.sandbox.discord.errors import RefusalError

Component = dict[str, Any]


def button(custom_id: str = "b", **more: object) -> Component:
    return {"type": 2, "style": 2, "label": "x", "custom_id": custom_id, **more}


def row(*parts: Component) -> Component:
    return {"type": 1, "components": list(parts)}


def select(count: int = 2, **more: object) -> Component:
    options = [{"label": str(number), "value": str(number)} for number in range(count)]
    return {"type": 3, "custom_id": "s", "options": options, **more}


def text(content: str = "x") -> Component:
    return {"type": 10, "content": content}


def section(texts: int = 1, accessory: Component | None = None) -> Component:
    return {"type": 9, "components": [text()] * texts, "accessory": accessory or button()}


def container(*children: Component) -> Component:
    return {"type": 17, "components": list(children)}


LINK = {"type": 2, "style": 5, "label": "x", "url": "https://pictures.invalid"}
THUMBNAIL = {"type": 11, "media": {"url": "https://pictures.invalid/a.png"}}


@pytest.mark.parametrize(
    "components",
    [
        [],
        [row(button())],
        [row(*(button(str(number)) for number in range(5)))] ,
        [row(button(f"{line}")) for line in range(5)],
        [row(select(25))],
        [row(select(max_values=2))],
        [row({"type": 5, "custom_id": "who"})],
        [row(LINK)],
        [row(button(label=None, emoji={"name": "⭐"}))],
        [row(button("x" * 100, label="x" * 80))],
    ],
)  # fmt: skip
def test_components_within_the_limits_are_taken(components: list[Component]) -> None:
    check_components(components, v2=False)


@pytest.mark.parametrize(
    "components",
    [
        [row()],
        [row(*(button(str(number)) for number in range(6)))],
        [row(button(f"{line}")) for line in range(6)],
        [row(button("x" * 101))],
        [row(button(""))],
        [row(button("same"), button("same"))],
        [row(button("same")), row(button("same"))],
        [row(button(label="x" * 81))],
        [row(button(label=None))],
        [row({"type": 2, "style": 2, "label": "x"})],
        [row(button(url="https://pictures.invalid"))],
        [row(LINK | {"custom_id": "x"})],
        [row(LINK | {"url": "https://pictures.invalid/" + "x" * 512})],
        [row(button(style=9))],
        [row(select(0))],
        [row(select(26))],
        [row(select(max_values=3))],
        [row(select(min_values=2, max_values=1))],
        [row(select(placeholder="x" * 151))],
        [row(select() | {"options": [{"label": "a", "value": "1"}, {"label": "b", "value": "1"}]})],
        [row(select() | {"options": [{"label": "x" * 101, "value": "1"}]})],
        [row(select(), button())],
        [row(text())],
        [text()],
        [button()],
    ],
)
def test_components_beyond_a_limit_are_refused(components: list[Component]) -> None:
    with pytest.raises(RefusalError):
        check_components(components, v2=False)


@pytest.mark.parametrize(
    "components",
    [
        [text("x" * 4000)],
        [section(3), section(1, THUMBNAIL)],
        [container(section(), row(button("c")), {"type": 14})],
        [{"type": 12, "items": [{"media": {"url": "attachment://a.png"}}] * 10}],
        [text()] * 40,
        [row(button())],
    ],
)
def test_layouts_within_the_limits_are_taken(components: list[Component]) -> None:
    check_components(components, v2=True)


@pytest.mark.parametrize(
    "components",
    [
        [text("")],
        [text("x" * 2001), text("x" * 2000)],
        [text()] * 41,
        [container(*[text()] * 40)],
        [container()],
        [container(container(text()))],
        [section(0)],
        [section(4)],
        [section(1, text())],
        [{"type": 12, "items": []}],
        [{"type": 12, "items": [{"media": {"url": "https://a.invalid"}}] * 11}],
        [{"type": 12, "items": [{"media": {"url": "file:///a"}}]}],
        [section(1, THUMBNAIL | {"description": "x" * 1025})],
        [button()],
        [THUMBNAIL],
    ],
)
def test_layouts_beyond_a_limit_are_refused(components: list[Component]) -> None:
    with pytest.raises(RefusalError):
        check_components(components, v2=True)


def label(component: Component, **more: object) -> Component:
    return {"type": 18, "label": "x", "component": component, **more}


def text_input(custom_id: str = "t", **more: object) -> Component:
    return {"type": 4, "custom_id": custom_id, "style": 1, **more}


def radio(count: int) -> Component:
    return select(count) | {"type": 21}


def modal(*parts: Component, **more: object) -> Component:
    return {"title": "x", "custom_id": "m", "components": list(parts), **more}


@pytest.mark.parametrize(
    "data",
    [
        modal(label(text_input())),
        modal(text(), label(radio(2)), label(select() | {"custom_id": "other"})),
        modal(row(text_input(label="x"))),
        modal(*(label(text_input(str(number))) for number in range(5))),
        modal(label(text_input(max_length=4000)), title="x" * 45),
        modal(label({"type": 23, "custom_id": "c"})),
        modal(label({"type": 19, "custom_id": "f"})),
    ],
)
def test_forms_within_the_limits_are_taken(data: Component) -> None:
    check_modal(data)


@pytest.mark.parametrize(
    "data",
    [
        modal(),
        modal(*(label(text_input(str(number))) for number in range(6))),
        modal(label(text_input()), title="x" * 46),
        modal(label(text_input()), title=""),
        modal(label(text_input()), custom_id="x" * 101),
        modal(label(text_input(), label="x" * 46)),
        modal(label(text_input(), description="x" * 101)),
        modal(label(text_input("a")), label(text_input("a"))),
        modal(label(text_input(max_length=4001))),
        modal(label(text_input(min_length=5, max_length=4))),
        modal(label(text_input(placeholder="x" * 101))),
        modal(label(text_input(style=3))),
        modal(label(radio(1))),
        modal(label(radio(11))),
        modal(label(select(disabled=True))),
        modal(label(button())),
        modal(row(button())),
        modal(row(text_input())),
        modal(button()),
    ],
)
def test_forms_beyond_a_limit_are_refused(data: Component) -> None:
    with pytest.raises(RefusalError):
        check_modal(data)


EMBEDS: Final[list[tuple[list[Component], bool]]] = [
    ([{"title": "x" * 256, "description": "x" * 4096}], True),
    ([{"image": {"url": "https://pictures.invalid/a.png"}}], True),
    ([{"fields": [{"name": "x", "value": "x"}] * 25}], True),
    ([{"title": "x"}] * 10, True),
    ([{"title": "x"}] * 11, False),
    ([{}], False),
    ([{"title": "x" * 257}], False),
    ([{"description": "x" * 4097}], False),
    ([{"footer": {"text": "x" * 2049}}], False),
    ([{"author": {"name": "x" * 257}}], False),
    ([{"fields": [{"name": "x", "value": "x"}] * 26}], False),
    ([{"fields": [{"name": "", "value": "x"}]}], False),
    ([{"fields": [{"name": "x", "value": "x" * 1025}]}], False),
    ([{"title": "x", "image": {"url": "nowhere"}}], False),
    ([{"description": "x" * 3001}, {"description": "x" * 3000}], False),
]


@pytest.mark.parametrize(("embeds", "taken"), EMBEDS)
def test_embeds_are_measured(embeds: list[Component], *, taken: bool) -> None:
    if taken:
        check_embeds(embeds)
    else:
        with pytest.raises(RefusalError):
            check_embeds(embeds)
