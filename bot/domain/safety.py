"""What a model wrote, made fit to post; and what a member wrote, made fit for a model to read.

`allowed_mentions` already keeps a reply from pinging anybody. This module keeps it from *looking* like more
than it is: mentions become names, links show where they lead, invites go. Code is left alone, because
Discord shows it as it stands. What Discord takes for code is made certain here, too: backticks that open
nothing are escaped and longer fences cut to three, so that everything after this module may rely on
`code_spans`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from bot.domain.code_spans import FENCE, CodeSpan, content_start, has_no_code_yet, scan_code
from bot.domain.ids import ChannelId, RoleId, UserId
from bot.domain.unicode_text import one_line, without_invisible

UNKNOWN_USER: Final = "@someone"
UNKNOWN_ROLE: Final = "@some-role"
UNKNOWN_CHANNEL: Final = "#some-channel"
INVITE_NOTE: Final = "(invite link removed)"

_ZERO_WIDTH_SPACE: Final = "\u200b"
_NOT_IN_NAMES: Final = "<>[]`\\"
"""Signs with which a name could build a mention, a link or code around itself."""

_LABEL_CHARS: Final = r"[\w ,.'\u2019!?&*_+-]"
_LABEL_LENGTH: Final = 120
_PLAIN_LABEL: Final = rf"(?:^|(?<=[\s(]))!?\[(?P<label>{_LABEL_CHARS}{{0,{_LABEL_LENGTH}}})"

_MENTION: Final = re.compile(
    r"<@(?P<role>&)(?P<role_id>[0-9]{1,25})>"
    r"|<@!?(?P<user_id>[0-9]{1,25})>"
    r"|<\#(?P<channel_id>[0-9]{1,25})>"
    r"|</(?P<command>[^\s:<>@\#/]{1,40}(?:[ ][^\s:<>@\#/]{1,40}){0,2}):[0-9]{1,25}>"
    r"|<id:(?P<page>[a-z-]{1,30})(?::[0-9]{1,25})?>",
    re.VERBOSE,
)
"""https://discord.com/developers/docs/reference#message-formatting"""
_LINK: Final = re.compile(_PLAIN_LABEL + r"\]\((?=<?https?://)", re.IGNORECASE)
_DOT: Final = r"[.\u3002\uff0e\uff61]"
"""Browsers take each of these for the dot of a host name."""
_INVITE_ADDRESS: Final = (
    rf"(?:https?:[/\\]{{2,}}(?:[a-z0-9-]{{1,20}}{_DOT}){{0,2}})?"
    rf"(?:discord{_DOT}gg(?::[0-9]{{1,5}})?|discord(?:app)?{_DOT}com(?::[0-9]{{1,5}})?[/\\]+invite)"
    r"[/\\]+[a-z0-9-]+(?:[/?#][a-z0-9_=&%/?#-]*)?"
)
_INVITE: Final = re.compile(
    rf"(?<![a-z0-9-])(?:\(<?{_INVITE_ADDRESS}>?\)|<{_INVITE_ADDRESS}>|{_INVITE_ADDRESS})", re.IGNORECASE | re.ASCII
)
_EVERYONE: Final = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_LONE_BACKTICKS: Final = re.compile(r"(\\[!-/:-@\[-`{-~])|(`+)")

_PAGES: Final = {
    "browse": "#Browse Channels",
    "customize": "#Channels & Roles",
    "guide": "#Server Guide",
    "linked-roles": "#Linked Roles",
}

_CONSTRUCT_CHARS: Final = "".join(map(chr, range(ord("!"), ord("~") + 1))) + "\u3002\uff0e\uff61"
"""No construct handled here has other characters inside, but for the two below and inline code."""
_UNFINISHED: Final = re.compile(
    rf"{_PLAIN_LABEL}(?:\][!-~]*)?\Z|</[^\s:<>@#/]{{0,40}}(?: [^\s:<>@#/]{{0,40}}){{0,2}}(?::[!-~]*)?\Z"
)
_BEFORE_NAME: Final = re.compile(r"[\s*_\[]*")

_EMOJI: Final = re.compile(r"<a?(:[A-Za-z0-9_]{2,32}:)[0-9]{1,25}>")
_TIMESTAMP: Final = re.compile(r"<t:(-?[0-9]{1,12})(?::[A-Za-z])?>")

_EMPHASIS: Final = r"[*_]{0,3}"
_COLON: Final = r"[ \t]*[:\uff1a]"


@dataclass(frozen=True, slots=True)
class MentionNames:
    """The names behind the ids that a text may mention."""

    users: Mapping[UserId, str] = field(default_factory=dict[UserId, str])
    roles: Mapping[RoleId, str] = field(default_factory=dict[RoleId, str])
    channels: Mapping[ChannelId, str] = field(default_factory=dict[ChannelId, str])


NO_NAMES: Final = MentionNames()


def safe_text(text: str, names: MentionNames = NO_NAMES, *, speaker: str | None = None) -> str:
    """Return a finished text of a model as it may be posted.

    Outside code, mentions become names, `@everyone` and `@here` are broken by a zero-width space, masked
    links show their address, invites are removed. Everywhere, control and bidirectional characters go. An
    unclosed block is closed. A leading label with the name of the speaking character is dropped once.

    Without a speaker, doing it twice changes nothing more.
    """
    text = without_invisible(text)
    if speaker is not None:
        text = text[speaker_lead(text, speaker, complete=True) or 0 :]
    return _closed(_render(text, names))


def safe_prefix(text: str, names: MentionNames = NO_NAMES, *, speaker: str | None = None) -> str:
    """Return what may be shown of a text that is still being written.

    Whatever the text becomes, this is a beginning of `safe_text` of it: what more text could still turn into
    something else (the last word, an unclosed label, inline code or command) is held back. May be empty.
    """
    text = without_invisible(text)
    if speaker is not None:
        lead = speaker_lead(text, speaker, complete=False)
        if lead is None:
            return ""
        text = text[lead:]
    return _render(text[: _settled(text)], names).strip()


def speaker_lead(text: str, speaker: str, *, complete: bool) -> int | None:
    """Tell how many characters at the start merely name the speaker, as in ``Ada:``, ``**Ada**:`` or ``[Ada]``.

    None means that a text which is not `complete` does not say yet.
    """
    words = without_invisible(speaker).split()
    if not words:
        return 0
    name = r"\s+".join(re.escape(word) for word in words)
    lead = re.compile(
        rf"\s*(?P<mark>{_EMPHASIS})"
        rf"(?:{name}(?:(?P=mark){_COLON}|{_COLON}(?P=mark))"
        rf"|\[[ ]?{name}[ ]?\](?!\()(?:(?P=mark)(?:{_COLON})?|{_COLON}(?P=mark)))\s*",
        re.IGNORECASE,
    )
    if not complete and _may_become_lead(text, words):
        return None
    match = lead.match(text)
    return 0 if match is None else match.end()


def incoming_text(content: str, names: MentionNames = NO_NAMES) -> str:
    """Return a member's message as a model should read it.

    Mentions become names, custom emoji their short names, timestamps a date and time in UTC, invisible
    characters go. Discord resolves none of this inside code, but a model is helped by names everywhere.
    """
    text = _MENTION.sub(lambda match: _named(match, names), without_invisible(content))
    return _TIMESTAMP.sub(_date, _EMOJI.sub(r"\1", text)).strip()


def _may_become_lead(text: str, words: list[str]) -> bool:
    """Tell whether more text could make or lengthen a speaker's label; it spells the name, then signs only."""
    said = _compact(text)
    name = _compact(" ".join(words))
    if len(said) <= len(name):
        return name.startswith(said)
    return said.startswith(name) and not said[len(name) :].strip("*_] :\uff1a")


def _compact(text: str) -> str:
    return " ".join(_BEFORE_NAME.sub("", text, count=1).split()).casefold()


def _settled(text: str) -> int:
    """Return how much of a growing text no addition can change the meaning of."""
    scan = scan_code(text)
    block = scan.open_fence
    if block is not None and scan.pending is None:
        return block.start if has_no_code_yet(text, block) else len(text.rstrip("`"))
    sure = list(scan.spans)
    ends = [len(text)]
    if scan.pending is not None:
        ends.append(scan.pending)
        sure = [span for span in sure if span.end <= scan.pending]
    if sure and sure[-1].end == len(text) and not sure[-1].fenced:
        # One more backtick, and this was not the end of the code.
        ends.append(sure.pop().start)
    tail = sure[-1].end if sure else 0
    ends.append(max(tail, len(text.rstrip(_CONSTRUCT_CHARS))))
    last = text[tail:]
    if ("[" in last or "</" in last) and (unfinished := _UNFINISHED.search(last)) is not None:
        ends.append(tail + unfinished.start())
    return min(ends)


def _render(text: str, names: MentionNames) -> str:
    out: list[str] = []
    at = 0
    for span in scan_code(text).spans:
        out += _prose(text[at : span.start], names), _code(text, span)
        at = span.end
    out.append(_prose(text[at:], names))
    return "".join(out)


def _code(text: str, span: CodeSpan) -> str:
    if not span.fenced:
        return text[span.start : span.end]
    content = text[span.body : span.body_end]
    if not span.closed:
        return FENCE + content
    if not text[content_start(text, span) : span.body_end].strip("\n"):
        # Discord takes a block without content for text and reads on to the next backticks.
        content = content.rstrip("\n") + "\n \n"
    return FENCE + content + FENCE


def _closed(text: str) -> str:
    """Close a block that is open at the end, or drop its backticks where nothing follows them."""
    block = scan_code(text).open_fence
    if block is None:
        return text.strip()
    if not text[content_start(text, block) :].strip():
        return text[: block.start].strip()
    # A lone word right after the backticks would be taken for the name of a language.
    gap = "\n" if has_no_code_yet(text, block) else ""
    return f"{text[: block.body]}{gap}{text[block.body :].rstrip()}\n{FENCE}".lstrip()


def _prose(text: str, names: MentionNames) -> str:
    # The plain searches in front save most of the time: few texts hold any of this.
    if "`" in text:
        text = _LONE_BACKTICKS.sub(lambda match: match[1] or r"\`" * len(match[2]), text)
    if "<" in text:
        text = _MENTION.sub(lambda match: _apart(match, _named(match, names)), text)
    if "](" in text:
        text = _LINK.sub(r"\g<label> (", text).replace("](", "] (")
    if "discord" in text.lower():
        text = _INVITE.sub(lambda match: _apart(match, INVITE_NOTE), text)
    return _EVERYONE.sub("@" + _ZERO_WIDTH_SPACE, text) if "@" in text else text


def _apart(match: re.Match[str], replacement: str) -> str:
    """Keep a replacement from building a mention or a link with the sign before it."""
    before = match.string[match.start() - 1 : match.start()]
    return f" {replacement}" if before in ("<", "]") else replacement


def _named(match: re.Match[str], names: MentionNames) -> str:
    if match["command"] is not None:
        return f"/{match['command']}"
    if match["page"] is not None:
        return _PAGES.get(match["page"], UNKNOWN_CHANNEL)
    if match["role"] is not None:
        return _called("@", names.roles.get(RoleId(int(match["role_id"]))), UNKNOWN_ROLE)
    if match["user_id"] is not None:
        return _called("@", names.users.get(UserId(int(match["user_id"]))), UNKNOWN_USER)
    return _called("#", names.channels.get(ChannelId(int(match["channel_id"]))), UNKNOWN_CHANNEL)


def _called(sign: str, name: str | None, unknown: str) -> str:
    shown = one_line(name or "", without=_NOT_IN_NAMES).lstrip(sign)
    return sign + shown if shown else unknown


def _date(match: re.Match[str]) -> str:
    try:
        return datetime.fromtimestamp(int(match[1]), UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return match[0]
