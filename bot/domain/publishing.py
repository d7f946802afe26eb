"""What members read about ratings on their way to becoming their own reviews in the catalogue."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.domain.feedback import NotAccepted, Rating, RefusedReview
from bot.domain.quoting import code_span

_MILLISECONDS: Final = 1_000

_LINK: Final = "/account link"
_ELIGIBLE: Final = "an active subscription or more than 1 USD in balance"
"""Characters API, Reviews And Reports."""


class Whereabouts(Enum):
    """Where a rating stands."""

    UNLINKED = "unlinked"
    """Here: its member has linked no account."""
    KEY_REFUSED = "key_refused"
    """Here: the key of its member's account is refused."""
    PRIVATE = "private"
    """Here: the catalogue shows the character to its owner alone."""
    HERE = "here"
    """Here, as nobody has asked for more."""
    WAITING = "waiting"
    PUBLISHED = "published"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Standing:
    """A member's rating and where it stands."""

    rating: Rating
    where: Whereabouts

    @property
    def can_be_published(self) -> bool:
        """Whether there is something to publish, at once or once an account is linked."""
        return self.where not in (Whereabouts.PRIVATE, Whereabouts.WAITING, Whereabouts.PUBLISHED)


_STANDING: Final = {
    Whereabouts.UNLINKED: "It is kept here and not published: you have not linked a NanoGPT account. Once you have, "
    f"with {_LINK}, press Publish to make it your own review in the NanoGPT catalogue.",
    Whereabouts.KEY_REFUSED: "It is kept here and not published: NanoGPT refuses the key of your account. "
    f"Link it again with {_LINK}, then press Publish.",
    Whereabouts.PRIVATE: "It is kept here: the catalogue does not show this character to everybody, "
    "so it takes no reviews of it.",
    Whereabouts.HERE: "It is kept here. Press Publish to make it your own review in the NanoGPT catalogue.",
    Whereabouts.WAITING: "It is on its way to the NanoGPT catalogue, as your own review. "
    "If it is not accepted, I tell you after one of your next commands.",
    Whereabouts.PUBLISHED: "It is published in the NanoGPT catalogue, as your own review.",
}


def standing_sentence(standing: Standing) -> str:
    """Return what a member reads of where their rating stands. It names no character."""
    if standing.where is not Whereabouts.REFUSED:
        return _STANDING[standing.where]
    refused = standing.rating.refused
    why = _NOT_ACCEPTED if refused is None else refusal_sentence(refused)
    return f"{why} Your rating stays saved here; rate again or press Publish, and I ask once more."


def refusal_sentence(refused: RefusedReview) -> str:
    """Return why a rating did not become a review, with the catalogue's words where there are any."""
    sentence = _REFUSALS[refused.cause]
    if answer := code_span(refused.answer or ""):
        sentence = f"{sentence.removesuffix('.')}: {answer}."
    return f"{sentence} {_HINTS[refused.cause]}" if refused.cause in _HINTS else sentence


_NOT_ACCEPTED: Final = "The NanoGPT catalogue did not accept the review."
_REFUSALS: Final = {
    NotAccepted.INVALID: _NOT_ACCEPTED,
    NotAccepted.BALANCE: _NOT_ACCEPTED,
    NotAccepted.FORBIDDEN: "The NanoGPT catalogue does not let your account review this character.",
    NotAccepted.GONE: "The NanoGPT catalogue has no such character (any more).",
    NotAccepted.CONFLICT: _NOT_ACCEPTED,
    NotAccepted.KEY: "NanoGPT refused the key of your account.",
    NotAccepted.EXPIRED: "The NanoGPT catalogue could not be reached within a week, so I stopped trying.",
}
_ALSO_NEEDED: Final = f"Reviews also need an account with {_ELIGIBLE}."
_HINTS: Final = {
    NotAccepted.INVALID: _ALSO_NEEDED,
    NotAccepted.BALANCE: f"Reviews need an account with {_ELIGIBLE}.",
    NotAccepted.FORBIDDEN: _ALSO_NEEDED,
    NotAccepted.KEY: f"Link it again with {_LINK} first.",
}
"""Which status an account gets that may not review is not documented, so the three likely ones all tell of the rule."""


def review_news(rating: Rating) -> str | None:
    """Return what a member is told about a rating that did not become a review, or None for any other.

    Names no character: the place where this is read may not show it.
    """
    if rating.refused is None:
        return None
    when = f"<t:{rating.updated_at_ms // _MILLISECONDS}:D>"
    return f"About your rating of {when}: {standing_sentence(Standing(rating, Whereabouts.REFUSED))}"


NOT_LINKED: Final = (
    f"You have not linked a NanoGPT account, and a review is its owner's own. Link yours with {_LINK}, "
    "then press Publish again."
)
KEY_IS_REFUSED: Final = (
    f"NanoGPT refuses the key of your account. Link it again with {_LINK}, then press Publish again."
)
NOT_RATED: Final = "You have not rated this character. Use /character rate first."
NOTHING_TO_PUBLISH: Final = "There is nothing to publish: every rating of yours is published, or on its way."
UNLINKED_REVIEWS: Final = (
    "Reviews that were on their way to the catalogue are not sent any more. Those that it has published stay there: "
    "I cannot withdraw them from here. Your ratings stay saved here."
)
"""For the answer to whoever unlinks their account."""


def offer_sentence(count: int) -> str:
    """Return the offer to publish ratings that were given before the account was linked."""
    if count == 1:
        return (
            "You have given a rating that is not published. Press the button to make it your own review in the "
            "NanoGPT catalogue."
        )
    return (
        f"You have given {count:,} ratings that are not published. Press the button to make them your own reviews in "
        "the NanoGPT catalogue."
    )


def all_sentence(standings: Iterable[Standing]) -> str:
    """Return what became of several ratings that were to be published at once."""
    found = list(standings)
    counts = Counter(standing.where for standing in found)
    lines: list[str] = []
    if published := counts[Whereabouts.PUBLISHED]:
        lines.append(f"{_ratings(published)} published in the NanoGPT catalogue, as your own.")
    if waiting := counts[Whereabouts.WAITING]:
        lines.append(
            f"{_ratings(waiting)} on the way to the NanoGPT catalogue. "
            "If one is not accepted, I tell you after one of your next commands."
        )
    refused = [standing.rating.refused for standing in found if standing.rating.refused is not None]
    for cause, number in Counter(each.cause for each in refused).items():
        first = next(each for each in refused if each.cause is cause)
        lines.append(f"{_ratings(number)} not published. {refusal_sentence(first)}")
    if refused:
        lines.append("What is not published stays saved here; rate again or press the button, and I ask once more.")
    return "\n".join(lines) or NOTHING_TO_PUBLISH


def _ratings(count: int) -> str:
    return "1 rating is" if count == 1 else f"{count:,} ratings are"
