"""What all buttons and selects have in common: they survive a restart, and they always answer."""

import re
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar, cast, final

import discord
from discord import ui

from bot.domain.custom_ids import custom_id, parse_custom_id, template
from bot.gateway.presenting import answer_failure
from bot.services.registry import Services

if TYPE_CHECKING:
    from collections.abc import Callable

ItemT = TypeVar("ItemT", bound=ui.Item[Any])


class _HasServices(Protocol):
    services: Services


def services_of(interaction: discord.Interaction) -> Services:
    """Return the services of the client that took an interaction; discord.py builds dynamic items itself."""
    return cast("_HasServices", cast("object", interaction.client)).services


class AnsweringItem(ui.DynamicItem[ItemT], Generic[ItemT], template=r"(?!)"):
    """A dynamic item whose custom id carries row ids, and which answers its own failures.

    A subclass names its `kind` (one word, unique in the bot) and how many ids it has (`ids`, or `least` to `ids`),
    makes its component with `custom_id=cls.id_for(…)`, and implements `act`, and `from_ids` where it has ids. It is
    listed in bot.views.registry. What the ids point to is for `act` to check against the place and the person: anybody
    can send any custom id. It is for `act` alone, not for interaction_check, whose exceptions discord.py swallows.

    Put such items into views of their own only, `timeout=None`, a new view for every send: discord.py 2.7.1
    forgets the class for all messages when a mixed view times out or a view is sent twice.
    """

    kind: ClassVar[str]

    def __init_subclass__(cls, *, kind: str, ids: int = 1, least: int | None = None) -> None:
        super().__init_subclass__(template=template(kind, least=ids if least is None else least, most=ids))
        cls.kind = kind

    @classmethod
    def id_for(cls, *ids: int) -> str:
        """Write the custom id of this class for the given row ids."""
        return custom_id(cls.kind, *ids)

    @classmethod
    def from_ids(cls, *ids: int) -> Self:
        """Build the item from the ids of its custom id, as many as the class declares.

        An item without ids is the same for everybody, and built without arguments unless the class says otherwise.
        """
        if ids:
            raise NotImplementedError
        return cast("Callable[[], Self]", cls)()

    async def act(self, interaction: discord.Interaction) -> None:
        """Do what the button or select is for. May raise: the base class answers."""
        raise NotImplementedError

    @classmethod
    @final
    async def from_custom_id(
        cls, _interaction: discord.Interaction, _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Build the item for a press; discord.py calls this."""
        parsed = parse_custom_id(match.string)
        assert parsed is not None
        return cls.from_ids(*parsed.ids)

    @final
    async def callback(self, interaction: discord.Interaction) -> None:
        """Act, and tell the person when it fails; discord.py would only log it."""
        try:
            await self.act(interaction)
        except Exception as error:  # noqa: BLE001 - nothing above this answers the person.
            await answer_failure(interaction, error)
