import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.persona_names import (
    FALLBACK_NAME,
    MAX_NAME,
    default_avatar_index,
    imitates,
    is_taken,
    marked_name,
    persona_name,
)
from bot.domain.unicode_text import is_blank, utf16_length
from tests.domain.texts import FAMILY, texts

thorough = settings(max_examples=80)
names = st.one_of(
    st.text(max_size=120),
    texts,
    st.lists(
        st.sampled_from(
            ("dis", "cord", "discord", "D1SC", "\u0456", "cly", "de", "\u0301", "\ufe0f", " ", "-", "x" * 30)
        )
    ).map("".join),
)


@given(raw=names)
@thorough
def test_any_name_is_made_acceptable(raw: str) -> None:
    name = persona_name(raw)
    assert 1 <= len(name) <= utf16_length(name) <= MAX_NAME
    assert not is_blank(name)
    assert name == name.strip()
    assert not any(word in name.casefold() for word in ("discord", "clyde", "```", "\n"))


@given(raw=names)
@thorough
def test_a_repaired_name_stays_as_it_is(raw: str) -> None:
    assert persona_name(persona_name(raw)) == persona_name(raw)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Ada\n Lovelace ", "Ada Lovelace"),
        ("\u200bAda\u202e", "Ada"),
        ("\uff21\uff44\uff41", "Ada"),
        ("Fan of Discord", "Fan of Dis-cord"),
        ("discordiscord", "dis-cordis-cord"),
        ("D\u200bIS\u200bCORD", "DIS-CORD"),
        ("\u0501\u0456\u0455\u0441\u043erd", "\u0501\u0456\u0455-\u0441\u043erd"),
        ("D1sc0rd", "D1s-c0rd"),
        ("d\u00efscord", "d\u00efs-cord"),
        ("d\ufe0fiscord", "d\ufe0fis-cord"),
        ("Clyde", "Cly-de"),
        ("CIyde", "CIy-de"),
        ("Dis cord", "Dis cord"),
        ("everyone", FALLBACK_NAME),
        ("Here", FALLBACK_NAME),
        ("", FALLBACK_NAME),
        ("\u2800 \u3164", FALLBACK_NAME),
        ("\u0301", FALLBACK_NAME),
        ("a```b", "a'''b"),
        ("e" + "\u0323" * 20, "\u1eb9" + "\u0323" * 3),
        ("x" * 100, "x" * 80),
        ("x" * 79 + FAMILY, "x" * 79),
        ("x" * 79 + " y", "x" * 79),
        ("\U0001f600" * 50, "\U0001f600" * 40),
        (FAMILY, FAMILY),
    ],
)
def test_what_discord_refuses_is_repaired_visibly(raw: str, name: str) -> None:
    assert persona_name(raw) == name


def imitates_here(name: str) -> bool:
    return imitates(name, guild_name="Book Club", bot_name="Chatter") or is_taken(
        name, ["Carol", "alice", "\U0001f600"]
    )


@pytest.mark.parametrize(
    "name",
    [
        "Book Club",
        "book-club!",
        "\u0412ook Club",
        "Carol",
        "C\u0430rol",
        "Caro1",
        "CAROl",
        "\U0001f1e8\U0001f1e6\U0001f1f7\U0001f1f4\U0001f1f1",
        "A.l.i.c.e",
        "\uff21lice",
        "chatter",
        "Admin",
        "Server Administrator",
        "A D M I N",
        "\u0430dm\u0456n",
        "4dm1n",
        "@dm!n",
        "Mod! Mike",
        "Moderator Mike",
        "Mod Mike",
        "m0d",
        "Official News",
        "System",
        "Discord",
        "Dis-cord Help",
        "Clyde",
        "Support",
        "\U0001f600",
    ],
)
def test_a_name_that_could_be_taken_for_another_imitates(name: str) -> None:
    assert imitates_here(name)


@pytest.mark.parametrize(
    "name", ["Ada Lovelace", "Book Club Hermit", "Carola", "Modern Mary", "\U0001f680", "Supporter Sue", "...", ""]
)
def test_a_name_of_its_own_does_not_imitate(name: str) -> None:
    assert not imitates_here(name)


def test_a_server_without_a_name_is_imitated_by_nobody() -> None:
    assert not imitates("", guild_name="", bot_name="\u200b")


@pytest.mark.parametrize(
    ("name", "marked"),
    [
        ("Carol", "Carol (AI)"),
        ("Carol (AI)", "Carol (AI)"),
        ("x" * 80, "x" * 75 + " (AI)"),
        ("x" * 74 + " y", "x" * 74 + " (AI)"),
    ],
)
def test_a_mark_is_added_once_and_within_the_limit(name: str, marked: str) -> None:
    assert marked_name(name) == marked


def test_the_default_picture_of_a_character_never_changes() -> None:
    assert [default_avatar_index(f"character-{number}") for number in range(8)] == [1, 1, 4, 4, 3, 1, 1, 5]


@given(character=st.text())
@thorough
def test_every_character_has_one_of_six_pictures(character: str) -> None:
    assert default_avatar_index(character) in range(6)
