"""The calls about accounts: what they hold, and how one is linked."""

from typing import Final

from bot.domain.accounts import Balance, LoginOutcome, LoginStart, Subscription
from bot.nanogpt.account_payloads import (
    read_balance,
    read_login_outcome,
    read_login_start,
    read_nano_price,
    read_subscription,
    refused_login_outcome,
)
from bot.nanogpt.errors import (
    ConflictError,
    Fault,
    InvalidRequestError,
    MalformedAnswerError,
    NotFoundError,
    NotPermittedError,
)
from bot.nanogpt.faults import Call
from bot.nanogpt.jsonvalue import Json, parse_json
from bot.nanogpt.requests import LONGEST_CLIENT_NAME, ApiKey
from bot.nanogpt.transport import Answer, Transport

_VERSION: Final = "/v1"


class AccountClient:
    """Asks about the account behind a key, and gets a key by device login."""

    def __init__(self, transport: Transport, *, base_url: str) -> None:
        """`base_url` goes up to and with `/v1`: these endpoints hang off what is before it."""
        self._transport = transport
        self._api = base_url.removesuffix(_VERSION)

    async def balance(self, *, key: ApiKey) -> Balance:
        """Tell what the account holds, which also tells whether the key is good: nothing is used up by it.

        Raises BadKeyError for every refusal that has no other reason (docs, check-balance, documents 400; clients
        have seen 401). It is a POST that only reads, so it is retried as a GET is.
        """
        ask = self._transport.lookup("POST", f"{self._api}/check-balance", key, call=Call.KEY_CHECK)
        return await self._transport.fetch(ask, read_balance)

    async def subscription(self, *, key: ApiKey) -> Subscription:
        """Tell whether the account has a subscription; upstream's answer is up to a minute old."""
        ask = self._transport.lookup("GET", f"{self._api}/subscription/v1/usage", key)
        return await self._transport.fetch(ask, read_subscription)

    async def nano_price(self) -> float:
        """Tell how many US dollars one Nano is worth."""
        ask = self._transport.lookup("GET", f"{self._api}/get-nano-price", None)
        return await self._transport.fetch(ask, read_nano_price)

    async def start_login(self, client_name: str) -> LoginStart:
        """Begin a device login (docs, CLI login): ten a minute may be begun from one address.

        The key will be listed under `client_name`, and another login under that name gets the same key. Sent once.
        Raises ValueError when the name is longer than LONGEST_CLIENT_NAME.
        """
        if len(client_name) > LONGEST_CLIENT_NAME:
            raise ValueError(f"a client name has at most {LONGEST_CLIENT_NAME} characters")
        ask = self._transport.lookup(
            "POST", f"{self._api}/cli-login/start", None, call=Call.LOGIN, body={"client_name": client_name}
        )
        answer = await self._transport.answer(ask)
        try:
            return read_login_start(parse_json(answer.body), site=self._api)
        except ValueError:
            failure = _unreadable(answer)
        raise failure

    async def poll_login(self, device_code: str) -> LoginOutcome:
        """Ask once how a device login stands; sixty times a minute may be asked from one address, logins together.

        A lost answer may have carried the key, which comes only once: then the next outcome is LoginConsumed. So
        this is never retried here.
        """
        ask = self._transport.lookup(
            "POST",
            f"{self._api}/cli-login/poll",
            None,
            call=Call.LOGIN,
            body={"device_code": device_code},
            secret=device_code,
        )
        try:
            answer = await self._transport.answer(ask)
        except (ConflictError, InvalidRequestError, NotFoundError, NotPermittedError) as refusal:
            outcome = refused_login_outcome(refusal.fault)
            if outcome is None:
                raise
            return outcome
        try:
            return read_login_outcome(answer.status, _body_of(answer))
        except ValueError:
            failure = _unreadable(answer)
        raise failure


def _body_of(answer: Answer) -> Json:
    """Read a body that may be empty or no JSON, where the status has said enough."""
    try:
        return parse_json(answer.body)
    except ValueError:
        return None


def _unreadable(answer: Answer) -> MalformedAnswerError:
    return MalformedAnswerError(Fault(status=answer.status, request_id=answer.request_id))
