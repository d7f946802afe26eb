"""What authors read at their desk. Names and words of the catalogue are escaped here, once."""

from collections.abc import Sequence
from typing import Final

from bot.domain.authoring import CharacterChanges, Visibility
from bot.domain.cards import Card, Field
from bot.domain.characters import Character, KnownCharacter, OwnCharacter, unusable_reason
from bot.domain.drafts import MOST_DRAFTS
from bot.domain.moderation import APPROVED, PENDING
from bot.domain.quoting import bold_name, quoted
from bot.domain.sheets import Missing, changed_words
from bot.domain.unicode_text import one_line, truncate

PAGE: Final = 10
"""Characters on a page of one's own: far within an embed's 25 fields and 6,000 characters."""
_NAME: Final = 100
_WORD: Final = 60
_REASON: Final = 400
_SUMMARY: Final = 300
_TAG: Final = 30
_TAGS: Final = 12

NONE_OF_YOURS: Final = "That is none of your characters. /character mine lists them."
SEVERAL_OF_YOURS: Final = "Several of your characters go by that name. Choose the one you mean from the list."
NO_LONGER: Final = "That character is no longer available."
ARCHIVED: Final = "That character is archived, and cannot be brought back from here."
NO_CHARACTERS: Final = (
    "You have no characters on NanoGPT yet. Make one with /character create, or bring a card file with "
    "/character import."
)
ELSEWHERE: Final = (
    "Its content rating is above what this channel may show, so its texts do not open here. "
    "Use this in an age-restricted channel."
)
UNRATED: Final = (
    "It has no content rating yet, and no card can say that its character is safe, so its texts do not open here. "
    "Choose one with *Tags and rating* first, or import the card in an age-restricted channel."
)
SOMEBODY_ELSES: Final = "That belongs to somebody else. Open your own with /character mine."
DRAFT_GONE: Final = (
    "That draft is gone: drafts are kept for an hour after they were last touched, and no more than "
    f"{MOST_DRAFTS} of a member. Open a new one with /character create or /character edit."
)
DRAFTS_FULL: Final = (
    f"You have {MOST_DRAFTS} drafts to which NanoGPT gave no clear answer, and I keep no more. Press *Save* on one of "
    "them, so that I look for what became of it."
)
BEING_SAVED: Final = "It is being saved already. Wait for the answer."
NOTHING_CHANGED: Final = "Nothing has changed, so there is nothing to save."
UNCERTAIN: Final = (
    "NanoGPT did not answer clearly, and I do not see the character among yours so far. It may still turn up. Press "
    "*Save* again in a minute: I look for it before I try anew. Your draft is kept."
)
UNCERTAIN_EDIT: Final = (
    "NanoGPT did not answer clearly, so I cannot say whether your changes arrived. Press *Save* again: they are the "
    "same changes, so nothing is done twice. Your draft is kept."
)
UNCERTAIN_ARCHIVE: Final = (
    "NanoGPT did not answer clearly, so I cannot say whether it is archived. /character mine shows how it stands."
)
NOT_ARCHIVED: Final = (
    "NanoGPT did not answer clearly, and the character is still there. Press *Archive it* again in a minute."
)
NO_BALANCE: Final = "Your NanoGPT account has not enough balance for that. Top it up, then try again."
DAILY_LIMIT: Final = "The key of your NanoGPT account has reached its limit for today. Try again after midnight UTC."
NANOGPT_BUSY: Final = "NanoGPT is answering too many people just now. Try again in a minute."
NANOGPT_DOWN: Final = "NanoGPT does not answer just now. Try again in a minute."
NOT_PERMITTED: Final = "NanoGPT does not let your account do that with this character."
NO_FILES: Final = "There was no file among that. Press *Upload* and add at least one."
FILE_UNDER_WAY: Final = "Another card file of yours is under way. Wait for what comes of it, then try again."
FILES_BUSY: Final = "Too many card files are under way just now. Try again in a minute."
WILL_TELL: Final = "I tell you by direct message once NanoGPT's moderators have decided."
DRAFT_KEPT: Final = "Your draft is kept."
WRITTEN_MEANWHILE: Final = "What you wrote while it was being saved is kept below and not in it yet. Save that too."

WHAT_ACCESS_MEANS: Final = (
    "**Private**: only you can see and use it.\n"
    "**Unlisted**: whoever has its id or slug can reach it where NanoGPT permits that; no list shows it.\n"
    "**Public**: it is submitted to NanoGPT's moderators, and stands in the catalogue only once they have approved it. "
    "While they look, nobody but you can use it. Every later edit is reviewed again in the same way.\n"
    "**API access** opens it to apps such as this bot: for everybody but you it has to be public, approved and open."
)
CANNOT_BE_UNDONE: Final = "**This cannot be undone from here**, and NanoGPT documents no way to bring it back."


def name_of(character: Character) -> str:
    """Return a character's name in bold, or its address where nothing of the name can be shown."""
    return bold_name(character.name if one_line(character.name) else character.address)


def access_words(character: Character) -> str:
    """Say who can see and use a character, what the moderators say, and how it is rated."""
    return " · ".join(
        filter(
            None,
            (
                visibility_words(character),
                review_words(character),
                character.rating.word,
                api_words(character),
            ),
        )
    )


def visibility_words(character: Character) -> str:
    """Say who can see it, in NanoGPT's own words."""
    return quoted(character.visibility or "", _WORD) or "visibility not known"


def review_words(character: Character) -> str:
    """Say what moderation has come to; "" for a character that is not submitted to it."""
    status = character.moderation_status
    if status == APPROVED:
        return "approved"
    if status == PENDING:
        return "waiting for review"
    if status is not None:
        return f"review: {quoted(status, _WORD)}"
    return "review not known" if character.visibility == Visibility.PUBLIC.value else ""


def api_words(character: Character) -> str:
    """Say whether apps may use it."""
    return {True: "open to apps", False: "closed to apps", None: "API access not known"}[character.allow_api]


def mine_card(characters: Sequence[KnownCharacter], page: int, pages: int, *, archived: int) -> Card:
    """Return one page of a member's own characters; `archived` is how many more are not shown."""
    fields = [
        Field(
            quoted(known.character.name, _NAME) or known.character.id[:_NAME],
            f"{access_words(known.character)}\n`{truncate(_plain(known.character.address), _NAME)}`",
            inline=False,
        )
        for known in characters
    ]
    footer = [f"page {page} of {pages}"] if pages > 1 else []
    if archived:
        footer.append("1 archived one is not shown" if archived == 1 else f"{archived:,} archived ones are not shown")
    return Card("Your characters", None, tuple(fields), " · ".join(footer) or None)


def own_card(own: OwnCharacter, *, texts: bool) -> Card:
    """Return what its author sees of one character; `texts` says whether this place may show what is written of it."""
    character = own.character
    fields = [
        Field("Who can see it", visibility_words(character)),
        Field("Review", review_words(character) or "not submitted"),
        Field("Content rating", rating_words(own)),
        Field("API access", api_words(character)),
    ]
    if model := quoted(character.base_model or "", _WORD):
        fields.append(Field("Model", model))
    if character.stars_count:
        average = "" if character.stars_average is None else f"{max(0.0, min(5.0, character.stars_average)):.1f} "
        fields.append(Field("Stars", f"★ {average}({min(character.stars_count, 999_999_999):,})"))
    if tags := [quoted(tag, _TAG) for tag in character.tags[:_TAGS] if one_line(tag)]:
        fields.append(Field("Tags", " · ".join(tags), inline=False))
    # Once it is approved, or before the moderators anew, what they wrote is of another time.
    told = texts and character.moderation_status not in (None, APPROVED, PENDING)
    if told and (reason := quoted(own.moderation_reason or "", _REASON)):
        fields.append(Field("What the moderators say", reason, inline=False))
    summary = quoted(character.summary or "", _SUMMARY) if texts else ELSEWHERE
    return Card(
        quoted(character.name, _NAME) or character.id[:_NAME],
        summary or None,
        tuple(fields),
        truncate(_plain(character.address), _NAME),
        character.avatar_url if texts else None,
    )


def rating_words(own: OwnCharacter) -> str:
    """Say how its content is rated, and what its author said where that is something else."""
    rating = own.character.rating
    if own.creator_rating is None or own.creator_rating is rating:
        return rating.word
    return f"{rating.word} (you said {own.creator_rating.word})"


def confirm_edit(name: str, changes: CharacterChanges, channels: int) -> str:
    """Ask before an edit that takes an approved public character out of use."""
    if changes.visibility not in (None, Visibility.PUBLIC):
        return (
            f"{name} is approved and public. Once it is {changes.visibility.value}, others cannot use it any more"
            f"{f', and it pauses in {_channels(channels)} here' if channels else ''}; to be public again it has to be "
            "reviewed again. Save it all the same?"
        )
    return (
        f"{name} is approved and public. NanoGPT reviews it again after this ({_listed(changed_words(changes))}), and "
        "until it is approved anew nobody but you can use it"
        f"{f': it pauses in {_channels(channels)} here' if channels else ''}. Save it all the same?"
    )


def confirm_archive(name: str, channels: int) -> str:
    """Ask before a character is archived."""
    pauses = f" It speaks in {_channels(channels)} here and pauses there." if channels else ""
    return f"Archive {name}? It leaves the catalogue, and nobody can use it any more.{pauses} {CANNOT_BE_UNDONE}"


def archived_sentence(name: str) -> str:
    """Say that a character was archived."""
    return f"{name} is archived. Reviews, reports and conversations of others are not touched by that."


def saved_sentence(name: str, character: Character | None, *, created: bool) -> str:
    """Say that something was saved, and what follows from what NanoGPT answered."""
    done = f"{name} is made." if created else f"{name} is saved."
    if character is None:
        return f"{done} NanoGPT did not say how it stands now; /character mine shows it."
    return f"{done} {standing_sentence(character)}"


def standing_sentence(character: Character) -> str:
    """Say who can use a character as it stands, and what its author can do about it."""
    if unusable_reason(character) is None and character.moderation_status == APPROVED:
        return "It is public and approved: everybody can find it with /character search."
    if character.visibility == Visibility.PUBLIC.value:
        if character.moderation_status == PENDING:
            closed = (
                "" if character.allow_api else " It is closed to apps, so this bot will not speak with it even then."
            )
            return f"NanoGPT's moderators look at it now; until they approve it, only you can use it.{closed}"
        if character.moderation_status == APPROVED:
            return "It is public and approved, but closed to apps: /character publish opens it."
        return "It is public, but not approved, so only you can use it."
    if character.visibility == Visibility.UNLISTED.value:
        return "It is unlisted: no list shows it. /character publish changes that."
    return "Only you can see and use it. /character publish changes that."


def missing_sentence(missing: Sequence[Missing]) -> str:
    """Say what a new character still needs."""
    return f"It still needs {_listed([part.value for part in missing])}."


def unknown_model(model: str, closest: str | None) -> str:
    """Say that NanoGPT lists no such model."""
    hint = f" Did you mean {quoted(closest)}?" if closest else " /character create offers those there are."
    return f"NanoGPT lists no model {quoted(model, _WORD)}.{hint}"


def no_plain_text(what: str) -> str:
    """Say that an uploaded file is not what a text is."""
    return f"The file for the {what} is not plain text in UTF-8. Save it as plain text and upload it again."


def empty_file(what: str) -> str:
    """Say that an uploaded file has nothing in it."""
    return f"The file for the {what} is empty. To clear a text, use its form."


def refused_by_nanogpt(message: str | None) -> str:
    """Say that NanoGPT did not take a character, in its own words where it gave any."""
    words = quoted(message or "", _REASON)
    return f"NanoGPT did not take it{f': {words}' if words else '.'}"


def _channels(number: int) -> str:
    return "1 channel" if number == 1 else f"{number:,} channels"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _plain(text: str) -> str:
    return one_line(text, without="`")
