"""Who may talk to the page's server."""

from functools import partial

import pytest

from bot.sandbox.page.guard import HEADERS, Guard, Verdict

GUARD = Guard(8642, "the-token")
HOST = "127.0.0.1:8642"


@pytest.mark.parametrize("host", [HOST, "localhost:8642"])
@pytest.mark.parametrize("path", ["/the-token/", "/the-token/static/app.js", "/the-token/files/12", "/the-token"])
def test_the_page_itself_is_welcome(host: str, path: str) -> None:
    assert GUARD.judge(path, host=host, origin=None, is_socket=False) is Verdict.WELCOME
    assert GUARD.judge(path, host=host, origin=f"http://{host}", is_socket=True) is Verdict.WELCOME


@pytest.mark.parametrize(
    "host",
    [None, "", "127.0.0.1", "127.0.0.1:8643", "evil.example", "evil.example:8642", "127.0.0.1:8642.evil.example"],
)
def test_a_name_that_leads_here_from_outside_is_refused(host: str | None) -> None:
    assert GUARD.judge("/the-token/", host=host, origin=None, is_socket=False) is Verdict.WRONG_HOST


@pytest.mark.parametrize("is_socket", [False, True])
@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://evil.example", "https://127.0.0.1:8642", "http://127.0.0.1", "http://127.0.0.1:1", f"{HOST}"],
)
def test_a_page_of_another_origin_is_refused(origin: str, *, is_socket: bool) -> None:
    assert GUARD.judge("/the-token/socket", host=HOST, origin=origin, is_socket=is_socket) is Verdict.WRONG_ORIGIN


def test_the_two_names_of_this_machine_are_two_origins() -> None:
    verdict = GUARD.judge("/the-token/socket", host=HOST, origin="http://localhost:8642", is_socket=True)
    assert verdict is Verdict.WRONG_ORIGIN


def test_whoever_sends_something_has_to_tell_the_origin() -> None:
    judge = partial(GUARD.judge, "/the-token/files/", host=HOST, is_socket=False, sends=True)
    assert judge(origin=None) is Verdict.WRONG_ORIGIN
    assert judge(origin=f"http://{HOST}") is Verdict.WELCOME


def test_a_socket_has_to_tell_its_origin() -> None:
    assert GUARD.judge("/the-token/socket", host=HOST, origin=None, is_socket=True) is Verdict.WRONG_ORIGIN


@pytest.mark.parametrize("path", ["/", "", "/index.html", "/the-toke/", "/the-tokens/", "/x/the-token/", "/thé-token/"])
def test_a_guessed_address_leads_nowhere(path: str) -> None:
    assert GUARD.judge(path, host=HOST, origin=None, is_socket=False) is Verdict.WRONG_ADDRESS


def test_nothing_may_be_loaded_from_elsewhere() -> None:
    policy = HEADERS["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'self'"
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert {"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} <= set(policy)
