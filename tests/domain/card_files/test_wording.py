from dataclasses import replace

import pytest

from bot.domain.card_files.containers import Container
from bot.domain.card_files.exporting import CardExport
from bot.domain.card_files.faults import CardFault, FaultKind
from bot.domain.card_files.fields import CardFields
from bot.domain.card_files.mapping import CardMapping, Loss, Part
from bot.domain.card_files.reading import CardReading
from bot.domain.card_files.versions import CardVersion
from bot.domain.card_files.wording import card_notes, export_sentence, fault_sentence, rating_question
from bot.domain.drafts import CardNotes
from bot.domain.ratings import ContentRating

DISCORD_LIMIT = 2_000


@pytest.mark.parametrize("kind", FaultKind)
def test_every_fault_has_words_that_say_what_to_do(kind: FaultKind) -> None:
    sentence = fault_sentence(CardFault(kind, "first message", 12_345, 8_000))
    assert sentence.endswith(".")
    assert any(verb in sentence for verb in ("upload", "Upload", "Try again"))
    assert not set("{}") & set(sentence)
    assert len(sentence) < 300
    # Data may be missing, as where a fault comes from outside.
    assert not set("{}") & set(fault_sentence(CardFault(kind)))


def test_every_fault_has_words_of_its_own() -> None:
    assert len({fault_sentence(CardFault(kind)) for kind in FaultKind}) == len(FaultKind)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (CardFault(FaultKind.FILE_TOO_LARGE, found=11_000_000, limit=10 * 1024 * 1024), "larger than the 10 MiB that"),
        (CardFault(FaultKind.JSON_TOO_LARGE, limit=2 * 1024 * 1024), "larger than the 2 MiB that"),
        (
            CardFault(FaultKind.TEXT_TOO_LONG, "creator's notes", 12_345, 8_000),
            "The creator's notes of this card has 12,345 characters, and I take at most 8,000.",
        ),
        (CardFault(FaultKind.ZIP_TOO_MANY_ENTRIES, found=501, limit=500), "more than 500 files"),
    ],
)
def test_figures_are_told(fault: CardFault, words: str) -> None:
    assert words in fault_sentence(fault)


WHOLE = CardReading(
    Container.PNG,
    CardVersion.V3,
    has_picture=True,
    mapping=CardMapping(
        CardFields("Ada", "s", "d", "p" * 1_234, "f", ("one", "two")),
        tuple(Part),
        tuple((loss, 3) for loss in Loss),
        ContentRating.NSFW,
        None,
    ),
)


def test_a_preview_says_what_is_taken_folded_and_lost() -> None:
    mapping = replace(
        WHOLE.mapping,
        folded=(Part.DESCRIPTION, Part.SCENARIO, Part.LORE),
        fields=replace(WHOLE.mapping.fields, tags=("one",)),
        lost=((Loss.OTHER_GREETINGS, 1), (Loss.LORE, 1_200), (Loss.CREATOR, 1)),
    )
    assert card_notes(replace(WHOLE, mapping=mapping), file_kept=True) == CardNotes(
        format="Character Card V3, PNG",
        mapped=("name", "summary", "description", "prompt (1,234 characters)", "first message", "1 tag"),
        folded=("description", "scenario", "lorebook entries that are always on"),
        lost=("1 other greeting", "1,200 lorebook entries that wait for keywords", "the creator's name"),
        has_picture=True,
        file_kept=True,
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (CardFields("Ada"), ("name",)),
        (CardFields("Ada", summary="s"), ("name", "summary")),
        (CardFields("Ada", description="d"), ("name", "description")),
        (CardFields("Ada", system_prompt=None), ("name",)),
        (CardFields("Ada", first_message="f", tags=("a", "b")), ("name", "first message", "2 tags")),
    ],
)
def test_a_preview_names_only_what_there_is(fields: CardFields, words: tuple[str, ...]) -> None:
    mapping = CardMapping(fields, (), (), ContentRating.SFW, None)
    bare = CardReading(Container.JSON, CardVersion.V1, has_picture=False, mapping=mapping)
    assert card_notes(bare, file_kept=False) == CardNotes(
        format="Character Card V1, JSON", mapped=words, has_picture=False, file_kept=False
    )


def test_all_that_can_be_folded_and_lost_has_words_and_fits_into_a_message() -> None:
    notes = card_notes(WHOLE, file_kept=True)
    assert (len(set(notes.folded)), len(set(notes.lost))) == (len(Part), len(Loss))
    assert len(", ".join((*notes.mapped, *notes.folded, *notes.lost))) < DISCORD_LIMIT / 2


def test_no_word_of_the_card_stands_in_a_preview() -> None:
    fields = CardFields(*["@everyone"] * 5, tags=("@everyone",))
    assert "@everyone" not in str(
        card_notes(replace(WHOLE, mapping=replace(WHOLE.mapping, fields=fields)), file_kept=True)
    )


@pytest.mark.parametrize(
    ("floor", "question"),
    [
        (ContentRating.SFW, "No card can say that its character is safe: choose how adult it is."),
        (ContentRating.NSFW, "By what the card says of itself, its character is at least nsfw. Choose how adult"),
    ],
)
def test_the_rating_is_asked_for(floor: ContentRating, question: str) -> None:
    assert rating_question(floor).startswith(question)


@pytest.mark.parametrize(
    ("rewritten", "with_original", "prompt_seen", "sentences"),
    [
        (False, True, True, ["This is the file you imported, as it was: the character is unchanged since."]),
        (
            *(False, True, False),
            [
                "This is the file you imported, as it was: the character looks unchanged since.",
                "NanoGPT did not show me the prompt, so I cannot tell whether that is the same.",
            ],
        ),
        (
            *(True, True, True),
            [
                "This is a V3 card of the character as it is today.",
                "The card you imported stands in it under extensions.",
            ],
        ),
        (
            *(True, False, False),
            [
                "This is a V3 card of the character as it is today.",
                "NanoGPT did not show me the prompt, so it is not in it.",
            ],
        ),
        (True, False, True, ["This is a V3 card of the character as it is today."]),
    ],
)
def test_an_export_says_what_it_is(
    *, rewritten: bool, with_original: bool, prompt_seen: bool, sentences: list[str]
) -> None:
    export = CardExport(
        b"{}", Container.JSON, rewritten=rewritten, with_original=with_original, prompt_seen=prompt_seen
    )
    assert export_sentence(export) == " ".join(sentences)
