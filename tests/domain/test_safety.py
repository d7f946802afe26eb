import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.ids import ChannelId, RoleId, UserId
from bot.domain.safety import MentionNames, incoming_text, safe_prefix, safe_text, speaker_lead
from tests.domain.texts import FAMILY, shown_as_prose, texts

NAMES = MentionNames(
    users={UserId(1): "Bob", UserId(2): "2", UserId(5): "every"},
    roles={RoleId(3): "Crew"},
    channels={ChannelId(4): "general"},
)
thorough = settings(max_examples=80)

RENDERED = re.compile(
    r"<@[!&]?\d+>|<#\d+>|</[\w-]+(?: [\w-]+)*:\d+>|<id:\w+>|@everyone|@here|\]\(|(?<![\w-])discord\.(gg|com/invite)/\w"
)


@given(text=texts)
@thorough
def test_nothing_that_discord_would_render_is_left_outside_code(text: str) -> None:
    assert RENDERED.search(shown_as_prose(safe_text(text, NAMES))) is None


@given(text=texts)
@thorough
def test_doing_it_twice_changes_nothing_more(text: str) -> None:
    once = safe_text(text, NAMES)
    assert safe_text(once, NAMES) == once


@given(text=texts)
@thorough
def test_what_is_shown_early_is_a_beginning_of_what_is_shown_late(text: str) -> None:
    whole = safe_text(text, NAMES, speaker="Ada")
    before = ""
    for length in range(len(text) + 1):
        shown = safe_prefix(text[:length], NAMES, speaker="Ada")
        assert whole.startswith(shown)
        assert shown.startswith(before)
        before = shown


@given(text=texts)
@thorough
def test_blocks_are_closed(text: str) -> None:
    assert "```" not in shown_as_prose(safe_text(text))


@given(text=st.text())
@settings(thorough, max_examples=80)
def test_any_text_at_all_is_accepted(text: str) -> None:
    safe_text(text).encode()
    incoming_text(text).encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello <@1>!", "Hello @Bob!"),
        ("Hello <@!1>!", "Hello @Bob!"),
        ("Hello <@9>!", "Hello @someone!"),
        ("Ask <@&3> or <@&9>.", "Ask @Crew or @some-role."),
        ("See <#4> or <#9>.", "See #general or #some-channel."),
        ("Try </character search:123>.", "Try /character search."),
        ("Look at <id:browse> and <id:unheard-of>.", "Look at #Browse Channels and #some-channel."),
        ("At <t:1700000000:R> <:smile:123>", "At <t:1700000000:R> <:smile:123>"),
        ("Hey @everyone and @Here", "Hey @\u200beveryone and @\u200bHere"),
        ("<@5>one", "@\u200beveryone"),
        ("<<@2>>", "< @2>"),
        ("</<#4>:1>", "</#general:1>"),
        ("@\u200beveryone", "@\u200beveryone"),
    ],
)
def test_mentions_become_names(text: str, shown: str) -> None:
    assert safe_text(text, NAMES) == shown


@pytest.mark.parametrize(
    "name", ["<@1>", "[a](http://x.y)", "`", "\u200b", "a\nb", "\\", "@everyone", "discord.gg/abc"]
)
def test_a_name_cannot_smuggle_anything_in(name: str) -> None:
    names = MentionNames(users={UserId(1): name})
    shown = safe_text("x <@1> y", names)
    assert RENDERED.search(shown) is None
    assert not set("`\n<>[]\\") & set(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See [the docs](https://example.com/a).", "See the docs (https://example.com/a)."),
        ("See [the docs](<https://example.com/a>).", "See the docs (<https://example.com/a>)."),
        ('([docs](https://example.com "Title"))', '(docs (https://example.com "Title"))'),
        ("![a cat](https://example.com/cat.png)", "a cat (https://example.com/cat.png)"),
        ("[**bold**](https://example.com)", "**bold** (https://example.com)"),
        ("[](https://example.com)", "(https://example.com)"),
        ("[a [b](http://x.y)](http://z.w)", "[a b (http://x.y)] (http://z.w)"),
        ("[https://good.example](https://evil.example)", "[https://good.example] (https://evil.example)"),
        ("[`code`](https://evil.example)", "[`code`] (https://evil.example)"),
        ("[line\nbreak](https://evil.example)", "[line\nbreak] (https://evil.example)"),
        ("glued[text](https://evil.example)", "glued[text] (https://evil.example)"),
        ("@[everyone](https://evil.example)", "@[everyone] (https://evil.example)"),
        ("[text]\u200b(https://evil.example)", "text (https://evil.example)"),
        ("[text](discord://evil)", "[text] (discord://evil)"),
        ("[OOC: hello](and so on)", "[OOC: hello] (and so on)"),
        ("[" + "x" * 121 + "](https://evil.example)", "[" + "x" * 121 + "] (https://evil.example)"),
        ("[text][ref] and <https://example.com>", "[text][ref] and <https://example.com>"),
        ("[a](http://x.y)(z)", "a (http://x.y)(z)"),
    ],
)
def test_a_masked_link_shows_its_address(text: str, shown: str) -> None:
    assert safe_text(text) == shown


@pytest.mark.parametrize(
    "invite",
    [
        "discord.gg/abc",
        "https://discord.gg/abc-DEF",
        "http://www.discord.gg/abc",
        "HTTPS://DISCORD.GG/ABC",
        "https://discord.com/invite/abc?event=1",
        "discordapp.com/invite/abc",
        "https://canary.discord.com/invite/abc",
        "https://discord.com:443/invite/abc",
        "https://discord.gg\\abc",
        "https://discord\u3002gg/abc",
        "dis\u200bcord.gg/abc",
        "<https://discord.gg/abc>",
    ],
)
def test_an_invite_is_removed(invite: str) -> None:
    assert safe_text(f"Join {invite} now") == "Join (invite link removed) now"


def test_an_invite_behind_a_label_is_removed_with_its_brackets() -> None:
    assert safe_text("[Join us](https://discord.gg/abc)!") == "Join us (invite link removed)!"


@pytest.mark.parametrize(
    "text", ["notdiscord.gg/abc", "discord.gg", "https://discord.com/channels/1/2", "discord.com/invites"]
)
def test_other_addresses_stay(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "`<@1> @everyone [a](http://x.y)`",
        "``<@1> ` discord.gg/abc``",
        "```\n<@1> @everyone [a](http://x.y) discord.gg/abc\n```",
        "before ```py\n<@1>``` after",
        "\\`not code\\`",
    ],
)
def test_code_is_left_alone(text: str) -> None:
    assert safe_text(text, NAMES) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a ` b <@1>", "a \\` b @Bob"),
        ("`a\n<@1>`", "\\`a\n@Bob\\`"),
        ("`" + "x" * 201 + "`", "\\`" + "x" * 201 + "\\`"),
        ("`` a ` <@1>", "\\`\\` a \\` @Bob"),
        ("````md\ncode\n````", "```md\ncode\n```"),
        ("```py\n```", "```py\n \n```"),
        ("```\n\n```", "```\n \n```"),
        ("Look:\n```py\nx = 1", "Look:\n```py\nx = 1\n```"),
        ("Look:\n```", "Look:"),
        ("Look:\n```py\n", "Look:"),
        ("Look: ```word", "Look: ```\nword\n```"),
    ],
)
def test_what_counts_as_code_is_made_certain(text: str, shown: str) -> None:
    assert safe_text(text, NAMES) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb\u200b\u2066c\ufeff", "abc"),
        ("`a\u202eb`", "`ab`"),
        (FAMILY, FAMILY),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("a\u200db", "ab"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("x\U000e0041y", "xy"),
        ("\ud800", ""),
    ],
)
def test_invisible_characters_are_removed(text: str, shown: str) -> None:
    assert safe_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Ada: hi",
        "ada : hi",
        "**Ada**: hi",
        "**Ada:** hi",
        "[Ada] hi",
        "[Ada]: hi",
        "**[Ada]:** hi",
        "\n Ada\uff1a hi",
        "__Ada__: hi",
        "[ Ada ] hi",
    ],
)
def test_the_name_of_the_speaker_is_dropped(text: str) -> None:
    assert safe_text(text, speaker="Ada") == "hi"


@pytest.mark.parametrize(
    "text",
    ["Adam: hi", "Ada hi", "Bob: hi", "I am Ada: hi", "*Ada: hi*", "Ad: hi", "A", "Ada", "[Adam] hi", "\\[Ada] hi"],
)
def test_other_beginnings_are_kept(text: str) -> None:
    assert safe_text(text, speaker="Ada") == text


def test_the_name_of_the_speaker_is_dropped_once() -> None:
    assert safe_text("Ada: Ada: hi", speaker="Ada") == "Ada: hi"


def test_a_link_that_begins_with_the_name_is_no_label() -> None:
    assert safe_text("[Ada](https://example.com)", speaker="Ada") == "Ada (https://example.com)"


@pytest.mark.parametrize("speaker", ["", "\u200b"])
def test_a_speaker_without_a_name_has_no_label(speaker: str) -> None:
    assert safe_text(": hi", speaker=speaker) == ": hi"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", None),
        ("C", None),
        ("**Captain", None),
        ("Captain  Ad", None),
        ("Captain Ada", None),
        ("captain ada**:", None),
        ("Captain Ada: ", None),
        ("Captain Ada: H", 13),
        ("[Captain Ada] H", 14),
        ("Captain Adam", 0),
        ("The", 0),
        ("[Captain Ada](", 0),
    ],
)
def test_a_growing_text_says_whether_it_begins_with_the_speaker(text: str, verdict: int | None) -> None:
    assert speaker_lead(text, "Captain Ada", complete=False) == verdict


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello <@12", "Hello"),
        ("Hello there", "Hello"),
        ("Hello there ", "Hello there"),
        ("See [the docs](htt", "See"),
        ("See [the do", "See"),
        ("Try </character sea", "Try"),
        ("Run `pip ins", "Run"),
        ("Run `pip install`", "Run"),
        ("Run `pip install` ", "Run `pip install`"),
        ("Code:\n```py\n", "Code:"),
        ("Code:\n```py\nx = 1\n``", "Code:\n```py\nx = 1"),
        ("Code:\n```py\nx = 1\n```", "Code:\n```py\nx = 1\n```"),
        ("join https://disc", "join"),
        ("hey @every", "hey"),
        ("[OOC] hello ", "[OOC] hello"),
        ("\u4f60\u597d", "\u4f60\u597d"),
        ("Ada", ""),
    ],
)
def test_an_unfinished_end_is_held_back(text: str, shown: str) -> None:
    assert safe_prefix(text, NAMES, speaker="Ada") == shown


def test_a_long_stray_backtick_holds_nothing_back_for_long() -> None:
    text = "It is a ` that nobody closes, " + "and on it goes " * 20
    assert len(safe_prefix(text)) > 250


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("<@1> and <@!9>, <@&3>, <#4>", "@Bob and @someone, @Crew, #general"),
        ("<:smile:123> <a:dance:456>", ":smile: :dance:"),
        ("see you <t:1700000000:R>", "see you 2023-11-14 22:13 UTC"),
        ("<t:999999999999>", "<t:999999999999>"),
        ("</play:5> `<@1>`", "/play `@Bob`"),
        ("a\u202eb", "ab"),
        ("[link](https://example.com)", "[link](https://example.com)"),
    ],
)
def test_a_members_message_is_made_readable_for_a_model(content: str, read: str) -> None:
    assert incoming_text(content, NAMES) == read
