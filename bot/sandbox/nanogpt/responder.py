"""The local responder: replies from templates, so that characters can be talked to without any model.

Nothing in here understands anything. A reply is put together from the templates of the character's voice
(`voices.py`), a few patterns looked for in the input (`listening.py`) and choices that follow from the
input alone (`chance.py`): the same input gets the same reply, and nothing is remembered between two.
"""

import re
from collections.abc import Sequence
from typing import Final

from bot.sandbox.nanogpt.chance import Chance
from bot.sandbox.nanogpt.listening import (
    UNKNOWN_TOPIC,
    Heard,
    Wish,
    asked_fact,
    last_words,
    listen,
    name_for,
    told_fact,
    topic_of,
    wish_of,
)
from bot.sandbox.nanogpt.longform import LONG_CHARACTERS, VERY_LONG_CHARACTERS, tell_long, tell_short
from bot.sandbox.nanogpt.requests import ResponseRequest
from bot.sandbox.nanogpt.voices import DEFAULT_VOICE, VOICES, Voice

_SNIPPETS: Final = {
    "javascript": (
        "const greet = (name, times = 3) =>\n"
        "  Array.from({ length: times }, (_, i) => `${i + 1}. Hello, ${name}!`);\n\n"
        'console.log(greet("@NAME@").join("\\n"));'
    ),
    "typescript": (
        "function greet(name: string, times = 3): string[] {\n"
        "  return Array.from({ length: times }, (_, i) => `${i + 1}. Hello, ${name}!`);\n}\n\n"
        'console.log(greet("@NAME@").join("\\n"));'
    ),
    "rust": (
        'fn greet(name: &str, times: usize) {\n    for i in 1..=times {\n        println!("{i}. Hello, {name}!");\n'
        '    }\n}\n\nfn main() {\n    greet("@NAME@", 3);\n}'
    ),
    "sql": (
        "SELECT guest.name, COUNT(*) AS visits\nFROM visit\nJOIN guest ON guest.id = visit.guest_id\n"
        "WHERE guest.name = '@NAME@'\nGROUP BY guest.name\nORDER BY visits DESC;"
    ),
    "bash": 'for i in 1 2 3; do\n  printf "%s. Hello, %s!\\n" "$i" "@NAME@"\ndone',
    "html": '<ul class="guests">\n  <li>@NAME@</li>\n  <li>and everybody else</li>\n</ul>',
    "python": (
        "def greet(name: str, times: int = 3) -> list[str]:\n"
        '    """Return as many greetings as asked for."""\n'
        '    return [f"{number}. Hello, {name}!" for number in range(1, times + 1)]\n\n\n'
        'print("\\n".join(greet("@NAME@")))'
    ),
}
_SENTENCE_START: Final = re.compile(r"((?:^|[.!?*] ))\{topic\}")
_DEFAULT_LANGUAGE: Final = "python"
_VERSES: Final = (
    "I met {topic} at the edge of the day,",
    "with dust on its shoulders and nothing to say;",
    "I offered it bread, and it offered me time,",
    "and both of us knew it was bound for a rhyme.",
    "",
    "So, {name}, if you pass where the lanterns are low,",
    "leave one of them burning for those who must go,",
    "and one for {thing}, and one for the rain,",
    "and one for the road that will bring us again.",
)
_STEPS: Final = (
    "**Name it.** Write one line on {topic}, and date it.",
    "**Shrink it.** Which part of {topic} fits into a quarter of an hour?",
    "**Borrow.** Somebody at {place} has done this before. Ask.",
    "**Begin badly.** The first try is only there to be improved.",
    "**Look back.** After three days, keep what worked and put {thing} on top of the rest.",
)


def respond(request: ResponseRequest) -> str:
    """Write the reply to a request, from nothing but the request."""
    character = request.character
    heard = listen(request.items)
    chance = Chance(f"{character.slug}\n{request.seed}\n{request.items!r}")
    if request.instructions is not None:
        return f"(The instructions of this request took the place of {character.name}.) You said: {heard.text}"
    return _Reply(character.name, VOICES.get(character.slug, DEFAULT_VOICE), heard, chance).write()


class _Reply:
    """One reply in the making."""

    def __init__(self, character: str, voice: Voice, heard: Heard, chance: Chance) -> None:
        self._character = character
        self._voice = voice
        self._heard = heard
        self._chance = chance
        self._lines = (*heard.before, *heard.now)
        self._speaker = heard.speakers[-1] if heard.speakers else None
        self._topic = topic_of(heard.text)
        names = [name_for(speaker, self._lines) for speaker in heard.speakers]
        self._name = _joined(names) if names else voice.stranger

    def write(self) -> str:
        """Write it."""
        voice = self._voice
        match wish_of(self._heard.text):
            case Wish.CODE:
                return self._code()
            case Wish.VERY_LONG:
                return tell_long(voice, self._name, self._topic, self._chance, VERY_LONG_CHARACTERS)
            case Wish.LONG:
                return tell_long(voice, self._name, self._topic, self._chance, LONG_CHARACTERS)
            case Wish.STORY:
                return tell_short(voice, self._name, self._chance)
            case Wish.POEM:
                return self._fill("\n".join(f"> {verse}" for verse in _VERSES))
            case Wish.STEPS:
                return "\n".join(f"{number}. {self._fill(step)}" for number, step in enumerate(_STEPS, 1))
            case wish:
                return self._say(wish)

    def _say(self, wish: Wish) -> str:
        voice = self._voice
        match wish:
            case Wish.NAME | Wish.FACT | Wish.EARLIER | Wish.COMPANY:
                return self._remember(wish)
            case Wish.REAL:
                return (
                    f"No human here, {self._name}: I am {self._character}, and in this sandbox I speak from a script."
                    " No model was asked."
                )
            case Wish.INTRO:
                return f"I am **{self._character}**. {voice.intro} {self._follow_up()}"
            case Wish.THANKS:
                return self._fill(voice.thanks)
            case Wish.FAREWELL:
                return self._fill(voice.farewell)
            case Wish.HELLO:
                return self._fresh(voice.hellos)
            case Wish.ADVICE:
                return f"{self._fresh(voice.advice)}{self._callback()} {self._follow_up()}"
            case _:
                return f"{self._fresh(voice.answers)}{self._callback()} {self._follow_up()}"

    def _remember(self, wish: Wish) -> str:
        match wish:
            case Wish.NAME if self._speaker is None:
                return f"You never told me, so I call you {self._name}. {self._follow_up()}"
            case Wish.NAME:
                return f"You are {self._name}, of course. {self._follow_up()}"
            case Wish.FACT:
                what = asked_fact(self._heard.text) or "answer"
                told = told_fact(what, self._speaker, self._lines)
                if told is None:
                    return f"You have not told me your {what} yet, {self._name}. I am listening."
                return f"Your {what}? You told me, {self._name}: {told}."
            case Wish.COMPANY:
                company = [name_for(speaker, self._lines) for speaker in self._heard.company]
                return f"I have heard {_joined(company) if company else 'one voice, and no name to it'} so far."
            case _:
                said = last_words(self._speaker, self._heard.before)
                if said is None:
                    return f"Nothing before this, {self._name}; we have only begun."
                return f"You said, {self._name}: “{said}”. {self._follow_up()}"

    def _code(self) -> str:
        asked = self._heard.text.lower()
        language = next((language for language in _SNIPPETS if language in asked), _DEFAULT_LANGUAGE)
        snippet = _SNIPPETS[language].replace("@NAME@", self._plain_name())
        return f"{self._fill(self._voice.code_remark)}\n\n```{language}\n{snippet}\n```\n{self._follow_up()}"

    def _plain_name(self) -> str:
        return "".join(letter for letter in self._name if letter.isalnum() or letter == " ")

    def _callback(self) -> str:
        """Come back, now and then, to something the speaker said earlier."""
        earlier = last_words(self._speaker, self._heard.before)
        if earlier is None or self._chance.below(3) > 0:
            return ""
        topic = topic_of(earlier)
        return "" if topic in {UNKNOWN_TOPIC, self._topic} else f" It goes with what you said about {topic}."

    def _follow_up(self) -> str:
        return self._fresh(self._voice.follow_ups)

    def _fresh(self, templates: Sequence[str]) -> str:
        """Choose a line that the character has not just said."""
        lines = [self._fill(template) for template in templates]
        unsaid = [line for line in lines if line not in self._heard.last_answer]
        return self._chance.pick(unsaid or lines)

    def _fill(self, template: str) -> str:
        capital = self._topic[:1].upper() + self._topic[1:]
        filled = (
            _SENTENCE_START.sub(lambda found: f"{found[1]}{capital}", template)
            .replace("{name}", self._name)
            .replace("{topic}", self._topic)
            .replace("{place}", self._voice.places[0])
            .replace("{thing}", self._voice.things[0])
        )
        return filled[:1].upper() + filled[1:]


def _joined(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
