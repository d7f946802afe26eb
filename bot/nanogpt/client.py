"""The calls of the NanoGPT API that everybody needs; those of accounts and authors hang off them.

Every call takes its key as an argument: the client has none of its own. All calls share one HTTP client and one pace.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from bot.domain.characters import Character
from bot.domain.language_models import LanguageModel
from bot.domain.ratings import ContentRating
from bot.nanogpt.account_payloads import read_language_models
from bot.nanogpt.accounts import AccountClient
from bot.nanogpt.desk import DeskClient
from bot.nanogpt.errors import NanoGptError
from bot.nanogpt.events import Completed, Completion, Failed, Incomplete, ResponseReader, StreamEvent
from bot.nanogpt.faults import Call
from bot.nanogpt.jsonvalue import Json, as_number
from bot.nanogpt.pace import Pace, Priority
from bot.nanogpt.payloads import (
    CharacterModelsPage,
    CharacterPage,
    PageShape,
    describe_page,
    read_character,
    read_character_page,
    read_models_page,
)
from bot.nanogpt.requests import ApiKey, CatalogQuery, ResponseRequest, character_url, review_body
from bot.nanogpt.retry import RetryPolicy, parse_date, refuses_streaming, wants_model
from bot.nanogpt.transport import Ask, HttpClient, TimeLimits, Transport

_log = logging.getLogger(__name__)

_HALF_A_SECOND: Final = 0.5
"""On average a Date header is this much behind, as it leaves the fraction out."""


@dataclass(frozen=True, slots=True)
class CatalogueFindings:
    """What the live catalogue looks like, in names only."""

    characters: PageShape
    models: PageShape


@dataclass(frozen=True, slots=True)
class ResponseFindings:
    """What a live reply was like."""

    model_wanted: bool
    """Whether the server insists on `model` beside `character_id`."""
    completion: Completion


class NanoGptClient:
    """Calls the NanoGPT API and gives back domain values, or raises a NanoGptError.

    Calls that may be repeated without harm are retried here (see bot.nanogpt.retry): what a caller catches
    is final for now.
    """

    def __init__(
        self,
        http: HttpClient,
        *,
        base_url: str,
        responses_url: str,
        pace: Pace,
        jitter: Callable[[], float],
        limits: TimeLimits | None = None,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the shared HTTP client, which stays its maker's to close.

        `base_url` serves the characters and `responses_url` the replies, both up to and with `/v1`. `jitter`
        gives random numbers from 0 to 1, `monotonic` seconds of any origin, `now` Unix time in seconds.
        """
        self._base = base_url.rstrip("/")
        self._responses = responses_url.rstrip("/")
        self._transport = Transport(
            http, pace=pace, jitter=jitter, limits=limits, policy=policy, sleep=sleep, monotonic=monotonic, now=now
        )
        self._model_wanted = False
        self.desk = DeskClient(self._transport, base_url=self._base)
        self.accounts = AccountClient(self._transport, base_url=self._base)

    async def list_characters(self, query: CatalogQuery, *, key: ApiKey | None = None) -> CharacterPage:
        """Fetch one page of the public catalogue; leave the key out to spare its daily cap."""
        ask = self._transport.lookup("GET", f"{self._base}/characters", key, params=query.parameters())
        return await self._transport.fetch(
            ask, lambda body: read_character_page(body, site=self._base, asked_cursor=query.cursor)
        )

    async def get_character(self, id_or_slug: str, *, key: ApiKey | None = None) -> Character:
        """Fetch one character by id or slug; an archived one may come back, marked as such.

        Raises NotFoundError without asking for names that are no character's, such as `mine`.
        """
        ask = self._transport.lookup("GET", character_url(self._base, id_or_slug), key)
        return await self._transport.fetch(ask, lambda body: read_character(body, site=self._base))

    async def character_models(
        self,
        *,
        detailed: bool = True,
        cursor: str | None = None,
        limit: int | None = None,
        key: ApiKey | None = None,
    ) -> CharacterModelsPage:
        """Fetch one page of the characters that any key may speak with."""
        params = [("detailed", "true" if detailed else "false")]
        if cursor is not None:
            params.append(("cursor", cursor))
        if limit is not None:
            params.append(("limit", str(limit)))
        ask = self._transport.lookup("GET", f"{self._base}/character-models", key, params=params)
        return await self._transport.fetch(ask, lambda body: read_models_page(body, asked_cursor=cursor))

    async def models(self, *, key: ApiKey | None = None) -> tuple[LanguageModel, ...]:
        """Fetch the list of language models; with a key, those that its account shows (docs, models)."""
        ask = self._transport.lookup("GET", f"{self._base}/models", key, params=[("detailed", "true")])
        return await self._transport.fetch(ask, read_language_models)

    async def review(self, id_or_slug: str, *, rating: int, text: str | None, key: ApiKey) -> None:
        """Publish an account's review of a character, in place of an earlier one.

        Upstream takes 1 to 5 stars, texts of at least 10 characters, and reviews only from accounts with a
        subscription or more than one dollar (Characters API, Reviews And Reports); which status an account gets that
        may not review is not documented: InvalidRequestError, InsufficientBalanceError or NotPermittedError.
        Sent once and never retried here.
        """
        ask = self._transport.lookup(
            "PUT",
            f"{character_url(self._base, id_or_slug)}/review",
            key,
            call=Call.REVIEW,
            body=review_body(rating, text),
        )
        await self._transport.answer(ask)

    async def report(self, id_or_slug: str, *, reason: str, details: str | None, key: ApiKey) -> None:
        """Report a character to the catalogue.

        Sent once and never retried here: a lost answer may mean a report that was taken. Raises ConflictError
        where upstream knows of the report already.
        """
        body: dict[str, Json] = {"reason": reason}
        if details:
            body["details"] = details
        ask = self._transport.lookup(
            "POST", f"{character_url(self._base, id_or_slug)}/report", key, call=Call.REPORT, body=body
        )
        await self._transport.answer(ask)

    def stream_response(self, request: ResponseRequest, *, key: ApiKey) -> AsyncGenerator[StreamEvent, None]:
        """Generate a reply: Started, then TextDelta and TextReplaced, then one Completed or Incomplete.

        Nothing is sent before the first event is asked for. Failures before the first text are retried; after
        it they are raised with what had come in `partial_text`. Whoever leaves early must close the generator
        (`contextlib.aclosing`), which ends the HTTP stream; so does cancellation. Reading on past the last event
        lets the connection be used again.
        """
        return self._respond(request, key, stream=True)

    async def create_response(self, request: ResponseRequest, *, key: ApiKey) -> Completion:
        """Generate a reply that arrives all at once."""
        completion: Completion | None = None
        async with aclosing(self._respond(request, key, stream=False)) as events:
            async for event in events:
                if isinstance(event, Completed | Incomplete):
                    completion = event
        assert completion is not None
        return completion

    async def probe_catalogue(self, *, key: ApiKey | None = None) -> CatalogueFindings:
        """Look at one page of each list and tell what they are made of, which no document says."""
        query = CatalogQuery(rating_max=ContentRating.SFW, limit=5)
        characters = self._transport.lookup("GET", f"{self._base}/characters", key, params=query.parameters())
        models = self._transport.lookup(
            "GET", f"{self._base}/character-models", key, params=[("detailed", "true"), ("limit", "5")]
        )
        return CatalogueFindings(
            characters=await self._transport.fetch(characters, lambda body: describe_page(body, site=self._base)),
            models=await self._transport.fetch(models, lambda body: describe_page(body, site=self._base)),
        )

    async def clock_offset(self) -> float | None:
        """Return by how many seconds this machine's clock is ahead of NanoGPT's; None when an answer has no date.

        Good to a second or two: the Date header has whole seconds (RFC 9110, 6.6.1), and the way takes time.
        """
        query = CatalogQuery(rating_max=ContentRating.SFW, limit=1)
        asked = self._transport.now()
        answer = await self._transport.answer(
            self._transport.lookup("GET", f"{self._base}/characters", None, params=query.parameters())
        )
        answered = self._transport.now()
        theirs = parse_date(answer.headers.get("date", ""))
        if theirs is None:
            return None
        # An answer out of a cache carries the date when it was made, and its age since.
        age = as_number(answer.headers.get("age")) or 0.0
        return (asked + answered) / 2 - (theirs + age + _HALF_A_SECOND)

    async def probe_response(self, request: ResponseRequest, *, key: ApiKey) -> ResponseFindings:
        """Generate one reply, which is billed, and tell whether the server wanted a model beside the character."""
        completion = await self.create_response(request, key=key)
        return ResponseFindings(model_wanted=self._model_wanted, completion=completion)

    async def _respond(
        self, request: ResponseRequest, key: ApiKey, *, stream: bool
    ) -> AsyncGenerator[StreamEvent, None]:
        """Generate a reply, streamed or not, as events.

        What upstream objects to is changed once each: no model beside the character, and being asked for a stream.
        """
        limits = self._transport.limits
        deadline = self._transport.deadline_of_reply()
        with_model = self._model_wanted
        retries = 0
        while True:
            reader = ResponseReader()
            ask = Ask(
                method="POST",
                url=f"{self._responses}/responses",
                call=Call.RESPONSE,
                priority=Priority.CHAT,
                deadline=deadline,
                idle=limits.idle if stream else limits.overall,
                key=key,
                body=request.body(stream=stream, with_model=with_model),
                accept="text/event-stream, application/json" if stream else "application/json",
            )
            try:
                async with aclosing(self._transport.events(ask, reader)) as batches:
                    async for batch in batches:
                        for event in batch:
                            if isinstance(event, Failed):
                                raise self._transport.error(event.fault, ask)
                            yield event
            except NanoGptError as error:
                failure = error
            else:
                return
            failure.partial_text = reader.text
            if failure.partial_text:
                raise failure
            if not with_model and request.base_model is not None and wants_model(failure):
                with_model = self._model_wanted = True
                _log.info("sending the model beside the character from now on: %r", failure)
            elif stream and refuses_streaming(failure):
                stream = False
                _log.info("asking again without a stream: %r", failure)
            else:
                await self._transport.wait_before_retry(failure, retries, deadline)
                retries += 1
