"""Discord's limits on components, modals and embeds; each broken one becomes a 400.

Figures: https://discord.com/developers/docs/components/reference and .../resources/message#embed-object-embed-limits.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from bot.sandbox.discord.errors import invalid_form
from bot.sandbox.discord.json_types import JsonObject, as_int, as_list, as_object, as_text, objects_of


class Kind(IntEnum):
    """Component types."""

    ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT = 10
    THUMBNAIL = 11
    GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS: Final = frozenset(
    {Kind.STRING_SELECT, Kind.USER_SELECT, Kind.ROLE_SELECT, Kind.MENTIONABLE_SELECT, Kind.CHANNEL_SELECT}
)
IN_LABELS: Final = SELECTS | {
    Kind.TEXT_INPUT,
    Kind.FILE_UPLOAD,
    Kind.RADIO_GROUP,
    Kind.CHECKBOX_GROUP,
    Kind.CHECKBOX,
}
_V2_TOP: Final = frozenset({Kind.ROW, Kind.SECTION, Kind.TEXT, Kind.GALLERY, Kind.FILE, Kind.SEPARATOR, Kind.CONTAINER})
_IN_CONTAINER: Final = _V2_TOP - {Kind.CONTAINER}

LINK_STYLE: Final = 5
PREMIUM_STYLE: Final = 6
_BUTTON_STYLES: Final = range(1, 7)
_MAX_ROWS: Final = 5
_MAX_BUTTONS: Final = 5
_MAX_V2: Final = 40
_MAX_V2_TEXT: Final = 4000
_MAX_ID: Final = 100
_MAX_LABEL: Final = 80
_MAX_URL: Final = 512
_MAX_OPTIONS: Final = 25
_MAX_OPTION_TEXT: Final = 100
_MAX_PLACEHOLDER: Final = 150
_MAX_SECTION_TEXTS: Final = 3
_MAX_GALLERY: Final = 10
_MAX_DESCRIPTION: Final = 1024
_MAX_MODAL_PARTS: Final = 5
_MAX_TITLE: Final = 45
_MAX_MODAL_LABEL: Final = 45
_MAX_MODAL_DESCRIPTION: Final = 100
_MAX_INPUT: Final = 4000
_MAX_INPUT_PLACEHOLDER: Final = 100
_RADIO_OPTIONS: Final = range(2, 11)
_CHECKBOX_OPTIONS: Final = range(1, 11)

_MAX_EMBEDS: Final = 10
_MAX_EMBED_TOTAL: Final = 6000
_EMBED_TEXTS: Final = {"title": 256, "description": 4096, "footer.text": 2048, "author.name": 256}
_MAX_FIELDS: Final = 25
_MAX_FIELD_NAME: Final = 256
_MAX_FIELD_VALUE: Final = 1024


def require_length(text: object, field: str, most: int, least: int = 1) -> str:
    """Return a text whose length is within bounds; a 400 naming the field otherwise."""
    found = as_text(text)
    if not least <= len(found) <= most:
        raise invalid_form(field, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
    return found


def _wrong(field: str, message: str) -> Exception:
    return invalid_form(field, "UNION_TYPE_CHOICES", message)


def walk(components: Sequence[JsonObject]) -> list[JsonObject]:
    """Return every component with all that it holds, outermost first."""
    found: list[JsonObject] = []
    for component in components:
        found.append(component)
        found += walk(objects_of(component.get("components")))
        for key in ("accessory", "component"):
            inner = as_object(component.get(key))
            if inner is not None:
                found += walk([inner])
    return found


def check_components(components: Sequence[JsonObject], *, v2: bool) -> None:
    """Check the components of a message."""
    everything = walk(components)
    _check_ids(everything)
    if not v2:
        if len(components) > _MAX_ROWS:
            raise invalid_form("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        for index, row in enumerate(components):
            if row.get("type") != Kind.ROW:
                raise _wrong(f"components.{index}.type", "Value of field type must be 1 without IS_COMPONENTS_V2")
            _check_row(row, f"components.{index}")
        return
    if len(everything) > _MAX_V2:
        raise invalid_form("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "More than 40 components")
    texts = [part for part in everything if part.get("type") == Kind.TEXT]
    if sum(len(as_text(part.get("content"))) for part in texts) > _MAX_V2_TEXT:
        raise invalid_form("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", "More than 4000 characters")
    for index, component in enumerate(components):
        _check_v2(component, f"components.{index}", _V2_TOP)


def _check_ids(everything: Sequence[JsonObject]) -> None:
    seen: set[str] = set()
    for component in everything:
        if "custom_id" not in component:
            continue
        custom_id = require_length(component.get("custom_id"), "components.custom_id", _MAX_ID)
        if custom_id in seen:
            raise invalid_form(
                "components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
            )
        seen.add(custom_id)


def _check_row(row: JsonObject, field: str) -> None:
    parts = objects_of(row.get("components"))
    if not 1 <= len(parts) <= _MAX_BUTTONS:
        raise invalid_form(f"{field}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    for index, part in enumerate(parts):
        here = f"{field}.components.{index}"
        if part.get("type") == Kind.BUTTON:
            _check_button(part, here)
        elif part.get("type") in SELECTS:
            if len(parts) > 1:
                raise invalid_form(here, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "A select fills its row")
            _check_select(part, here)
        else:
            raise _wrong(f"{here}.type", "Not allowed in an action row")


def _check_button(button: JsonObject, field: str) -> None:
    style = as_int(button.get("style"))
    if style not in _BUTTON_STYLES:
        raise _wrong(f"{field}.style", "Unknown style")
    require_length(button.get("label") or "", f"{field}.label", _MAX_LABEL, 0)
    if style == LINK_STYLE:
        require_length(button.get("url"), f"{field}.url", _MAX_URL)
        if "custom_id" in button:
            raise invalid_form(f"{field}.custom_id", "BUTTON_COMPONENT_LINK_CUSTOM_ID", "A link has no custom id")
    elif style != PREMIUM_STYLE:
        if "custom_id" not in button:
            raise invalid_form(f"{field}.custom_id", "BASE_TYPE_REQUIRED", "This field is required")
        if "url" in button and button["url"] is not None:
            raise invalid_form(f"{field}.url", "BUTTON_COMPONENT_CUSTOM_ID_URL", "Only links have a url")
    if style != PREMIUM_STYLE and not button.get("label") and not button.get("emoji"):
        raise invalid_form(field, "BUTTON_COMPONENT_EMPTY", "A button needs a label or an emoji")


def _check_select(select: JsonObject, field: str, *, in_modal: bool = False) -> None:
    if "custom_id" not in select:
        raise invalid_form(f"{field}.custom_id", "BASE_TYPE_REQUIRED", "This field is required")
    require_length(select.get("placeholder") or "", f"{field}.placeholder", _MAX_PLACEHOLDER, 0)
    least, most = as_int(select.get("min_values"), 1), as_int(select.get("max_values"), 1)
    if not 0 <= least <= _MAX_OPTIONS or not 1 <= most <= _MAX_OPTIONS or least > most:
        raise invalid_form(f"{field}.max_values", "NUMBER_TYPE_MAX", "Values out of range")
    if in_modal and select.get("disabled"):
        raise invalid_form(f"{field}.disabled", "COMPONENT_INVALID", "Cannot be disabled in a modal")
    if select.get("type") == Kind.STRING_SELECT:
        options = _check_options(select, field, range(1, _MAX_OPTIONS + 1))
        if most > options:
            raise invalid_form(f"{field}.max_values", "NUMBER_TYPE_MAX", "More than there are options")


def _check_options(part: JsonObject, field: str, count: range) -> int:
    options = objects_of(part.get("options"))
    if len(options) not in count:
        message = f"Must be between {count.start} and {count.stop - 1} in length."
        raise invalid_form(f"{field}.options", "BASE_TYPE_BAD_LENGTH", message)
    values: set[str] = set()
    for index, option in enumerate(options):
        here = f"{field}.options.{index}"
        require_length(option.get("label"), f"{here}.label", _MAX_OPTION_TEXT)
        require_length(option.get("description") or "", f"{here}.description", _MAX_OPTION_TEXT, 0)
        value = require_length(option.get("value"), f"{here}.value", _MAX_OPTION_TEXT)
        if value in values:
            raise invalid_form(f"{here}.value", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "Value already used")
        values.add(value)
    return len(options)


def _check_v2(component: JsonObject, field: str, allowed: frozenset[Kind]) -> None:
    kind = as_int(component.get("type"))
    if kind not in allowed:
        raise _wrong(f"{field}.type", f"Component type {kind} is not allowed here")
    if kind == Kind.ROW:
        _check_row(component, field)
    elif kind == Kind.TEXT:
        require_length(component.get("content"), f"{field}.content", _MAX_V2_TEXT)
    elif kind == Kind.SECTION:
        _check_section(component, field)
    elif kind == Kind.GALLERY:
        items = objects_of(component.get("items"))
        if not 1 <= len(items) <= _MAX_GALLERY:
            raise invalid_form(f"{field}.items", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 10 in length.")
        for index, item in enumerate(items):
            _check_media(item, f"{field}.items.{index}")
    elif kind == Kind.CONTAINER:
        children = objects_of(component.get("components"))
        if not children:
            raise invalid_form(f"{field}.components", "BASE_TYPE_REQUIRED", "A container needs children")
        for index, child in enumerate(children):
            _check_v2(child, f"{field}.components.{index}", _IN_CONTAINER)


def _check_section(section: JsonObject, field: str) -> None:
    texts = objects_of(section.get("components"))
    if not 1 <= len(texts) <= _MAX_SECTION_TEXTS:
        raise invalid_form(f"{field}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 3 in length.")
    for index, text in enumerate(texts):
        _check_v2(text, f"{field}.components.{index}", frozenset({Kind.TEXT}))
    accessory = as_object(section.get("accessory")) or {}
    if accessory.get("type") == Kind.BUTTON:
        _check_button(accessory, f"{field}.accessory")
    elif accessory.get("type") == Kind.THUMBNAIL:
        _check_media(accessory, f"{field}.accessory")
    else:
        raise _wrong(f"{field}.accessory", "A section needs a button or a thumbnail")


def _check_media(item: JsonObject, field: str) -> None:
    require_length(item.get("description") or "", f"{field}.description", _MAX_DESCRIPTION, 0)
    url = as_text((as_object(item.get("media")) or {}).get("url"))
    _check_url(url, f"{field}.media.url")


def _check_url(url: str, field: str) -> None:
    if not url.startswith(("http://", "https://", "attachment://")):
        raise invalid_form(field, "URL_TYPE_INVALID_URL", "Not a well formed URL.")


def check_modal(data: JsonObject) -> None:
    """Check the data of a modal callback."""
    require_length(data.get("title"), "data.title", _MAX_TITLE)
    require_length(data.get("custom_id"), "data.custom_id", _MAX_ID)
    parts = objects_of(data.get("components"))
    if not 1 <= len(parts) <= _MAX_MODAL_PARTS:
        raise invalid_form("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    _check_ids(walk(parts))
    for index, part in enumerate(parts):
        field = f"data.components.{index}"
        kind = part.get("type")
        if kind == Kind.LABEL:
            require_length(part.get("label"), f"{field}.label", _MAX_MODAL_LABEL)
            require_length(part.get("description") or "", f"{field}.description", _MAX_MODAL_DESCRIPTION, 0)
            _check_field(as_object(part.get("component")) or {}, f"{field}.component")
        elif kind == Kind.ROW:
            inner = objects_of(part.get("components"))
            if len(inner) != 1 or inner[0].get("type") != Kind.TEXT_INPUT:
                raise _wrong(f"{field}.components", "A modal's row holds one text input")
            require_length(inner[0].get("label"), f"{field}.components.0.label", _MAX_MODAL_LABEL)
            _check_field(inner[0], f"{field}.components.0")
        elif kind == Kind.TEXT:
            require_length(part.get("content"), f"{field}.content", _MAX_V2_TEXT)
        else:
            raise _wrong(f"{field}.type", f"Component type {kind} is not allowed in a modal")


def _check_field(part: JsonObject, field: str) -> None:
    kind = as_int(part.get("type"))
    if kind not in IN_LABELS:
        raise _wrong(f"{field}.type", f"Component type {kind} is not allowed in a label")
    if "custom_id" not in part:
        raise invalid_form(f"{field}.custom_id", "BASE_TYPE_REQUIRED", "This field is required")
    if kind in SELECTS:
        _check_select(part, field, in_modal=True)
    elif kind == Kind.RADIO_GROUP:
        _check_options(part, field, _RADIO_OPTIONS)
    elif kind == Kind.CHECKBOX_GROUP:
        _check_options(part, field, _CHECKBOX_OPTIONS)
    elif kind == Kind.TEXT_INPUT:
        if part.get("style") not in {1, 2}:
            raise _wrong(f"{field}.style", "Unknown style")
        least, most = as_int(part.get("min_length")), as_int(part.get("max_length"), _MAX_INPUT)
        if not 0 <= least <= most <= _MAX_INPUT or most < 1:
            raise invalid_form(f"{field}.max_length", "NUMBER_TYPE_MAX", "Lengths out of range")
        require_length(part.get("placeholder") or "", f"{field}.placeholder", _MAX_INPUT_PLACEHOLDER, 0)
        require_length(part.get("value") or "", f"{field}.value", _MAX_INPUT, 0)


def check_embeds(embeds: Sequence[JsonObject]) -> None:
    """Check the embeds of a message; the 6,000 characters count over all of them."""
    if len(embeds) > _MAX_EMBEDS:
        raise invalid_form("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    total = 0
    for index, embed in enumerate(embeds):
        here = f"embeds.{index}"
        size = 0
        for path, most in _EMBED_TEXTS.items():
            outer, _, inner = path.partition(".")
            value = (as_object(embed.get(outer)) or {}).get(inner) if inner else embed.get(outer)
            size += len(require_length(value or "", f"{here}.{path}", most, 0))
        fields = objects_of(embed.get("fields"))
        if len(as_list(embed.get("fields"))) > _MAX_FIELDS:
            raise invalid_form(f"{here}.fields", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        for number, each in enumerate(fields):
            size += len(require_length(each.get("name"), f"{here}.fields.{number}.name", _MAX_FIELD_NAME))
            size += len(require_length(each.get("value"), f"{here}.fields.{number}.value", _MAX_FIELD_VALUE))
        for key in ("image", "thumbnail"):
            picture = as_object(embed.get(key))
            if picture is not None:
                _check_url(as_text(picture.get("url")), f"{here}.{key}.url")
        if not size and not embed.get("image") and not embed.get("thumbnail"):
            raise invalid_form(f"{here}.description", "BASE_TYPE_REQUIRED", "This field is required")
        total += size
    if total > _MAX_EMBED_TOTAL:
        raise invalid_form("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")
