"""The child process in which card files are read and rewritten: one request on stdin, one answer on stdout.

It limits itself before it looks at anything, and imports nothing beyond bot.domain and the standard library: what it
does not load, a hostile file cannot use, and it starts in a few hundredths of a second.
"""

import sys
from pathlib import Path
from typing import Final

from bot.domain.card_files.exporting import rewritten_export
from bot.domain.card_files.faults import CardFault, CardUnusable, FaultKind
from bot.domain.card_files.reading import read_card_file
from bot.services.card_messages import (
    Answer,
    ChildFailed,
    ReadRequest,
    Request,
    decode_request,
    encode_answer,
)

try:
    import resource
except ImportError:  # pragma: no cover - Windows has no such limits; the time limit of the parent holds there too
    resource = None

MEMORY_BYTES: Final = 100 * 1024 * 1024
"""Beyond what the interpreter and the code take."""
CPU_SECONDS: Final = 2
_STATM: Final = Path("/proc/self/statm")
"""Sizes of this process in pages, the whole address space first (proc_pid_statm(5))."""


def main() -> None:
    """Answer the request on stdin."""
    limit_resources()
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))


def limit_resources() -> None:
    """Limit memory and processor time for good, and forbid to write files or a core dump.

    Memory is counted as address space, on Linux alone: elsewhere nothing tells how much of it is in use already.
    """
    if resource is None:  # pragma: no cover - as above
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # The soft limit ends the process by SIGXCPU, which tells a slow file from a crash.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    if _STATM.exists():
        in_use = int(_STATM.read_text("ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY_BYTES, in_use + MEMORY_BYTES))


def answer(request: bytes) -> bytes:
    """Carry out a request, and say what went wrong otherwise."""
    try:
        return encode_answer(_carried_out(decode_request(request)))
    except CardUnusable as error:
        return encode_answer(error.fault)
    except MemoryError:
        return encode_answer(CardFault(FaultKind.TOO_MUCH_MEMORY))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent needs an answer
        return encode_answer(ChildFailed(_place_of(error)))


def _carried_out(request: Request) -> Answer:
    if isinstance(request, ReadRequest):
        return read_card_file(request.file)
    return rewritten_export(request.character, request.file)


def _place_of(error: Exception) -> str:
    """Name an exception by its kind and its place: its own text may repeat the file's."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:  # pragma: no cover - what was caught has one
        return type(error).__name__
    return f"{type(error).__name__} at {Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}"
