"""Card files gone wrong, one after another: is each read or refused with a sentence, quickly and in little memory?

The suite plays a short run; a long one, every file in a child process as in the bot, by hand:
`python -m tests.services.card_run --cases 10000 --seed 1`. One file of it again: `--first 1234 --cases 1`.
"""

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
import tracemalloc
from asyncio.subprocess import PIPE, STDOUT
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from bot.domain.card_files.exporting import CardExport, ExportedCharacter, rewritten_export
from bot.domain.card_files.faults import CardFault, CardUnusable, FaultKind
from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.reading import CardReading, read_card_file
from bot.domain.card_files.wording import card_notes, export_sentence, fault_sentence
from bot.services.card_reader import WALL_SECONDS, CardReader, ImportedCard, child_command
from tests.support.card_mutations import mutation

MOST_SECONDS: Final = 2.0
MOST_BYTES: Final = 100 * 1024 * 1024
BAD_ENDS: Final = frozenset({FaultKind.TOO_SLOW, FaultKind.TOO_MUCH_MEMORY, FaultKind.READER_FAILED})
"""What no file may bring about: these are for the files that nobody has thought of yet."""
READ: Final = "read"
_MEBIBYTE: Final = 1024 * 1024
_KIBIBYTE: Final = 1024
_REPORT_EVERY: Final = 1_000
_LENGTH_BYTES: Final = 8
_THIS: Final = "tests.services.card_run"


@dataclass(slots=True)
class Findings:
    """What a run has shown."""

    cases: int = 0
    ends: Counter[str] = field(default_factory=Counter[str])
    """How many were read, and how many refused for each reason."""
    seconds: list[float] = field(default_factory=list[float])
    """Of the clock on the wall, for each file and its export."""
    cpu_seconds: list[float] = field(default_factory=list[float])
    """Of the processor, which do not depend on what else a machine does."""
    peaks: list[int] = field(default_factory=list[int])
    """Bytes that each child had in memory at most, interpreter and code included; none without children."""
    problems: list[str] = field(default_factory=list[str])

    def add(self, more: "Findings") -> None:
        """Take in what another part of the run has shown."""
        self.cases += more.cases
        self.ends += more.ends
        self.seconds += more.seconds
        self.cpu_seconds += more.cpu_seconds
        self.peaks += more.peaks
        self.problems += more.problems


_FINDINGS: Final = TypeAdapter(Findings)


class BrokenRun(Exception):
    """A process that was to play a run has died; its text is what was printed."""


Read = Callable[[bytes], Awaitable[CardReading]]
Export = Callable[[ExportedCharacter, bytes], Awaitable[CardExport]]


async def play(
    files: Iterable[tuple[int, bytes]], read: Read, export: Export, *, cpu_clock: Callable[[], float]
) -> Findings:
    """Read each of the numbered files, and export again what could be read, with its fields edited."""
    findings = Findings()
    for number, file in files:
        begun, cpu_begun = time.perf_counter(), cpu_clock()
        try:
            end = await _end_of(file, read, export)
        except Exception as error:  # noqa: BLE001 - this is what the run looks for
            end = repr(error)
            findings.problems.append(f"case {number}: {error!r}")
        findings.seconds.append(time.perf_counter() - begun)
        findings.cpu_seconds.append(cpu_clock() - cpu_begun)
        findings.cases += 1
        findings.ends[end] += 1
    return findings


async def _end_of(file: bytes, read: Read, export: Export) -> str:
    """Return how a file ended. Raises AssertionError when that is not as it should be."""
    try:
        reading = await read(file)
    except CardUnusable as error:
        return _refused(error.fault)
    fields = reading.mapping.fields
    assert card_notes(reading, file_kept=True).mapped, "what was read has a preview"
    edited = _edited(fields)
    exported = await export(ExportedCharacter(edited, "id-1", rating=reading.mapping.rating_floor), file)
    assert export_sentence(exported)
    again = read_card_file(exported.file)
    assert again.mapping.fields == edited, "what was edited comes back"
    assert again.mapping.rating_floor >= reading.mapping.rating_floor, "no rating sinks"
    return READ


def _refused(fault: CardFault) -> str:
    assert fault_sentence(fault).endswith("."), "a refusal has a sentence"
    assert fault.kind not in BAD_ENDS, fault
    return fault.kind.value


def _edited(fields: CardFields) -> CardFields:
    return replace(fields, summary="{{char}}, edited", tags=(*fields.tags[:5], "Edited Tag"))


def files_of(seed: int, numbers: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Make the files of a seed, each when it is asked for."""
    return ((number, mutation(seed, number)) for number in numbers)


async def play_here(files: Iterable[tuple[int, bytes]]) -> Findings:
    """Play a run in this process."""

    async def read(file: bytes) -> CardReading:
        return read_card_file(file)

    async def export(character: ExportedCharacter, file: bytes) -> CardExport:
        return rewritten_export(character, file)

    return await play(files, read, export, cpu_clock=time.process_time)


def most_memory(seed: int, numbers: Iterable[int]) -> int:
    """Return the bytes that the greediest of these files took while it was read, or made anew."""
    peaks: list[int] = []
    for file in [mutation(seed, number) for number in numbers]:
        tracemalloc.start()
        with suppress(CardUnusable):
            character = ExportedCharacter(read_card_file(file).mapping.fields, "id-1")
            rewritten_export(character, file)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return max(peaks)


async def play_within(seed: int, numbers: Iterable[int], most_bytes: int) -> Findings:
    """Play a run in one process that may take so much more memory than it began with; it is handed the files.

    Linux only, as nothing else tells how much is in use already. Raises BrokenRun when the process does not come to
    its end.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", _THIS, "--within", f"{most_bytes}"),
        cwd=Path(__file__).parents[2],
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
    )
    assert process.stdin is not None
    with suppress(ConnectionError):
        for _, file in files_of(seed, numbers):
            process.stdin.write(len(file).to_bytes(_LENGTH_BYTES) + file)
            await process.stdin.drain()
    process.stdin.close()
    printed, _ = await process.communicate()
    if process.returncode != 0:
        raise BrokenRun(printed.decode())
    return _FINDINGS.validate_json(printed)


def _handed_over() -> Iterator[tuple[int, bytes]]:
    for number in count():
        length = sys.stdin.buffer.read(_LENGTH_BYTES)
        if not length:
            return
        yield number, sys.stdin.buffer.read(int.from_bytes(length))


def _limit_memory(most_bytes: int) -> None:
    pages, *_ = Path("/proc/self/statm").read_text("ascii").split()
    most = int(pages) * resource.getpagesize() + most_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


class PeakWatch:
    """Lets each child say at its end how much memory it had at most.

    The system's own account of ended children is of no use: a child begins with the peak of the process that
    started it. A child may write no file, but into a pipe it may. Linux only (proc_pid_status(5)).
    """

    def __init__(self, folder: Path) -> None:
        self._pipe = folder / "peaks"
        os.mkfifo(self._pipe)
        # Open for writing too, so that no child waits for a reader.
        self._end = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)

    @property
    def command(self) -> tuple[str, ...]:
        """The command of the real child, which then tells its peak."""
        *start, code, root = child_command()
        return (*start, f"{code}; {_TELL_PEAK}", root, str(self._pipe))

    def peaks(self) -> list[int]:
        """Return what was told since the last time, in bytes."""
        told = b""
        with suppress(BlockingIOError):
            while True:
                told += os.read(self._end, _KIBIBYTE)
        return [int(line) * _KIBIBYTE for line in told.split()]

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._end)


_TELL_PEAK: Final = (
    "told = open('/proc/self/status', 'rb').read().partition(b'VmHWM:')[2].split()[0]; "
    "open(sys.argv[2], 'wb', 0).write(told + b'\\n')"
)


async def play_in_children(seed: int, numbers: Iterable[int], *, wall_seconds: float) -> Findings:
    """Play a run as the bot does, each file in a process of its own."""
    with tempfile.TemporaryDirectory() as folder, closing(PeakWatch(Path(folder))) as watch:
        reader = CardReader(command=watch.command, wall_seconds=wall_seconds)
        peaks: list[int] = []

        async def read(file: bytes) -> CardReading:
            try:
                return await reader.read(file)
            finally:
                peaks.extend(watch.peaks())

        async def export(character: ExportedCharacter, file: bytes) -> CardExport:
            try:
                return await reader.export(character, ImportedCard(file, None))
            finally:
                peaks.extend(watch.peaks())

        found = await play(files_of(seed, numbers), read, export, cpu_clock=_cpu_seconds_of_children)
        found.peaks = peaks
        return found


def _cpu_seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Play a long run and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.services.card_run", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument(
        "--wall-seconds", type=float, default=WALL_SECONDS, help="more on a machine that is busy with other things"
    )
    parser.add_argument("--within", type=int, help="play the files on stdin, in so many bytes of memory more")
    asked = parser.parse_args()
    total = Findings()
    last = asked.first + asked.cases
    if asked.within is not None:
        _limit_memory(asked.within)
        print(_FINDINGS.dump_json(asyncio.run(play_here(_handed_over()))).decode())  # noqa: T201 - a command prints
        return 0
    for first in range(asked.first, last, _REPORT_EVERY):
        numbers = range(first, min(first + _REPORT_EVERY, last))
        found = asyncio.run(play_in_children(asked.seed, numbers, wall_seconds=asked.wall_seconds))
        total.add(found)
        print(f"{total.cases} files, {len(total.problems)} problems", file=sys.stderr)  # noqa: T201 - a command prints
    print(_report(total))  # noqa: T201 - as above
    return 1 if total.problems else 0


def _report(found: Findings) -> str:
    lines = [f"{count:6} {end}" for end, count in found.ends.most_common()]
    lines.append(f"{found.cases} files; for each, an export included where it was read:")
    for clock, seconds in (("by the wall", sorted(found.seconds)), ("of the processor", sorted(found.cpu_seconds))):
        median, late = seconds[len(seconds) // 2], seconds[len(seconds) * 99 // 100]
        lines.append(f"seconds {clock}: median {median:.3f}, 99th percentile {late:.3f}, longest {seconds[-1]:.3f}")
    smallest, largest = min(found.peaks) / _MEBIBYTE, max(found.peaks) / _MEBIBYTE
    lines.append(f"memory of a child at its peak: from {smallest:.0f} to {largest:.0f} MiB")
    return "\n".join(lines + [f"PROBLEM {problem}" for problem in found.problems])


if __name__ == "__main__":
    sys.exit(main())
