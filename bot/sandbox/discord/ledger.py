"""The books: every request, every refusal, everything that should not have happened."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from bot.sandbox.discord.requests import RecordedRequest
from bot.sandbox.heads import Head

RequestValidator: TypeAlias = Callable[[RecordedRequest], str | None]
"""Says what is wrong with a request, None when nothing is."""


@dataclass(slots=True, eq=False)
class Refusal:
    """A 4xx answer that Discord too would give. `provoked` when a test said that it would come, or scripted it."""

    request: RecordedRequest
    status: int
    code: int
    reason: str
    provoked: bool = False

    def __str__(self) -> str:
        request = self.request
        return f"{request.method} {request.route} {request.ids} → {self.status}/{self.code} {self.reason}"


@dataclass(slots=True, eq=False)
class Expectation:
    """What `expect_refusal` waits for; None matches anything. `met` holds what came."""

    status: int | None
    code: int | None
    path: str | None
    met: list[Refusal] = field(default_factory=list[Refusal])

    def matches(self, refusal: Refusal) -> bool:
        """Tell whether a refusal is the announced one."""
        return (
            self.status in {None, refusal.status}
            and self.code in {None, refusal.code}
            and (self.path is None or self.path in refusal.request.route)
        )


class UncleanError(AssertionError):
    """List what Discord would not have taken."""


class Ledger:
    """Keep the books; with `keep_requests` off only trouble is kept, for long measurements."""

    def __init__(self, *, keep_requests: bool = True) -> None:
        self.keep_requests = keep_requests
        self.requests: list[RecordedRequest] = []
        self.heads: list[Head] = []
        self.refusals: list[Refusal] = []
        self.unknown_routes: list[str] = []
        self.violations: list[str] = []
        self.missed_deadlines: list[str] = []
        self.gateway_errors: list[str] = []
        self.validators: list[RequestValidator] = []
        self._listeners: list[Callable[[RecordedRequest], None]] = []
        self._expected: list[Expectation] = []
        self._deadlines_expected = 0
        self._deadlines_met = 0

    def meet(self, head: Head) -> None:
        """Record the head of anything that is asked, before it is known what it is about."""
        if self.keep_requests:
            self.heads.append(head)

    def begin(self, request: RecordedRequest) -> None:
        """Record a request and let every validator look at it."""
        if self.keep_requests:
            self.requests.append(request)
        for validate in self.validators:
            problem = validate(request)
            if problem is not None:
                self.violations.append(f"{request.method} {request.route}: {problem}")
        self._tell(request)

    def listen(self, receive: Callable[[RecordedRequest], None]) -> None:
        """Tell a receiver of every later request, once when it has come in and once when it is answered."""
        self._listeners.append(receive)

    def end(self, request: RecordedRequest) -> None:
        """Take note that a request has its answer, or that its connection was cut."""
        self._tell(request)

    def _tell(self, request: RecordedRequest) -> None:
        for receive in self._listeners:
            receive(request)

    def refuse(self, request: RecordedRequest, code: int, reason: str, *, provoked: bool) -> None:
        """Record a refusal; an expectation that matches makes it a provoked one."""
        refusal = Refusal(request, request.status, code, reason, provoked)
        self.refusals.append(refusal)
        for expectation in self._expected:
            if expectation.matches(refusal):
                refusal.provoked = True
                expectation.met.append(refusal)
                return

    def miss_deadline(self, name: str) -> None:
        """Record an interaction that got no answer in time."""
        if self._deadlines_expected:
            self._deadlines_met += 1
        else:
            self.missed_deadlines.append(name)

    @contextmanager
    def expect_missed_deadline(self) -> Generator[None]:
        """Declare that an interaction inside the block will get no answer in time.

        Raises UncleanError at the end of the block when every one got its answer.
        """
        self._deadlines_expected += 1
        before = self._deadlines_met
        try:
            yield
        finally:
            self._deadlines_expected -= 1
        if self._deadlines_met == before:
            raise UncleanError("every interaction was answered in time")

    @contextmanager
    def expect_refusal(
        self, *, status: int | None = None, code: int | None = None, path: str | None = None
    ) -> Generator[Expectation]:
        """Declare that a refusal will come inside the block; `path` is a part of the route template.

        Raises UncleanError at the end of the block when none came.
        """
        expectation = Expectation(status, code, path)
        self._expected.append(expectation)
        try:
            yield expectation
        finally:
            self._expected.remove(expectation)
        if not expectation.met:
            raise UncleanError(f"no refusal came that matches status={status} code={code} path={path}")

    def assert_clean(self, *, allow_codes: frozenset[int] = frozenset()) -> None:
        """Raise UncleanError on any unprovoked refusal (other than `allow_codes`), unknown route, violation or miss."""
        trouble = [
            f"refused: {refusal}"
            for refusal in self.refusals
            if not refusal.provoked and refusal.code not in allow_codes
        ]
        trouble += [f"unknown route: {route}" for route in self.unknown_routes]
        trouble += [f"invalid request: {text}" for text in self.violations]
        trouble += [f"deadline missed: {text}" for text in self.missed_deadlines]
        trouble += [f"gateway: {text}" for text in self.gateway_errors]
        if trouble:
            raise UncleanError("\n".join(trouble))
