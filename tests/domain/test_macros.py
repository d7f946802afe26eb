import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.macros import expand_for_good, expand_greeting, placeholders

thorough = settings(max_examples=80)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("Hello {{user}}, I am {{char}}.", "Hello Bob, I am Ada."),
        ("{{USER}} {{ Char }} {{bot}}", "Bob Ada Ada"),
        ("<USER> <user> <BOT> <bot> <char>", "Bob Bob Ada Ada Ada"),
        ("{{// a note to myself}}Hello", "Hello"),
        ("{{comment: another}}Hello", "Hello"),
        ("{{hidden_key: lamp}}Hello{{original}}", "Hello"),
        ("One\n  {{// a line of its own}}\nTwo", "One\nTwo"),
        ("One {{//}}\nTwo", "One \nTwo"),
        ("{{random}} {user} <users> {{user", "{{random}} {user} <users> {{user"),
        ("  Hello\n", "Hello"),
        ("", ""),
    ],
)
def test_names_are_put_in_and_comments_taken_out(text: str, expanded: str) -> None:
    assert expand_greeting(text, char="Ada", user="Bob") == expanded


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("{{char}}", "char"),
        ("<user>", "user"),
        ("\uff5b\uff5bchar\uff5d\uff5d", "char"),
        ("[link](x)", "link(x)"),
        ("a\nb", "a b"),
        ("<@1> @everyone", "1 everyone"),
        ("`", "User"),
        ("", "User"),
        ("x" * 100, "x" * 80),
    ],
)
def test_a_name_is_only_ever_a_name(name: str, shown: str) -> None:
    assert expand_greeting("{{user}}", char="Ada", user=name) == shown


def test_a_character_without_a_name_gets_a_plain_one() -> None:
    assert expand_greeting("I am {{char}}", char="\u200b", user="Bob") == "I am Character"


@given(char=st.text(), user=st.text())
@thorough
def test_macros_in_names_are_never_expanded(char: str, user: str) -> None:
    shown = expand_greeting("-{{char}}-<user>-", char="{{user}}" + char, user="<char>{{bot}}" + user)
    assert not set("{}<>[]`@") & set(shown)
    assert shown.startswith("-user")
    assert "-charbot" in shown


def test_a_greeting_full_of_open_braces_is_no_trouble() -> None:
    text = "{{//" * 20_000
    assert expand_greeting(text, char="Ada", user="Bob") == text


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("{{char}} greets {{user}}.", "Ada greets the user."),
        ("<BOT>, <Char>, {{ BOT }} and <user>", "Ada, Ada, Ada and the user"),
        ("One\n{{// note}}\nTwo{{comment: x}}{{hidden_key:y}}", "One\nTwo"),
        ("{{original}} Be kind. {{ Original }}", " Be kind. "),
        ("{{ori{{//}}ginal}} {{ch{{//}}ar}}", "{{original}} {{char}}"),
        ("{{random:a,b}} {{roll:d6}}", "{{random:a,b}} {{roll:d6}}"),
    ],
)
def test_a_text_to_be_stored_gets_the_name_once_and_for_all(text: str, expanded: str) -> None:
    assert expand_for_good(text, char="Ada", user="the user") == expanded


def test_the_person_spoken_to_may_stay_open() -> None:
    assert expand_for_good("{{char}}: {{User}}, <user>!", char="Ada", user=None) == "Ada: {{User}}, <user>!"


@pytest.mark.parametrize(
    ("name", "shown"), [("{{user}}", "user"), ("<user>", "user"), ("x" * 100, "x" * 100), ("{}", "Character")]
)
def test_a_name_that_is_stored_is_only_a_name_and_whole(name: str, shown: str) -> None:
    assert expand_for_good("{{char}}", char=name, user=None) == shown


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("{{user}} {{ USER }} <user>", 0),
        ("{{random:a,b}} and {{pick: c}}, {{user}}", 2),
        ("{one} {{}} {{{{ }}}}", 1),
        ("{{" * 20_000, 0),
    ],
)
def test_placeholders_that_are_left_are_counted(text: str, count: int) -> None:
    assert placeholders(text) == count
