import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.card_files.containers import Container
from bot.domain.card_files.exporting import ExportedCharacter, rewritten_export
from bot.domain.card_files.faults import CardFault, CardUnusable, FaultKind
from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.reading import read_card_file
from bot.domain.card_files.sameness import fingerprint
from bot.domain.card_files.versions import CardVersion
from bot.services.card_child import MEMORY_BYTES, answer
from bot.services.card_messages import ChildFailed, ReadRequest, decode_answer, encode_request
from bot.services.card_reader import CardReader, ImportedCard, child_command
from tests.support.card_samples import SAMPLES, V2, json_bytes, png

UNHURRIED_SECONDS = 30.0
"""The machine of a test may be busy; what is shown here is not how fast a child is."""
FILE = SAMPLES[CardVersion.V2, Container.JSON]
ADA = read_card_file(FILE).mapping.fields
FACTS = ExportedCharacter(ADA, "id-1", "ada")
NO_CHILD = CardReader(command=("/nonexistent/python",))


def child(*lines: str) -> tuple[str, ...]:
    """Return the command of the real child with these lines run in place of its last one, which calls main."""
    *start, code, root = child_command()
    imports = code.rpartition("; ")[0]
    return (*start, "\n".join([imports, *lines]), root)


def reader(*lines: str, wall_seconds: float = UNHURRIED_SECONDS, at_once: int = 2) -> CardReader:
    command = child(*lines) if lines else child_command()
    return CardReader(command=command, wall_seconds=wall_seconds, at_once=at_once)


async def fault_of(asked: CardReader, file: bytes = FILE) -> CardFault:
    with pytest.raises(CardUnusable) as raised:
        await asked.read(file)
    return raised.value.fault


def no_child_is_left() -> bool:
    """Tell whether this process has no child any more, not even one that has ended."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


@pytest.mark.parametrize(("version", "container"), SAMPLES)
async def test_a_card_is_read_in_a_child(version: CardVersion, container: Container) -> None:
    file = SAMPLES[version, container]
    assert await reader().read(file) == read_card_file(file)
    assert no_child_is_left()


async def test_a_fault_comes_back_with_its_figures() -> None:
    fault = await fault_of(reader(), json_bytes({"name": "x" * 101}))
    assert fault == CardFault(FaultKind.TEXT_TOO_LONG, "name", 101, 100)


async def test_a_file_of_another_kind_needs_no_child() -> None:
    assert (await fault_of(NO_CHILD, b"GIF89a")).kind is FaultKind.OTHER_PICTURE


async def test_an_unchanged_character_needs_no_child() -> None:
    export = await NO_CHILD.export(FACTS, ImportedCard(FILE, fingerprint(ADA)))
    assert (export.file, export.rewritten, export.prompt_seen) == (FILE, False, True)


async def test_a_character_whose_prompt_is_not_shown_is_unchanged_as_far_as_can_be_seen() -> None:
    unseen = replace(FACTS, fields=replace(ADA, system_prompt=None))
    export = await NO_CHILD.export(unseen, ImportedCard(FILE, fingerprint(ADA)))
    assert (export.file, export.rewritten, export.prompt_seen) == (FILE, False, False)


async def test_a_character_that_was_never_imported_needs_no_child() -> None:
    assert await NO_CHILD.export(FACTS, None) == rewritten_export(FACTS, None)


@pytest.mark.parametrize(("version", "container"), SAMPLES)
async def test_a_card_goes_in_and_comes_out_and_in_again(version: CardVersion, container: Container) -> None:
    file, children = SAMPLES[version, container], reader()
    fields = (await children.read(file)).mapping.fields
    imported = ImportedCard(file, fingerprint(fields))
    # As NanoGPT might hand them back.
    same = replace(fields, system_prompt=f"{fields.system_prompt}\n".replace("\n", "\r\n"), tags=fields.tags[::-1])
    assert (await children.export(ExportedCharacter(same, "id-1"), imported)).file == file
    edited = CardFields("Bea", "In {{short}}.", "At length.", "You are {{char}}.", "Hi {{user}}.", ("new_tag", "sea"))
    export = await children.export(ExportedCharacter(edited, "id-1"), imported)
    assert (export.rewritten, export.container) == (True, container)
    assert (await children.read(export.file)).mapping.fields == edited


@pytest.mark.parametrize("known", [fingerprint(replace(ADA, name="Bea")), None])
@pytest.mark.parametrize("container", Container)
async def test_a_changed_character_is_rewritten_in_a_child(container: Container, known: str | None) -> None:
    file = SAMPLES[CardVersion.V3, container]
    assert await reader().export(FACTS, ImportedCard(file, known)) == rewritten_export(FACTS, file)


async def test_an_original_that_cannot_be_read_is_a_fault() -> None:
    with pytest.raises(CardUnusable) as raised:
        await reader().export(FACTS, ImportedCard(png(), None))
    assert raised.value.fault.kind is FaultKind.PNG_WITHOUT_CARD


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["import os", "os.abort()"], FaultKind.READER_FAILED),
        (["sys.exit(3)"], FaultKind.READER_FAILED),
        (["pass"], FaultKind.READER_FAILED),
        (["sys.stdin.buffer.read()", "print('nonsense')"], FaultKind.READER_FAILED),
        (['print(\'{"failure": "x"}\')'], FaultKind.READER_FAILED),
        (["import os, signal", "os.kill(os.getpid(), signal.SIGKILL)"], FaultKind.TOO_MUCH_MEMORY),
        (["import os, signal", "os.kill(os.getpid(), signal.SIGXCPU)"], FaultKind.TOO_SLOW),
    ],
)
async def test_a_child_that_fails_is_a_fault(lines: list[str], kind: FaultKind) -> None:
    assert (await fault_of(reader(*lines))).kind is kind
    assert no_child_is_left()


async def test_a_child_that_gives_another_answer_than_asked_for_is_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    confused = reader(
        "from bot.services import card_child",
        "request = card_child.ReadRequest(card_child.decode_request(sys.stdin.buffer.read()).file)",
        "card_child.decode_request = lambda message: request",
        "sys.stdout.buffer.write(card_child.answer(b''))",
    )
    assert (await confused.read(FILE)).version is CardVersion.V2
    with pytest.raises(CardUnusable) as raised:
        await confused.export(FACTS, ImportedCard(FILE, None))
    assert "lighthouse" not in caplog.text
    assert "CardReading" in caplog.text
    assert raised.value.fault.kind is FaultKind.READER_FAILED


@pytest.mark.parametrize("lines", [["raise KeyError('secret')"], ["read_card_file = None", "print('secret')"]])
async def test_the_log_tells_nothing_of_a_file(lines: list[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await fault_of(reader(*lines))
    assert caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "shown",
    [ImportedCard(b"secret", None), ReadRequest(b"secret"), CardFields("Ada", "secret", "secret", "secret", "secret")],
)
def test_no_text_stands_in_a_repr(shown: object) -> None:
    assert "secret" not in repr(shown)


async def test_a_child_that_stalls_is_ended() -> None:
    assert (await fault_of(reader("import signal", "signal.pause()", wall_seconds=0.3))).kind is FaultKind.TOO_SLOW
    assert no_child_is_left()


async def test_a_child_that_does_not_listen_is_ended() -> None:
    stalled = reader("import signal", "signal.pause()", wall_seconds=0.3)
    assert (await fault_of(stalled, json_bytes({"name": "Ada", "x": "x" * 2_000_000}))).kind is FaultKind.TOO_SLOW
    assert no_child_is_left()


async def test_a_child_that_talks_without_end_is_ended_while_nobody_reads_it() -> None:
    talking = reader("while True: sys.stdout.write('x' * 1_000_000)")
    async with asyncio.timeout(UNHURRIED_SECONDS / 2):
        for _ in range(10):
            assert (await fault_of(talking)).kind is FaultKind.READER_FAILED
    assert no_child_is_left()


async def test_a_child_that_computes_for_too_long_ends_itself() -> None:
    busy = reader(
        "from bot.services import card_child",
        "card_child.CPU_SECONDS = 1",
        "card_child.limit_resources()",
        "while True: pass",
    )
    assert (await fault_of(busy)).kind is FaultKind.TOO_SLOW


async def test_a_child_cannot_take_more_memory_than_it_may() -> None:
    greedy = reader(
        "from bot.services import card_child",
        "card_child.read_card_file = lambda file: bytearray(card_child.MEMORY_BYTES * 11 // 10)",
        "card_child.main()",
    )
    assert MEMORY_BYTES == 100 * 1024 * 1024
    assert (await fault_of(greedy)).kind is FaultKind.TOO_MUCH_MEMORY


async def test_a_child_can_take_most_of_the_memory_that_it_may() -> None:
    modest = reader(
        "from bot.services import card_child",
        "read = card_child.read_card_file",
        "card_child.read_card_file = lambda file: bytearray(card_child.MEMORY_BYTES * 8 // 10) and read(file)",
        "card_child.main()",
    )
    assert (await modest.read(FILE)).version is CardVersion.V2


async def test_a_child_can_write_no_file(tmp_path: Path) -> None:
    writer = reader(
        "from bot.services import card_child",
        f"card_child.read_card_file = lambda file: open({str(tmp_path / 'file')!r}, 'wb', 0).write(file)",
        "import signal",
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)",
        "card_child.main()",
    )
    assert (await fault_of(writer)).kind is FaultKind.READER_FAILED
    assert (tmp_path / "file").read_bytes() == b""


def telling(expression: str) -> CardReader:
    """Return a reader whose child answers with the value of an expression, as the part of a fault."""
    return reader(
        "import json, os",
        f"told = {expression}",
        "print(json.dumps({'fault': 'not_a_card', 'part': json.dumps(told)}))",
    )


async def test_a_child_gets_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "fake-token")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nonexistent/lib")
    told = (await fault_of(telling("dict(os.environ)"))).part or ""
    # Python itself sets the locale where it finds none (PEP 538).
    assert {name: value for name, value in json.loads(told).items() if name != "LC_CTYPE"} == {
        "LD_LIBRARY_PATH": "/nonexistent/lib"
    }


async def test_a_child_loads_the_domain_and_the_standard_library_alone() -> None:
    told = (await fault_of(telling("list(sys.modules)"))).part or ""
    foreign = {name for name in json.loads(told) if name.split(".")[0] not in {*sys.stdlib_module_names, "__main__"}}
    beyond_domain = {name for name in foreign if not name.startswith("bot.domain")}
    assert beyond_domain == {"bot", "bot.services", "bot.services.card_child", "bot.services.card_messages"}
    assert "bot.domain.card_files.reading" in foreign


async def test_a_child_finds_no_installed_package() -> None:
    told = (await fault_of(telling("[path for path in sys.path if path.endswith('site-packages')]"))).part
    assert told == "[]"


async def test_who_stops_waiting_makes_room_for_others() -> None:
    one_at_a_time = reader(at_once=1)
    for _ in range(2):
        abandoned = asyncio.ensure_future(one_at_a_time.read(FILE))
        await asyncio.sleep(0)
        abandoned.cancel()
        await asyncio.wait([abandoned])
    assert (await one_at_a_time.read(FILE)).version is CardVersion.V2
    assert no_child_is_left()


async def test_files_beyond_those_at_once_wait_for_their_turn() -> None:
    busy = reader(at_once=1)
    readings = await asyncio.gather(*(busy.read(file) for file in list(SAMPLES.values())[:4]))
    assert [reading.mapping.fields.name for reading in readings] == ["Ada"] * 4


async def test_a_child_that_cannot_be_started_is_a_fault() -> None:
    assert (await fault_of(NO_CHILD)).kind is FaultKind.READER_FAILED


def test_an_unforeseen_failure_names_its_place_and_nothing_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(file: bytes) -> object:
        raise KeyError(file)

    monkeypatch.setattr("bot.services.card_child.read_card_file", broken)
    told = decode_answer(answer(encode_request(ReadRequest(json_bytes(V2)))))
    assert isinstance(told, ChildFailed)
    assert told.where.startswith("KeyError at test_card_reader.py:")


def test_a_garbled_request_is_a_failure() -> None:
    assert isinstance(decode_answer(answer(b"nonsense")), ChildFailed)


def test_too_little_memory_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(file: bytes) -> object:
        raise MemoryError(file)

    monkeypatch.setattr("bot.services.card_child.read_card_file", greedy)
    assert decode_answer(answer(encode_request(ReadRequest(b"{}")))) == CardFault(FaultKind.TOO_MUCH_MEMORY)
