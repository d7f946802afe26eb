"""Whatever JSON arrives, it is read or refused with a ValueError, which the client turns into an error of its own."""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Final, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nanogpt.account_payloads import (
    read_balance,
    read_language_models,
    read_login_outcome,
    read_login_start,
    read_nano_price,
    read_subscription,
)
from bot.nanogpt.jsonvalue import Json, whole_text
from bot.nanogpt.payloads import read_own_character, read_own_page, read_written_character
from tests.nanogpt.account_fixtures import (
    APPROVED,
    ARCHIVED,
    BALANCE,
    DOCUMENTED_USAGE,
    LOGIN,
    MODELS,
    NANO_PRICE,
    OWN,
    REJECTED,
    SEEN_USAGE,
)
from tests.nanogpt.fixtures import SITE

READERS: Final[tuple[Callable[[Json], object], ...]] = (
    read_balance,
    read_language_models,
    read_nano_price,
    read_subscription,
    lambda body: read_login_outcome(200, body),
    lambda body: read_login_start(body, site=SITE),
    lambda body: read_own_character(body, site=SITE),
    lambda body: read_own_page(body, site=SITE, asked_cursor=None),
    lambda body: read_written_character(body, site=SITE),
)
BODIES: Final[tuple[dict[str, Json], ...]] = (
    *(APPROVED, ARCHIVED, BALANCE, DOCUMENTED_USAGE, LOGIN, MODELS, NANO_PRICE, OWN, REJECTED, SEEN_USAGE),
)
ODD: Final[tuple[Json, ...]] = (
    *(None, True, False, 0, -1, 7, 1.5, 10**400, 1e308, math.nan, math.inf),
    *("", " ", "a", "\ud83d", "a\udc09", "\0", "9" * 400, "1e999", "nan", "0001-01-01T00:00:00+23:59"),
    *("//[", "http://[", "/\\", "https://a:b/", "https://\ud83d/", "javascript:x"),
    *([], {}, [None], [[]], [{}], {"": None}, {"id": "\ud83d"}, {"url": "https://[/"}),
)
SCALARS: Final = st.one_of(st.sampled_from(ODD), st.integers(), st.floats(), st.text())
VALUES: Final = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)


@st.composite
def bodies(draw: st.DrawFn) -> Json:
    """Draw a body that upstream might send, with some of its members replaced by anything at all."""
    body = draw(st.sampled_from(BODIES))
    names = draw(st.lists(st.sampled_from(sorted(body)), unique=True))
    spoilt = body | {name: cast("Json", draw(VALUES)) for name in names}
    return draw(st.sampled_from([spoilt, [spoilt], {"data": spoilt}, {"data": [spoilt]}, {"character": spoilt}]))


def texts(found: object) -> Iterator[str]:
    """Yield every text in what a reader made."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, tuple):
        for item in cast("tuple[object, ...]", found):
            yield from texts(item)
    elif is_dataclass(found):
        for each in fields(found):
            yield from texts(getattr(found, each.name))


def check(body: Json) -> None:
    for read in READERS:
        with suppress(ValueError):
            for text in texts(read(body)):
                assert whole_text(text) == text


@pytest.mark.parametrize("body", BODIES)
def test_any_one_member_may_be_odd(body: dict[str, Json]) -> None:
    for name in body:
        for value in ODD:
            check({**body, name: value})
            check({"data": [{**body, name: value}]})


@settings(max_examples=400)
@given(body=bodies())
def test_whatever_arrives_is_read_or_refused_and_what_was_read_can_be_stored(body: Json) -> None:
    check(body)
