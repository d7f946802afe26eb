"""What a look at the bot's surroundings finds, as sentences for the operator. Free of Discord, HTTP and SQL."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from bot.domain.start_wording import INTENT_OFF, MENTIONS_ONLY
from bot.domain.starts import start_delay_seconds

CLOCK_TOLERANCE_SECONDS: Final = 10.0
"""What is too little to matter, with what a Date header and the way of an answer cost in precision."""
_DEFAULT_ADDRESSES: Final = {
    "discord.api_url": "https://discord.com/api/v10",
    "discord.gateway_url": "wss://gateway.discord.gg/",
    "discord.cdn_url": "https://cdn.discordapp.com",
    "nanogpt.base_url": "https://nano-gpt.com/api/v1",
    "nanogpt.responses_url": "https://api.nano-gpt.com/api/v1",
}
_MINUTE: Final = 60.0
_HOUR: Final = 3_600.0
_LONG: Final = 2
"""From so many of a unit on it is used."""


class Mark(Enum):
    """How a finding is to be taken."""

    GOOD = "✓"
    BAD = "✗"
    """The bot would not work, or not as it should."""
    UNSURE = "?"
    """Could not be found out, or is worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    mark: Mark
    sentence: str

    def __str__(self) -> str:
        return f"{self.mark.value} {self.sentence}"


def good(sentence: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Mark.GOOD, sentence)


def bad(sentence: str) -> Finding:
    """Return a finding that something is wrong; the sentence says what to do."""
    return Finding(Mark.BAD, sentence)


def unsure(sentence: str) -> Finding:
    """Return a finding that something is worth knowing, or could not be found out."""
    return Finding(Mark.UNSURE, sentence)


@dataclass(frozen=True, slots=True)
class DiscordFindings:
    """What Discord tells about a bot and its application."""

    bot_name: str
    message_content: bool
    """Whether the Message Content intent is switched on."""
    interactions_elsewhere: bool
    """Whether an endpoint URL leads commands away from the gateway."""
    needs_code_grant: bool
    """Whether inviting needs the full OAuth2 code grant, so that an ordinary invite link fails."""
    guild_count: int
    """About how many servers it is in."""
    invite_url: str
    starts_left: int
    """Sessions that may still be started with the gateway."""
    starts_total: int
    starts_reset_seconds: float


def address_findings(addresses: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Point out the settings that lead elsewhere than to Discord and NanoGPT themselves, as (name, value)."""
    for name, value in addresses:
        if value != _DEFAULT_ADDRESSES.get(name, value):
            # Not the whole address: it may hold a user name and a password.
            host = urlsplit(value).netloc.rpartition("@")[2]
            yield unsure(f"{name} leads to {host}, which is meant for a proxy or a test.")


def discord_findings(found: DiscordFindings, *, message_content: bool) -> Iterator[Finding]:
    """Say what is wrong with the application; `message_content` is the setting."""
    yield good(f"The token works; the bot is called {found.bot_name}.")
    if message_content and found.message_content:
        yield good("The Message Content intent is on.")
    elif message_content:
        yield bad(INTENT_OFF)
    else:
        extra = " The intent is on in the portal, so it can be set to true." if found.message_content else ""
        yield unsure(f"{MENTIONS_ONLY}{extra}")
    if found.interactions_elsewhere:
        yield bad(
            "The application has an Interactions Endpoint URL, so no command reaches this bot: empty that field on the "
            "General Information page of the developer portal."
        )
    if found.needs_code_grant:
        yield bad(
            "The bot cannot be invited by a link, as it requires an OAuth2 code grant: switch that off on the Bot page "
            "of the developer portal."
        )
    if found.guild_count == 0:
        yield unsure(f"The bot is in no server yet. Invite it with {found.invite_url}")
    yield _starts(found)


def _starts(found: DiscordFindings) -> Finding:
    left = f"{found.starts_left} of {found.starts_total} session starts are left"
    delay = start_delay_seconds(found.starts_left, found.starts_reset_seconds)
    if delay <= 0:
        return good(f"{left}.")
    return bad(
        f"{left} for the next {duration(found.starts_reset_seconds)}, so a start would wait {duration(delay)}; see in "
        "the log why the bot starts so often."
    )


def clock_finding(offset_seconds: float) -> Finding:
    """Say whether the clock can be trusted; a positive offset is ahead of the others."""
    if abs(offset_seconds) <= CLOCK_TOLERANCE_SECONDS:
        return good("The clock is right.")
    direction = "ahead" if offset_seconds > 0 else "behind"
    return bad(
        f"The clock of this machine is {duration(abs(offset_seconds))} {direction}: set it, best by NTP. Daily limits, "
        "deletion after so many days, and what was missed while the bot was away go by it."
    )


def vault_findings(*, stored: frozenset[bytes], held: Iterable[bytes]) -> Finding:
    """Compare the keys that sealed what is stored with those at hand, by their ids."""
    missing = len(stored - set(held))
    if not missing:
        return good("The vault's key opens what is stored.")
    return bad(
        f"What is stored was sealed with {missing} key{'s' if missing > 1 else ''} that the vault does not have: put "
        "the old key back, into vault.keys or the key file. Without it the stored texts cannot be read, and "
        "conversations begin afresh."
    )


def duration(seconds: float) -> str:
    """Return a length of time in words, in the largest unit that there are two of."""
    for size, unit in ((_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= _LONG * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
