"""The author's desk: `/character mine` and what an author does with their own characters."""

import io

import discord
from discord import app_commands
from discord.ext import commands

from bot.cogs.autocomplete import complete_model, complete_own
from bot.domain.ids import UserId
from bot.gateway.binding_answers import defer_in_private
from bot.gateway.places import place_of
from bot.services.card_desk import CardDesk
from bot.services.desk import DeskService
from bot.services.drafting import DraftingService
from bot.services.moderation import ModerationService
from bot.views.desk import ask_before_archiving, show_mine, tell_desk_news
from bot.views.drafting import show_panel


class DeskCog(commands.Cog):
    """Everything here is between an author and the bot: nobody else sees an answer."""

    def __init__(
        self,
        desk: DeskService,
        drafting: DraftingService,
        cards: CardDesk,
        moderation: ModerationService,
        group: app_commands.Group,
    ) -> None:
        """Take the group `/character`, to which the commands are added."""
        self._desk = desk
        self._drafting = drafting
        self._cards = cards
        self._moderation = moderation
        group.command(name="mine", description="See your own characters on NanoGPT and how they stand")(self.mine)
        group.command(name="create", description="Make a character of your own on NanoGPT")(self.create)
        group.command(name="import", description="Make a character from a card file: PNG, JSON or CHARX")(self.bring)
        group.command(name="edit", description="Change one of your own characters")(self.edit)
        group.command(name="publish", description="Choose who may see and use one of your own characters")(self.publish)
        group.command(name="archive", description="Take one of your own characters out of use for good")(self.archive)
        group.command(name="export", description="Get one of your own characters as a card file")(self.export)

    async def mine(self, interaction: discord.Interaction) -> None:
        """List the person's own characters."""
        await defer_in_private(interaction)
        await show_mine(interaction, await self._desk.mine(UserId(interaction.user.id)))

    @app_commands.describe(base_model="The model it is built on; the one that most characters have, unless you choose")
    @app_commands.autocomplete(base_model=complete_model)
    async def create(
        self, interaction: discord.Interaction, base_model: app_commands.Range[str, 1, 100] | None = None
    ) -> None:
        """Open a draft of a new character."""
        await defer_in_private(interaction)
        await show_panel(interaction, await self._drafting.new(UserId(interaction.user.id), base_model))

    @app_commands.describe(file="A character card: V1, V2 or V3, as PNG, JSON or CHARX, of at most 10 MiB")
    async def bring(self, interaction: discord.Interaction, file: discord.Attachment) -> None:
        """Open a draft of the character in a card file."""
        await defer_in_private(interaction)
        draft = await self._cards.bring(UserId(interaction.user.id), file.url, file.filename, self._drafting)
        await show_panel(interaction, draft)

    @app_commands.describe(character="Which of your own characters")
    @app_commands.autocomplete(character=complete_own)
    async def edit(self, interaction: discord.Interaction, character: app_commands.Range[str, 1, 100]) -> None:
        """Open a draft of a character as it is now."""
        await defer_in_private(interaction)
        user_id = UserId(interaction.user.id)
        known = await self._desk.find(user_id, character)
        await show_panel(interaction, await self._drafting.edit(user_id, known, await place_of(interaction)))

    @app_commands.describe(character="Which of your own characters")
    @app_commands.autocomplete(character=complete_own)
    async def publish(self, interaction: discord.Interaction, character: app_commands.Range[str, 1, 100]) -> None:
        """Open a draft of who may see and use a character."""
        await defer_in_private(interaction)
        user_id = UserId(interaction.user.id)
        known = await self._desk.find(user_id, character)
        await show_panel(interaction, await self._drafting.publish(user_id, known))

    @app_commands.describe(character="Which of your own characters")
    @app_commands.autocomplete(character=complete_own)
    async def archive(self, interaction: discord.Interaction, character: app_commands.Range[str, 1, 100]) -> None:
        """Ask before archiving a character."""
        await defer_in_private(interaction)
        await ask_before_archiving(interaction, await self._desk.find(UserId(interaction.user.id), character))

    @app_commands.describe(character="Which of your own characters")
    @app_commands.autocomplete(character=complete_own)
    async def export(self, interaction: discord.Interaction, character: app_commands.Range[str, 1, 100]) -> None:
        """Hand a character out as a card file."""
        await defer_in_private(interaction)
        user_id = UserId(interaction.user.id)
        known = await self._desk.find(user_id, character)
        given = await self._cards.hand_out(user_id, known, await place_of(interaction))
        file = discord.File(io.BytesIO(given.file), given.name)
        await interaction.edit_original_response(content=given.sentence, attachments=[file])

    @commands.Cog.listener()
    async def on_app_command_completion(self, interaction: discord.Interaction, _command: object) -> None:
        """Tell an author what the moderators decided, unless a form is open before them."""
        if interaction.response.type is not discord.InteractionResponseType.modal:
            await tell_desk_news(interaction, self._moderation)
