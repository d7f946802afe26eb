from dataclasses import fields, replace

import pytest

from bot.domain.privacy import KeptAboutMember
from bot.domain.privacy_wording import (
    DELETE_QUESTION,
    NOW_HEARD,
    NOW_IGNORED,
    PrivacyFacts,
    deleted_sentence,
    privacy_overview,
)

NOTHING = KeptAboutMember(0, 0, 0, 0, 0, 0, None)
ONE = KeptAboutMember(1, 1, 1, 1, 1, 1, None)
MUCH = KeptAboutMember(*[10**9 for _ in fields(KeptAboutMember)])
MAX_MESSAGE = 2_000


@pytest.mark.parametrize("kept", [NOTHING, ONE, MUCH])
def test_every_answer_fits_into_a_message(kept: KeptAboutMember) -> None:
    facts = PrivacyFacts(365, policy_url="https://example.test/" + "p" * 400)
    assert len(privacy_overview(kept, facts)) <= MAX_MESSAGE
    assert len(deleted_sentence(kept)) <= MAX_MESSAGE


@pytest.mark.parametrize("text", [DELETE_QUESTION, NOW_HEARD, NOW_IGNORED])
def test_every_fixed_text_fits_into_a_message(text: str) -> None:
    assert len(text) <= MAX_MESSAGE


def test_one_and_many_read_right() -> None:
    one, none = privacy_overview(ONE, PrivacyFacts(1)), privacy_overview(NOTHING, PrivacyFacts(30))
    assert "1 message with its text, encrypted, for at most 1 day\n" in one
    assert "1 search of" in one
    assert "0 messages with their text, encrypted, for at most 30 days\n" in none
    assert "0 searches of" in none


def test_a_message_is_counted_with_its_text_or_by_number_alone_and_never_twice() -> None:
    told = privacy_overview(replace(NOTHING, messages=5, message_texts=2), PrivacyFacts(30))
    assert "- 2 messages with their text" in told
    assert "- 3 messages by number alone" in told


def test_what_is_on_an_authors_desk_is_told_where_there_is_anything() -> None:
    desk = replace(NOTHING, drafts=1, card_files=2)
    assert "1 draft of characters, encrypted, for an hour; 2 card files" in privacy_overview(desk, PrivacyFacts(30))
    assert "draft" not in privacy_overview(NOTHING, PrivacyFacts(30))
    assert "drafts" in DELETE_QUESTION


def test_without_a_policy_there_is_no_link() -> None:
    assert "http" not in privacy_overview(ONE, PrivacyFacts(30))


def test_the_question_says_that_there_is_no_way_back() -> None:
    assert "cannot be undone" in DELETE_QUESTION


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (replace(NOTHING, logins=1), "login that you began with a code"),
        (replace(NOTHING, own_characters=2), "what your key sees of 2 characters of your own"),
        (replace(NOTHING, watches=1), "1 character of yours went to NanoGPT's moderators"),
        (replace(NOTHING, paid_replies=3), "3 replies went at your cost, for two days"),
    ],
)
def test_whatever_hangs_on_an_account_is_told_where_there_is_any(kept: KeptAboutMember, said: str) -> None:
    facts = PrivacyFacts(30)
    assert said in privacy_overview(kept, facts)
    assert said not in privacy_overview(NOTHING, facts)


def test_whom_to_ask_is_named_where_the_operator_says_so() -> None:
    asked = privacy_overview(NOTHING, PrivacyFacts(30, operator_contact="mail@example.test"))
    assert asked.endswith("Questions go to whoever runs this bot: mail@example.test")
