"""Card files in words for people: what is wrong with one, what becomes of one, what was handed out."""

from collections.abc import Iterator
from typing import Final

from bot.domain.card_files.exporting import CardExport
from bot.domain.card_files.faults import CardFault, FaultKind
from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.mapping import Loss, Part
from bot.domain.card_files.reading import CardReading
from bot.domain.drafts import CardNotes
from bot.domain.ratings import ContentRating

_MEBIBYTE: Final = 1024 * 1024
_SAVE_AGAIN: Final = "Save it again in the program it comes from, and upload that file."
_NEW_CARD: Final = "Export the card anew, as PNG or JSON, and upload that file."

_SENTENCES: Final = {
    FaultKind.FILE_EMPTY: f"This file is empty. {_SAVE_AGAIN}",
    FaultKind.FILE_TOO_LARGE: "This file is larger than the {limit} that I read. Make its picture smaller, or export "
    "the card as JSON, and upload that file.",
    FaultKind.OTHER_FORMAT: "This is neither a PNG nor a JSON nor a CHARX file. Export the card as one of these and "
    "upload that file.",
    FaultKind.OTHER_PICTURE: "Only PNG pictures carry a character card that I can read. Look for the PNG that the card "
    "came as, or export the card as JSON, and upload that file.",
    FaultKind.PNG_DAMAGED: f"This PNG is damaged. {_SAVE_AGAIN}",
    FaultKind.PNG_CUT_OFF: "This PNG ends too early, as after a download that broke off. Download it again and upload "
    "that file.",
    FaultKind.PNG_TOO_MANY_CHUNKS: f"This PNG is in more than {{limit}} pieces, more than a card has. {_NEW_CARD}",
    FaultKind.PNG_WITHOUT_CARD: "There is no character card in this picture: many sites and apps drop it when they "
    "make a picture smaller. Upload the original file, or export the card as JSON.",
    FaultKind.PNG_COMPRESSED_CARD: f"The card in this picture is compressed, and I do not unpack those. {_NEW_CARD}",
    FaultKind.PNG_BAD_BASE64: f"The card in this picture is damaged. {_NEW_CARD}",
    FaultKind.ZIP_DAMAGED: f"This CHARX file is damaged. {_SAVE_AGAIN}",
    FaultKind.ZIP_DIRECTORY_TOO_LARGE: "The table of contents of this CHARX file is too large. Export the card with "
    "fewer assets, or as JSON, and upload that file.",
    FaultKind.ZIP_TOO_MANY_ENTRIES: "There are more than {limit} files in this CHARX file. Export the card with fewer "
    "assets, or as JSON, and upload that file.",
    FaultKind.ZIP_ENCRYPTED: "This CHARX file is locked with a password. Export the card without one and upload that "
    "file.",
    FaultKind.ZIP_OTHER_COMPRESSION: f"This CHARX file is compressed in a way that I do not unpack. {_NEW_CARD}",
    FaultKind.ZIP_UNSAFE_PATH: f"A file in this CHARX file has a path that leads out of it. {_NEW_CARD}",
    FaultKind.ZIP_BOMB: f"This CHARX file would unpack to far more than a card has. {_NEW_CARD}",
    FaultKind.ZIP_WITHOUT_CARD: "There is no card.json in this file, so it is no character card. Export the card as "
    "CHARX, PNG or JSON and upload that file.",
    FaultKind.JSON_TOO_LARGE: "The card in this file is larger than the {limit} that I read. Take assets or lorebook "
    "entries out of it and upload it again.",
    FaultKind.JSON_NOT_UTF8: f"The card in this file is not written in UTF-8. {_NEW_CARD}",
    FaultKind.JSON_BROKEN: f"The card in this file is not whole: what is there is no JSON. {_NEW_CARD}",
    FaultKind.JSON_TOO_DEEP: f"The card in this file is nested more than {{limit}} levels deep. {_NEW_CARD}",
    FaultKind.JSON_TOO_MANY_PARTS: "The card in this file has more than {limit} parts. Take lorebook entries out of it "
    "and upload it again.",
    FaultKind.JSON_BAD_NUMBER: f"There is a number in this card that no card needs. {_NEW_CARD}",
    FaultKind.JSON_BAD_TEXT: f"A text of this card holds something that is no character. {_NEW_CARD}",
    FaultKind.NOT_A_CARD: "This file is no character card: it has none of its fields. Export the character itself, "
    "not a chat, a lorebook or a preset, and upload that file.",
    FaultKind.NAMELESS: "The character in this file has no name. Give it one in the program it comes from and upload "
    "the file again.",
    FaultKind.TEXT_TOO_LONG: "The {part} of this card has {found} characters, and I take at most {limit}. Shorten it "
    "in the program it comes from and upload the file again: I do not cut it for you.",
    FaultKind.TOO_SLOW: "Reading this file took too long, so I gave up. Try again in a minute; if it happens again, "
    "export the card as JSON and upload that file.",
    FaultKind.TOO_MUCH_MEMORY: "Reading this file took too much memory, so I gave up. Export the card as JSON, without "
    "its lorebook, and upload that file.",
    FaultKind.READER_FAILED: "I could not read this file. Export the card as JSON and upload that file.",
}

_PARTS: Final = {
    Part.DESCRIPTION: "description",
    Part.PERSONALITY: "personality",
    Part.SCENARIO: "scenario",
    Part.LORE: "lorebook entries that are always on",
    Part.EXAMPLES: "example dialogue",
    Part.AFTER_HISTORY: "post-history instructions",
}

_LOSSES: Final = {
    Loss.OTHER_GREETINGS: ("1 other greeting", "{count} other greetings"),
    Loss.GROUP_GREETINGS: ("1 greeting for groups", "{count} greetings for groups"),
    Loss.LORE: ("1 lorebook entry that waits for keywords", "{count} lorebook entries that wait for keywords"),
    Loss.PLACE_OF_INSTRUCTIONS: ("the place of the post-history instructions (they end the prompt now)",) * 2,
    Loss.PLACEHOLDERS: ("1 placeholder that nothing fills in", "{count} placeholders that nothing fills in"),
    Loss.NICKNAME: ("the nickname, beyond its use in the texts",) * 2,
    Loss.TAGS: ("1 tag", "{count} tags"),
    Loss.TRANSLATED_NOTES: ("1 translation of the notes", "{count} translations of the notes"),
    Loss.CREATOR: ("the creator's name",) * 2,
    Loss.CHARACTER_VERSION: ("the version",) * 2,
    Loss.SOURCES: ("1 source", "{count} sources"),
    Loss.DATES: ("the dates",) * 2,
    Loss.ASSETS: ("1 asset", "{count} assets"),
    Loss.EXTENSIONS: ("1 extension of another program", "{count} extensions of other programs"),
}


def fault_sentence(fault: CardFault) -> str:
    """Say what is wrong with a file, and what to do next."""
    found = "" if fault.found is None else f"{fault.found:,}"
    limit = _limit(fault)
    return _SENTENCES[fault.kind].format(part=fault.part or "text", found=found, limit=limit)


def card_notes(reading: CardReading, *, file_kept: bool) -> CardNotes:
    """Say what is taken from a card, what goes into the prompt, and what is lost; no word of the card itself."""
    mapping = reading.mapping
    return CardNotes(
        format=f"Character Card {reading.version.value}, {reading.container.value.upper()}",
        mapped=tuple(_taken(mapping.fields)),
        folded=tuple(_PARTS[part] for part in mapping.folded),
        lost=tuple(_LOSSES[loss][count > 1].format(count=f"{count:,}") for loss, count in mapping.lost),
        has_picture=reading.has_picture,
        file_kept=file_kept,
    )


def rating_question(floor: ContentRating) -> str:
    """Ask for the content rating of what a card was made into; `floor` is the mildest that may be chosen."""
    if floor is ContentRating.SFW:
        return "No card can say that its character is safe: choose how adult it is."
    return (
        f"By what the card says of itself, its character is at least {floor.word}. Choose how adult it is; nothing "
        "milder is offered."
    )


def export_sentence(export: CardExport) -> str:
    """Say what an exported file is."""
    if not export.rewritten:
        if export.prompt_seen:
            return "This is the file you imported, as it was: the character is unchanged since."
        return (
            "This is the file you imported, as it was: the character looks unchanged since. NanoGPT did not show me "
            "the prompt, so I cannot tell whether that is the same."
        )
    said = ["This is a V3 card of the character as it is today."]
    if export.with_original:
        said.append("The card you imported stands in it under extensions.")
    if not export.prompt_seen:
        said.append("NanoGPT did not show me the prompt, so it is not in it.")
    return " ".join(said)


def _limit(fault: CardFault) -> str:
    if fault.limit is None:
        return ""
    if fault.kind in (FaultKind.FILE_TOO_LARGE, FaultKind.JSON_TOO_LARGE):
        return f"{fault.limit // _MEBIBYTE} MiB"
    return f"{fault.limit:,}"


def _taken(fields: CardFields) -> Iterator[str]:
    yield "name"
    if fields.summary:
        yield "summary"
    if fields.description:
        yield "description"
    if fields.system_prompt:
        yield f"prompt ({len(fields.system_prompt):,} characters)"
    if fields.first_message:
        yield "first message"
    if fields.tags:
        yield "1 tag" if len(fields.tags) == 1 else f"{len(fields.tags)} tags"
