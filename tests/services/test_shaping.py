from bot.domain.safety import NO_NAMES
from bot.domain.splitting import MAX_POSTS, REPLY_FILENAME
from bot.domain.unicode_text import utf16_length
from bot.services.shaping import POST_LIMIT, Shaper

GUIDE = Shaper("Guide", NO_NAMES)
MARK = "-# ⚠ cut off"
SENTENCE = "All work and no play makes a dull reply. "


def test_a_short_text_is_one_part_without_its_speakers_name() -> None:
    assert GUIDE.final("Guide: Hello.").parts == ("Hello.",)


def test_a_mark_goes_under_the_last_part() -> None:
    *before, last = GUIDE.final(SENTENCE * 60, MARK).parts
    assert before
    assert not any(MARK in part for part in before)
    assert last.endswith(f"\n{MARK}")


def test_a_text_that_shows_nothing_has_no_parts_and_no_mark() -> None:
    layout = GUIDE.final("  \u200b ", MARK)
    assert layout.parts == ()
    assert layout.file is None


def test_a_very_long_text_is_a_file_with_a_few_words_above_it() -> None:
    text = SENTENCE * 300
    layout = GUIDE.final(text, MARK)
    assert len(layout.parts) == 1
    assert layout.parts[0].endswith(MARK)
    assert layout.file is not None
    assert (layout.file.name, layout.file.text) == (REPLY_FILENAME, text.strip())


def test_every_part_leaves_room_for_a_name_above_and_a_mark_below() -> None:
    assert all(utf16_length(part) <= POST_LIMIT for part in GUIDE.final(SENTENCE * 200).parts)


def test_a_growing_text_is_shown_up_to_what_is_certain() -> None:
    assert GUIDE.preview("") == ()
    assert GUIDE.preview("Gui") == ()
    assert GUIDE.preview("Guide: Once there was a king. He w") == ("Once there was a king.",)


def test_parts_of_a_preview_that_are_whole_are_those_of_the_final_text() -> None:
    text = SENTENCE * 100
    *whole, _ = GUIDE.preview(text[:3_000])
    assert tuple(whole) == GUIDE.final(text).parts[: len(whole)]
    assert whole


def test_a_reply_that_will_be_a_file_shows_no_more_posts_than_allowed() -> None:
    assert len(GUIDE.preview(SENTENCE * 400)) == MAX_POSTS
