from email.utils import formatdate

import httpx
import pytest

from bot.nanogpt.errors import UnreachableError
from tests.nanogpt.fixtures import CATALOGUE_PAGE
from tests.nanogpt.support import NOON, Upstream, answer


@pytest.mark.parametrize(("theirs", "ahead"), [(NOON, -0.5), (NOON - 60, 59.5), (NOON + 3_600, -3_600.5)])
async def test_the_clock_is_compared_with_the_date_of_an_answer(theirs: float, ahead: float) -> None:
    upstream = Upstream([answer(CATALOGUE_PAGE, date=formatdate(theirs, usegmt=True))])
    assert await upstream.client().clock_offset() == pytest.approx(ahead)
    assert "Authorization" not in upstream.requests[0].headers


async def test_an_answer_out_of_a_cache_is_as_old_as_it_says() -> None:
    upstream = Upstream([answer(CATALOGUE_PAGE, date=formatdate(NOON - 300, usegmt=True), age="300")])
    assert await upstream.client().clock_offset() == pytest.approx(-0.5)


@pytest.mark.parametrize("date", [{}, {"date": "yesterday"}])
async def test_without_a_date_nothing_can_be_said(date: dict[str, str]) -> None:
    assert await Upstream([answer(CATALOGUE_PAGE, 200, **date)]).client().clock_offset() is None


async def test_no_answer_is_an_error() -> None:
    with pytest.raises(UnreachableError):
        await Upstream([httpx.ConnectError("scripted")]).client().clock_offset()
