import math

import pytest

from bot.domain.help_wording import MAX_EMBED_DESCRIPTION, CommandLine, command_mention, help_text, ping_text

SEARCH = CommandLine("character search", "Look for a character")


def test_a_command_is_mentioned_by_the_id_of_its_first_word() -> None:
    assert command_mention("character search", {"character": 77}) == "</character search:77>"


def test_a_command_without_a_known_id_is_code() -> None:
    assert command_mention("character search", {"privacy": 77}) == "`/character search`"


def test_help_lists_commands_and_says_how_to_be_ignored() -> None:
    text = help_text([SEARCH], {"character": 77, "privacy": 78})
    assert "</character search:77> Look for a character" in text
    assert "</privacy ignore-me:78>" in text
    assert "written by an AI" in text


def test_help_names_the_entries_of_message_menus() -> None:
    assert "Apps** in its menu: Why silent? · Report" in help_text([SEARCH], {}, menus=["Why silent?", "Report"])
    assert "Apps" not in help_text([SEARCH], {})


def test_help_fits_however_many_commands_there_are() -> None:
    text = help_text([CommandLine("x" * 32 + " " + "y" * 32, "d" * 100)] * 100, {}, menus=["m" * 32] * 15)
    assert len(text) <= MAX_EMBED_DESCRIPTION
    assert "ignore-me" in text


def test_a_ping_shows_three_times() -> None:
    text = ping_text(gateway_seconds=0.0456, upstream_ms=1_234.5, database_ms=0.31)
    assert text == "Discord: 46 ms\nNanoGPT: 1,234 ms\nDatabase: 0.3 ms"


@pytest.mark.parametrize("latency", [math.nan, math.inf])
def test_what_was_not_measured_is_not_a_number(latency: float) -> None:
    text = ping_text(gateway_seconds=latency, upstream_ms=None, database_ms=1)
    assert "Discord: not measured yet" in text
    assert "NanoGPT: does not answer" in text
