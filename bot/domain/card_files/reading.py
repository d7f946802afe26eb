"""From the bytes of a file to what a character made of it would be."""

from dataclasses import dataclass

from bot.domain.card_files.containers import Container, card_in, container_of, has_picture
from bot.domain.card_files.mapping import CardMapping, map_card
from bot.domain.card_files.versions import CardVersion, read_character


@dataclass(frozen=True, slots=True)
class CardReading:
    """What a card file holds, and what becomes of it."""

    container: Container
    version: CardVersion
    has_picture: bool
    """Kept in the file for export; NanoGPT takes none."""
    mapping: CardMapping


def read_card_file(file: bytes) -> CardReading:
    """Read a card file.

    Bounded in what it takes of memory and time, whatever the file holds; no address in it is ever opened. Raises
    CardUnusable.
    """
    container = container_of(file)
    written = read_character(card_in(file, container))
    return CardReading(container, written.version, has_picture(file, container), map_card(written))
