"""Which callers a stand-in answers."""

import pytest

from bot.sandbox.callers import is_own_form, is_program

PORT = 8642


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "localhost:8642"])
def test_a_program_of_this_machine_is_answered(host: str) -> None:
    assert is_program(host, None, PORT)
    assert is_own_form(host, None, PORT)
    assert is_own_form(host, f"http://{host}", PORT)


@pytest.mark.parametrize("host", [None, "", "127.0.0.1", "127.0.0.1:1", "evil.example:8642", "127.0.0.1:8642.evil"])
def test_another_name_is_not(host: str | None) -> None:
    assert not is_program(host, None, PORT)
    assert not is_own_form(host, f"http://{host}", PORT)


@pytest.mark.parametrize(
    "origin", ["", "null", "http://evil.example", "https://127.0.0.1:8642", "http://localhost:8642"]
)
def test_a_page_of_another_origin_is_not(origin: str) -> None:
    assert not is_program("127.0.0.1:8642", origin, PORT)
    assert not is_own_form("127.0.0.1:8642", origin, PORT)


def test_a_page_of_ones_own_is_answered_as_a_form_alone() -> None:
    assert not is_program("127.0.0.1:8642", "http://127.0.0.1:8642", PORT)
