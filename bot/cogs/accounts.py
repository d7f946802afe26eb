"""`/account`: a NanoGPT account of one's own, linked, looked at, and unlinked."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.ids import UserId
from bot.services.accounts import AccountService
from bot.views.accounts import invite, tell_login_news
from bot.views.base import services_of


class AccountsCog(commands.GroupCog, group_name="account", group_description="Your own NanoGPT account"):
    """Answers members about their accounts, in private."""

    def __init__(self, accounts: AccountService) -> None:
        self._accounts = accounts

    @app_commands.command(name="link", description="Link your NanoGPT account, to rate and create under your own name")
    async def link(self, interaction: discord.Interaction) -> None:
        """Show a code to approve on NanoGPT's website."""
        await invite(interaction)

    @app_commands.command(name="status", description="See whether your account is linked, and how it stands")
    async def status(self, interaction: discord.Interaction) -> None:
        """Tell what NanoGPT says of the account."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        text = await self._accounts.status(UserId(interaction.user.id))
        await interaction.edit_original_response(content=text)

    @app_commands.command(name="unlink", description="Delete the key of your account here")
    async def unlink(self, interaction: discord.Interaction) -> None:
        """Delete the key."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        text = await self._accounts.unlink(UserId(interaction.user.id))
        await interaction.edit_original_response(content=text)

    @commands.Cog.listener()
    async def on_app_command_completion(self, interaction: discord.Interaction, _command: object) -> None:
        """Tell the person how their login ended, unless a form is open before them."""
        if interaction.response.type is not discord.InteractionResponseType.modal:
            await tell_login_news(interaction, services_of(interaction))
