"""The website's page of approval. It says what it is: whoever opens it may be any of the made-up accounts."""

import base64
import hashlib
from html import escape
from typing import Final

from bot.sandbox.nanogpt.accounts import Account, Accounts
from bot.sandbox.nanogpt.logins import Login, Logins
from bot.sandbox.nanogpt.recording import RecordedCall
from bot.sandbox.nanogpt.wire import HTML_TYPE, Answer

_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.45 system-ui, "Noto Sans", sans-serif;
  --card: light-dark(#fff, #22262b); --line: light-dark(#d6dbe1, #3b424b); --muted: light-dark(#565f6b, #a8b1bd);
  --go: light-dark(#0b6b57, #157a64); background: light-dark(#eef1f4, #15181c); color: light-dark(#1b2026, #e4e8ed); }
* { box-sizing: border-box; }
body { margin: 0; }
header { padding: 10px 16px; background: light-dark(#ffe9b8, #4a3a12); color: light-dark(#4b3500, #ffe2a0);
  font-size: 14px; text-align: center; }
main { max-width: 460px; margin: 32px auto; padding: 0 12px; }
article { padding: 24px; border: 1px solid var(--line); border-radius: 14px; background: var(--card); }
h1 { margin: 0 0 12px; font-size: 22px; line-height: 1.25; }
p { margin: 0 0 12px; }
.code { padding: 10px; border: 1px dashed var(--line); border-radius: 10px; font: 600 26px/1.2 ui-monospace, monospace;
  letter-spacing: 0.08em; text-align: center; }
.small { color: var(--muted); font-size: 14px; }
fieldset { margin: 0 0 18px; padding: 0; border: 0; }
legend { margin-bottom: 8px; padding: 0; font-weight: 600; }
label { display: flex; align-items: center; gap: 12px; min-height: 48px; padding: 6px 12px;
  border: 1px solid var(--line); border-top-width: 0; cursor: pointer; }
legend + label { border-top-width: 1px; border-radius: 10px 10px 0 0; }
label:last-child { border-radius: 0 0 10px 10px; }
label:has(:checked) { background: light-dark(#e6f4f0, #1b332e); }
label span { min-width: 0; overflow-wrap: anywhere; }
label .small { display: block; }
input { flex: none; width: 20px; height: 20px; margin: 0; accent-color: var(--go); }
button { width: 100%; min-height: 46px; border: 0; border-radius: 10px; background: var(--go); color: #fff;
  font: inherit; font-weight: 600; cursor: pointer; }
:focus-visible { outline: 2px solid light-dark(#0a63c9, #4fb0fb); outline-offset: 2px; }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    # With "no-referrer", a browser would not tell the form's own origin either.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_WHAT_THIS_IS: Final = (
    "A stand-in for NanoGPT's website, on this machine. The accounts are made up, and nothing here reaches NanoGPT."
)


class LoginPage:
    """Shows a login to a person and takes the approval."""

    def __init__(self, logins: Logins, accounts: Accounts, *, closed: frozenset[str] = frozenset()) -> None:
        """Take the accounts, and the ids of those among them that approve nothing."""
        self._logins = logins
        self._accounts = accounts
        self._closed = closed

    def show(self, call: RecordedCall) -> Answer:
        """GET /cli-login/verify?code=…."""
        login = self._find(next(iter(call.query.get("code", ())), ""))
        if login is None:
            return _over(404, "Unknown code", "Nobody has begun a login with this code.")
        if login.account is not None:
            account = escape(login.account)
            return _over(410, "Used already", f"<b>{account}</b> has approved this code; each works once.")
        if login not in self._logins.pending:
            return _over(410, "Too old", "This code was not approved in time.")
        return _page(
            200,
            "Approve a key?",
            f"<p><b>{escape(login.client_name)}</b> asks for an API key. It can spend an account's whole balance.</p>"
            f'<p class="code">{escape(login.user_code)}</p>'
            '<p class="small">Approve only if Discord shows you this very code, and you have asked for it.</p>'
            '<form method="post">'
            f'<input type="hidden" name="code" value="{escape(login.user_code)}">'
            f"<fieldset><legend>Which account approves?</legend>{''.join(map(self._choice, self._open))}</fieldset>"
            "<button>Approve</button></form>",
        )

    def approve(self, call: RecordedCall) -> Answer:
        """POST /cli-login/verify, from the form."""
        code, account = str(call.fields.get("code")), str(call.fields.get("account"))
        try:
            if account in self._closed:
                raise KeyError(account)
            self._logins.approve(code, account)
        except (KeyError, ValueError):
            return _over(400, "Not approved", "This code or account is unknown, or the code is used or too old.")
        client = escape(self._logins.of_user_code(code).client_name)
        return _page(
            200,
            "Approved",
            f"<p><b>{client}</b> gets a key to <b>{escape(account)}</b>, once.</p>"
            "<p>You may close this page and go back to Discord; the bot tells you there.</p>",
        )

    @property
    def _open(self) -> list[Account]:
        return [account for account in self._accounts if account.id not in self._closed]

    def _choice(self, account: Account) -> str:
        held = f"${account.usd:.2f}"
        if account.nano:
            held += f" and {account.nano:g} Nano"
        if account.subscribed:
            held += ", with a subscription"
        if not self._accounts.may_review(account):
            held += ", too little to review"
        name = escape(account.id)
        return (
            f'<label><input type="radio" name="account" value="{name}" required>'
            f'<span>{name}<span class="small">{held}</span></span></label>'
        )

    def _find(self, code: str) -> Login | None:
        try:
            return self._logins.of_user_code(code)
        except KeyError:
            return None


def _over(status: int, title: str, sentence: str) -> Answer:
    return _page(status, title, f"<p>{sentence}</p><p>In Discord, <b>/account link</b> begins another one.</p>")


def _page(status: int, title: str, body: str) -> Answer:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · NanoGPT stand-in</title><style>{_STYLE}</style></head>"
        f"<body><header>{_WHAT_THIS_IS}</header><main><article><h1>{title}</h1>{body}</article></main></body></html>"
    )
    return Answer(status, text.encode(), HTML_TYPE, _HEADERS)
