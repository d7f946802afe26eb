import pytest

from bot.domain.conversation import InputItem
from bot.domain.ids import CharacterId, PayerId
from bot.domain.ratings import ContentRating
from bot.domain.search import Sort
from bot.nanogpt.requests import LONGEST_SEARCH, ApiKey, CatalogQuery, ResponseRequest, UnusableKeyError
from tests.nanogpt.fixtures import FAKE_KEY


def test_a_key_hides_itself() -> None:
    key = ApiKey(f"  {FAKE_KEY}\n", PayerId("operator"))
    assert key.reveal() == FAKE_KEY
    assert FAKE_KEY not in f"{key} {key!r} {[key]}"
    assert repr(key) == "<ApiKey of operator>"


def test_keys_are_equal_when_payer_and_secret_are() -> None:
    key = ApiKey(FAKE_KEY, PayerId("a"))
    assert key == ApiKey(FAKE_KEY, PayerId("a"))
    assert hash(key) == hash(ApiKey(FAKE_KEY, PayerId("a")))
    assert key != ApiKey(FAKE_KEY, PayerId("b"))
    assert key != ApiKey(FAKE_KEY + "x", PayerId("a"))
    assert key != FAKE_KEY


@pytest.mark.parametrize("secret", ["", "  ", "two words", "tab\there", "ключ", "line\nbreak", "nul\0"])
def test_what_cannot_be_a_key_is_refused_without_quoting_it(secret: str) -> None:
    with pytest.raises(UnusableKeyError) as caught:
        ApiKey(secret, PayerId("a"))
    assert not secret.strip() or secret not in str(caught.value)


def test_the_rating_is_always_asked_for() -> None:
    assert CatalogQuery(ContentRating.SFW).parameters() == [
        ("content_rating_max", "sfw"),
        ("sort", "trending_simple"),
        ("limit", "25"),
    ]


def test_tags_are_repeated_and_a_search_is_trimmed() -> None:
    query = CatalogQuery(
        ContentRating.NSFW,
        text=" guide " + "x" * 500,
        tags=("a", "b"),
        sort=Sort.NEW,
        cursor="c",
        limit=10,
    )
    assert query.parameters() == [
        ("content_rating_max", "nsfw"),
        ("sort", "new"),
        ("limit", "10"),
        ("q", ("guide " + "x" * 500)[:LONGEST_SEARCH]),
        ("tags", "a"),
        ("tags", "b"),
        ("cursor", "c"),
    ]


def test_a_request_names_the_character_and_stores_nothing() -> None:
    request = ResponseRequest(CharacterId("guide"), (InputItem("developer", "d"), InputItem("user", "u")))
    assert request.body(stream=True, with_model=True) == {
        "character_id": "guide",
        "input": [
            {"type": "message", "role": "developer", "content": "d"},
            {"type": "message", "role": "user", "content": "u"},
        ],
        "store": False,
        "stream": True,
    }


def test_what_is_optional_is_sent_when_it_is_there() -> None:
    request = ResponseRequest(
        CharacterId("guide"),
        (),
        base_model="some/model",
        max_output_tokens=500,
    )
    assert request.body(stream=False, with_model=True) == {
        "character_id": "guide",
        "input": [],
        "store": False,
        "stream": False,
        "model": "some/model",
        "max_output_tokens": 500,
    }
    assert "model" not in request.body(stream=False, with_model=False)


def test_too_small_a_cap_is_raised_to_the_smallest() -> None:
    request = ResponseRequest(CharacterId("guide"), (), max_output_tokens=1)
    assert request.body(stream=True, with_model=False)["max_output_tokens"] == 16
