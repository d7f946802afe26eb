from dataclasses import replace

import pytest

from bot.domain.checking import (
    DiscordFindings,
    Finding,
    Mark,
    address_findings,
    bad,
    clock_finding,
    discord_findings,
    duration,
    good,
    unsure,
    vault_findings,
)

WELL = DiscordFindings(
    bot_name="guide#0001",
    message_content=True,
    interactions_elsewhere=False,
    needs_code_grant=False,
    guild_count=3,
    invite_url="https://discord.example/invite",
    starts_left=990,
    starts_total=1_000,
    starts_reset_seconds=40_000.0,
)


def told(found: DiscordFindings, *, message_content: bool = True) -> list[Finding]:
    return list(discord_findings(found, message_content=message_content))


def trouble(found: DiscordFindings, mark: Mark = Mark.BAD, *, message_content: bool = True) -> str:
    """Return the one finding of a kind."""
    (finding,) = (each for each in told(found, message_content=message_content) if each.mark is mark)
    return finding.sentence


def test_a_finding_is_a_mark_and_a_sentence() -> None:
    assert [str(good("Well.")), str(bad("Wrong.")), str(unsure("Odd."))] == ["✓ Well.", "✗ Wrong.", "? Odd."]


def test_all_is_well_with_an_application_as_it_should_be() -> None:
    assert {finding.mark for finding in told(WELL)} == {Mark.GOOD}
    assert "guide#0001" in told(WELL)[0].sentence


def test_a_missing_intent_is_wrong_where_it_is_wanted() -> None:
    assert "Message Content Intent" in trouble(replace(WELL, message_content=False))


@pytest.mark.parametrize(("enabled", "hint"), [(True, True), (False, False)])
def test_a_bot_that_hears_only_mentions_is_worth_knowing(enabled: bool, hint: bool) -> None:  # noqa: FBT001 - a table
    sentence = trouble(replace(WELL, message_content=enabled), Mark.UNSURE, message_content=False)
    assert "only messages that mention it" in sentence
    assert ("can be set to true" in sentence) is hint


def test_commands_that_go_elsewhere_are_wrong() -> None:
    assert "Interactions Endpoint URL" in trouble(replace(WELL, interactions_elsewhere=True))


def test_a_bot_that_no_link_can_invite_is_wrong() -> None:
    assert "code grant" in trouble(replace(WELL, needs_code_grant=True))


def test_a_bot_without_a_server_gets_its_link() -> None:
    assert WELL.invite_url in trouble(replace(WELL, guild_count=0), Mark.UNSURE)


def test_a_start_that_would_be_held_back_is_wrong() -> None:
    assert "a start would wait 30 seconds" in trouble(replace(WELL, starts_left=190))
    assert "a start would wait 11 hours" in trouble(replace(WELL, starts_left=3))


def test_only_addresses_that_were_changed_are_pointed_out_and_never_with_a_password() -> None:
    addresses = [
        ("discord.api_url", "https://discord.com/api/v10"),
        ("nanogpt.base_url", "https://user:secret@proxy.example:8443/v1"),
    ]
    (finding,) = address_findings(addresses)
    assert finding == unsure("nanogpt.base_url leads to proxy.example:8443, which is meant for a proxy or a test.")


@pytest.mark.parametrize(
    ("offset", "mark", "words"),
    [
        (0.0, Mark.GOOD, "right"),
        (-10.0, Mark.GOOD, "right"),
        (11.0, Mark.BAD, "11 seconds ahead"),
        (-600.0, Mark.BAD, "10 minutes behind"),
        (90_000.0, Mark.BAD, "25 hours ahead"),
    ],
)
def test_a_clock_may_be_off_by_a_little(offset: float, mark: Mark, words: str) -> None:
    finding = clock_finding(offset)
    assert (finding.mark, words in finding.sentence) == (mark, True)


@pytest.mark.parametrize(
    ("stored", "held", "words"),
    [
        (set[bytes](), [], "opens what is stored"),
        ({b"1"}, [b"1", b"2"], "opens what is stored"),
        ({b"1", b"2"}, [b"1"], "1 key that"),
        ({b"1", b"2"}, [b"3"], "2 keys that"),
    ],
)
def test_every_key_that_sealed_something_is_needed(stored: set[bytes], held: list[bytes], words: str) -> None:
    finding = vault_findings(stored=frozenset(stored), held=held)
    assert words in finding.sentence
    assert (finding.mark is Mark.GOOD) is ("opens" in words)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 seconds"), (119, "119 seconds"), (120, "2 minutes"), (7_199, "120 minutes"), (7_200, "2 hours")],
)
def test_lengths_of_time_are_said_in_the_largest_unit_there_are_two_of(seconds: float, words: str) -> None:
    assert duration(seconds) == words
