"""The levers of the side panel: what can be done to the bot to see how it bears it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.sandbox.discord import DiscordSandbox, SandboxError
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.nanogpt.faults import Fault
from bot.sandbox.nanogpt.recording import RecordedCall
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.sandbox.page.switch import BotSwitch

_MAX_TOKENS_PER_SECOND: Final = 1_000
_SOON_SECONDS: Final = 3.0
"""What the short 429 asks to wait: long enough to be noticed."""
_ALL_ATTEMPTS: Final = 3
"""The bot asks three times in all before it gives up."""


@dataclass(frozen=True, slots=True)
class OfferedFault:
    """A way for the next answer of NanoGPT to go wrong."""

    name: str
    label: str
    kind: Fault
    times: int = 1


OFFERED: Final = (
    OfferedFault("402", "402: the account is out of credit (believed for a minute)", Fault.INSUFFICIENT_BALANCE),
    OfferedFault("429", f"429: too fast, try again in {_SOON_SECONDS:.0f} s", Fault.RATE_LIMITED),
    OfferedFault("429-daily", "429: today's requests are used up (believed for a quarter of an hour)", Fault.DAILY_CAP),
    OfferedFault("503", "503 once: the bot tries again by itself", Fault.UNAVAILABLE),
    OfferedFault("503-down", "503 three times: the bot gives up", Fault.UNAVAILABLE, _ALL_ATTEMPTS),
    OfferedFault("stall", "Stall: silence before the first word", Fault.STALL_BEFORE_TEXT),
    OfferedFault("stall-in-text", "Stall: silence in mid reply", Fault.STALL_IN_TEXT),
    OfferedFault("cut", "Cut: the stream breaks in mid reply", Fault.CUT_IN_TEXT),
)


class Levers:
    """Carries out what the side panel asks for."""

    def __init__(
        self, discord: DiscordSandbox, nanogpt: NanoGptSandbox, switch: BotSwitch, tell: Callable[[], None]
    ) -> None:
        self._discord = discord
        self._nanogpt = nanogpt
        self._switch = switch
        self._tell = tell
        self._told: tuple[str, ...] = ()
        nanogpt.listen(self._hear)

    def draw(self) -> JsonObject:
        """Draw how the levers stand."""
        return {
            "bot": self._switch.condition.state,
            "faults": list(self._armed()),
            "tokens_per_second": self._nanogpt.pace.tokens_per_second,
            "faults_offered": [{"name": fault.name, "label": fault.label} for fault in OFFERED],
        }

    def _armed(self) -> tuple[str, ...]:
        names = {fault.kind: fault.name for fault in reversed(OFFERED)}
        return tuple(names.get(fault.kind, fault.kind.value) for fault in self._nanogpt.faults.pending)

    def _hear(self, _: RecordedCall) -> None:
        armed = self._armed()
        if armed != self._told:
            self._told = armed
            self._tell()

    async def pull(self, name: str, given: JsonObject) -> None:
        """Pull one lever; raises SandboxError, with a sentence for people, when that cannot be done."""
        match name:
            case "kill_bot":
                await self._switch.kill()
            case "start_bot":
                await self._switch.start()
            case "restart_bot":
                await self._switch.restart()
            case "drop_gateway":
                await self._drop_gateway()
            case "fault":
                self._arm(given.get("fault"))
            case "clear_faults":
                self._nanogpt.faults.clear()
            case "pace":
                self._set_pace(given.get("tokens_per_second"))
            case _:
                raise SandboxError(f"there is no lever {name!r}")
        self._told = self._armed()
        self._tell()

    async def _drop_gateway(self) -> None:
        if not self._discord.gateway_connected.is_set():
            raise SandboxError("the bot is not connected")
        await self._discord.drop_gateway()

    def _arm(self, name: object) -> None:
        fault = next((fault for fault in OFFERED if fault.name == name), None)
        if fault is None:
            raise SandboxError(f"there is no fault {name!r}")
        self._nanogpt.faults.next(fault.kind, fault.times, retry_after=_SOON_SECONDS)

    def _set_pace(self, tokens: object) -> None:
        if isinstance(tokens, bool) or not isinstance(tokens, int | float) or not 1 <= tokens <= _MAX_TOKENS_PER_SECOND:
            raise SandboxError(f"the pace goes from 1 to {_MAX_TOKENS_PER_SECOND} tokens a second")
        self._nanogpt.pace.tokens_per_second = float(tokens)
