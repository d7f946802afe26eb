"""The stand-in as tests and the demo hold it: one local server for REST, gateway and CDN, and its controls."""

import asyncio
import base64
import re
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from types import TracebackType
from typing import Final, Self, TypeVar

from aiohttp import hdrs, web

from bot.sandbox.callers import HOST, is_program
from bot.sandbox.discord.buckets import BucketPolicy, Buckets
from bot.sandbox.discord.faults import Faults
from bot.sandbox.discord.gateway import Gateway
from bot.sandbox.discord.guilds import Guild, open_guild
from bot.sandbox.discord.ledger import Expectation, Ledger, Refusal, RequestValidator
from bot.sandbox.discord.lookups import LookupRoutes
from bot.sandbox.discord.messages import MessageRoutes
from bot.sandbox.discord.model import Message, User
from bot.sandbox.discord.requests import Auth, Handler, RecordedRequest, Route
from bot.sandbox.discord.rest import API_PREFIX, RestApi
from bot.sandbox.discord.transcript import Transcript
from bot.sandbox.discord.webhooks import WebhookRoutes
from bot.sandbox.discord.world import World
from bot.sandbox.heads import Head

T = TypeVar("T")
_TAIL: Final = 15
_ID: Final = re.compile(r"[0-9]{1,20}")
"""No number of 64 bits is longer."""
_PICTURE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
"""One transparent pixel, for every avatar and icon."""


class DiscordSandbox:
    """A Discord of one's own on 127.0.0.1. Use as an asynchronous context manager.

    `clock` is the world's time in Unix seconds (ids, timestamps, token lifetimes). `buckets` switches rate limits
    on. `keep_records` off keeps neither transcript nor requests, for long measurements.
    `interaction_deadline` is in seconds, Discord's by default.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        buckets: BucketPolicy | None = None,
        port: int = 0,
        keep_records: bool = True,
        heartbeat_interval: float = 41.25,
        interaction_deadline: float = 3.0,
    ) -> None:
        self.ledger = Ledger(keep_requests=keep_records)
        self.world = World(clock, self.ledger, keep_transcript=keep_records, interaction_deadline=interaction_deadline)
        self.faults = Faults()
        self.gateway = Gateway(self.world, self.ledger, time.monotonic, heartbeat_interval=heartbeat_interval)
        self.routes = self._routes()
        self._buckets = None if buckets is None else Buckets(buckets, time.monotonic, time.time)
        self._rest = RestApi(self.world, self.ledger, self.faults, self._buckets, self.routes)
        self._port = port
        self._runner: web.ServerRunner | None = None
        self.base_url = ""

    def _routes(self) -> list[Route]:
        webhooks = WebhookRoutes(self.world)
        answers = self.world.interactions.answers
        application = str(self.application_id)

        def either(of_webhook: Handler, of_interaction: Handler) -> Handler:
            """Tell interaction tokens, which stand under the application's id, from webhooks."""
            return lambda call: (of_interaction if call.path["webhook_id"] == application else of_webhook)(call)

        tokened = "/webhooks/{webhook_id}/{webhook_token}"
        message = tokened + "/messages/{message_id}"
        original = tokened + "/messages/@original"
        return [
            *LookupRoutes(self.world, self.gateway).routes(),
            *MessageRoutes(self.world).routes(),
            *webhooks.routes(),
            *answers.routes(),
            *self.world.interactions.commands.routes(),
            Route("POST", tokened, either(webhooks.execute, answers.followup), Auth.PATH),
            Route("GET", message, either(webhooks.read_message, answers.read), Auth.PATH),
            Route("PATCH", message, either(webhooks.edit_message, answers.edit), Auth.PATH),
            Route("DELETE", message, either(webhooks.delete_message, answers.delete), Auth.PATH),
            Route("GET", original, answers.read, Auth.PATH),
            Route("PATCH", original, answers.edit, Auth.PATH),
            Route("DELETE", original, answers.delete, Auth.PATH),
        ]

    async def __aenter__(self) -> Self:
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, HOST, self._port)
        await site.start()
        self._runner = runner
        self._port = int(runner.addresses[0][1])
        self.base_url = f"http://{HOST}:{self._port}"
        self.gateway.url = f"ws://{HOST}:{self._port}/gateway"
        self.world.cdn_url = self.cdn_url
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gateway.drop(resumable=False)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.ledger.meet(Head.of(request))
        if not is_program(request.headers.get(hdrs.HOST), request.headers.get(hdrs.ORIGIN), self._port):
            return web.Response(status=403)
        path = request.path
        if path.startswith(API_PREFIX + "/"):
            return await self._rest.handle(request)
        if path.rstrip("/") == "/gateway":
            return await self.gateway.handle(request)
        if path.startswith("/cdn/attachments/"):
            return self._attachment(path)
        if path.startswith("/cdn/"):
            return web.Response(body=_PICTURE, headers={"Content-Type": "image/png"})
        return web.Response(status=404)

    def _attachment(self, path: str) -> web.Response:
        name = path.removeprefix("/cdn/attachments/").split("/")
        number = name[1] if len(name) > 1 else ""
        found = self.world.attachments.get(int(number)) if _ID.fullmatch(number) else None
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found.content, headers={"Content-Type": found.content_type})

    @property
    def api_url(self) -> str:
        """Return the base of the REST API, with its version."""
        return self.base_url + API_PREFIX

    @property
    def gateway_url(self) -> str:
        """Return the gateway's address."""
        return self.gateway.url

    @property
    def cdn_url(self) -> str:
        """Return the base of the CDN."""
        return f"{self.base_url}/cdn"

    @property
    def token(self) -> str:
        """Return the bot's token, which works nowhere else."""
        return self.world.token

    @property
    def application_id(self) -> int:
        """Return the application's id, which is also the bot user's."""
        return self.world.application_id

    @property
    def bot_user(self) -> User:
        """Return the bot's own user."""
        return self.world.bot

    @property
    def transcript(self) -> Transcript:
        """Return everything visible, in order."""
        return self.world.transcript

    @property
    def refusals(self) -> list[Refusal]:
        """Return every 4xx answer."""
        return self.ledger.refusals

    @property
    def unknown_routes(self) -> list[str]:
        """Return what was asked for that the stand-in does not serve."""
        return self.ledger.unknown_routes

    @property
    def requests(self) -> list[RecordedRequest]:
        """Return every request, oldest first."""
        return self.ledger.requests

    @property
    def heads(self) -> list[Head]:
        """Return the heads of all that was asked of REST, gateway and CDN, known or not, oldest first."""
        return self.ledger.heads

    @property
    def request_validators(self) -> list[RequestValidator]:
        """Return the list to which tests add their own checks of requests."""
        return self.ledger.validators

    @property
    def gateway_connected(self) -> asyncio.Event:
        """Return the event that is set while an identified or resumed session is connected."""
        return self.gateway.connected

    @property
    def message_content_enabled(self) -> bool:
        """Tell whether the application has the message-content intent; assign to change it."""
        return self.world.message_content_enabled

    @message_content_enabled.setter
    def message_content_enabled(self, enabled: bool) -> None:
        self.world.message_content_enabled = enabled

    def add_guild(self, name: str, *, owner: str = "Owner") -> Guild:
        """Create a server with the bot in it, and a person who owns it."""
        return open_guild(self.world, name, owner)

    def expect_new_process(self) -> None:
        """Take note that the bot starts anew, and so knows nothing of rate limits that earlier calls have spent."""
        if self._buckets is not None:
            self._buckets.forget_client()

    async def drop_gateway(self, *, resumable: bool = True) -> None:
        """Cut the gateway sockets; not resumable, the next RESUME is answered with an invalid session."""
        self.gateway.drop(resumable=resumable)

    async def close_gateway(self, code: int, *, resumable: bool = True) -> None:
        """Close the gateway sockets with a close code."""
        self.gateway.close_all(code, resumable=resumable)

    async def reconnect_request(self) -> None:
        """Ask the bot to reconnect (op 7)."""
        self.gateway.ask_to_reconnect()

    async def invalidate_session(self) -> None:
        """Declare the session invalid (op 9)."""
        self.gateway.invalidate()

    @asynccontextmanager
    async def outage(self, status: int = 503, *, rest: bool = True, gateway: bool = True) -> AsyncGenerator[None]:
        """Be down for the length of the block: REST answers `status`, gateway sockets are cut and refused."""
        if rest:
            self._rest.outage_status = status
        if gateway:
            self.gateway.refusing = True
            self.gateway.drop(resumable=True)
        try:
            yield
        finally:
            self._rest.outage_status = None
            self.gateway.refusing = False

    @contextmanager
    def late_events(self) -> Generator[None]:
        """Let gateway events arrive only after the block, so that REST answers overtake them."""
        self.gateway.hold_events()
        try:
            yield
        finally:
            self.gateway.release_events()

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10.0) -> T:
        """Return the predicate's value once it is true; it is looked at after every change of state.

        Raises TimeoutError, showing the end of the transcript, after `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                while not (value := predicate()):
                    await self.world.next_change()
                return value
        except TimeoutError:
            raise TimeoutError(f"not within {timeout} s; last seen:\n{self.transcript.tail(_TAIL)}") from None

    def expect_refusal(
        self, *, status: int | None = None, code: int | None = None, path: str | None = None
    ) -> AbstractContextManager[Expectation]:
        """Declare that the block provokes a refusal."""
        return self.ledger.expect_refusal(status=status, code=code, path=path)

    def expect_missed_deadline(self) -> AbstractContextManager[None]:
        """Declare that the bot will leave an interaction of the block without an answer."""
        return self.ledger.expect_missed_deadline()

    def assert_clean(self, *, allow_codes: frozenset[int] = frozenset()) -> None:
        """Raise if anything happened that Discord would not have taken."""
        self.ledger.assert_clean(allow_codes=allow_codes)

    def find_message(self, message_id: int) -> Message | None:
        """Look a message up anywhere, ephemeral ones included."""
        return self.world.find_message(message_id)
