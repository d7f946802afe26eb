"""POST /responses: faults first, then the rules, then a reply, streamed or whole."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.sandbox.nanogpt.accounts import Account
from bot.sandbox.nanogpt.catalog import Catalog
from bot.sandbox.nanogpt.events import EventWriter, Identity, response_body
from bot.sandbox.nanogpt.faults import ArmedFault, Fault
from bot.sandbox.nanogpt.holding import FailStep, FinishStep, Held, TextStep
from bot.sandbox.nanogpt.plan import THINK_BLOCK, Ending, Plan, ends_before_text, make_plan
from bot.sandbox.nanogpt.recording import Outcome, Record
from bot.sandbox.nanogpt.requests import RequestRules, ResponseRequest, read_request
from bot.sandbox.nanogpt.streaming import Exchange, Pace, StreamedAnswer
from bot.sandbox.nanogpt.variants import Variants
from bot.sandbox.nanogpt.wire import Answer

Responder = Callable[[ResponseRequest], str]
"""Writes a reply from the request alone."""


@dataclass(slots=True)
class ResponseSettings:
    """What tests turn to shape the responses."""

    variants: Variants
    pace: Pace
    responder: Responder
    scripted: deque[str | Responder] = field(default_factory=deque[str | Responder])
    """Replies for the next answers, ahead of the responder's."""
    holds: list[Held] = field(default_factory=list[Held])
    """Waiting for a request that fits, oldest first."""
    context_characters: int | None = None
    """The longest input, all its texts together; None is no limit."""


class Responses:
    """Answers requests for responses."""

    def __init__(
        self, catalog: Catalog, record: Record, settings: ResponseSettings, *, now: Callable[[], float]
    ) -> None:
        self._catalog = catalog
        self._record = record
        self._settings = settings
        self._now = now

    async def answer(self, exchange: Exchange, account: Account, fault: ArmedFault | None) -> web.StreamResponse:
        """Answer one request; raises RefusedError for what upstream would refuse."""
        settings = self._settings
        rules = RequestRules(
            model_required=settings.variants.model_required, context_characters=settings.context_characters
        )
        request = read_request(
            exchange.call.body, catalog=self._catalog, account=account, rules=rules, complain=self._record.complain
        )
        identity = Identity(
            number=exchange.call.number,
            model=request.model,
            created=int(self._now()),
            input_characters=sum(len(item.text) for item in request.items),
            reasoning=settings.variants.reasoning,
            cost_usd=settings.variants.cost_usd,
        )
        held = None if fault is not None else self._take_hold(exchange)
        if held is not None:
            return await self._answer_held(exchange, held, request, identity)
        reply = "" if ends_before_text(fault) else self._reply(request)
        plan = make_plan(reply, fault, request.max_output_tokens)
        if not request.stream or (fault is not None and fault.kind is Fault.PLAIN_JSON):
            return await self._answer_whole(exchange, identity, plan)
        answer = self._open_stream(exchange, identity)
        await answer.begin()
        await answer.text(plan)
        return await self._end_stream(exchange, answer, plan)

    def _reply(self, request: ResponseRequest) -> str:
        settings = self._settings
        source = settings.scripted.popleft() if settings.scripted else settings.responder
        reply = source if isinstance(source, str) else source(request)
        return f"{THINK_BLOCK}{reply}" if settings.variants.think_block else reply

    def _take_hold(self, exchange: Exchange) -> Held | None:
        held = next((held for held in self._settings.holds if held.fits(exchange.call)), None)
        if held is not None:
            self._settings.holds.remove(held)
        return held

    def _open_stream(self, exchange: Exchange, identity: Identity) -> StreamedAnswer:
        return StreamedAnswer(exchange, EventWriter(identity, self._settings.variants), self._settings.pace)

    @staticmethod
    async def _answer_whole(exchange: Exchange, identity: Identity, plan: Plan) -> web.StreamResponse:
        if plan.ending is Ending.STALL:
            await exchange.stall()
        if plan.ending in {Ending.CUT, Ending.END}:
            await exchange.cut()
        return await exchange.answer(Answer.of(200, response_body(identity, plan)))

    @staticmethod
    async def _end_stream(exchange: Exchange, answer: StreamedAnswer, plan: Plan) -> web.StreamResponse:
        if plan.ending in {Ending.STALL, Ending.CUT}:
            await answer.flush()
            await exchange.strike(plan.ending)
        return await answer.end(plan)

    async def _answer_held(
        self, exchange: Exchange, held: Held, request: ResponseRequest, identity: Identity
    ) -> web.StreamResponse:
        answer = self._open_stream(exchange, identity) if request.stream else None
        exchange.call.outcome = Outcome.HELD
        try:
            if answer is not None and not held.silent:
                await answer.begin()
                await answer.flush()
            held.arrive(exchange.call)
            self._record.note(exchange.call)
            text, last = await self._follow(held, answer)
            rest = ""
            if isinstance(last, FinishStep):
                rest = self._reply(request) if last.rest is None and not text else last.rest or ""
            plan = Plan(text + rest, last.ending)
            if answer is None:
                response = await self._answer_whole(exchange, identity, plan)
            else:
                await answer.text(Plan(rest))
                response = await self._end_stream(exchange, answer, plan)
            held.step_done()
        except BaseException:
            held.leave()
            raise
        return response

    @staticmethod
    async def _follow(held: Held, answer: StreamedAnswer | None) -> tuple[str, FinishStep | FailStep]:
        """Send what the test releases; return all of it with the step that ends the answer."""
        text = ""
        while isinstance(step := await held.next_step(), TextStep):
            text += step.text
            if answer is not None:
                await answer.begin()
                answer.piece(step.text)
                await answer.flush()
            held.step_done()
        if answer is not None:
            await answer.begin()
        if step.ending in {Ending.STALL, Ending.CUT}:
            held.step_done()
        return text, step
