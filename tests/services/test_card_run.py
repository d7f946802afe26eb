import asyncio
import sys

import pytest

from bot.domain.card_files.faults import FaultKind
from tests.services.card_run import (
    MOST_BYTES,
    MOST_SECONDS,
    READ,
    BrokenRun,
    Findings,
    files_of,
    most_memory,
    play_here,
    play_in_children,
    play_within,
)
from tests.support.card_mutations import mutation
from tests.support.card_samples import SAMPLES

SEED = 20_26
CASES = 1_000
CASES_FOR_MEMORY = 100
CASES_IN_CHILDREN = 40
UNHURRIED_SECONDS = 30.0
"""The machine of a test may be busy. A child that computes for more than two seconds ends itself in any case."""


@pytest.fixture(scope="module")
def thousand() -> Findings:
    """Play the run; where that can be told, in no more memory than there may be."""
    if sys.platform == "linux":
        return asyncio.run(play_within(SEED, range(CASES), MOST_BYTES))
    return asyncio.run(play_here(files_of(SEED, range(CASES))))


def test_a_thousand_files_gone_wrong_are_read_or_refused_with_a_sentence(thousand: Findings) -> None:
    assert thousand.problems == []
    assert thousand.cases == CASES
    assert max(thousand.cpu_seconds) < MOST_SECONDS
    # The dice reach most of what can be wrong, and leave enough right.
    assert len(thousand.ends.keys() & {kind.value for kind in FaultKind}) > 22
    assert thousand.ends[READ] > CASES / 10


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells and limits the memory of a process")
def test_none_of_the_thousand_asks_for_more_memory_than_there_may_be(thousand: Findings) -> None:
    assert thousand.cases == CASES, "the process that may take no more has come to the last file"


def test_none_takes_much_memory() -> None:
    assert most_memory(SEED, range(CASES, CASES + CASES_FOR_MEMORY)) < MOST_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells and limits the memory of a process")
async def test_a_limit_of_memory_that_is_too_low_is_noticed() -> None:
    with pytest.raises(BrokenRun):
        await play_within(SEED, range(CASES_FOR_MEMORY), MOST_BYTES // 100)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells and limits the memory of a process")
async def test_none_troubles_the_process_that_reads_it() -> None:
    numbers = range(2 * CASES, 2 * CASES + CASES_IN_CHILDREN)
    found = await play_in_children(SEED, numbers, wall_seconds=UNHURRIED_SECONDS)
    assert found.problems == []
    assert found.cases == CASES_IN_CHILDREN
    assert max(found.cpu_seconds) < MOST_SECONDS
    # The smallest has little more in memory than the interpreter and the code.
    assert len(found.peaks) >= CASES_IN_CHILDREN / 2
    assert max(found.peaks) - min(found.peaks) < MOST_BYTES


def test_a_number_names_a_file() -> None:
    assert mutation(SEED, 1) == mutation(SEED, 1)
    assert len({mutation(SEED, number) for number in range(20)} - set(SAMPLES.values())) > 15
