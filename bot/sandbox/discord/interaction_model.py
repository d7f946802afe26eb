"""What an interaction is, from the person's click to the last followup."""

import asyncio
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.model import Message, User

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel

ResultKind: TypeAlias = Literal["message", "deferred", "deferred_update", "update", "autocomplete", "modal", "failed"]


class InteractionType(IntEnum):
    """Types of interactions."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


class CallbackType(IntEnum):
    """Types of first answers."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE_MESSAGE = 7
    AUTOCOMPLETE = 8
    MODAL = 9


@dataclass(frozen=True, slots=True)
class Choice:
    """One suggestion of an autocomplete."""

    name: str
    value: str | int | float


@dataclass(slots=True, eq=False)
class Modal:
    """A form that was put before a person."""

    title: str
    custom_id: str
    components: list[JsonObject]


@dataclass(slots=True, eq=False)
class Interaction:
    """One interaction. `opened_at` is the world's time, `started` the loop's; both in seconds.

    `name` says all that the person did; `command` only what was run, as everybody reads it above the answer.
    """

    id: int
    token: str
    type: InteractionType
    user: User
    channel: "Channel"
    name: str
    opened_at: float
    started: float
    delivered: bool
    message: Message | None = None
    command_kind: int | None = None
    command: str = ""
    callback: CallbackType | None = None
    original: Message | None = None
    modal: Modal | None = None
    choices: list[Choice] = field(default_factory=list[Choice])
    followups: list[Message] = field(default_factory=list[Message])
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)


_KINDS: Final[dict[CallbackType, ResultKind]] = {
    CallbackType.MESSAGE: "message",
    CallbackType.DEFERRED_MESSAGE: "deferred",
    CallbackType.DEFERRED_UPDATE: "deferred_update",
    CallbackType.UPDATE_MESSAGE: "update",
    CallbackType.AUTOCOMPLETE: "autocomplete",
    CallbackType.MODAL: "modal",
}


@dataclass(frozen=True, slots=True)
class InteractionResult:
    """What a person saw come back. `kind` is that of the first answer, "failed" when none came in time."""

    interaction: Interaction

    @property
    def kind(self) -> ResultKind:
        """Return the kind of the first answer."""
        callback = self.interaction.callback
        return "failed" if callback is None else _KINDS[callback]

    @property
    def failed(self) -> bool:
        """Tell whether the person read "the application did not respond"."""
        return self.interaction.callback is None

    @property
    def message(self) -> Message | None:
        """Return the answer's message in its present state: new, a placeholder, or the one with the component."""
        return self.interaction.original

    @property
    def text(self) -> str:
        """Return the present text of the answer; empty when there is no message."""
        return "" if self.interaction.original is None else self.interaction.original.content

    @property
    def ephemeral(self) -> bool:
        """Tell whether only this person sees the answer."""
        return self.interaction.original is not None and self.interaction.original.ephemeral_for is not None

    @property
    def modal(self) -> Modal | None:
        """Return the form that was opened."""
        return self.interaction.modal

    @property
    def choices(self) -> list[Choice]:
        """Return the suggestions of an autocomplete."""
        return self.interaction.choices

    @property
    def followups(self) -> list[Message]:
        """Return the messages sent after the first answer, so far."""
        return self.interaction.followups

    async def final_message(self, timeout: float = 10.0) -> Message:
        """Return the message that settles the interaction: after a defer, the first edit or followup.

        Raises TimeoutError when nothing comes within `timeout` seconds, LookupError when there is no message at all.
        """
        interaction = self.interaction
        if interaction.callback in {CallbackType.DEFERRED_MESSAGE, CallbackType.DEFERRED_UPDATE}:
            async with asyncio.timeout(timeout):
                await interaction.settled.wait()
            if interaction.callback is CallbackType.DEFERRED_UPDATE and interaction.followups:
                return interaction.followups[0]
        if interaction.original is None:
            raise LookupError(f"{interaction.name} was answered with {self.kind}, not with a message")
        return interaction.original
