"""Who pays: named by a PayerId, which is stored with what it pays for and never holds a key."""

from enum import Enum
from typing import Final

from bot.domain.ids import GuildId, PayerId, UserId

OPERATOR: Final = PayerId("operator")
"""Whoever runs the bot."""
_SERVER: Final = "server:"
_MEMBER: Final = "member:"


class PayerKind(Enum):
    """Whose money it is."""

    OPERATOR = "operator"
    SERVER = "server"
    MEMBER = "member"


def server_payer(guild_id: GuildId) -> PayerId:
    """Name the key that a server has added for itself."""
    return PayerId(f"{_SERVER}{guild_id}")


def member_payer(user_id: UserId) -> PayerId:
    """Name the key of a member's own NanoGPT account."""
    return PayerId(f"{_MEMBER}{user_id}")


def payer_kind(payer: PayerId) -> PayerKind:
    """Tell whose money a payer's is."""
    if paying_member(payer) is not None:
        return PayerKind.MEMBER
    return PayerKind.OPERATOR if paying_server(payer) is None else PayerKind.SERVER


def paying_member(payer: PayerId) -> UserId | None:
    """Return the member who pays, or None when it is no member."""
    number = _number(payer, _MEMBER)
    return None if number is None else UserId(number)


def paying_server(payer: PayerId) -> GuildId | None:
    """Return the server that pays, or None when it is no server."""
    number = _number(payer, _SERVER)
    return None if number is None else GuildId(number)


def _number(payer: PayerId, prefix: str) -> int | None:
    digits = payer.removeprefix(prefix)
    return int(digits) if digits != payer and digits.isascii() and digits.isdecimal() else None
