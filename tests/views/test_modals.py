import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.custom_ids import custom_id
from bot.domain.forms import TICKED
from bot.views.modals import MAX_TITLE, Submission, drawn_form, read_submission
from tests.support.openings import opening

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def text_input(name: str, value: object) -> dict[str, object]:
    return {"type": 4, "id": 2, "custom_id": name, "value": value}


def label(inner: object) -> dict[str, object]:
    return {"type": 18, "id": 1, "component": inner}


def data(*components: object, name: str = "v1:rate-form:5:zz") -> dict[str, object]:
    return {"custom_id": name, "components": list(components), "resolved": {}}


def test_a_submission_is_read_with_its_ids_and_values() -> None:
    read = read_submission(
        data(
            {"type": 10, "id": 9},
            label({"type": 21, "id": 3, "custom_id": "stars", "value": "4"}),
            label(text_input("text", "Great character")),
            label({"type": 3, "id": 4, "custom_id": "reason", "values": ["hate", "other"]}),
            {"type": 1, "id": 5, "components": [text_input("old", "style")]},
        )
    )
    values = {"stars": "4", "text": "Great character", "reason": "hate", "old": "style"}
    assert read == Submission("rate-form", (5, int("zz", 36)), values)


@pytest.mark.parametrize(
    "inner",
    [
        {"type": 21, "id": 3, "custom_id": "stars", "value": None},
        {"type": 3, "id": 3, "custom_id": "stars", "values": []},
        text_input("stars", ""),
    ],
)
def test_what_was_left_empty_is_an_empty_text(inner: dict[str, object]) -> None:
    read = read_submission(data(label(inner)))
    assert read is not None
    assert read.values == {"stars": ""}


@pytest.mark.parametrize(("value", "read_as"), [(True, TICKED), (False, ""), (None, ""), (1, "")])
def test_a_box_is_ticked_or_empty(value: object, read_as: str) -> None:
    read = read_submission(data(label({"type": 23, "id": 3, "custom_id": "clear", "value": value})))
    assert read is not None
    assert read.values == {"clear": read_as}


def test_uploaded_files_are_known_by_their_address() -> None:
    form = data(
        label({"type": 19, "id": 3, "custom_id": "prompt", "values": ["77", "78"]}),
        label({"type": 19, "id": 4, "custom_id": "greeting", "values": []}),
        label({"type": 19, "id": 5, "custom_id": "forged", "values": ["79"]}),
    )
    form["resolved"] = {"attachments": {"77": {"id": "77", "url": "https://cdn.invalid/77/prompt.txt"}, "79": {}}}
    read = read_submission(form)
    assert read is not None
    assert (read.values, read.files) == ({}, {"prompt": "https://cdn.invalid/77/prompt.txt"})


@pytest.mark.parametrize("name", ["", "rate:5", "v2:rate-form:5:1", "v1:rate-form", "v1:RATE:5", None, 5])
def test_another_custom_id_is_not_ours(name: object) -> None:
    assert read_submission({"custom_id": name, "components": []}) is None


@given(components=JSON, resolved=JSON)
def test_nothing_in_a_form_of_ours_makes_reading_fail(components: object, resolved: object) -> None:
    read = read_submission({"custom_id": custom_id("rate-form", 1, 2), "components": components, "resolved": resolved})
    assert read is not None
    assert all(isinstance(value, str) for value in read.values.values())


@given(value=JSON)
def test_nothing_makes_reading_fail(value: object) -> None:
    assert read_submission(value) is None


async def test_each_opening_has_a_custom_id_of_its_own() -> None:
    first, second = (drawn_form(opening(number), "rate-form", 5, title="Rate", items=[]) for number in (1, 2))
    assert first.custom_id != second.custom_id


async def test_the_custom_id_of_a_form_is_read_back() -> None:
    form = drawn_form(opening(2**63 - 1), "report-form", 2**53, 2**53, title="Report", items=[])
    read = read_submission({"custom_id": form.custom_id, "components": []})
    assert read == Submission("report-form", (2**53, 2**53, 2**63 - 1), {})


async def test_a_form_is_finished_before_it_is_sent_so_that_the_library_does_not_keep_it() -> None:
    assert drawn_form(opening(), "rate-form", 5, title="Rate", items=[]).is_finished()


@given(title=st.text(max_size=300))
async def test_any_title_fits(title: str) -> None:
    form = drawn_form(opening(), "rate-form", 5, title=title, items=[])
    assert 1 <= len(form.title) <= MAX_TITLE
    assert "\n" not in form.title
