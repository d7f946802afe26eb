"""Card files at the author's desk: brought in as drafts, kept with the characters made of them, and handed out."""

import asyncio
import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from bot.domain import desk_wording
from bot.domain.authoring import CharacterChanges
from bot.domain.card_files.containers import MAX_FILE_BYTES
from bot.domain.card_files.exporting import ExportedCharacter, export_filename
from bot.domain.card_files.faults import CardUnusable
from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.reading import CardReading
from bot.domain.card_files.sameness import Sameness, compare, fingerprint
from bot.domain.card_files.wording import card_notes, export_sentence, fault_sentence
from bot.domain.card_originals import CardOriginal
from bot.domain.characters import KnownCharacter, OwnCharacter
from bot.domain.drafts import Draft, Writing, texts_may_open
from bot.domain.ids import CharacterRef, UserId
from bot.domain.linking_wording import NOT_LINKED
from bot.domain.places import Place
from bot.domain.sheets import NEW_SHEET, TEXTS, Sheet
from bot.errors import UserError
from bot.services.card_reader import CardReader, ImportedCard
from bot.services.clock import Clock
from bot.services.desk import DeskService
from bot.services.drafting import CeilingOf, DraftingService, FileReader
from bot.services.language_models import LanguageModels
from bot.store.accounts import NotLinkedError
from bot.store.card_originals import CardOriginals
from bot.store.drafts import Drafts
from bot.store.sealed_files import SealedFiles, StoredFile

_log = logging.getLogger(__name__)

TIDY_SECONDS: Final = 600.0
"""How often files are deleted that belong to nothing any more; until then nobody can open them."""
MOST_AT_ONCE: Final = 10
"""Files that are fetched, read or made at once, each of up to 10 MiB; the next one is turned away."""
_ON_CARDS: Final = (*TEXTS, "tags")
"""The fields of a character that a card says, by their names in a change."""
_LONGEST_NAME: Final = 200
"""Characters of a file's name that are kept."""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A card file for its author."""

    file: bytes
    name: str
    sentence: str


class CardDesk:
    """Imports and exports characters as card files."""

    def __init__(
        self,
        *,
        desk: DeskService,
        drafts: Drafts,
        models: LanguageModels,
        reader: CardReader,
        originals: CardOriginals,
        files: SealedFiles,
        read_file: FileReader,
        ceiling_of: CeilingOf,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._drafts = drafts
        self._models = models
        self._reader = reader
        self._originals = originals
        self._files = files
        self._read_file = read_file
        self._ceiling_of = ceiling_of
        self._clock = clock
        self._members: set[UserId] = set()
        """Who has a file under way."""
        self._storing = asyncio.Lock()
        """Held from the writing of a file until its row is there: what has no row is deleted."""

    @contextmanager
    def _under_way(self, user_id: UserId) -> Generator[None]:
        """Let a member have one file here at a time, and only so many members at once. Raises UserError."""
        if user_id in self._members:
            raise UserError(desk_wording.FILE_UNDER_WAY)
        if len(self._members) >= MOST_AT_ONCE:
            raise UserError(desk_wording.FILES_BUSY)
        self._members.add(user_id)
        try:
            yield
        finally:
            self._members.discard(user_id)

    # Bringing in

    async def bring(self, user_id: UserId, url: str, name: str, drafting: DraftingService) -> Draft:
        """Open a draft of the character in an uploaded card file. Raises UserError.

        It has no content rating: no card says one. The file is kept with the draft if the member has room for it.
        """
        await self._desk.key(user_id)
        with self._under_way(user_id):
            file = await self._read_file(url, MAX_FILE_BYTES)
            try:
                reading = await self._reader.read(file)
            except CardUnusable as error:
                raise UserError(fault_sentence(error.fault)) from error
            keeps = await self._originals.may_keep(user_id, len(file))
            draft = await drafting.keep(user_id, self._writing(reading, file_kept=keeps))
            kept = await self._keep(draft, file, name, fingerprint(reading.mapping.fields)) if keeps else None

        def with_file(held: Writing) -> Writing:
            notes = card_notes(reading, file_kept=kept is not None)
            return replace(held, notes=notes, card=None if kept is None else kept.id)

        changed = await self._drafts.change(draft.id, with_file, self._clock.now_ms())
        return draft if changed is None else replace(changed, in_place_of=draft.in_place_of)

    def _writing(self, reading: CardReading, *, file_kept: bool) -> Writing:
        fields, model = reading.mapping.fields, reading.mapping.base_model
        if model is None or not self._models.is_known(model):
            model = self._models.default()
        sheet = replace(
            NEW_SHEET,
            name=fields.name,
            summary=fields.summary,
            description=fields.description,
            first_message=fields.first_message,
            system_prompt=fields.system_prompt or None,
            tags=fields.tags,
            base_model=model or "",
        )
        notes = card_notes(reading, file_kept=file_kept)
        return Writing(sheet, notes=notes, rating_floor=reading.mapping.rating_floor)

    async def _keep(self, draft: Draft, file: bytes, name: str, said: str) -> CardOriginal | None:
        """Keep the file of a draft; None when it cannot be. Raises UserError."""
        async with self._storing:
            try:
                stored = await self._files.write(file)
            except OSError:
                _log.exception("a card file could not be kept")
                return None
            try:
                return await self._originals.put(
                    draft.user_id,
                    draft.id,
                    stored,
                    size=len(file),
                    name=name[-_LONGEST_NAME:],
                    fingerprint=said,
                    now_ms=self._clock.now_ms(),
                )
            except NotLinkedError as error:
                raise UserError(NOT_LINKED) from error

    async def made(self, draft: Draft, sheet: Sheet, known: KnownCharacter, own: OwnCharacter) -> None:
        """Keep a draft's file with the character that was made of it, and remember what that is like now.

        Where its sheet said something else than the card, the file is never given back as what the character is.
        """
        original = None if draft.writing.card is None else await self._originals.get(draft.writing.card)
        if original is None:
            return
        seen = None
        # By what was sent: how NanoGPT writes that down is no change of its author's.
        if original.fingerprint and compare(original.fingerprint, _sheet_fields(sheet)) is Sameness.SAME:
            try:
                # Read in the way in which it is compared later: the answer to its making may tell less.
                own = await self._desk.read(draft.user_id, known)
            except UserError:
                _log.info("Character %s is compared by the answer to its making", known.ref)
            seen = fingerprint(_fields(own))
        await self._originals.attach(original.id, known.ref, seen)

    async def edited(self, user_id: UserId, ref: CharacterRef, changes: CharacterChanges) -> None:
        """Remember that what a card says of a character was changed from here.

        A prompt that NanoGPT does not show would look as it did before.
        """
        if any(getattr(changes, name) is not None for name in _ON_CARDS):
            await self._originals.changed(user_id, ref)

    # Handing out

    async def hand_out(self, user_id: UserId, known: KnownCharacter, place: Place | None) -> HandedOut:
        """Return a card file of one of a member's own characters. Raises UserError.

        The file it was made from, byte for byte, while the character is unchanged since; else a new card.
        """
        own = await self._desk.read(user_id, known)
        rating = own.character.rating
        if not texts_may_open(rating, place, self._ceiling_of(place)):
            raise UserError(desk_wording.ELSEWHERE)
        original = await self._originals.of_character(user_id, known.ref)
        character = ExportedCharacter(
            _fields(own), own.character.id, own.character.slug, own.character.base_model, own.creator_rating
        )
        with self._under_way(user_id):
            imported = None if original is None else await self._imported(original)
            try:
                export = await self._reader.export(character, imported)
            except CardUnusable as error:
                raise UserError(fault_sentence(error.fault)) from error
        name = export_filename(own.character.name, export.container)
        if original is not None and not export.rewritten:
            name = original.name
        return HandedOut(export.file, name, export_sentence(export))

    async def _imported(self, original: CardOriginal) -> ImportedCard | None:
        file = await self._files.read(StoredFile(original.file, original.key))
        return None if file is None else ImportedCard(file, original.fingerprint)

    # Forgetting

    async def dropped(self, user_id: UserId, ref: CharacterRef) -> None:
        """Delete the file of a character that was archived."""
        await self._originals.drop(user_id, ref)
        await self.tidy()

    async def unlinked(self, user_id: UserId) -> None:
        """Delete the files of a member whose rows are gone."""
        del user_id
        await self.tidy()

    async def tidy(self) -> None:
        """Delete the files that belong to nothing any more.

        What the disk refuses is logged and tried again: without its row, a file cannot be read anyway.
        """
        async with self._storing:
            names = await self._originals.names()
            try:
                deleted = await self._files.keep_only(names)
            except OSError:
                _log.exception("card files that belong to nothing any more could not be deleted")
                return
        if deleted:
            _log.info("deleted %s card files that belong to nothing any more", deleted)

    async def keep_tidy(self) -> None:
        """Delete files that belong to nothing any more, now and every ten minutes. Runs until cancelled."""
        while True:
            await self.tidy()
            await self._clock.sleep(TIDY_SECONDS)


def _sheet_fields(sheet: Sheet) -> CardFields:
    return CardFields(**{name: sheet.text(name) for name in TEXTS}, tags=sheet.tags)


def _fields(own: OwnCharacter) -> CardFields:
    character = own.character
    return CardFields(
        name=character.name,
        summary=character.summary or "",
        description=character.description or "",
        system_prompt=own.system_prompt,
        first_message=character.first_message or "",
        tags=character.tags,
    )
