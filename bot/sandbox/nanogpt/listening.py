"""What the scripted responder makes out of an input: who speaks, what about, and what is wanted. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.sandbox.nanogpt.requests import InputItem

_LABEL: Final = re.compile(r"\[(?P<name>[^\]\n]{1,80})\] ?(?P<text>.*)", re.DOTALL)
_TOPIC: Final = re.compile(
    r"\b(?:about|regarding|concerning|with|for)\s+(?P<topic>[^?.!,;:\n]{3,48}?)\s*(?:[?.!,;:\n]|$)", re.IGNORECASE
)
_OWNED: Final = re.compile(
    r"\b(?P<topic>(?:my|our|your|the|a|an|this|these|those) "
    r"(?!very\b|really\b|long|short|stor|tale|poem|song|haiku|little\b|good\b|new\b)[^\W\d_][\w'\u2019-]{2,}"
    r"(?: (?:of|in) (?:the |a |my )?[\w'-]{3,})?)",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_][\w'\u2019-]*")
_FACT: Final = re.compile(r"\bmy (?P<what>[a-z][a-z ]{1,28}?) (?:is|are) (?P<value>[^?.!\n]{1,60})", re.IGNORECASE)
_ASKED_FACT: Final = re.compile(
    r"\bwhat(?:['\u2019]s| is| are| was) my (?P<what>[a-z][a-z ]{1,28}?)(?: again)?\s*\?", re.IGNORECASE
)
_CALL_ME: Final = re.compile(
    r"\b(?:call me|my name is|i am called) (?P<name>[^\W\d_][\w'\u2019-]{0,30})", re.IGNORECASE
)
_COMMON_WORDS: Final = frozenset(
    [
        *("about", "after", "again", "also", "always", "another", "anything", "because", "been", "before", "being"),
        *("could", "does", "doing", "done", "each", "even", "every", "from", "give", "going", "good", "have", "having"),
        *("hello", "help", "here", "into", "just", "know", "like", "little", "make", "many", "maybe", "mine", "more"),
        *("most", "much", "must", "need", "never", "only", "other", "please", "really", "said", "says", "should"),
        *(
            "some",
            "something",
            "still",
            "story",
            "tale",
            "long",
            "such",
            "sure",
            "tell",
            "than",
            "thank",
            "thanks",
            "that",
            "that's",
            "their",
        ),
        *("them", "then", "there", "these", "they", "thing", "things", "think", "this", "those", "today", "very"),
        *("want", "was", "well", "were", "what", "what's", "when", "where", "which", "while", "will", "with"),
        *("without", "would", "write", "yes", "your", "you're", "can't", "don't", "won't", "i'm"),
    ]
)
_SWITCHED: Final = {"my": "your", "our": "your", "your": "my", "me": "you", "i": "you", "mine": "yours", "us": "you"}
UNKNOWN_TOPIC: Final = "that"
_ARTICLES: Final = frozenset({"the", "a", "an", "this", "these", "those"})
_LEAST_TOPIC_LETTERS: Final = 4
_QUOTE_CHARACTERS: Final = 90


class Wish(Enum):
    """What kind of answer is wanted, as far as a few words can tell."""

    CODE = "code"
    VERY_LONG = "very_long"
    LONG = "long"
    NAME = "name"
    FACT = "fact"
    EARLIER = "earlier"
    COMPANY = "company"
    REAL = "real"
    INTRO = "intro"
    POEM = "poem"
    STORY = "story"
    STEPS = "steps"
    THANKS = "thanks"
    FAREWELL = "farewell"
    HELLO = "hello"
    ADVICE = "advice"
    TALK = "talk"


_PATTERNS: Final[Sequence[tuple[Wish, re.Pattern[str]]]] = tuple(
    (wish, re.compile(pattern, re.IGNORECASE))
    for wish, pattern in (
        (
            Wish.VERY_LONG,
            (
                r"\b(?:(?:very|really|extremely|incredibly|so) (?:very )?long|longest|10[, ]?000)\b"
                r"|\b(?:write|tell)\b.*\b(?:epic|novel|saga)\b"
            ),
        ),
        (Wish.LONG, r"(?<!how )(?<!as )(?<!so )\b(?:long|longer|lengthy|essay|in depth|detailed)\b(?! ago)"),
        (
            Wish.CODE,
            r"\b(?:code|script|function|program|snippet|algorithm|python|javascript|typescript|rust|sql|bash|html)\b",
        ),
        (Wish.NAME, r"\b(?:who am i|what(?:['\u2019]s| is) my name|(?:remember|know) (?:me|my name))\b"),
        (Wish.FACT, _ASKED_FACT.pattern),
        (Wish.EARLIER, r"\bwhat did i (?:just )?(?:say|tell|ask)|\b(?:remember|recall) what\b"),
        (Wish.COMPANY, r"\bwho (?:is|are|else is) (?:all )?(?:here|we|around|with us|talking)\b"),
        (Wish.REAL, r"\bare you (?:an? )?(?:real|human|person|bot|robot|ai|machine|language model)\b"),
        (Wish.INTRO, r"\b(?:introduce yourself|who are you|what are you|about yourself|what can you do)\b"),
        (Wish.POEM, r"\b(?:poem|verses?|song|sing|haiku|ballad|rhyme)\b"),
        (Wish.STORY, r"\b(?:story|tale|scene|legend|adventure)\b"),
        (Wish.STEPS, r"\b(?:list|steps?|plan|tips|checklist|outline|ideas)\b"),
        (Wish.THANKS, r"\b(?:thanks|thank you|thx|cheers)\b"),
        (Wish.FAREWELL, r"^\W*(?:good ?night|goodbye|bye|see you|farewell|so long)\b"),
        (Wish.HELLO, r"^\W*(?:hi|hello|hey|hiya|good (?:morning|evening|day|afternoon)|greetings|ahoy)\b.{0,40}$"),
        (Wish.ADVICE, r"\?|^\W*(?:how|what|why|when|where|who|which|can|could|should|would|do|does|is|are)\b"),
    )
)


@dataclass(frozen=True, slots=True)
class Line:
    """Something a person said."""

    speaker: str | None
    """None where the input carries no labels."""
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """An input, as far as the responder listens."""

    now: tuple[Line, ...]
    """What is to be answered: everything people said since the last answer."""
    before: tuple[Line, ...]
    """What they said earlier, oldest first."""
    last_answer: str
    """The character's own last words; empty when it has not spoken."""

    @property
    def text(self) -> str:
        """What is to be answered, as one text without labels."""
        return "\n".join(line.text for line in self.now)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Who is to be answered, in order of appearance."""
        return _names(self.now)

    @property
    def company(self) -> tuple[str, ...]:
        """Everybody who has said something, in order of appearance."""
        return _names((*self.before, *self.now))


def listen(items: Iterable[InputItem]) -> Heard:
    """Take an input apart; items of developers and of the system are not conversation."""
    before: list[Line] = []
    now: list[Line] = []
    last_answer = ""
    for item in items:
        if item.role == "assistant":
            before += now
            now = []
            last_answer = item.text
        elif item.role == "user":
            now += _lines(item.text)
    return Heard(tuple(now), tuple(before), last_answer)


def wish_of(text: str) -> Wish:
    """Guess what kind of answer a text wants."""
    return next((wish for wish, pattern in _PATTERNS if pattern.search(text)), Wish.TALK)


def topic_of(text: str) -> str:
    """Find what a text is about, as a noun phrase from the listener's point of view."""
    if found := _TOPIC.search(text) or _OWNED.search(text):
        return _switch_persons(found["topic"].strip())
    words = [word for word in _WORD.findall(text) if word.lower() not in _COMMON_WORDS]
    longest = max(words, key=len, default="")
    return longest.lower() if len(longest) >= _LEAST_TOPIC_LETTERS else UNKNOWN_TOPIC


def name_for(speaker: str, lines: Iterable[Line]) -> str:
    """Return what a speaker asked to be called, or else the speaker's label."""
    wished = [found["name"] for line in lines if line.speaker == speaker for found in _CALL_ME.finditer(line.text)]
    return wished[-1] if wished else speaker


def asked_fact(text: str) -> str | None:
    """Return which of their own facts somebody asks for, such as "favourite colour"."""
    found = _ASKED_FACT.search(text)
    return found["what"].lower() if found else None


def told_fact(what: str, speaker: str | None, lines: Iterable[Line]) -> str | None:
    """Return what a speaker last told of such a fact, or None."""
    told = [
        found["value"].strip()
        for line in lines
        if line.speaker == speaker
        for found in _FACT.finditer(line.text)
        if found["what"].lower() == what
    ]
    return told[-1] if told else None


def last_words(speaker: str | None, lines: Sequence[Line]) -> str | None:
    """Return the last thing that a speaker said, shortened to be quoted, or None."""
    said = next((line.text for line in reversed(lines) if line.speaker == speaker and line.text.strip()), None)
    if said is None:
        return None
    flat = " ".join(said.replace("`", "").split())
    return flat if len(flat) <= _QUOTE_CHARACTERS else f"{flat[:_QUOTE_CHARACTERS].rsplit(' ', 1)[0]} …"


def _lines(text: str) -> list[Line]:
    """Split at lines that begin with a label; a line without one belongs to who spoke before."""
    lines: list[Line] = []
    for row in text.splitlines():
        if labelled := _LABEL.fullmatch(row):
            lines.append(Line(labelled["name"], labelled["text"]))
        elif lines:
            lines[-1] = Line(lines[-1].speaker, f"{lines[-1].text}\n{row}")
        else:
            lines.append(Line(None, row))
    return lines


def _names(lines: Iterable[Line]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.speaker for line in lines if line.speaker is not None))


def _switch_persons(phrase: str) -> str:
    words = [_SWITCHED.get(word.lower(), word) for word in phrase.split()]
    return " ".join([word.lower() if word.lower() in _ARTICLES else word for word in words])
