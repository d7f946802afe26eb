"""Names by their words, for finding those that a person misspelt."""

from collections.abc import Sequence
from typing import Final

from rapidfuzz import fuzz, process

from bot.domain.ratings import ContentRating
from bot.domain.suggestions import Entry

WORD_RESEMBLANCE: Final = 70.0
"""Of 100, as rapidfuzz counts, for each word: "giude" reaches 80 with "guide", "bard" 75 with "bart"."""
NAME_RESEMBLANCE: Final = 75.0
"""The same for whole names, which catches words that were joined or torn apart."""
BEGINNING: Final = 95.0
"""What a word counts that the last word typed is the beginning of."""
LIKELY_WORDS: Final = 25
"""Words considered for each one typed."""
MOST_WORDS: Final = 5
"""Words typed that are looked at."""


class NameIndex:
    """The words of a number of entries. Made anew when they change.

    Comparing words costs a tenth of what comparing every name in every way does (rapidfuzz's WRatio).
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._names = [entry.name for entry in entries]
        self._bearers: dict[str, list[int]] = {}
        for place, entry in enumerate(entries):
            for word in dict.fromkeys(entry.words.split()):
                self._bearers.setdefault(word, []).append(place)
        self._words = list(self._bearers)

    def resembling(self, text: str, *, ceiling: ContentRating, limit: int) -> list[Entry]:
        """Return the entries with words like all of those in `text` (folded), the likest first."""
        likeness = self._by_words(text.split()[:MOST_WORDS])
        for _, score, place in process.extract(
            text, self._names, scorer=fuzz.ratio, processor=None, limit=None, score_cutoff=NAME_RESEMBLANCE
        ):
            likeness[place] = max(score, likeness.get(place, 0.0))
        places = sorted(likeness, key=lambda place: (-likeness[place], place))
        return [self._entries[place] for place in places if self._entries[place].rating <= ceiling][:limit]

    def _by_words(self, words: list[str]) -> dict[int, float]:
        """Return the mean likeness of each entry that has a word like each of those."""
        total: dict[int, float] | None = None
        for number, word in enumerate(words):
            best: dict[int, float] = {}
            for like, score in self._likely(word, last=number == len(words) - 1).items():
                for place in self._bearers[like]:
                    best[place] = max(score, best.get(place, 0.0))
            total = best if total is None else {place: total[place] + best[place] for place in total.keys() & best}
        return {place: score / len(words) for place, score in (total or {}).items()}

    def _likely(self, word: str, *, last: bool) -> dict[str, float]:
        likely = {like: BEGINNING for like in self._words if last and like.startswith(word)}
        found = process.extract(
            word, self._words, scorer=fuzz.ratio, processor=None, limit=LIKELY_WORDS, score_cutoff=WORD_RESEMBLANCE
        )
        for like, score, _ in found:
            likely[like] = max(score, likely.get(like, 0.0))
        return likely
