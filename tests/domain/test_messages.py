from dataclasses import replace

import pytest

from bot.domain.bindings import Binding, BindingState, PauseCause, Trigger
from bot.domain.ids import BindingId, ChannelId, CharacterRef, GuildId, MessageId, PayerId, UserId
from bot.domain.messages import Author, BotPolicy, IncomingMessage, Silence, names_of_people, silence_reason

FRIENDLY = UserId(7)
BINDING = Binding(
    id=BindingId(1),
    guild_id=GuildId(10),
    channel_id=ChannelId(20),
    character_ref=CharacterRef(1),
    trigger=Trigger.EVERY,
    state=BindingState.ACTIVE,
    pause_cause=None,
    bound_by=UserId(30),
    payer=PayerId("operator"),
    active_from=MessageId(100),
    bound_at_ms=0,
)
MENTION = replace(BINDING, trigger=Trigger.MENTION)
PAUSED = replace(BINDING, state=BindingState.PAUSED, pause_cause=PauseCause.UNVERIFIED)
ENDED = replace(BINDING, state=BindingState.ENDED)
MESSAGE = IncomingMessage(
    id=MessageId(101),
    guild_id=GuildId(10),
    channel_id=ChannelId(20),
    parent_id=None,
    in_thread=False,
    author_id=UserId(40),
    author_name="Alice",
    author=Author.MEMBER,
    text="Hello",
    addressed=False,
)
ADDRESSED = replace(MESSAGE, addressed=True)
FRIENDLY_BOT = replace(MESSAGE, author=Author.BOT, author_id=FRIENDLY)
BOTS = BotPolicy(frozenset({FRIENDLY}), turns_in_a_row=3)


@pytest.mark.parametrize(
    ("message", "binding", "expected"),
    [
        (MESSAGE, BINDING, None),
        (MESSAGE, None, Silence.NOT_BOUND),
        (MESSAGE, ENDED, Silence.NOT_BOUND),
        (MESSAGE, PAUSED, Silence.PAUSED),
        (replace(MESSAGE, author=Author.SELF), BINDING, Silence.OWN),
        (replace(MESSAGE, author=Author.BOT), BINDING, Silence.OTHER_BOT),
        (replace(MESSAGE, author=Author.WEBHOOK), BINDING, Silence.OTHER_WEBHOOK),
        (FRIENDLY_BOT, BINDING, None),
        (replace(FRIENDLY_BOT, author=Author.WEBHOOK), BINDING, None),
        (replace(MESSAGE, ordinary=False), BINDING, Silence.SYSTEM),
        (replace(MESSAGE, text=" \n "), BINDING, Silence.EMPTY),
        (replace(MESSAGE, text="", attachments=("cat.png",)), BINDING, None),
        (replace(MESSAGE, id=MessageId(100)), BINDING, Silence.BEFORE_ACTIVE),
        (MESSAGE, MENTION, Silence.NOT_ADDRESSED),
        (ADDRESSED, MENTION, None),
        (ADDRESSED, PAUSED, Silence.PAUSED),
        # What would not have been answered anyway is not blamed on the pause.
        (replace(MESSAGE, id=MessageId(100)), PAUSED, Silence.BEFORE_ACTIVE),
        (MESSAGE, replace(PAUSED, trigger=Trigger.MENTION), Silence.NOT_ADDRESSED),
        # Nobody learns of a bot whose own word it was that a channel is not bound.
        (replace(MESSAGE, author=Author.SELF), None, Silence.NOT_BOUND),
    ],
)
def test_each_reason_for_silence(message: IncomingMessage, binding: Binding | None, expected: Silence | None) -> None:
    assert silence_reason(message, binding, ignored=False, bots=BOTS) is expected


def test_a_member_who_asked_for_it_is_ignored() -> None:
    assert silence_reason(MESSAGE, BINDING, ignored=True, bots=BOTS) is Silence.IGNORED_MEMBER


def test_what_a_member_said_while_ignored_stays_unanswered() -> None:
    assert silence_reason(MESSAGE, BINDING, ignored=False, was_ignored=True, bots=BOTS) is Silence.WAS_IGNORED


@pytest.mark.parametrize(("so_far", "expected"), [(2, None), (3, Silence.BOT_LOOP), (9, Silence.BOT_LOOP)])
def test_allowed_bots_talk_among_themselves_only_for_so_long(so_far: int, expected: Silence | None) -> None:
    assert silence_reason(FRIENDLY_BOT, BINDING, ignored=False, bots=BOTS, bot_turns_so_far=so_far) is expected


@pytest.mark.parametrize(
    ("authors", "so_far"),
    [([], 0), ([40], 0), ([FRIENDLY], 1), ([FRIENDLY, FRIENDLY, 40, FRIENDLY], 2), ([40, FRIENDLY], 0)],
)
def test_the_turns_of_bots_are_counted_back_to_a_person(authors: list[int], so_far: int) -> None:
    assert BOTS.turns_so_far(map(UserId, authors)) == so_far


def test_a_member_is_answered_however_long_bots_have_talked() -> None:
    assert silence_reason(MESSAGE, BINDING, ignored=False, bots=BOTS, bot_turns_so_far=9) is None


def test_by_default_no_bot_is_answered() -> None:
    assert silence_reason(FRIENDLY_BOT, BINDING, ignored=False, bots=BotPolicy()) is Silence.OTHER_BOT


def test_the_names_of_webhooks_and_of_its_own_are_nobodys() -> None:
    messages = [replace(MESSAGE, author=author, author_name=author.value) for author in Author]
    assert names_of_people([*messages, MESSAGE]) == {"member", "bot", "Alice"}


@pytest.mark.parametrize(
    ("text", "files", "said"),
    [
        (" Hello ", (), "Hello"),
        ("Look", ("a.png", "b.txt"), "Look\n(sends a file: a.png)\n(sends a file: b.txt)"),
        ("", ("a.png",), "(sends a file: a.png)"),
        ("", (), ""),
    ],
)
def test_what_a_character_is_told(text: str, files: tuple[str, ...], said: str) -> None:
    assert replace(MESSAGE, text=text, attachments=files).said == said
