from dataclasses import replace

import pytest

from bot.domain import notices
from bot.domain.bindings import Binding, BindingState, PauseCause, Trigger
from bot.domain.ids import BindingId, ChannelId, CharacterRef, GuildId, MessageId, PayerId, UserId
from bot.domain.notices import Speech
from bot.domain.payers import OPERATOR, member_payer, server_payer
from bot.domain.places import Place
from bot.domain.rights import Right

EVERY = Speech(Trigger.EVERY, message_content=True)
MENTION = Speech(Trigger.MENTION, message_content=True)
BLIND = Speech(Trigger.MENTION, message_content=False)
BINDING = Binding(
    BindingId(1),
    GuildId(200),
    ChannelId(300),
    CharacterRef(1),
    Trigger.EVERY,
    BindingState.ACTIVE,
    None,
    UserId(400),
    PayerId("operator"),
    MessageId(1000),
    1_800_000_000_000,
)


def test_moving_in_says_who_reads_along_and_how_to_be_left_out() -> None:
    text = notices.moved_in("Helpful Guide", EVERY, replaced=None)
    assert "**Helpful Guide** speaks in this channel now and answers every message." in text
    for word in ("NanoGPT", "AI service", "written by an AI", "/privacy ignore-me"):
        assert word in text
    assert "place of" not in text


def test_moving_in_names_who_moved_out() -> None:
    assert "**Night Bard**" in notices.moved_in("Ada", EVERY, replaced="Night Bard")


def test_the_policy_is_linked_without_a_preview_where_there_is_one() -> None:
    speech = replace(EVERY, policy_url="https://bot.example/privacy")
    assert "<https://bot.example/privacy>" in notices.moved_in("Ada", speech, replaced=None)
    assert "http" not in notices.moved_in("Ada", EVERY, replaced=None)


@pytest.mark.parametrize(
    ("speech", "answers", "sent"),
    [
        (EVERY, "answers every message", "What you write here"),
        (MENTION, "answers messages that mention me or reply to it", "What you say to it"),
        (BLIND, "answers messages that mention me", "What you say to it"),
    ],
)
def test_the_notice_says_exactly_which_messages_are_sent(speech: Speech, answers: str, sent: str) -> None:
    text = notices.moved_in("Ada", speech, replaced=None)
    assert f" and {answers}." in text
    assert f"\n{sent} is sent to NanoGPT" in text


def test_names_of_the_catalogue_cannot_forge_a_notice() -> None:
    text = notices.moved_in("**x** [a](https://evil.example)\n@everyone", EVERY, replaced="<@1>")
    assert "https://" not in text
    assert "<@1>" not in text
    assert r"\@everyone" in text


def test_a_nameless_character_still_begins_its_sentence() -> None:
    assert notices.moved_out("").startswith("The character has left")


@pytest.mark.parametrize(("restricted", "way_out"), [(True, "Mark the channel as age-restricted"), (False, "Choose")])
def test_a_character_above_the_ceiling_is_never_named(*, restricted: bool, way_out: str) -> None:
    text = notices.paused(PauseCause.ABOVE_CEILING, "Secret Name", more_if_restricted=restricted)
    assert text.startswith("⚠ ")
    assert "Secret Name" not in text
    assert way_out in text


@pytest.mark.parametrize(
    "cause", [PauseCause.UNAVAILABLE, PauseCause.UNVERIFIED, PauseCause.KEY_REFUSED, PauseCause.OWNER_AWAY]
)
def test_other_pauses_name_the_character_and_say_that_it_may_come_back(cause: PauseCause) -> None:
    text = notices.paused(cause, "Ada", more_if_restricted=False)
    assert "**Ada**" in text
    assert "comes back by itself" in text


@pytest.mark.parametrize(
    ("cause", "way_out"),
    [
        (PauseCause.UNLINKED, "(/account link) they can use it here again"),
        (PauseCause.OWN_FORBIDDEN, "/server settings"),
    ],
)
def test_what_people_ended_does_not_come_back_by_itself(cause: PauseCause, way_out: str) -> None:
    text = notices.paused(cause, "Ada", more_if_restricted=False)
    assert "**Ada**" in text
    assert way_out in text
    assert "by itself" not in text


@pytest.mark.parametrize(
    ("payer", "daily_turns", "words"),
    [
        (OPERATOR, None, "by the bot's operator"),
        (server_payer(GuildId(200)), None, "this server's own NanoGPT key"),
        (
            member_payer(UserId(400)),
            50,
            "<@400>'s own character, and their NanoGPT account pays for its replies, at most 50",
        ),
        (member_payer(UserId(400)), None, "<@400>'s own character"),
    ],
)
def test_everybody_can_see_who_pays(payer: PayerId, daily_turns: int | None, words: str) -> None:
    binding = replace(BINDING, payer=payer, daily_turns=daily_turns)
    assert words in notices.current(binding, "Ada", EVERY, in_thread=False, more_if_restricted=False)


def test_missing_rights_are_named_in_words() -> None:
    text = notices.missing_rights(frozenset({Right.SEND_MESSAGES, Right.VIEW_CHANNEL}), ChannelId(300))
    assert "<#300>: View Channel and Send Messages." in text


def test_a_thread_is_pointed_to_its_channel() -> None:
    assert "<#300>" in notices.use_in_channel(Place(GuildId(200), ChannelId(300), ChannelId(310), age_restricted=False))


def test_current_tells_who_since_when_through_whom_and_who_pays() -> None:
    text = notices.current(BINDING, "Ada", EVERY, in_thread=False, more_if_restricted=False)
    assert "**Ada** speaks in this channel and answers every message." in text
    assert "<@400>" in text
    assert "<t:1800000000:D>" in text
    assert "paid for by the bot's operator" in text
    assert "thread" not in text


def test_current_tells_why_a_character_is_paused() -> None:
    paused = replace(BINDING, state=BindingState.PAUSED, pause_cause=PauseCause.UNVERIFIED)
    text = notices.current(paused, "Ada", EVERY, in_thread=True, more_if_restricted=False)
    assert "The catalogue has not told me" in text
    assert "This thread is a conversation of its own." in text
    assert "answers every message" not in text


def test_current_does_not_name_a_character_above_the_ceiling() -> None:
    paused = replace(BINDING, state=BindingState.PAUSED, pause_cause=PauseCause.ABOVE_CEILING)
    text = notices.current(paused, "Secret Name", EVERY, in_thread=False, more_if_restricted=True)
    assert "Secret Name" not in text
