"""Long answers: a tale in chapters with headings, lists, quotations and code blocks, for splitting and files."""

from typing import Final

from bot.sandbox.nanogpt.chance import Chance
from bot.sandbox.nanogpt.listening import UNKNOWN_TOPIC
from bot.sandbox.nanogpt.voices import Voice

LONG_CHARACTERS: Final = 3_000
"""At least so much for "long": two or three Discord messages."""
VERY_LONG_CHARACTERS: Final = 11_500
"""At least so much for "very long": more than five Discord messages."""

_SENTENCES: Final = (
    "{hero} came to {place} on a day that had forgotten its own name.",
    "Nobody had swept the stairs since the last visitor, and nobody meant to.",
    "There, between two loose boards, lay {thing}, waiting as things do that were hidden by somebody in love.",
    "“You are early,” said a voice, “or I am late; the clock refuses to take sides.”",
    "{hero} counted to seven, which is the number for doors, and pushed.",
    "Outside, the wind went through its pockets and found only leaves.",
    "It is hard to be brave for a whole evening; {hero} had decided to be brave for ten minutes at a time.",
    "Somebody had written a date on the wall and, underneath it, *sorry*.",
    "Of {thing} the neighbours said that it had once belonged to a judge, a thief and a cook, all the same person.",
    "The road to {place} is short in the morning and long on the way back.",
    "A dog barked twice, thought better of it, and went home.",
    "{hero} laughed, and the laugh stayed in the room a little longer than {hero} did.",
    "On the table stood two cups. One was still warm.",
    "“If you open it,” the voice went on, “you will have to finish the story yourself.”",
    "At {place} one learns quickly that silence has several dialects.",
    "The map showed a bridge; the river had other plans.",
    "So {hero} took {thing}, wrapped it in an old newspaper, and walked as if the street were empty.",
    "The newspaper, it turned out, had predicted all of this on page nine, under *Weather*.",
    "Far off, a train said what trains say, and the windows answered.",
    "It was then that the light under the door went out.",
    "{hero} did what anybody sensible would have done, and did it backwards.",
    "A child on the corner sold questions for a coin each; the answers were free, but nobody wanted them.",
    "By the time the rain had found its rhythm, {place} looked almost friendly.",
    "There are three ways to return a thing that was never stolen, and {hero} knew two of them.",
    "The key turned without a sound, as keys do in dreams and in very good hotels.",
    "Later, everyone would swear that they had heard music.",
    "{hero} set {thing} on the sill, where the moon could read it.",
    "“That,” said the voice, much closer, “is not what I expected you to choose.”",
    "And because it was late, and because it was true, nobody answered.",
    "A moth drew a circle round the lamp, and then another, like a teacher insisting.",
)
_HEADINGS: Final = (
    "The door that was not there",
    "What the cook remembered",
    "A walk without an umbrella",
    "The second cup",
    "Seven steps down",
    "The judge's handwriting",
    "A price is named",
    "Music next door",
    "The river's opinion",
    "Page nine",
    "The moth's lesson",
    "Almost home",
)
_LIST_ITEMS: Final = (
    "**a promise**, kept badly but kept",
    "half a loaf, *still warm*",
    "{thing}, of course",
    "one address near {place}, crossed out and written again",
    "`four` matches, `one` of them used",
    "the sentence nobody wanted to say first",
)
_QUOTES: Final = (
    "> Whoever finds this: the left stair creaks.\n> Use the right one, and be kind to the cat.",
    "> *We regret nothing,* the letter began,\n> and then regretted it for three pages.",
    "> Bring the lamp. Leave the reasons.",
)
_BLOCKS: Final = (
    (
        '```python\ndef open_the_door(knocks: int) -> str:\n    if knocks == 7:\n        return "come in"\n'
        '    if knocks > 7:\n        return "patience, please"\n    return "nobody is home"\n\n\n'
        "for knocks in range(1, 10):\n    print(knocks, open_the_door(knocks))\n```"
    ),
    (
        "```text\nledger of the house\n-------------------\ncandles ........ 12\nsecrets ......... 3\n"
        "visitors ........ 1\nowed ............ a proper goodbye\n```"
    ),
    (
        '```js\nconst rain = (roof) => roof.map((tile) => `${tile}: plip`).join("\\n");\n'
        'console.log(rain(["slate", "tin", "straw"]));\n```'
    ),
)


def tell_long(voice: Voice, hero: str, topic: str, chance: Chance, length: int) -> str:
    """Tell a tale of at least `length` characters, in Markdown as Discord renders it."""
    sentences, headings = chance.cycle(_SENTENCES), chance.cycle(_HEADINGS)
    places, things = chance.cycle(voice.places), chance.cycle(voice.things)
    matter = next(things) if topic == UNKNOWN_TOPIC else topic
    written = [f"# A tale for {hero}", f"*In which there is much about {matter}, and a little about everything else.*"]
    size = sum(len(block) for block in written)
    chapter = 0
    while size < length:
        chapter += 1
        blocks = [f"## {chapter}. {next(headings)}"]
        for _ in range(2):
            chosen = [next(sentences) for _ in range(4)]
            blocks.append(" ".join(_fill(line, hero, next(places), next(things)) for line in chosen))
        blocks.append(_ornament(chapter, next(places), next(things), chance))
        written += blocks
        size += sum(len(block) + 2 for block in blocks)
    written.append(f"**And so it ends, {hero}, for tonight.** {chance.pick(voice.follow_ups)}")
    return "\n\n".join(written)


def tell_short(voice: Voice, hero: str, chance: Chance) -> str:
    """Tell a tale of two paragraphs."""
    sentences, place, thing = chance.cycle(_SENTENCES), chance.pick(voice.places), chance.pick(voice.things)
    paragraphs = [" ".join(_fill(next(sentences), hero, place, thing) for _ in range(4)) for _ in range(2)]
    return "\n\n".join([*paragraphs, f"*…and then?* {chance.pick(voice.follow_ups)}"])


def _ornament(chapter: int, place: str, thing: str, chance: Chance) -> str:
    match chapter % 3:
        case 1:
            items = chance.cycle(_LIST_ITEMS)
            rows = "\n".join(f"- {next(items).format(place=place, thing=thing)}" for _ in range(4))
            return f"On the table lay:\n{rows}"
        case 2:
            return chance.pick(_QUOTES)
        case _:
            return chance.pick(_BLOCKS)


def _fill(sentence: str, hero: str, place: str, thing: str) -> str:
    filled = sentence.replace("{hero}", hero).replace("{place}", place).replace("{thing}", thing)
    return filled[0].upper() + filled[1:]
