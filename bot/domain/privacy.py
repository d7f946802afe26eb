"""What is kept about a member."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptAboutMember:
    """Counts of what the store holds about one member."""

    messages: int
    """Messages known by their id, so that none is answered twice."""
    message_texts: int
    """Those of them whose text is still kept."""
    ratings: int
    reports: int
    searches: int
    bindings: int
    """Characters that speak in a channel because this member bound them there."""
    ignored_since_ms: int | None
    """When the member asked to be ignored, in Unix milliseconds; None for one who did not."""
    linked_at_ms: int | None = None
    """When the member linked a NanoGPT account, in Unix milliseconds; None for one who has none here."""
    drafts: int = 0
    """Drafts of characters that nobody has saved yet."""
    card_files: int = 0
    """Card files that the member made characters from."""
    logins: int = 0
    """Logins that the member has begun, and not heard the end of."""
    own_characters: int = 0
    """Characters of their own that their key has seen."""
    watches: int = 0
    """Those that NanoGPT's moderators look at, or said something about that the member has yet to hear."""
    paid_replies: int = 0
    """Replies of the last days that were asked for at their cost."""
