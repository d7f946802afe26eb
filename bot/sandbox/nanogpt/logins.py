"""Device logins: a program asks for a code, a person approves it on the website, the program gets a key once.

The rules and figures are those of NanoGPT's page on CLI login.
"""

import math
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.sandbox.nanogpt.accounts import Accounts
from bot.sandbox.nanogpt.queries import bad_body
from bot.sandbox.nanogpt.recording import Record, RecordedCall
from bot.sandbox.nanogpt.wire import Answer, RefusedError

PAGE_PATH: Final = "/cli-login/verify"
LIFETIME_SECONDS: Final = 600
INTERVAL_SECONDS: Final = 2
STARTS_PER_MINUTE: Final = 10
POLLS_PER_MINUTE: Final = 60
_MINUTE_SECONDS: Final = 60
_SECRET_BYTES: Final = 16
_LONGEST_CLIENT_NAME: Final = 64
_DEFAULT_CLIENT_NAME: Final = "CLI"


@dataclass(slots=True, kw_only=True, eq=False)
class Login:
    """A login that was begun."""

    device_code: str
    user_code: str
    client_name: str
    expires_at: float
    """Unix seconds."""
    account: str | None = None
    """Who has approved it."""
    delivered: bool = False


class Logins:
    """Answers the device logins, and is where they are approved."""

    def __init__(
        self, accounts: Accounts, record: Record, *, now: Callable[[], float], site: Callable[[], str]
    ) -> None:
        """`now` is Unix seconds; `site` is the website's address."""
        self._accounts = accounts
        self._record = record
        self._now = now
        self._site = site
        self._logins: list[Login] = []
        self._starts = _Limit(STARTS_PER_MINUTE)
        self._polls = _Limit(POLLS_PER_MINUTE)

    @property
    def pending(self) -> tuple[Login, ...]:
        """The logins that may still be approved, oldest first."""
        return tuple(login for login in self._logins if login.account is None and not self._expired(login))

    def approve(self, user_code: str, account_id: str) -> None:
        """Approve a login as the person on the website would, signed in to an account.

        Raises KeyError for an unknown code or account, ValueError for a login that is over.
        """
        login = self.of_user_code(user_code)
        if login not in self.pending:
            raise ValueError(f"The login {login.user_code} is over.")
        login.account = self._accounts.get(account_id).id
        self._record.changes.notify()

    def of_user_code(self, user_code: str) -> Login:
        """Return a login by the code that a person sees; raises KeyError for an unknown one."""
        wanted = user_code.strip().upper()
        for login in self._logins:
            if login.user_code == wanted:
                return login
        raise KeyError(user_code)

    def start(self, call: RecordedCall) -> Answer:
        """POST /api/cli-login/start: ten a minute."""
        self._starts.count(self._now())
        name = call.fields.get("client_name", _DEFAULT_CLIENT_NAME)
        if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_CLIENT_NAME:
            raise bad_body("client_name", f"must be a text of at most {_LONGEST_CLIENT_NAME} characters")
        number = len(self._logins) + 1
        login = Login(
            device_code=f"fake-device-code-{number:04}-{secrets.token_hex(_SECRET_BYTES)}",
            user_code=f"FAKE-{number:04}",
            client_name=name,
            expires_at=self._now() + LIFETIME_SECONDS,
        )
        self._logins.append(login)
        page = f"{self._site()}{PAGE_PATH}"
        return Answer.of(
            200,
            {
                "device_code": login.device_code,
                "user_code": login.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?code={login.user_code}",
                "expires_in": LIFETIME_SECONDS,
                "interval": INTERVAL_SECONDS,
            },
        )

    def poll(self, call: RecordedCall) -> Answer:
        """POST /api/cli-login/poll: sixty a minute; the key is told once, and a denial is told never."""
        self._polls.count(self._now())
        code = call.fields.get("device_code")
        login = next((login for login in self._logins if login.device_code == code), None)
        if login is None:
            return Answer.of(404, {"error": "invalid_code"})
        if login.delivered:
            return Answer.of(409, {"status": "consumed"})
        if self._expired(login):
            return Answer.of(410, {"status": "expired"})
        if login.account is None:
            return Answer.of(202, {"status": "authorization_pending"})
        login.delivered = True
        key = self._accounts.key_for_client(login.account, login.client_name)
        return Answer.of(200, {"status": "approved", "key": key})

    def _expired(self, login: Login) -> bool:
        return self._now() >= login.expires_at


class _Limit:
    """So many requests within a minute. All come from this machine, so there is one count."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._taken: deque[float] = deque()

    def count(self, now: float) -> None:
        """Count a request; raises RefusedError (429) for one too many, which does not count."""
        while self._taken and self._taken[0] <= now - _MINUTE_SECONDS:
            self._taken.popleft()
        if len(self._taken) >= self._per_minute:
            wait = self._taken[0] + _MINUTE_SECONDS - now
            body = {
                "error": {"message": "Too many requests", "type": "rate_limit_error", "code": "rate_limit_exceeded"}
            }
            raise RefusedError(Answer.of(429, body, {"Retry-After": str(math.ceil(wait))}))
        self._taken.append(now)
