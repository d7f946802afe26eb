"""Reading and rewriting card files in a child process, so that no file can crash, stall or fill up the bot."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from bot.domain.card_files.containers import MAX_FILE_BYTES, container_of
from bot.domain.card_files.exporting import CardExport, ExportedCharacter, original_export, rewritten_export
from bot.domain.card_files.faults import CardFault, CardUnusable, FaultKind
from bot.domain.card_files.reading import CardReading
from bot.domain.card_files.sameness import Sameness, compare
from bot.services.card_messages import (
    ChildFailed,
    ExportRequest,
    Garbled,
    ReadRequest,
    Request,
    decode_answer,
    encode_request,
)

if TYPE_CHECKING:
    from asyncio.subprocess import Process

T = TypeVar("T")

_log = logging.getLogger(__name__)

WALL_SECONDS: Final = 2.0
"""For one file, the start of the child included."""
AT_ONCE: Final = 2
MAX_ANSWER_BYTES: Final = MAX_FILE_BYTES + 4 * 1024 * 1024
"""An exported file, or the texts of a card."""

_PIECE_BYTES: Final = 1024 * 1024
_GARBAGE: Final = b""
"""No answer at all."""
_ROOT: Final = Path(__file__).parents[2]
"""Where the package `bot` lies."""
_CHILD: Final = "import sys; sys.path.append(sys.argv[1]); from bot.services.card_child import main; main()"
_PASSED_ON: Final = ("LD_LIBRARY_PATH", "SYSTEMROOT")
"""Without these the interpreter itself may not start: libraries in unusual places, and Windows."""


@dataclass(frozen=True, slots=True)
class ImportedCard:
    """The file that a character was made from."""

    file: bytes = field(repr=False)
    fingerprint: str | None
    """Of the character as it was then; None where that is not known."""


def child_command() -> tuple[str, ...]:
    """Return the command that starts the child.

    Isolated from environment, working directory and installed packages (-I, -S), which is also what makes it start in
    half the time.
    """
    bytecode = ("-B",) if sys.dont_write_bytecode else ()
    return (sys.executable, "-I", "-S", *bytecode, "-c", _CHILD, str(_ROOT))


class CardReader:
    """Starts a child for each file, few at a time; how many wait for one, the caller limits.

    Whoever stops waiting ends the child too.
    """

    def __init__(
        self,
        *,
        command: tuple[str, ...] | None = None,
        wall_seconds: float = WALL_SECONDS,
        at_once: int = AT_ONCE,
    ) -> None:
        self._command = child_command() if command is None else command
        self._wall_seconds = wall_seconds
        self._slots = asyncio.Semaphore(at_once)

    async def read(self, file: bytes) -> CardReading:
        """Read a card file. Raises CardUnusable when it holds no card that can be used, or cannot be read."""
        container_of(file)
        return await self._ask(ReadRequest(file), CardReading)

    async def export(self, character: ExportedCharacter, imported: ImportedCard | None) -> CardExport:
        """Return a card file of a character: the imported one while it is unchanged, else a new one over that.

        Raises CardUnusable when the imported file cannot be read.
        """
        if imported is None:
            return rewritten_export(character, None)
        if imported.fingerprint is not None:
            sameness = compare(imported.fingerprint, character.fields)
            if sameness is not Sameness.CHANGED:
                return original_export(imported.file, prompt_seen=sameness is Sameness.SAME)
        return await self._ask(ExportRequest(character, imported.file), CardExport)

    async def _ask(self, request: Request, kind: type[T]) -> T:
        async with self._slots:
            message = await self._asked(encode_request(request))
        try:
            answer = decode_answer(message)
        except Garbled:
            answer = ChildFailed("its answer")
        if isinstance(answer, CardFault):
            raise CardUnusable(answer.kind, part=answer.part, found=answer.found, limit=answer.limit)
        if not isinstance(answer, kind):
            where = answer.where if isinstance(answer, ChildFailed) else type(answer).__name__
            _log.error("The process that reads card files failed: %s", where)
            raise CardUnusable(FaultKind.READER_FAILED)
        return answer

    async def _asked(self, message: bytes) -> bytes:
        process: Process | None = None
        try:
            async with asyncio.timeout(self._wall_seconds):
                process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=_environment(os.environ)
                )
                _, answer = await asyncio.gather(_write(process, message), _read(process))
                if len(answer) > MAX_ANSWER_BYTES:
                    return _GARBAGE
                status = await process.wait()
        except TimeoutError:
            raise CardUnusable(FaultKind.TOO_SLOW) from None
        except OSError as error:
            _log.error("The process that reads card files could not be started: %s", error.strerror)
            raise CardUnusable(FaultKind.READER_FAILED) from None
        finally:
            if process is not None:
                await asyncio.shield(_end(process))
        if status != 0:
            raise CardUnusable(_fault_of(status))
        return answer


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of the environment the child gets: nothing that could be a secret."""
    return {name: environment[name] for name in _PASSED_ON if name in environment}


async def _write(process: "Process", message: bytes) -> None:
    assert process.stdin is not None
    # A child that has ended says why by its status.
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(message)
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _read(process: "Process") -> bytes:
    assert process.stdout is not None
    pieces: list[bytes] = []
    size = 0
    while size <= MAX_ANSWER_BYTES and (piece := await process.stdout.read(_PIECE_BYTES)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


async def _end(process: "Process") -> None:
    """End a child that still runs, and wait until the system has let go of it."""
    with suppress(ProcessLookupError):
        process.kill()
    # asyncio takes a child for ended only once its output has been read to the end, which is held back while nobody
    # reads it.
    assert process.stdout is not None
    while await process.stdout.read(_PIECE_BYTES):
        pass
    await process.wait()


def _fault_of(status: int) -> FaultKind:
    """Tell from the status of a child why it gave no answer."""
    _log.warning("The process that reads card files ended with status %d", status)
    match -status:
        case signal.SIGXCPU:
            return FaultKind.TOO_SLOW
        case signal.SIGKILL:
            # By nobody here: the system takes what fills up the machine.
            return FaultKind.TOO_MUCH_MEMORY
        case _:
            return FaultKind.READER_FAILED
