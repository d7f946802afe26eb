from dataclasses import replace

import pytest

from bot.domain.authorship import (
    ANOTHER_BOT,
    ANOTHER_WEBHOOK,
    OWN_NOTICE,
    Spoken,
    by_another,
    by_character,
)
from bot.domain.characters import Character
from bot.domain.ids import CharacterId, UserId
from bot.domain.messages import Author
from bot.domain.payers import OPERATOR, member_payer
from bot.domain.turns import TurnKind

ADA = Character(CharacterId("ada-id"), "Ada", slug="ada", base_model="a/model")
REPLY = Spoken(ADA, TurnKind.REPLY, OPERATOR, None, UserId(400))


def test_a_reply_tells_the_character_the_model_who_brought_it_and_who_pays() -> None:
    text = by_character(REPLY)
    for words in ("**Ada**", "`ada`", "an AI wrote it", "`a/model`", "<@400> brought it", "by the bot's operator"):
        assert words in text


def test_a_greeting_says_that_it_is_one() -> None:
    assert "introduces itself" in by_character(replace(REPLY, kind=TurnKind.GREETING))
    assert "introduces itself" not in by_character(REPLY)


def test_a_private_character_has_no_address_and_names_who_pays() -> None:
    text = by_character(replace(REPLY, payer=member_payer(UserId(401)), daily_turns=50))
    assert "`ada`" not in text
    assert "a private character on NanoGPT" in text
    assert "<@401>'s own character" in text
    assert "at most 50 a day" in text


def test_what_may_not_be_shown_has_no_name() -> None:
    text = by_character(replace(REPLY, character=None))
    assert "Ada" not in text
    assert "an AI wrote it" in text


def test_one_that_has_left_is_said_to_have() -> None:
    assert "has left this channel" in by_character(replace(REPLY, brought_by=None))


def test_words_of_the_catalogue_cannot_leave_their_code_spans() -> None:
    strange = replace(ADA, slug="a`b*c", base_model="x`y")
    text = by_character(replace(REPLY, character=strange))
    assert "`a'b*c`" in text
    assert "`x'y`" in text


@pytest.mark.parametrize(
    ("author", "text"),
    [
        (Author.MEMBER, "<@400> said this, a person and no character."),
        (Author.BOT, ANOTHER_BOT),
        (Author.WEBHOOK, ANOTHER_WEBHOOK),
        (Author.SELF, OWN_NOTICE),
    ],
)
def test_everybody_elses_words_are_told_apart(author: Author, text: str) -> None:
    assert by_another(author, UserId(400)) == text
