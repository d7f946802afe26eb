"""What the bot says about a character's place in a channel: to everyone there, and to the one who asked."""

from dataclasses import dataclass
from typing import Final

from bot.domain.bindings import Binding, PauseCause, Trigger
from bot.domain.failures import MARK_SIGN
from bot.domain.ids import ChannelId, PayerId
from bot.domain.payers import paying_member, paying_server
from bot.domain.places import Place
from bot.domain.quoting import NAMELESS, bold_name
from bot.domain.rights import Right, in_words

SERVERS_ONLY: Final = "Characters live in the channels of a server. Use this in one of them."
NOT_ALLOWED: Final = (
    "Only people with the Manage Channels permission in this channel, or with a role that the server has chosen for "
    "this, can change who speaks here. Ask one of them."
)
NOBODY_HERE: Final = (
    "No character speaks in this channel. Find one with /character search, then bring it here with /character use."
)
NO_FORUMS: Final = "A forum has no room of its own to speak in. Use a text channel; its threads follow it."
NO_MESSAGE_CONTENT: Final = (
    "I cannot read messages that do not mention me, so a character of mine cannot answer every message. "
    "Choose the trigger “mention”, or ask whoever runs the bot to switch on the message content intent."
)
FORGOTTEN: Final = "It is forgotten. The conversation begins afresh."
ALREADY_GONE: Final = "The character has just left this channel."

_MS_PER_SECOND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Speech:
    """What people should know about how a character is spoken to."""

    trigger: Trigger
    message_content: bool
    """Whether the bot can read messages that do not mention it; without, not even replies to the character."""
    policy_url: str | None = None


def use_in_channel(place: Place) -> str:
    """Return the refusal to change a channel's character from inside one of its threads."""
    return f"Characters belong to a channel, and its threads follow. Use this command in <#{place.channel_id}> itself."


def missing_rights(missing: frozenset[Right], channel_id: ChannelId) -> str:
    """Return the refusal to speak where the bot lacks permissions."""
    return (
        f"I lack permissions in <#{channel_id}>: {in_words(missing)}. "
        "Allow me these in the settings of the channel, then try again."
    )


def cannot_speak(missing: frozenset[Right], channel_id: ChannelId) -> str:
    """Return what is added about a character that is there and cannot speak as it should."""
    return (
        f"{MARK_SIGN} I lack permissions in <#{channel_id}>, so that it cannot answer, or not as it should: "
        f"{in_words(missing)}. Someone who manages the channel can allow me these in its settings."
    )


def webhook_hint(channel_id: ChannelId) -> str:
    """Return the hint to staff where a character has to speak under the bot's own name."""
    return (
        f"{MARK_SIGN} I may not manage webhooks in <#{channel_id}>, so it speaks under my name. "
        f"Allow me {Right.MANAGE_WEBHOOKS.words} there, and it gets its own name and picture."
    )


def answers(speech: Speech) -> str:
    """Say what a character answers: the end of a sentence that begins with its name."""
    if speech.trigger is Trigger.EVERY:
        return "answers every message"
    if speech.message_content:
        return "answers messages that mention me or reply to it"
    return "answers messages that mention me"


def moved_in(name: str, speech: Speech, *, replaced: str | None) -> str:
    """Return the notice to a channel in which a character begins to speak.

    It says once, in plain words, that an AI service reads along and how to be left out. `replaced` names the character
    that it took the place of; None where there was none, or where that name may not be shown.
    """
    lines = [f"{_at_start(name)} speaks in this channel now and {answers(speech)}."]
    if replaced is not None:
        lines.append(f"It takes the place of {bold_name(replaced)}.")
    lines.append(ai_service(speech))
    return "\n".join(lines)


def ai_service(speech: Speech) -> str:
    """Say plainly where messages go, whose words the replies are, and how not to take part."""
    which = "What you write here" if speech.trigger is Trigger.EVERY else "What you say to it"
    sentence = (
        f"{which} is sent to NanoGPT, an AI service, and its replies are written by an AI. "
        "If you do not want that for your messages, use /privacy ignore-me."
    )
    if speech.policy_url is not None:
        sentence += f" How they are treated: <{speech.policy_url}>"
    return sentence


def here_now(name: str) -> str:
    """Return the answer to the person who brought a character; the rest is in the notice."""
    return f"{_at_start(name)} speaks in this channel now."


def trigger_set(name: str, speech: Speech) -> str:
    """Return the answer to the person who changed what a character answers."""
    return f"{_at_start(name)} {answers(speech)} now."


def trigger_changed(name: str, speech: Speech) -> str:
    """Return the notice to a channel in which a character answers other messages than before."""
    return f"{_at_start(name)} {answers(speech)} from now on.\n{ai_service(speech)}"


def already_here(name: str, speech: Speech) -> str:
    """Return the answer to someone who asks for what is the case."""
    return f"{_at_start(name)} speaks in this channel already and {answers(speech)}. Nothing has changed."


def settings_now(name: str, speech: Speech) -> str:
    """Return the settings of a channel."""
    return (
        f"{_at_start(name)} {answers(speech)}. "
        "To change that, use /character settings with another trigger, or ask someone who may manage the channel."
    )


def moved_out(name: str) -> str:
    """Return the notice to a channel that a character has left."""
    return f"{_at_start(name)} has left this channel. What was said to it here is forgotten."


def begun_afresh(name: str, *, in_thread: bool) -> str:
    """Return the notice that a conversation was reset."""
    where = "this thread" if in_thread else "this channel"
    return f"{_at_start(name)} has forgotten what was said in {where} and begins afresh."


def paused(cause: PauseCause, name: str, *, more_if_restricted: bool) -> str:
    """Return the notice to a channel whose character stops for now.

    A character above the channel's ceiling is not named. `more_if_restricted` tells that it could speak if the channel
    were marked as age-restricted.
    """
    return f"{MARK_SIGN} {why_paused(cause, name, more_if_restricted=more_if_restricted)}"


def why_paused(cause: PauseCause, name: str, *, more_if_restricted: bool) -> str:
    """Say why a character does not answer for now, and what can be done."""
    match cause:
        case PauseCause.ABOVE_CEILING:
            remedy = "Mark the channel as age-restricted, or choose" if more_if_restricted else "Choose"
            return (
                "The character of this channel is rated above what may be shown here, so it is paused. "
                f"{remedy} another one with /character search."
            )
        case PauseCause.UNAVAILABLE:
            return (
                f"{_at_start(name)} is no longer available, so it is paused here. "
                "It comes back by itself when NanoGPT offers it again; /character search finds others."
            )
        case PauseCause.UNVERIFIED:
            return (
                f"The catalogue has not told me for a day whether {bold_name(name)} may still be used, "
                "so it is paused here. It comes back by itself when the catalogue answers."
            )
        case PauseCause.UNLINKED:
            return (
                f"The member who paid for {bold_name(name)} here has unlinked their NanoGPT account, or linked "
                "another one, so it is paused. With an account linked (/account link) they can use it here again; "
                "/character search finds others."
            )
        case PauseCause.KEY_REFUSED:
            return (
                f"NanoGPT refuses the key of the member who pays for {bold_name(name)} here, so it is paused. "
                "It comes back by itself when they have linked their account anew with /account link, or /account "
                "status has found that NanoGPT takes the key again."
            )
        case PauseCause.OWNER_AWAY:
            return (
                f"The member whose own character {bold_name(name)} is has left the server, or may no longer decide who "
                "speaks in this channel, so it is paused. It comes back by itself when that has changed."
            )
        case _:
            return (
                f"This server does not let members bring characters of their own any more, so {bold_name(name)} is "
                "paused here. Someone who manages the server can change that with /server settings."
            )


def awake(name: str) -> str:
    """Return the answer to the person who woke a paused character."""
    return f"{_at_start(name)} answers here again."


def resumed(name: str) -> str:
    """Return the notice to a channel whose character speaks again."""
    return f"{_at_start(name)} is back. What was said meanwhile it has not read."


def current(
    binding: Binding,
    name: str,
    speech: Speech,
    *,
    in_thread: bool,
    more_if_restricted: bool,
) -> str:
    """Tell a person who speaks in a channel, since when, through whom and at whose cost.

    The name of a character above the channel's ceiling is left out.
    """
    hidden = binding.pause_cause is PauseCause.ABOVE_CEILING
    who = _at_start("" if hidden else name)
    lines: list[str] = []
    if binding.pause_cause is None:
        lines.append(f"{who} speaks in this channel and {answers(speech)}.")
    else:
        lines.append(why_paused(binding.pause_cause, name, more_if_restricted=more_if_restricted))
    if in_thread:
        lines.append("This thread is a conversation of its own.")
    since = f"<t:{binding.bound_at_ms // _MS_PER_SECOND}:D>"
    lines.append(f"<@{binding.bound_by}> brought it here on {since}. {paid_for(binding.payer, binding.daily_turns)}")
    return "\n".join(lines)


def paid_for(payer: PayerId, daily_turns: int | None = None) -> str:
    """Say at whose cost a character speaks; `daily_turns` is what a member who pays has agreed to."""
    owner = paying_member(payer)
    if owner is not None:
        most = "" if daily_turns is None else f", at most {daily_turns:,} a day"
        return f"It is <@{owner}>'s own character, and their NanoGPT account pays for its replies{most}."
    if paying_server(payer) is not None:
        return "Its replies are paid for with this server's own NanoGPT key."
    return "Its replies are paid for by the bot's operator."


def _at_start(name: str) -> str:
    shown = bold_name(name)
    return NAMELESS.capitalize() if shown == NAMELESS else shown
