"""The feed of the side panel: requests, frames, upstream calls and the bot's log, as they come."""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, TypeAlias

from bot.sandbox.demo import Demo
from bot.sandbox.discord.connections import CUT_OFF, Frame, GatewaySign
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.requests import RecordedRequest
from bot.sandbox.nanogpt.recording import RecordedCall
from bot.sandbox.page.drawing import milliseconds
from bot.sandbox.page.summaries import clipped, of_frame, of_request

KEPT: Final = 200
"""Of each kind, for a page that is opened later."""
INTERVAL_SECONDS: Final = 0.25
_ITEM_CHARACTERS: Final = 400
"""How much of each item of an upstream call is shown."""
_LINE: Final = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT[\d:.]+Z) (?P<level>[A-Z]+) (?P<logger>[\w.]+): (?P<text>.*)")
_BOT: Final = "bot"
"""How the names of the bot's own loggers begin; what libraries say at DEBUG is left out."""

Part: TypeAlias = Literal["rest", "gateway", "upstream", "log"]
_PARTS: Final[tuple[Part, ...]] = ("rest", "gateway", "upstream", "log")


class Panel:
    """Collects entries and hands out what is new, at most four times a second."""

    def __init__(self, demo: Demo, tell: Callable[[JsonObject], None]) -> None:
        self._demo = demo
        self._tell = tell
        self._count = 0
        self._kept: dict[Part, deque[JsonObject]] = {part: deque(maxlen=KEPT) for part in _PARTS}
        self._new: dict[Part, dict[int, JsonObject]] = {part: {} for part in _PARTS}
        self._calls: dict[int, JsonObject] = {}
        """The entries of the calls that are under way, by the calls' numbers."""
        self._log = LogTail(demo.bot.log_file)
        demo.discord.ledger.listen(self._hear_request)
        demo.discord.gateway.listen(self._hear_gateway)
        demo.nanogpt.listen(self._hear_call)

    async def run(self) -> None:
        """Hand out what is new until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            self.flush()

    def flush(self) -> None:
        """Hand out what is new, if there is anything."""
        for line in self._log.read():
            self._add("log", line)
        if any(self._new.values()):
            new = self._new
            self._new = {part: {} for part in _PARTS}
            self._tell({"t": "panel", **{part: list(entries.values()) for part, entries in new.items()}})

    def history(self) -> JsonObject:
        """Return what was handed out so far, as far back as it is kept."""
        return {"t": "panel", **{part: list(entries) for part, entries in self._kept.items()}}

    def _now(self) -> float:
        return self._demo.discord.world.now()

    def _add(self, part: Part, entry: JsonObject) -> JsonObject:
        self._count += 1
        shown: JsonObject = {"n": self._count, **entry}
        self._kept[part].append(shown)
        self._new[part][self._count] = shown
        return shown

    def _hear_request(self, request: RecordedRequest) -> None:
        if request.answered_at is None:
            return
        self._add(
            "rest",
            {
                "at": milliseconds(request.at),
                "method": request.method,
                "route": request.route,
                "status": request.status,
                "ms": milliseconds(request.answered_at - request.at),
                "summary": of_request(request),
            },
        )

    def _hear_gateway(self, sign: GatewaySign) -> None:
        if isinstance(sign, Frame):
            name, summary = of_frame(sign.text)
            to = "bot" if sign.to_bot else "discord"
        elif sign.opened:
            name, summary, to = "CONNECTED", "", "discord"
        else:
            name, to = "DISCONNECTED", "discord"
            summary = "cut off" if sign.code in {None, CUT_OFF} else f"code {sign.code}"
        self._add("gateway", {"at": milliseconds(self._now()), "to": to, "name": name, "summary": summary})

    def _hear_call(self, call: RecordedCall) -> None:
        known = self._calls.get(call.number)
        if known is None:
            known = self._add("upstream", {"at": milliseconds(self._now())})
            self._calls[call.number] = known
        known |= self._drawn(call)
        self._new["upstream"][known["n"]] = known
        if call.ended is not None:
            del self._calls[call.number]

    @staticmethod
    def _drawn(call: RecordedCall) -> JsonObject:
        asked = "&".join(f"{name}={value}" for name, values in call.query.items() for value in values)
        return {
            "method": call.method,
            "path": f"{call.path}?{asked}" if asked else call.path,
            "status": call.status,
            "outcome": call.outcome.value,
            "character_id": call.character,
            "items": [{"role": role, "text": clipped(text, _ITEM_CHARACTERS)} for role, text in call.inputs],
            "store": call.fields.get("store"),
            "stream": call.fields.get("stream"),
            "ms": None if call.ended is None else milliseconds(call.ended - call.started),
        }


class LogTail:
    """Reads what has been added to a log file; lines that begin with no time go on with the one before."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0
        self._rest = b""
        self._at = 0
        self._level = "INFO"
        self._shown = True

    def read(self) -> Iterator[JsonObject]:
        """Yield the new whole lines."""
        if not self._file.exists():
            return
        with self._file.open("rb") as log:
            log.seek(self._read)
            added = log.read()
        self._read += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            found = _LINE.match(text)
            if found is not None:
                text = f"{found['logger']}: {found['text']}"
                self._at = milliseconds(datetime.fromisoformat(found["at"]).timestamp())
                self._level = found["level"]
                self._shown = found["logger"].split(".")[0] == _BOT or self._level != "DEBUG"
            if self._shown:
                yield {"at": self._at, "level": self._level, "text": text}
