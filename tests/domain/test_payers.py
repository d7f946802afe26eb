import pytest

from bot.domain.ids import GuildId, PayerId, UserId
from bot.domain.payers import (
    OPERATOR,
    PayerKind,
    member_payer,
    payer_kind,
    paying_member,
    paying_server,
    server_payer,
)


def test_a_payer_tells_whose_money_it_is() -> None:
    assert (payer_kind(OPERATOR), paying_member(OPERATOR), paying_server(OPERATOR)) == (PayerKind.OPERATOR, None, None)
    server = server_payer(GuildId(200))
    assert (payer_kind(server), paying_member(server), paying_server(server)) == (PayerKind.SERVER, None, 200)
    member = member_payer(UserId(400))
    assert (payer_kind(member), paying_member(member), paying_server(member)) == (PayerKind.MEMBER, 400, None)


@pytest.mark.parametrize("word", ["", "member:", "member:x", "member:-1", "member:٣", "members:1", "server"])
def test_a_word_that_names_nobody_is_nobodys_money_but_the_operators(word: str) -> None:
    assert paying_member(PayerId(word)) is None
    assert paying_server(PayerId(word)) is None
    assert payer_kind(PayerId(word)) is PayerKind.OPERATOR
