import pytest

from bot.domain.rights import Right, in_words, required


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ([], ""),
        ([Right.SEND_MESSAGES], "Send Messages"),
        ([Right.EMBED_LINKS, Right.VIEW_CHANNEL], "View Channel and Embed Links"),
        (
            [Right.READ_MESSAGE_HISTORY, Right.VIEW_CHANNEL, Right.SEND_MESSAGES],
            "View Channel, Send Messages and Read Message History",
        ),
    ],
)
def test_rights_are_listed_in_the_words_and_order_of_the_settings(rights: list[Right], words: str) -> None:
    assert in_words(rights) == words


def test_every_right_has_words_that_are_its_flag() -> None:
    for right in Right:
        assert right.words.lower().replace(" ", "_") == right.value


def test_webhooks_are_wanted_and_not_required() -> None:
    assert required({Right.MANAGE_WEBHOOKS}) == frozenset()
    assert required({Right.MANAGE_WEBHOOKS, Right.VIEW_CHANNEL}) == {Right.VIEW_CHANNEL}
