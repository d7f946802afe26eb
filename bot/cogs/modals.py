"""Submitted forms, heard from the raw event so that one submitted after a restart still counts."""

from collections.abc import Mapping

import discord
from discord.ext import commands

from bot.gateway.presenting import answer, answer_failure
from bot.views.modals import ModalHandler, read_submission


class ModalsCog(commands.Cog):
    """Hands every submission to the handler of its kind."""

    def __init__(self, handlers: Mapping[str, ModalHandler]) -> None:
        self._handlers = handlers

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Handle a form of ours, and answer its failures."""
        if interaction.type is not discord.InteractionType.modal_submit or interaction.response.is_done():
            return
        submission = read_submission(interaction.data)
        if submission is None:
            return
        handler = self._handlers.get(submission.kind)
        if handler is None:
            await answer(interaction, "I do not know this form any more. Open it again and send it once more.")
            return
        try:
            await handler(interaction, submission)
        except Exception as error:  # noqa: BLE001 - nothing above this answers the person.
            await answer_failure(interaction, error)
