"""The website's host: every route but the replies, each handed to who answers it."""

from collections.abc import Callable
from typing import Final

from bot.sandbox.nanogpt.account_answers import AccountAnswers
from bot.sandbox.nanogpt.accounts import OPERATOR, Account
from bot.sandbox.nanogpt.authoring import Authoring
from bot.sandbox.nanogpt.catalog import Catalog
from bot.sandbox.nanogpt.characters import Characters
from bot.sandbox.nanogpt.faults import Route
from bot.sandbox.nanogpt.login_page import LoginPage
from bot.sandbox.nanogpt.logins import Logins
from bot.sandbox.nanogpt.recording import Record, RecordedCall
from bot.sandbox.nanogpt.reviewing import Reviews
from bot.sandbox.nanogpt.shapes import Shapes
from bot.sandbox.nanogpt.variants import Variants
from bot.sandbox.nanogpt.wire import Answer, refusal

KEYLESS: Final = frozenset(
    {
        Route.LANGUAGE_MODELS,
        Route.NANO_PRICE,
        Route.LOGIN_START,
        Route.LOGIN_POLL,
        Route.LOGIN_PAGE,
        Route.LOGIN_APPROVAL,
    }
)
"""Routes that no key opens, and that no bad key closes either (docs, models: a bad key still gets the list)."""
ANONYMOUS: Final = frozenset({Route.LIST, Route.MODELS, Route.CHARACTER})
"""Routes that are answered without a key, but not with a bad one."""


class Website:
    """Answers everything but the replies."""

    def __init__(
        self,
        catalog: Catalog,
        record: Record,
        variants: Variants,
        *,
        now: Callable[[], float],
        site: Callable[[], str],
        foreign: bool = False,
    ) -> None:
        """`now` is Unix seconds; `site` is the website's address.

        With `foreign`, characters that are not known here are some other catalogue's, and taken as they are named.
        """
        shapes = Shapes(variants)
        self.logins = Logins(catalog.accounts, record, now=now, site=site)
        self._login_page = LoginPage(
            # The operator's key stands for a real one there.
            self.logins,
            catalog.accounts,
            closed=frozenset({OPERATOR}) if foreign else frozenset(),
        )
        self._characters = Characters(catalog, record, variants, shapes, foreign=foreign)
        self._authoring = Authoring(catalog, record, variants, shapes, now=now)
        self._reviews = Reviews(catalog, self._characters, record, variants)
        self._accounts = AccountAnswers(catalog.accounts, record, variants, now=now)

    def answer(self, route: Route, call: RecordedCall, account: Account | None) -> Answer:
        """Answer a request; raises RefusedError."""
        match route:
            case Route.LIST:
                return self._characters.list_page(call)
            case Route.MODELS:
                return self._characters.models(call)
            case Route.CHARACTER:
                return self._characters.read(call.target, account)
            case Route.LANGUAGE_MODELS:
                return self._accounts.models(call)
            case Route.NANO_PRICE:
                return self._accounts.nano_price()
            case Route.LOGIN_START:
                return self.logins.start(call)
            case Route.LOGIN_POLL:
                return self.logins.poll(call)
            case Route.LOGIN_PAGE:
                return self._login_page.show(call)
            case Route.LOGIN_APPROVAL:
                return self._login_page.approve(call)
            case _:
                return self._answer_signed_in(route, call, signed_in(account))

    def _answer_signed_in(self, route: Route, call: RecordedCall, account: Account) -> Answer:
        match route:
            case Route.CREATE:
                return self._authoring.create(call, account)
            case Route.MINE:
                return self._authoring.mine(call, account)
            case Route.CHANGE:
                return self._authoring.change(call.target, call, account)
            case Route.ARCHIVE:
                return self._authoring.archive(call.target, account)
            case Route.REVIEW:
                return self._reviews.put(call.target, call, account)
            case Route.REPORT:
                return self._characters.report(call.target, call, account)
            case Route.BALANCE:
                return self._accounts.balance(account)
            case _:
                return self._accounts.usage(account)


def signed_in(account: Account | None) -> Account:
    """Return the account of a key; raises RefusedError (401) where there was none."""
    if account is None:
        raise refusal(401, "API key required", kind="authentication_error", code="missing_api_key")
    return account
