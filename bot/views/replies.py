"""The buttons under a reply."""

import discord
from discord import ui

from bot.domain.ids import ChannelId, GuildId, TurnId, UserId
from bot.errors import UserError
from bot.gateway.places import asker_of
from bot.services.outlet import Controls
from bot.views.base import AnsweringItem, services_of
from bot.views.feedback import RateButton, ReportButton


class RetryButton(AnsweringItem[ui.Button[ui.View]], kind="retry"):
    """Asks for a turn's answer again; for the people it answers, and for staff."""

    def __init__(self, turn_id: TurnId) -> None:
        super().__init__(
            ui.Button(style=discord.ButtonStyle.secondary, label="Retry", emoji="🔁", custom_id=self.id_for(turn_id))
        )
        self.turn_id = turn_id

    @classmethod
    def from_ids(cls, *ids: int) -> "RetryButton":
        """Build the button of a turn."""
        return cls(TurnId(ids[0]))

    async def act(self, interaction: discord.Interaction) -> None:
        """Put the turn back into the queue."""
        if interaction.channel_id is None or interaction.guild_id is None:
            raise UserError("This works in a server only.")
        await interaction.response.defer(ephemeral=True, thinking=False)
        services = services_of(interaction)
        await services.relay.retry(
            self.turn_id,
            ChannelId(interaction.channel_id),
            UserId(interaction.user.id),
            is_staff=services.bindings.may_decide(GuildId(interaction.guild_id), asker_of(interaction)),
        )


def reply_buttons(controls: Controls) -> ui.View:
    """Return a new view with the buttons that a message is to carry."""
    view = ui.View(timeout=None)
    if controls.feedback:
        view.add_item(RateButton(controls.character_ref))
        view.add_item(ReportButton(controls.character_ref, controls.turn_id))
    if controls.retry:
        view.add_item(RetryButton(controls.turn_id))
    return view
