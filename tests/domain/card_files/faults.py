"""One line for "this file is refused, and for this reason"."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from bot.domain.card_files.faults import CardFault, CardUnusable, FaultKind


@contextmanager
def refused(kind: FaultKind) -> Generator[list[CardFault]]:
    """Expect a refusal, and give its fault for a closer look after the block."""
    faults: list[CardFault] = []
    with pytest.raises(CardUnusable) as raised:
        yield faults
    faults.append(raised.value.fault)
    assert raised.value.fault.kind is kind
