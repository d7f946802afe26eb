"""The commands that decide which character speaks in a channel."""

from typing import Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.cogs.autocomplete import complete_character
from bot.domain.bindings import Trigger
from bot.domain.ids import ChannelId, GuildId
from bot.gateway.binding_answers import defer_in_private, tell
from bot.gateway.conversion import is_age_restricted
from bot.gateway.places import asker_of, bot_rights, place_of
from bot.gateway.presenting import answer
from bot.services.binding_upkeep import BindingUpkeep
from bot.services.bindings import BindingService
from bot.views.own_characters import use_or_ask

_TRIGGERS: Final = [
    app_commands.Choice(name="every message", value=Trigger.EVERY.value),
    app_commands.Choice(name="mention: only messages that mention me or reply to it", value=Trigger.MENTION.value),
]


class BindingsCog(commands.Cog):
    """`/character use`, `current`, `leave`, `reset` and `settings`, and what becomes of channels and servers."""

    def __init__(self, bindings: BindingService, upkeep: BindingUpkeep, group: app_commands.Group) -> None:
        self._bindings = bindings
        self._upkeep = upkeep
        group.command(name="use", description="Let a character speak in this channel")(self.use)
        group.command(name="current", description="See which character speaks in this channel")(self.current)
        group.command(name="leave", description="Let the character of this channel go, and forget what was said to it")(
            self.leave
        )
        group.command(name="reset", description="Begin the conversation in this channel or thread afresh")(self.reset)
        group.command(name="settings", description="See or change what the character of this channel answers")(
            self.settings
        )

    @app_commands.describe(
        character="Its name in the catalogue, or its id",
        trigger="What it answers; every message, unless you choose otherwise",
    )
    @app_commands.choices(trigger=_TRIGGERS)
    @app_commands.autocomplete(character=complete_character)
    async def use(
        self,
        interaction: discord.Interaction,
        character: app_commands.Range[str, 1, 100],
        trigger: str | None = None,
    ) -> None:
        """Bind a character to the channel."""
        await use_or_ask(interaction, self._bindings, character, _trigger(trigger))

    async def current(self, interaction: discord.Interaction) -> None:
        """Tell who speaks here."""
        await answer(interaction, self._bindings.current(await place_of(interaction), missing=bot_rights(interaction)))

    async def leave(self, interaction: discord.Interaction) -> None:
        """End the binding of the channel."""
        await defer_in_private(interaction)
        change = await self._bindings.leave(await place_of(interaction), asker_of(interaction))
        await tell(interaction, self._bindings, change)

    async def reset(self, interaction: discord.Interaction) -> None:
        """Forget the conversation of this channel or thread."""
        await defer_in_private(interaction)
        change = await self._bindings.reset(await place_of(interaction), asker_of(interaction))
        await tell(interaction, self._bindings, change)

    @app_commands.describe(trigger="What the character answers from now on; leave it out to see what it is")
    @app_commands.choices(trigger=_TRIGGERS)
    async def settings(self, interaction: discord.Interaction, trigger: str | None = None) -> None:
        """Show or change the trigger of the channel's character."""
        change = await self._bindings.settings(await place_of(interaction), asker_of(interaction), _trigger(trigger))
        await tell(interaction, self._bindings, change)

    @commands.Cog.listener()
    async def on_guild_channel_update(self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """Look at a character again whose channel gained or lost its age restriction."""
        restricted = is_age_restricted(after)
        if restricted != is_age_restricted(before):
            await self._upkeep.channel_changed(ChannelId(after.id), age_restricted=restricted)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Forget what was bound to a channel that is no more."""
        await self._upkeep.channel_deleted(ChannelId(channel.id))

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Take up what was bound in a server that the bot was removed from a moment ago."""
        await self._upkeep.guild_joined(GuildId(guild.id))


def _trigger(word: str | None) -> Trigger | None:
    return None if word is None else Trigger(word)
