"""What the bot writes under `extensions` of the cards that it exports, and reads again when such a card comes back.

The fields stand there once more as they were, since a card has no summary, mixes notes and prompt, and gives double
braces a meaning. They count for as long as the card beside them says the same: one that was edited elsewhere is read
like any other card.
"""

from typing import Final

from bot.domain.card_files.card_json import Json, JsonObject
from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.versions import WrittenCharacter, text_of
from bot.domain.ratings import ContentRating, parse_rating

FIELDS: Final = "fields"
ORIGINAL: Final = "original"
BASE_MODEL: Final = "base_model_id"
RATING: Final = "content_rating"
MAX_BASE_MODEL: Final = 200
"""Characters of a model's id; upstream names no limit."""


def face(fields: CardFields) -> dict[str, str]:
    """Return the texts of a card, by the keys of V2, that says what these fields say."""
    return {
        "name": fields.name,
        "description": "",
        "personality": "",
        "scenario": "",
        "first_mes": fields.first_message,
        "mes_example": "",
        "creator_notes": _notes(fields),
        "system_prompt": fields.system_prompt or "",
        "post_history_instructions": "",
    }


def written_fields(fields: CardFields) -> JsonObject:
    """Return the fields as they stand under the bot's own extension."""
    return {
        "name": fields.name,
        "summary": fields.summary,
        "description": fields.description,
        "system_prompt": fields.system_prompt,
        "first_message": fields.first_message,
        "tags": list(fields.tags),
    }


def own_fields(written: WrittenCharacter) -> CardFields | None:
    """Return the fields that the bot wrote into a card, or None where it did not, or the card says something else."""
    fields = _read_fields(written.own.get(FIELDS))
    if fields is None or face(fields) != _said(written) or fields.tags != written.tags or written.constant_lore:
        return None
    return fields


def own_base_model(own: JsonObject) -> str | None:
    """Return the model that the bot wrote into a card."""
    model = text_of(own, BASE_MODEL)
    return model if model.isprintable() and 0 < len(model) <= MAX_BASE_MODEL else None


def own_rating(own: JsonObject) -> ContentRating:
    """Return the rating that the bot wrote into a card, as the mildest it may have; `sfw` where there is none."""
    return parse_rating(own.get(RATING)) or ContentRating.SFW


def _read_fields(value: Json) -> CardFields | None:
    if not isinstance(value, dict):
        return None
    tags = value.get("tags")
    texts = {key: value.get(key) for key in ("name", "summary", "description", "first_message")}
    if not isinstance(tags, list) or not all(isinstance(text, str) for text in (*texts.values(), *tags)):
        return None
    return CardFields(
        name=text_of(value, "name"),
        summary=text_of(value, "summary"),
        description=text_of(value, "description"),
        system_prompt=text_of(value, "system_prompt"),
        first_message=text_of(value, "first_message"),
        tags=tuple(tag for tag in tags if isinstance(tag, str)),
    )


def _said(written: WrittenCharacter) -> dict[str, str]:
    return {
        "name": written.name,
        "description": written.description,
        "personality": written.personality,
        "scenario": written.scenario,
        "first_mes": written.first_message,
        "mes_example": written.examples,
        "creator_notes": written.notes,
        "system_prompt": written.system_prompt,
        "post_history_instructions": written.after_history,
    }


def _notes(fields: CardFields) -> str:
    """Return notes for the users of a card; a description that begins with the summary need not say it twice."""
    if fields.description.startswith(fields.summary):
        return fields.description
    return "\n\n".join(filter(None, (fields.summary, fields.description)))
