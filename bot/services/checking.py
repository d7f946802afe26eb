"""`python -m bot check`: says in words what is wrong or missing, without starting the bot."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.domain.characters import Character, unusable_reason
from bot.domain.checking import (
    DiscordFindings,
    Finding,
    address_findings,
    bad,
    clock_finding,
    discord_findings,
    good,
    unsure,
    vault_findings,
)
from bot.domain.conversation import InputItem
from bot.domain.ratings import ContentRating
from bot.errors import StartError
from bot.nanogpt import errors
from bot.nanogpt.client import CatalogueFindings, NanoGptClient, ResponseFindings
from bot.nanogpt.payloads import PageShape
from bot.nanogpt.requests import SMALLEST_OUTPUT_TOKENS, ApiKey, CatalogQuery, ResponseRequest
from bot.store.errors import DatabaseInUse, StoreError
from bot.store.inspection import Inspection
from bot.store.vault import BadKey, KeyFileError, MasterKey

_QUESTION: Final = InputItem("user", "Say hello in one word.")
_CANDIDATES: Final = 10

_REFUSED_KEY: Final = "NanoGPT refuses the key: make a new one on its API page, and set nanogpt.api_key."
_NO_BALANCE: Final = "The key works, but its account cannot pay: add to its balance on NanoGPT's website."
_KEY_TROUBLE: Final[tuple[tuple[type[errors.NanoGptError], Finding], ...]] = (
    (errors.BadKeyError, bad(_REFUSED_KEY)),
    (errors.InsufficientBalanceError, bad(_NO_BALANCE)),
    (errors.NotPermittedError, bad("The key may not ask for replies: give it that right on NanoGPT's API page.")),
    (errors.DailyLimitError, bad("The key works, but its daily limit is used up until midnight UTC.")),
    (errors.RateLimitedError, unsure("NanoGPT is asked too often just now; check again in a minute.")),
    (
        errors.EmptyResponseError,
        good("The key works. The short reply came back empty, as some models' replies do."),
    ),
)
"""The first that fits wins."""


@dataclass(frozen=True, slots=True)
class DatabaseToCheck:
    """Where the database is and how to look at it; `load_keys` raises OSError, BadKey and KeyFileError."""

    path: Path
    inspect: Callable[[Path], Inspection]
    key_file: Path | None
    """The vault's own key file; None when the settings hold the keys."""
    load_keys: Callable[[], list[MasterKey]]


class CheckingService:
    """Looks at everything a start needs, and at what no document tells about NanoGPT."""

    def __init__(
        self,
        *,
        database: DatabaseToCheck,
        look_at_discord: Callable[[], Awaitable[DiscordFindings]],
        nanogpt: NanoGptClient,
        key: ApiKey,
        message_content: bool,
        addresses: Iterable[tuple[str, str]],
    ) -> None:
        """`look_at_discord` raises StartError; `addresses` are the names and values of the settings that lead out."""
        self._database = database
        self._look_at_discord = look_at_discord
        self._nanogpt = nanogpt
        self._key = key
        self._message_content = message_content
        self._addresses = tuple(addresses)

    async def findings(self) -> AsyncIterator[Finding]:
        """Look, and tell each finding as soon as it is there."""
        yield good("The settings are complete.")
        for finding in address_findings(self._addresses):
            yield finding
        for finding in await asyncio.to_thread(self._look_at_database):
            yield finding
        try:
            found = await self._look_at_discord()
        except StartError as error:
            yield bad(error.sentence)
        else:
            for finding in discord_findings(found, message_content=self._message_content):
                yield finding
        async for finding in self._look_at_nanogpt():
            yield finding

    def _look_at_database(self) -> list[Finding]:
        path = self._database.path
        try:
            found = self._database.inspect(path)
        except DatabaseInUse as error:
            return [bad(f"{error} It may be this bot, already running.")]
        except StoreError as error:
            return [bad(str(error))]
        if found.schema is None:
            state = good(f"There is no database at {path} yet; the first start makes it.")
        elif found.schema < found.newest:
            state = good(f"The database {path} can be used; the next start brings it up to date.")
        else:
            state = good(f"The database {path} can be used and is up to date.")
        return [state, self._look_at_vault(found)]

    def _look_at_vault(self, found: Inspection) -> Finding:
        key_file = self._database.key_file
        if key_file is not None and not key_file.exists():
            if found.schema is None:
                return good(f"The first start makes the vault's key file {key_file}; keep a copy of it.")
            return bad(
                f"The database is there, but the vault's key file {key_file} is not: put it back. Without it the "
                "stored texts cannot be read, and conversations begin afresh."
            )
        try:
            held = [key.id for key in self._database.load_keys()]
        except (KeyFileError, BadKey) as error:
            return bad(str(error))
        except OSError as error:
            return bad(f"The key file {key_file} cannot be read: {error.strerror}.")
        return vault_findings(stored=found.key_ids, held=held)

    async def _look_at_nanogpt(self) -> AsyncIterator[Finding]:
        try:
            page = await self._nanogpt.list_characters(CatalogQuery(ContentRating.SFW, limit=_CANDIDATES))
        except errors.NanoGptError as error:
            yield bad(_catalogue_trouble(error))
            yield unsure("The key and the clock could not be checked without the catalogue.")
            return
        try:
            for finding in _catalogue_findings(await self._nanogpt.probe_catalogue()):
                yield finding
            offset = await self._nanogpt.clock_offset()
        except errors.NanoGptError as error:
            yield unsure(f"What the catalogue is made of could not be seen ({error}).")
            offset = None
        yield unsure("The clock could not be compared.") if offset is None else clock_finding(offset)
        usable = [character for character in page.characters if unusable_reason(character) is None]
        if not usable:
            yield unsure("The catalogue lists no character to try the key with.")
            return
        yield await self._try_key(max(usable, key=lambda character: character.allow_api is True))

    async def _try_key(self, character: Character) -> Finding:
        request = ResponseRequest(
            character.id,
            (_QUESTION,),
            base_model=character.base_model,
            max_output_tokens=SMALLEST_OUTPUT_TOKENS,
        )
        try:
            found = await self._nanogpt.probe_response(request, key=self._key)
        except errors.NanoGptError as error:
            known = next((finding for kind, finding in _KEY_TROUBLE if isinstance(error, kind)), None)
            if known is not None:
                return known
            if isinstance(error, errors.RejectedError | errors.NotFoundError):
                return unsure(f"The key could not be tried: the character {character.name} was refused ({error}).")
            return bad(f"NanoGPT does not generate replies just now ({error}); check nanogpt.responses_url.")
        return good(_key_sentence(character, found))


def _catalogue_trouble(error: errors.NanoGptError) -> str:
    address = "nanogpt.base_url if it was changed"
    if error.status is None:
        return f"NanoGPT's catalogue does not answer ({error}): check this machine's connection, and {address}."
    if isinstance(error, errors.RateLimitedError):
        return f"NanoGPT's catalogue is asked too often just now ({error}): check again in a minute."
    if isinstance(error, errors.UpstreamDownError):
        return f"NanoGPT's catalogue failed ({error}): check again in a few minutes, and look at {address}."
    if isinstance(error, errors.MalformedAnswerError):
        return f"NanoGPT's catalogue sent what cannot be read ({error}): look for a newer release, and at {address}."
    return f"NanoGPT's catalogue refused the request ({error}): check again in a few minutes, and look at {address}."


def _catalogue_findings(found: CatalogueFindings) -> Iterable[Finding]:
    for name, shape in (("list of characters", found.characters), ("list of character-models", found.models)):
        if shape.items is None:
            yield bad(f"NanoGPT's {name} comes in a form that this release cannot read; look for a newer one.")
        else:
            yield good(f"NanoGPT's {name}: {_shape(shape)}.")


def _shape(shape: PageShape) -> str:
    where = f"under “{shape.items}”" if shape.items else "as a bare array"
    cursor = f"the cursor under “{shape.cursor}”" if shape.cursor else "no cursor on the first page"
    picture = f"pictures under “{shape.avatar}”" if shape.avatar else "no pictures"
    fields = ", ".join(shape.fields) or "none"
    return f"it stands {where}, {cursor}, {picture}; fields: {fields}"


def _key_sentence(character: Character, found: ResponseFindings) -> str:
    model = "is needed" if found.model_wanted else "is not needed"
    cost = found.completion.cost
    price = "" if cost is None else f" ({cost:.6f} US dollars, it says)"
    return (
        f"The key works: {character.name} gave one short reply, which NanoGPT bills{price}. “model” {model} beside "
        "“character_id”."
    )
