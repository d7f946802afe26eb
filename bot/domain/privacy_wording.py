"""What people read about what is kept of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.domain.privacy import KeptAboutMember

_MILLISECONDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class PrivacyFacts:
    """How this bot is run."""

    retention_days: int
    """Days after which the texts of messages are dropped."""
    service: str = "NanoGPT (nano-gpt.com)"
    """The AI service that messages are sent to."""
    policy_url: str | None = None
    operator_contact: str | None = None
    """How the people who run the bot can be reached, in their own words."""


def privacy_overview(kept: KeptAboutMember, facts: PrivacyFacts) -> str:
    """Return what a member reads when they ask what is kept; within Discord's 2,000 characters by far."""
    texts = _counted(kept.message_texts, "message")
    their = "its" if kept.message_texts == 1 else "their"
    days = _counted(facts.retention_days, "day")
    numbers = _counted(kept.messages - kept.message_texts, "message")
    lines = [
        f"Where a character speaks, what you write to it goes to an AI service, {facts.service}, for the reply.",
        "This is what I keep about you:",
        f"- {texts} with {their} text, encrypted, for at most {days}",
        f"- {numbers} by number alone, so that none is answered twice",
        f"- {_counted(kept.ratings, 'rating')} of characters and {_counted(kept.reports, 'report')}",
        f"- {_counted(kept.searches, 'search', 'searches')} of the catalogue, for a week",
        f"- {_counted(kept.bindings, 'character')} that you put into a channel",
        *_account(kept),
        "",
        "`/privacy delete` deletes what you said and gave.",
        _heard_or_not(kept),
    ]
    if facts.policy_url:
        lines.append(f"All of it in full: <{facts.policy_url}>")
    if facts.operator_contact:
        lines.append(f"Questions go to whoever runs this bot: {facts.operator_contact}")
    return "\n".join(lines)


def _account(kept: KeptAboutMember) -> Iterator[str]:
    if kept.linked_at_ms is not None:
        since = f"<t:{kept.linked_at_ms // _MILLISECONDS}:D>"
        yield f"- the key of the NanoGPT account that you linked {since}, encrypted, until you use `/account unlink`"
    if kept.logins:
        yield "- the login that you began with a code, encrypted, until you have heard how it ended"
    if kept.own_characters:
        own = _counted(kept.own_characters, "character")
        yield f"- what your key sees of {own} of your own, encrypted, until you unlink your account"
    if kept.watches:
        yield f"- that {_counted(kept.watches, 'character')} of yours went to NanoGPT's moderators, and what they said"
    if kept.paid_replies:
        yield f"- that {_counted(kept.paid_replies, 'reply', 'replies')} went at your cost, for two days"
    if kept.drafts or kept.card_files:
        drafts, files = _counted(kept.drafts, "draft"), _counted(kept.card_files, "card file")
        yield f"- {drafts} of characters, encrypted, for an hour; {files}, encrypted, as long as its character is there"


def _heard_or_not(kept: KeptAboutMember) -> str:
    if kept.ignored_since_ms is None:
        return "If you would rather not take part, `/privacy ignore-me` makes me pass over your messages everywhere."
    return (
        f"**You are ignored**: since <t:{kept.ignored_since_ms // _MILLISECONDS}:D> your messages are neither kept nor "
        "sent to the AI service. Use `/privacy ignore-me` to be heard again."
    )


DELETE_QUESTION: Final = (
    "This deletes the texts of your messages that I still have, the replies that answered you alone, your ratings, "
    "your searches, your reports (one that is still on its way is sent without its details), your drafts of characters "
    "and card files, and the key of your NanoGPT account if you have linked one, so that your own characters stop "
    "where you pay for them. Characters will not remember what you said.\n\n"
    "**It cannot be undone.** It does not delete messages in Discord's channels, nor what the AI service or the "
    "catalogue has received already: a published review cannot be withdrawn from here, and one that is still on its "
    "way is not sent. Characters you put into a channel stay there: they are the server's."
)


KEY_DELETED: Final = (
    "Your NanoGPT account is unlinked; revoke its key on NanoGPT's API page to make sure that nobody can use it. "
)


def deleted_sentence(deleted: KeptAboutMember) -> str:
    """Return what a member reads once their data is gone."""
    return (
        f"Done. I deleted {_counted(deleted.message_texts, 'message text')}, {_counted(deleted.ratings, 'rating')}, "
        f"{_counted(deleted.reports, 'report')} and {_counted(deleted.searches, 'search', 'searches')} of yours. "
        f"{'' if deleted.linked_at_ms is None else KEY_DELETED}"
        "What you write from now on is kept again, unless you use `/privacy ignore-me`."
    )


NOW_IGNORED: Final = (
    "From now on I pass over your messages, in every server: they are not kept, not sent to the AI service and not "
    "answered. Commands still work for you. What I kept until now stays until it is old enough, or until you use "
    "`/privacy delete`. Use `/privacy ignore-me` again to be heard."
)
NOW_HEARD: Final = (
    "I listen to you again from now on; what you wrote until now stays unread. Where a character speaks, what you "
    "write to it is sent to the AI service, and kept for a while so that it can remember. `/privacy show` tells more."
)


def _counted(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
