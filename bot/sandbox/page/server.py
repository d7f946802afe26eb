"""The page's own web server, on 127.0.0.1 alone."""

import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from aiohttp import WSCloseCode, hdrs, web

from bot.sandbox.callers import HOST
from bot.sandbox.discord import SandboxError
from bot.sandbox.discord.people import UPLOAD_BYTES
from bot.sandbox.page import drawing
from bot.sandbox.page.asked import Asked, read_number
from bot.sandbox.page.guard import HEADERS, Guard, Verdict
from bot.sandbox.page.stage import Stage
from bot.sandbox.page.viewer import Viewer, sentence

STATIC: Final = Path(__file__).parent / "static"
_TOKEN_BYTES: Final = 24
_MAX_FRAME_BYTES: Final = 256 * 1024
"""A filled form, with every sign escaped."""
_SHUTDOWN_SECONDS: Final = 1.0
_UPLOADS: Final = "/files/"
_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_ELSEWHERE: Final = "There is nothing here. The address of the demo, with its token, stands in the terminal."
_REFUSED: Final = "This page may not be used from elsewhere."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PortTaken(Exception):
    """The port cannot be listened on; the text is for people."""


class PageServer:
    """Serves the page, its socket and the files that were sent, for as long as the `async with` block lasts."""

    def __init__(self, stage: Stage, port: int, *, static: Path = STATIC) -> None:
        """Take the port, 0 for any free one, and the folder with the page's files."""
        self._stage = stage
        self._port = port
        self._files = {file.name: file for file in static.iterdir() if file.suffix in _TYPES and file.is_file()}
        self._runner: web.AppRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self._guard = Guard(port, secrets.token_urlsafe(_TOKEN_BYTES))

    @property
    def address(self) -> str:
        """Return the page's address, with its token."""
        return f"http://{HOST}:{self._guard.port}/{self._guard.token}/"

    async def __aenter__(self) -> Self:
        """Begin to listen; raises PortTaken when the port is in use."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._check(request, handler)

        app = web.Application(middlewares=[check], client_max_size=UPLOAD_BYTES + 1)
        app.on_response_prepare.append(_add_headers)
        app.on_shutdown.append(self._close_sockets)
        app.router.add_get("/{token}/", self._index)
        app.router.add_get("/{token}/static/{name}", self._file)
        app.router.add_get("/{token}/socket", self._socket)
        app.router.add_get("/{token}/files/{number}", self._attachment)
        app.router.add_post("/{token}/files/", self._upload)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise PortTaken(f"Port {self._port} cannot be used; choose another with --port.") from error
        self._runner = runner
        self._guard = Guard(int(runner.addresses[0][1]), self._guard.token)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        verdict = self._guard.judge(
            request.path,
            host=request.headers.get(hdrs.HOST),
            origin=request.headers.get(hdrs.ORIGIN),
            is_socket=hdrs.UPGRADE in request.headers,
            sends=request.method == hdrs.METH_POST and request.path.endswith(_UPLOADS),
        )
        if verdict is Verdict.WRONG_ADDRESS:
            return web.Response(status=404, text=_ELSEWHERE)
        if verdict is not Verdict.WELCOME:
            return web.Response(status=403, text=_REFUSED)
        return await handler(request)

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return self._served("index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._served(request.match_info["name"])

    def _served(self, name: str) -> web.Response:
        file = self._files.get(name)
        if file is None:
            raise web.HTTPNotFound
        return web.Response(body=file.read_bytes(), content_type=_TYPES[file.suffix], charset="utf-8")

    async def _attachment(self, request: web.Request) -> web.StreamResponse:
        number = read_number(request.match_info["number"])
        found = None if number is None else self._stage.demo.discord.world.attachments.get(number)
        if found is None:
            raise web.HTTPNotFound
        name = quote(found.filename, safe="")
        return web.Response(
            body=found.content,
            content_type="application/octet-stream",
            headers={hdrs.CONTENT_DISPOSITION: f"attachment; filename*=UTF-8''{name}"},
        )

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        """Take a file for an option or a form: the body is the file, and the query says whose it is, and its name."""
        asked = Asked(0, "upload", dict(request.query))
        try:
            uploaded = self._stage.upload(asked, await request.read(), request.content_type)
        except SandboxError as error:
            return web.json_response({"ok": False, "sentence": sentence(str(error))}, status=HTTPStatus.BAD_REQUEST)
        return web.json_response({"ok": True, "file": drawing.attachment(uploaded)})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=_MAX_FRAME_BYTES)
        await socket.prepare(request)
        viewer = Viewer(self._stage, request, socket)
        self._sockets.add(socket)
        try:
            with self._stage.showing(viewer):
                await viewer.run()
        finally:
            self._sockets.discard(socket)
        return socket

    async def _close_sockets(self, _: web.Application) -> None:
        for socket in tuple(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
