"""The button with which a member has everything deleted."""

from typing import Any, Self

import discord
from discord import ui

from bot.domain.ids import UserId
from bot.domain.privacy_wording import deleted_sentence
from bot.errors import UserError
from bot.views.base import AnsweringItem, services_of


class DeleteMineButton(AnsweringItem[ui.Button[Any]], kind="delete-mine"):
    """Deletes what is kept about the member it was made for."""

    def __init__(self, user_id: UserId) -> None:
        super().__init__(
            ui.Button(label="Delete it all", style=discord.ButtonStyle.danger, custom_id=self.id_for(user_id))
        )
        self._user_id = user_id

    @classmethod
    def from_ids(cls, *ids: int) -> Self:
        """Build the button of a member."""
        (user_id,) = ids
        return cls(UserId(user_id))

    async def act(self, interaction: discord.Interaction) -> None:
        """Delete, and say so in place of the question."""
        if interaction.user.id != self._user_id:
            raise UserError("That button is somebody else's. Use /privacy delete for your own data.")
        await interaction.response.defer()
        deleted = await services_of(interaction).privacy.delete(self._user_id)
        await interaction.edit_original_response(content=deleted_sentence(deleted), view=None)


def delete_question_view(user_id: UserId) -> ui.View:
    """Return the view under the question whether to delete everything."""
    view = ui.View(timeout=None)
    view.add_item(DeleteMineButton(user_id))
    return view
