"""Reviews: one an account and character, by accounts that may."""

from typing import Final

from bot.sandbox.nanogpt.accounts import Account
from bot.sandbox.nanogpt.authoring import bare_answer
from bot.sandbox.nanogpt.catalog import Catalog, SandboxCharacter, owned_by
from bot.sandbox.nanogpt.characters import Characters
from bot.sandbox.nanogpt.queries import bad_body
from bot.sandbox.nanogpt.recording import Record, RecordedCall, Review
from bot.sandbox.nanogpt.variants import Variants, WriteAnswer
from bot.sandbox.nanogpt.wire import Answer, refusal

_STARS: Final = range(1, 6)
_MIN_TEXT: Final = 10
"""Characters page, review body."""
_INELIGIBLE: Final = "Reviews need an active subscription or a balance of more than $1"


class Reviews:
    """Answers the reviews of characters."""

    def __init__(self, catalog: Catalog, characters: Characters, record: Record, variants: Variants) -> None:
        self._catalog = catalog
        self._characters = characters
        self._record = record
        self._variants = variants

    def put(self, id_or_slug: str, call: RecordedCall, account: Account) -> Answer:
        """PUT /characters/{idOrSlug}/review: a second one takes the place of the first."""
        foreign = self._characters.is_foreign(id_or_slug)
        character = None if foreign else self._characters.readable(id_or_slug, account)
        rating, text = self._read(call)
        if not self._catalog.accounts.may_review(account):
            raise refusal(self._variants.ineligible_status, _INELIGIBLE, kind="permission_denied_error")
        if character is None:
            review = Review(character=id_or_slug, account=account.id, rating=rating, text=text)
            self._record.reviews[id_or_slug, account.id] = review
            return bare_answer(WriteAnswer.EMPTY, 200)
        if owned_by(character, account) and self._variants.refuse_own_review:
            raise refusal(409, "Nobody may review a character of their own")
        review = Review(character=character.slug, account=account.id, rating=rating, text=text)
        rated = self._count(character, review)
        if self._variants.write_answer is not WriteAnswer.CHARACTER:
            return bare_answer(self._variants.write_answer, 200)
        told = {"rating": rating} if text is None else {"rating": rating, "review_text": text}
        return Answer.of(
            200,
            {"review": told, "rating_avg": round(rated.rating_avg or 0.0, 2), "rating_count": rated.rating_count},
        )

    def _read(self, call: RecordedCall) -> tuple[int, str | None]:
        fields = dict(call.fields)
        rating, text = fields.pop("rating", None), fields.pop("review_text", None)
        if not isinstance(rating, int) or isinstance(rating, bool) or rating not in _STARS:
            raise bad_body("rating", "must be a whole number from 1 to 5")
        if "review_text" in call.fields and not (isinstance(text, str) and len(text.strip()) >= _MIN_TEXT):
            raise bad_body("review_text", f"must be at least {_MIN_TEXT} characters")
        for name in sorted(fields):
            self._record.complain(f"A review with the unknown field {name}.")
            raise bad_body(name, "is not a field of a review")
        return rating, text if isinstance(text, str) else None

    def _count(self, character: SandboxCharacter, review: Review) -> SandboxCharacter:
        """Keep a review, and let it count in the character's average."""
        place = (character.id, review.account)
        before = self._record.reviews.get(place)
        self._record.reviews[place] = review
        stars = (character.rating_avg or 0.0) * character.rating_count
        count = character.rating_count
        if before is None:
            count += 1
        else:
            stars -= before.rating
        return self._catalog.update(character.id, rating_avg=(stars + review.rating) / count, rating_count=count)
