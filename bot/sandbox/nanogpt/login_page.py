"""The website's page of approval, as plain as can be: whoever opens it may be any account."""

from html import escape
from typing import Final

from bot.sandbox.nanogpt.accounts import Accounts
from bot.sandbox.nanogpt.logins import Login, Logins
from bot.sandbox.nanogpt.recording import RecordedCall
from bot.sandbox.nanogpt.wire import HTML_TYPE, Answer

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class LoginPage:
    """Shows a login to a person and takes the approval."""

    def __init__(self, logins: Logins, accounts: Accounts) -> None:
        self._logins = logins
        self._accounts = accounts

    def show(self, call: RecordedCall) -> Answer:
        """GET /cli-login/verify?code=…."""
        login = self._find(next(iter(call.query.get("code", ())), ""))
        if login is None or login not in self._logins.pending:
            return _page(404 if login is None else 410, "<p>This code is unknown, used or too old.</p>")
        options = "".join(f"<option>{escape(account.id)}</option>" for account in self._accounts)
        return _page(
            200,
            f"<p><b>{escape(login.client_name)}</b> asks for a key to your account.</p>"
            f"<p>Code: <code>{escape(login.user_code)}</code></p>"
            '<form method="post">'
            f'<input type="hidden" name="code" value="{escape(login.user_code)}">'
            f'<label>Signed in as <select name="account">{options}</select></label> '
            "<button>Approve</button></form>",
        )

    def approve(self, call: RecordedCall) -> Answer:
        """POST /cli-login/verify, from the form."""
        code, account = call.fields.get("code"), call.fields.get("account")
        try:
            self._logins.approve(str(code), str(account))
        except (KeyError, ValueError):
            return _page(400, "<p>This code or account is unknown, or the code is used or too old.</p>")
        return _page(200, "<p>Approved. You may close this page.</p>")

    def _find(self, code: str) -> Login | None:
        try:
            return self._logins.of_user_code(code)
        except KeyError:
            return None


def _page(status: int, body: str) -> Answer:
    text = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Approve</title><body>{body}</body></html>'
    return Answer(status, text.encode(), HTML_TYPE, _HEADERS)
