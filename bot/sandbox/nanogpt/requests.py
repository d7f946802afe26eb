"""Reading a request to POST /responses, with the documented limits, and what a careful client never sends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.sandbox.nanogpt.accounts import Account
from bot.sandbox.nanogpt.catalog import (
    Catalog,
    SandboxCharacter,
    owned_by,
    usable_by_anyone,
    visible_to,
)
from bot.sandbox.nanogpt.wire import RefusedError, as_list, as_object, refusal

ROLES: Final = frozenset({"user", "assistant", "system", "developer"})
MIN_OUTPUT_TOKENS: Final = 16
"""Responses page, max_output_tokens."""
_NUMBER_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
_TEXT_PARTS: Final[Mapping[str, str]] = {"input_text": "text", "output_text": "text", "refusal": "refusal"}
_MEDIA_PARTS: Final = frozenset({"input_image", "input_file", "input_video"})
_PARAMETERS: Final = frozenset(
    {
        "character_id",
        "model",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "temperature",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "top_logprobs",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "stream",
        "stream_options",
        "store",
        "retention_days",
        "retentionDays",
        "previous_response_id",
        "conversation",
        "reasoning",
        "text",
        "metadata",
        "truncation",
        "user",
        "safety_identifier",
        "seed",
        "include",
        "prompt_cache_key",
        "background",
        "service_tier",
        "billing_mode",
        "billingMode",
        "advisor",
    }
)
"""The Responses page's table, and `character_id` of the Characters page."""
_NOT_KEPT: Final = ("previous_response_id", "conversation", "background")
"""Need stored responses; this stand-in stores none, as if the account's retention were zero days."""


@dataclass(frozen=True, slots=True)
class InputItem:
    """One message of the input."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRequest:
    """A request for a response that may be answered."""

    character: SandboxCharacter
    items: tuple[InputItem, ...]
    model: str
    instructions: str | None
    """Where given, they replace the character's persona."""
    stream: bool
    max_output_tokens: int | None
    seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRules:
    """What the stand-in demands at the moment."""

    model_required: bool
    context_characters: int | None
    """The longest input, all its texts together; None is no limit."""


def read_request(
    body: object, *, catalog: Catalog, account: Account, rules: RequestRules, complain: Callable[[str], None]
) -> ResponseRequest:
    """Check a decoded body; raises RefusedError with the answer that upstream would give."""
    fields = as_object(body)
    if fields is None:
        raise refusal(400, "The body is not a JSON object", code="invalid_json")
    _check_habits(fields, complain)
    character = _read_character(fields, catalog, account, complain)
    model = _optional_text(fields, "model")
    if model is None and rules.model_required:
        raise refusal(400, "model is required", code="missing_required_parameter", param="model")
    items = _read_input(fields.get("input"))
    if rules.context_characters is not None and sum(len(item.text) for item in items) > rules.context_characters:
        raise refusal(400, "context too long", code="context_length_exceeded", param="input")
    _check_numbers(fields)
    return ResponseRequest(
        character=character,
        items=items,
        model=model or character.base_model_id,
        instructions=_optional_text(fields, "instructions"),
        stream=_flag(fields, "stream"),
        max_output_tokens=_read_output_limit(fields),
        seed=_optional_integer(fields, "seed"),
    )


def _check_habits(fields: dict[str, object], complain: Callable[[str], None]) -> None:
    if "store" not in fields:
        complain("POST /responses without store: its default has changed over time, so it must be given.")
    _flag(fields, "store")
    if "instructions" in fields:
        complain("POST /responses with instructions: they replace the character's own.")
    for name in sorted(fields.keys() - _PARAMETERS):
        complain(f"POST /responses with the unknown parameter {name}.")
        raise refusal(400, f"Unknown parameter: {name}", code="invalid_parameter_value", param=name)
    for name in _NOT_KEPT:
        if fields.get(name):
            complain(f"POST /responses with {name}: nothing is stored here.")
            raise refusal(400, f"{name} needs stored responses", code="invalid_parameter_value", param=name)


def _read_character(
    fields: dict[str, object], catalog: Catalog, account: Account, complain: Callable[[str], None]
) -> SandboxCharacter:
    named = _optional_text(fields, "character_id")
    if named is None:
        complain("POST /responses without character_id.")
        raise refusal(400, "character_id is required", code="missing_required_parameter", param="character_id")
    character = catalog.find(named)
    if character is None or character.archived or not visible_to(character, account):
        raise refusal(404, "Character not found", kind="not_found_error", param="character_id")
    if not owned_by(character, account) and not usable_by_anyone(character):
        message = "Character is not available through the API"
        raise refusal(403, message, kind="permission_denied_error", param="character_id")
    return character


def _read_input(given: object) -> tuple[InputItem, ...]:
    if isinstance(given, str) and given.strip():
        return (InputItem("user", given),)
    items = as_list(given)
    if not items:
        raise refusal(400, "input is required", code="missing_required_parameter", param="input")
    return tuple(_read_item(item, f"input[{index}]") for index, item in enumerate(items))


def _read_item(given: object, where: str) -> InputItem:
    item = as_object(given)
    if item is None or item.get("type") != "message":
        raise _bad_value(where, "must be an item of type message")
    role = item.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise _bad_value(f"{where}.role", "must be user, assistant, system or developer")
    content = item.get("content")
    parts = as_list(content)
    text = content if isinstance(content, str) else "\n".join(_read_part(part, where) for part in parts or [])
    if not text.strip():
        raise _bad_value(f"{where}.content", "must not be empty")
    return InputItem(role, text)


def _read_part(given: object, where: str) -> str:
    part = as_object(given) or {}
    kind = part.get("type")
    if isinstance(kind, str) and kind in _MEDIA_PARTS:
        return f"({kind.removeprefix('input_')})"
    text = part.get(_TEXT_PARTS.get(kind, "")) if isinstance(kind, str) else None
    if not isinstance(text, str):
        raise _bad_value(f"{where}.content", "has a part of an unknown type")
    return text


def _check_numbers(fields: dict[str, object]) -> None:
    for name, (lowest, highest) in _NUMBER_RANGES.items():
        value = fields.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise _bad_value(name, f"must be between {lowest:g} and {highest:g}")


def _read_output_limit(fields: dict[str, object]) -> int | None:
    limit = _optional_integer(fields, "max_output_tokens")
    if limit is not None and limit < MIN_OUTPUT_TOKENS:
        raise refusal(400, f"max_output_tokens must be at least {MIN_OUTPUT_TOKENS}", param="max_output_tokens")
    return limit


def _optional_integer(fields: dict[str, object], name: str) -> int | None:
    value = fields.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise _bad_value(name, "must be an integer")
    return value


def _optional_text(fields: dict[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not (isinstance(value, str) and value):
        raise _bad_value(name, "must be a string that is not empty")
    return value


def _flag(fields: dict[str, object], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise _bad_value(name, "must be true or false")
    return value


def _bad_value(name: str, rule: str) -> RefusedError:
    return refusal(400, f"{name} {rule}", code="invalid_parameter_value", param=name)
