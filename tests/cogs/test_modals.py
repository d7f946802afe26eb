from collections.abc import Mapping
from typing import Any, cast

import discord
import pytest

from bot.cogs.modals import ModalsCog
from bot.errors import UserError
from bot.views.modals import ModalHandler, Submission


class Response:
    def __init__(self) -> None:
        self.sent: list[str] = []
        self.done = False

    def is_done(self) -> bool:
        return self.done

    async def send_message(self, text: str, **_: object) -> None:
        self.sent.append(text)
        self.done = True


class FormSent:
    """As much of an interaction as the cog looks at."""

    def __init__(self, name: str, kind: discord.InteractionType = discord.InteractionType.modal_submit) -> None:
        self.id = 1
        self.type = kind
        self.data: Mapping[str, Any] = {"custom_id": name, "components": []}
        self.response = Response()


async def send(form: FormSent, handlers: Mapping[str, ModalHandler]) -> list[str]:
    await ModalsCog(handlers).on_interaction(cast("discord.Interaction", cast("object", form)))
    return form.response.sent


class Recorder:
    def __init__(self, failure: Exception | None = None) -> None:
        self.taken: list[Submission] = []
        self._failure = failure

    async def __call__(self, _interaction: discord.Interaction, submission: Submission) -> None:
        self.taken.append(submission)
        if self._failure is not None:
            raise self._failure


async def test_a_form_goes_to_the_handler_of_its_kind() -> None:
    mine, others = Recorder(), Recorder()
    await send(FormSent("v1:mine:5:1"), {"mine": mine, "others": others})
    assert mine.taken == [Submission("mine", (5, 1), {})]
    assert others.taken == []


async def test_a_form_of_an_older_or_newer_release_is_answered() -> None:
    (answer,) = await send(FormSent("v1:unheard-of:5:1"), {})
    assert "Open it again" in answer


@pytest.mark.parametrize(
    "form",
    [
        FormSent("somebody elses form"),
        FormSent("v1:mine:5:1", discord.InteractionType.component),
        FormSent("v1:mine:5:1", discord.InteractionType.application_command),
    ],
)
async def test_nothing_else_is_touched(form: FormSent) -> None:
    mine = Recorder()
    assert await send(form, {"mine": mine}) == []
    assert mine.taken == []


async def test_a_form_that_was_answered_already_is_left_alone() -> None:
    form, mine = FormSent("v1:mine:5:1"), Recorder()
    form.response.done = True
    await send(form, {"mine": mine})
    assert mine.taken == []


async def test_a_failure_is_told() -> None:
    assert await send(FormSent("v1:mine:5:1"), {"mine": Recorder(UserError("Do it differently."))}) == [
        "Do it differently."
    ]


async def test_a_failure_that_nobody_foresaw_gets_a_code(caplog: pytest.LogCaptureFixture) -> None:
    (answer,) = await send(FormSent("v1:mine:5:1"), {"mine": Recorder(RuntimeError("a mistake of ours"))})
    assert "code" in answer
    assert "a mistake of ours" not in answer
    assert "a mistake of ours" in caplog.text
