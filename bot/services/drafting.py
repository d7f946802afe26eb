"""Writing a character form by form, and sending it to NanoGPT in one piece."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from bot.domain import desk_wording
from bot.domain.authoring import CharacterChanges, Visibility
from bot.domain.characters import KnownCharacter, OwnCharacter
from bot.domain.draft_wording import text_words
from bot.domain.drafts import (
    FAULT_SENTENCES,
    TEXT_FORMS,
    Draft,
    DraftKind,
    Form,
    FormFault,
    Sent,
    Writing,
    filled,
    left_of,
    texts_may_open,
    with_typed,
)
from bot.domain.ids import CharacterId, CharacterRef, DraftId, UserId
from bot.domain.linking_wording import NOT_LINKED
from bot.domain.moderation import APPROVED
from bot.domain.places import Place
from bot.domain.ratings import ContentRating
from bot.domain.sheets import (
    LONGEST_TEXT,
    NEW_SHEET,
    TEXTS,
    Sheet,
    as_fields,
    changes_between,
    made_from,
    missing_parts,
    same_text,
    sheet_of,
)
from bot.errors import UserError
from bot.nanogpt.desk import DeskClient
from bot.nanogpt.errors import BadKeyError, NanoGptError
from bot.nanogpt.requests import ApiKey
from bot.services.clock import Clock
from bot.services.desk import DeskService, desk_sentence
from bot.services.language_models import LanguageModels
from bot.store.accounts import NotLinkedError
from bot.store.drafts import Drafts, DraftsFullError

_log = logging.getLogger(__name__)

TIDY_SECONDS: Final = 600.0
"""How often drafts are deleted that nobody has touched for an hour."""
TEXT_FILE_BYTES: Final = 4 * LONGEST_TEXT
"""A character takes at most four bytes in UTF-8."""

FileReader: TypeAlias = Callable[[str, int], Awaitable[bytes]]
"""Fetches an uploaded file of at most so many bytes. Raises UserError."""
CeilingOf: TypeAlias = Callable[[Place | None], ContentRating]
Submitted: TypeAlias = Callable[[UserId, KnownCharacter, bool], Awaitable[bool]]
"""Hears of what was saved, and whether its author wants to be told by direct message; tells whether it is reviewed."""
Made: TypeAlias = Callable[[Draft, Sheet, KnownCharacter, OwnCharacter], Awaitable[None]]
"""Hears of a new character and of the sheet that it was made from, before its draft is deleted."""
Edited: TypeAlias = Callable[[UserId, CharacterRef, CharacterChanges], Awaitable[None]]
"""Hears what was sent of a member's character, unless NanoGPT refused it."""


@dataclass(frozen=True, slots=True)
class TextAsFile:
    """One of a draft's texts, to be edited in an editor."""

    field: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """What its author has to confirm before a draft is saved."""

    draft: Draft
    text: str
    reviewed: bool
    """Whether NanoGPT's moderators look at it once it is saved, so that there will be something to tell."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving a draft came to."""

    known: KnownCharacter
    own: OwnCharacter | None
    """None where NanoGPT does not show how it stands now."""
    sentence: str
    submitted: bool
    """Whether NanoGPT's moderators look at it now."""
    left: Draft | None
    """What was written into the draft while it was saved, and is not sent yet."""


class DraftingService:
    """Opens drafts, takes what is written into them, and saves them."""

    def __init__(
        self,
        *,
        desk: DeskService,
        client: DeskClient,
        drafts: Drafts,
        models: LanguageModels,
        read_file: FileReader,
        ceiling_of: CeilingOf,
        submitted: Submitted,
        made: Made,
        edited: Edited,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._client = client
        self._drafts = drafts
        self._models = models
        self._read_file = read_file
        self._ceiling_of = ceiling_of
        self._submitted = submitted
        self._made = made
        self._edited = edited
        self._clock = clock
        self._saving: set[DraftId] = set()

    # Opening

    async def new(self, user_id: UserId, base_model: str | None) -> Draft:
        """Open a draft of a new character. Raises UserError."""
        await self._desk.key(user_id)
        model = (base_model or "").strip()
        self._check_model(model)
        writing = Writing(replace(NEW_SHEET, base_model=model or self._models.default() or ""))
        return await self.keep(user_id, writing)

    async def keep(self, user_id: UserId, writing: Writing) -> Draft:
        """Keep what is to become a new character as a draft. Raises UserError."""
        return await self._created_draft(user_id, DraftKind.CREATE, None, writing)

    async def edit(self, user_id: UserId, known: KnownCharacter, place: Place | None) -> Draft:
        """Open a draft of a character as it is now. Raises UserError, also where its texts may not open."""
        own = await self._desk.read(user_id, known)
        self._check_place(own.character.rating, place)
        return await self._open(user_id, DraftKind.EDIT, known.ref, own)

    async def publish(self, user_id: UserId, known: KnownCharacter) -> Draft:
        """Open a draft of who may see and use a character. Raises UserError."""
        return await self._open(user_id, DraftKind.PUBLISH, known.ref, await self._desk.read(user_id, known))

    async def _open(self, user_id: UserId, kind: DraftKind, ref: CharacterRef, own: OwnCharacter) -> Draft:
        return await self._created_draft(user_id, kind, ref, Writing(sheet_of(own), before=own))

    async def _created_draft(
        self, user_id: UserId, kind: DraftKind, ref: CharacterRef | None, writing: Writing
    ) -> Draft:
        try:
            return await self._drafts.create(user_id, kind, ref, writing, self._clock.now_ms())
        except DraftsFullError as error:
            raise UserError(desk_wording.DRAFTS_FULL) from error
        except NotLinkedError as error:
            raise UserError(NOT_LINKED) from error

    async def get(self, draft_id: DraftId, user_id: UserId) -> Draft:
        """Return a member's draft. Raises UserError when it is gone, or somebody else's."""
        draft = await self._drafts.get(draft_id, self._clock.now_ms())
        if draft is None:
            raise UserError(desk_wording.DRAFT_GONE)
        if draft.user_id != user_id:
            raise UserError(desk_wording.SOMEBODY_ELSES)
        return draft

    async def form(self, draft_id: DraftId, user_id: UserId, form: Form, place: Place | None) -> Draft:
        """Return the draft that a form opens with, from the database alone. Raises UserError where it may not open."""
        draft = await self.get(draft_id, user_id)
        if form in TEXT_FORMS:
            self._check_draft(draft, place)
        return draft

    # Writing

    async def fill(self, draft_id: DraftId, user_id: UserId, form: Form, values: Mapping[str, str]) -> Draft:
        """Take a filled-in form. Raises UserError; what was typed is kept with the draft then, to be shown again."""
        draft = await self.get(draft_id, user_id)
        fault = self._fault(draft.writing, form, values)
        now_ms = self._clock.now_ms()
        if fault is not None:
            await self._drafts.change(draft_id, lambda held: with_typed(held, form, values), now_ms)
            raise UserError(fault)
        changed = await self._drafts.change(draft_id, lambda held: _filled(held, form, values), now_ms)
        if changed is None:
            raise UserError(desk_wording.DRAFT_GONE)
        return changed

    async def keep_typed(self, draft_id: DraftId, user_id: UserId, form: Form, values: Mapping[str, str]) -> bool:
        """Keep what was typed into a form that could not be taken; tell whether there is a draft to keep it with."""
        try:
            await self.get(draft_id, user_id)
        except UserError:
            return False
        changed = await self._drafts.change(draft_id, lambda held: with_typed(held, form, values), self._clock.now_ms())
        return changed is not None

    async def as_files(self, draft_id: DraftId, user_id: UserId, place: Place | None) -> list[TextAsFile]:
        """Return the texts of a draft that may be longer than a form holds, as files. Raises UserError."""
        draft = await self.form(draft_id, user_id, Form.PROMPT, place)
        return [
            TextAsFile(name, f"{text_words(name).replace(' ', '-')}.txt", draft.writing.now.text(name))
            for name in TEXTS
            if name != "name"
        ]

    async def take_files(
        self, draft_id: DraftId, user_id: UserId, files: Mapping[str, str], place: Place | None
    ) -> Draft:
        """Take texts that were uploaded as files, by the names of their fields. Raises UserError."""
        await self.form(draft_id, user_id, Form.PROMPT, place)
        texts = {name: await self._text_of(name, files[name]) for name in TEXTS if name in files}
        if not texts:
            raise UserError(desk_wording.NO_FILES)
        now_ms = self._clock.now_ms()

        def with_texts(held: Writing) -> Writing:
            changed = {name: text for name, text in texts.items() if not same_text(text, held.now.text(name))}
            return replace(held, now=replace(held.now, **changed))

        draft = await self._drafts.change(draft_id, with_texts, now_ms)
        if draft is None:
            raise UserError(desk_wording.DRAFT_GONE)
        return draft

    async def _text_of(self, name: str, url: str) -> str:
        content = await self._read_file(url, TEXT_FILE_BYTES)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UserError(desk_wording.no_plain_text(text_words(name))) from None
        if len(text) > LONGEST_TEXT:
            raise UserError(FAULT_SENTENCES[FormFault.TOO_LONG])
        if not text.strip():
            raise UserError(desk_wording.empty_file(text_words(name)))
        return text

    def _fault(self, writing: Writing, form: Form, values: Mapping[str, str]) -> str | None:
        taken = filled(writing, form, values)
        if isinstance(taken, FormFault):
            return FAULT_SENTENCES[taken]
        if taken.now.base_model != writing.now.base_model:
            return self._model_fault(taken.now.base_model)
        return None

    def _check_model(self, model: str) -> None:
        fault = self._model_fault(model) if model else None
        if fault is not None:
            raise UserError(fault)

    def _model_fault(self, model: str) -> str | None:
        if self._models.is_known(model):
            return None
        return desk_wording.unknown_model(model, self._models.closest(model))

    def _check_draft(self, draft: Draft, place: Place | None) -> None:
        ceiling = self._ceiling_of(place)
        if not texts_may_open(draft.rating, place, ceiling):
            # Where no rating that may be chosen would open them, choosing one is no advice.
            unrated = draft.unrated_card and draft.writing.rating_floor <= ceiling
            raise UserError(desk_wording.UNRATED if unrated else desk_wording.ELSEWHERE)

    def _check_place(self, rating: ContentRating | None, place: Place | None) -> None:
        if not texts_may_open(rating, place, self._ceiling_of(place)):
            raise UserError(desk_wording.ELSEWHERE)

    # Saving

    async def save(
        self, draft_id: DraftId, user_id: UserId, *, confirmed: bool = False, tell: bool = False
    ) -> Saved | Question:
        """Send a draft to NanoGPT in one request, and delete it. Raises UserError, which loses nothing of the draft.

        What is written into it meanwhile stays, as an edit of the character. An approved public character is asked
        about first, unless that is `confirmed`. `tell` asks for a direct message once it is reviewed.
        """
        if draft_id in self._saving:
            raise UserError(desk_wording.BEING_SAVED)
        self._saving.add(draft_id)
        try:
            draft = await self.get(draft_id, user_id)
            if draft.kind is DraftKind.CREATE:
                return await self._create(draft, confirmed=confirmed, tell=tell)
            return await self._change(draft, confirmed=confirmed, tell=tell)
        finally:
            self._saving.discard(draft_id)

    async def keep_tidy(self) -> None:
        """Delete drafts that nobody has touched for an hour. Runs until cancelled."""
        while True:
            await self._drafts.prune(self._clock.now_ms())
            await self._clock.sleep(TIDY_SECONDS)

    async def _create(self, draft: Draft, *, confirmed: bool, tell: bool) -> Saved | Question:
        if missing := missing_parts(draft.writing.now):
            raise UserError(desk_wording.missing_sentence(missing))
        sent = draft.writing.sent
        if sent is not None:
            # It was sent before, and the answer was lost: a second request would make a second character.
            made = await self._look_for(draft, sent)
            if made is not None:
                saved = await self._finish(draft, *made, tell=tell, created=True)
                if saved.left is None:
                    return saved
                return await self._change(saved.left, confirmed=confirmed, tell=tell)
        return await self._finish(draft, *await self._created(draft, sent), tell=tell, created=True)

    async def _created(self, draft: Draft, before: Sent | None) -> tuple[OwnCharacter, Sheet]:
        key = await self._desk.key(draft.user_id)
        sent = _sent_again(before, draft.writing.now) if before else await self._sent_first(draft)
        await self._mark(draft, sent)
        try:
            written = await self._client.create_character(as_fields(draft.writing.now), key=key)
        except NanoGptError as error:
            if not error.uncertain:
                await self._mark(draft, before)
                await self._refused(key, error)
            _log.info("Whether draft %s became a character is not known: %r", draft.id, error)
            written = None
        own = written if isinstance(written, OwnCharacter) else await self._named(draft, written)
        made = await self._look_for(draft, sent) if own is None else (own, draft.writing.now)
        if made is None:
            raise UserError(desk_wording.UNCERTAIN)
        return made

    async def _named(self, draft: Draft, character_id: CharacterId | None) -> OwnCharacter | None:
        """Read the character that the answer to a creation named; None where it named none that is shown."""
        if character_id is None:
            return None
        try:
            return await self._desk.read_new(draft.user_id, character_id)
        except UserError:
            _log.info("What became of draft %s is not shown under the id that was named", draft.id)
            return None

    async def _sent_first(self, draft: Draft) -> Sent:
        """Return what is sent, beside what NanoGPT lists by now: what is remembered may leave some out."""
        try:
            mine = await self._desk.read_all(draft.user_id)
        except UserError as error:
            raise UserError(f"{error.sentence} {desk_wording.DRAFT_KEPT}") from error
        return Sent((draft.writing.now,), tuple(own.character.id for own in mine))

    async def _look_for(self, draft: Draft, sent: Sent) -> tuple[OwnCharacter, Sheet] | None:
        """Look among the author's own for what was made of a draft, and of which sheet of it.

        A list may tell less than it takes to know it, so that what may be it is read in full.
        """
        try:
            for listed in await self._desk.read_all(draft.user_id):
                if listed.character.id in sent.beside or _sheet_behind(listed, sent) is None:
                    continue
                known = await self._desk.find(draft.user_id, listed.character.id)
                own = await self._desk.read(draft.user_id, known)
                if (sheet := _sheet_behind(own, sent)) is not None:
                    return own, sheet
        except UserError as error:
            _log.info("What became of draft %s could not be looked up", draft.id)
            raise UserError(desk_wording.UNCERTAIN) from error
        return None

    async def _mark(self, draft: Draft, sent: Sent | None) -> None:
        changed = await self._drafts.change(draft.id, lambda held: replace(held, sent=sent), self._clock.now_ms())
        if changed is None:
            raise UserError(desk_wording.DRAFT_GONE)

    async def _change(self, draft: Draft, *, confirmed: bool, tell: bool) -> Saved | Question:
        before, ref = draft.writing.before, draft.subject
        assert before is not None, "only a new character has nothing before it"
        assert ref is not None, "only a new character has no row yet"
        changes = changes_between(sheet_of(before), draft.writing.now)
        # It may have been approved since the draft was opened.
        present = await self._desk.read(draft.user_id, self._desk.known(draft.user_id, ref))
        known = self._desk.known(draft.user_id, ref)
        if not changes:
            if not draft.writing.tell:
                raise UserError(desk_wording.NOTHING_CHANGED)
            if await self._submitted(draft.user_id, known, True):  # noqa: FBT003 - named there
                left = await self._settle(draft, known, present, draft.writing.now)
                return Saved(known, present, desk_wording.WILL_TELL, submitted=True, left=left)
            raise UserError(f"{desk_wording.NOTHING_CHANGED} {desk_wording.standing_sentence(present.character)}")
        if not confirmed and _is_approved(present):
            name = desk_wording.name_of(present.character)
            text = desk_wording.confirm_edit(name, changes, self._desk.channels(ref))
            return Question(draft, text, reviewed=changes.visibility in (None, Visibility.PUBLIC))
        own = await self._changed(draft, known, changes)
        return await self._finish(draft, own, draft.writing.now, tell=tell, created=False)

    async def _changed(self, draft: Draft, known: KnownCharacter, changes: CharacterChanges) -> OwnCharacter:
        key = await self._desk.key(draft.user_id)
        try:
            own = await self._client.change_character(known.character.id, changes, key=key)
        except NanoGptError as error:
            if error.uncertain:
                await self._edited(draft.user_id, known.ref, changes)
                _log.info("Whether draft %s was saved is not known: %r", draft.id, error)
                raise UserError(desk_wording.UNCERTAIN_EDIT) from error
            await self._refused(key, error)
            raise
        await self._edited(draft.user_id, known.ref, changes)
        if own is not None:
            return own.under(known.character.id)
        return await self._desk.read(draft.user_id, known)

    async def _refused(self, key: ApiKey, error: NanoGptError) -> None:
        if isinstance(error, BadKeyError):
            await self._desk.key_refused(key)
        raise UserError(f"{desk_sentence(error)} {desk_wording.DRAFT_KEPT}") from error

    async def _finish(self, draft: Draft, own: OwnCharacter, saved: Sheet, *, tell: bool, created: bool) -> Saved:
        known = await self._desk.remember(draft.user_id, own)
        if created:
            await self._made(draft, saved, known, own)
        submitted = await self._submitted(draft.user_id, known, tell or draft.writing.tell)
        left = await self._settle(draft, known, own, saved)
        name = desk_wording.name_of(own.character)
        sentence = desk_wording.saved_sentence(name, own.character, created=created)
        if left is not None:
            sentence = f"{sentence}\n{desk_wording.WRITTEN_MEANWHILE}"
        return Saved(known, own, sentence, submitted, left)

    async def _settle(self, draft: Draft, known: KnownCharacter, own: OwnCharacter, saved: Sheet) -> Draft | None:
        return await self._drafts.settle(
            draft.id,
            known.ref,
            lambda held: left_of(held, was=draft.writing, saved=saved, own=own),
            self._clock.now_ms(),
        )


def _filled(held: Writing, form: Form, values: Mapping[str, str]) -> Writing:
    taken = filled(held, form, values)
    return held if isinstance(taken, FormFault) else taken


def _sent_again(sent: Sent, sheet: Sheet) -> Sent:
    return sent if sheet in sent.sheets else replace(sent, sheets=(*sent.sheets, sheet))


def _sheet_behind(own: OwnCharacter, sent: Sent) -> Sheet | None:
    """Return the first sheet that a character may have been made from: what differs in later ones can be sent."""
    return next((sheet for sheet in sent.sheets if made_from(own, as_fields(sheet))), None)


def _is_approved(own: OwnCharacter) -> bool:
    return own.character.visibility == Visibility.PUBLIC.value and own.character.moderation_status == APPROVED
