"""The panel of a server's settings, for its staff alone."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Self

import discord
from discord import ui

from bot.domain.ids import ChannelId, GuildId, RoleId
from bot.domain.notices import SERVERS_ONLY
from bot.domain.ratings import ContentRating, parse_rating
from bot.domain.rights import Right
from bot.domain.server_wording import STAFF_ONLY
from bot.errors import UserError
from bot.gateway.places import manages_server, rights_missing_in
from bot.gateway.presenting import answer
from bot.services.server_settings import ServerSettingsService
from bot.views.accounts import key_input, typed_key
from bot.views.base import AnsweringItem, services_of
from bot.views.modals import Submission, drawn_form

SERVER_KEY_FORM: Final = "server-key-form"
_ANY: Final = "any"
_LOG_CHANNELS: Final = [discord.ChannelType.text, discord.ChannelType.news]


class ManagerRoleSelect(AnsweringItem[ui.RoleSelect[Any]], kind="server-role", ids=0):
    """Chooses the role whose holders may decide who speaks."""

    def __init__(self, chosen: RoleId | None = None) -> None:
        super().__init__(
            ui.RoleSelect(
                custom_id=self.id_for(),
                placeholder="A role that may also bind characters: none",
                min_values=0,
                default_values=[] if chosen is None else [discord.Object(chosen, type=discord.Role)],
            )
        )

    async def act(self, interaction: discord.Interaction) -> None:
        """Name the role, or none."""
        role_id = RoleId(self.item.values[0].id) if self.item.values else None
        await _change(interaction, lambda settings, guild_id: settings.set_manager_role(guild_id, role_id))


class LogChannelSelect(AnsweringItem[ui.ChannelSelect[Any]], kind="server-log", ids=0):
    """Chooses the channel that gets copies of reports."""

    def __init__(self, chosen: ChannelId | None = None) -> None:
        super().__init__(
            ui.ChannelSelect(
                custom_id=self.id_for(),
                placeholder="A channel for copies of reports: none",
                channel_types=_LOG_CHANNELS,
                min_values=0,
                default_values=[] if chosen is None else [discord.Object(chosen)],
            )
        )

    async def act(self, interaction: discord.Interaction) -> None:
        """Name the channel, or none."""
        channel_id = ChannelId(self.item.values[0].id) if self.item.values else None
        missing = frozenset[Right]() if channel_id is None else rights_missing_in(interaction, channel_id)
        await _change(
            interaction, lambda settings, guild_id: settings.set_log_channel(guild_id, channel_id, missing=missing)
        )


class CeilingSelect(AnsweringItem[ui.Select[Any]], kind="server-ceiling", ids=0):
    """Chooses the strongest content rating in the server, below what the operator allows."""

    def __init__(self, highest: ContentRating = ContentRating.EXPLICIT, chosen: ContentRating | None = None) -> None:
        lower = [rating for rating in ContentRating if rating < highest]
        chosen = chosen if chosen in lower else None
        options = [
            discord.SelectOption(
                label=f"Content rating: {highest.word} at most, as the operator allows",
                value=_ANY,
                default=chosen is None,
            ),
            *(
                discord.SelectOption(
                    label=f"Content rating: {rating.word} at most", value=rating.word, default=rating is chosen
                )
                for rating in reversed(lower)
            ),
        ]
        super().__init__(ui.Select(custom_id=self.id_for(), options=options))

    async def act(self, interaction: discord.Interaction) -> None:
        """Lower the ceiling, or leave it to the operator."""
        word = self.item.values[0] if self.item.values else _ANY
        rating = None if word == _ANY else parse_rating(word)
        await _change(interaction, lambda settings, guild_id: settings.set_rating_max(guild_id, rating))


class OwnCharactersButton(AnsweringItem[ui.Button[Any]], kind="server-own"):
    """Allows members to bring private characters of their own, or forbids it: what it says, whatever holds by then."""

    def __init__(self, *, allow: bool) -> None:
        self._allow = allow
        label = "Allow private characters" if allow else "Forbid private characters"
        super().__init__(ui.Button(label=label, custom_id=self.id_for(int(allow))))

    @classmethod
    def from_ids(cls, *ids: int) -> Self:
        """Build the button that allows it, or forbids it for 0."""
        (allow,) = ids
        return cls(allow=bool(allow))

    async def act(self, interaction: discord.Interaction) -> None:
        """Allow or forbid it."""
        await _change(
            interaction, lambda settings, guild_id: settings.set_own_characters(guild_id, allowed=self._allow)
        )


class ServerKeyButton(AnsweringItem[ui.Button[Any]], kind="server-key", ids=0):
    """Opens the form into which the server's own key is pasted."""

    def __init__(self, *, there: bool = False) -> None:
        label = "Replace the key…" if there else "Pay with a key of our own…"
        super().__init__(ui.Button(label=label, custom_id=self.id_for()))

    async def act(self, interaction: discord.Interaction) -> None:
        """Open the form."""
        staffed_guild(interaction)
        await interaction.response.send_modal(server_key_form(interaction))


class RemoveKeyButton(AnsweringItem[ui.Button[Any]], kind="server-nokey", ids=0):
    """Deletes the server's own key."""

    def __init__(self) -> None:
        super().__init__(ui.Button(label="Delete the key", style=discord.ButtonStyle.danger, custom_id=self.id_for()))

    async def act(self, interaction: discord.Interaction) -> None:
        """Delete it, and say who pays now."""
        await _change(interaction, lambda settings, guild_id: settings.remove_key(guild_id))


def server_key_form(interaction: discord.Interaction) -> ui.Modal:
    """Draw the form that asks for the server's key."""
    return drawn_form(
        interaction,
        SERVER_KEY_FORM,
        title="A key of this server's own",
        items=[
            ui.TextDisplay(
                "The key pays for every reply in this server, apart from those of members' own characters. "
                "Make one with a daily limit on NanoGPT's API page. I try it once, keep it encrypted, and show it to "
                "nobody; it is deleted when I am removed from the server."
            ),
            key_input("It begins with sk-nano-"),
        ],
    )


async def open_panel(interaction: discord.Interaction) -> None:
    """Answer with the settings of the server. Raises UserError for people who may not change them."""
    guild_id = staffed_guild(interaction)
    settings = services_of(interaction).server_settings
    await interaction.response.send_message(
        settings.overview(guild_id), view=panel_view(settings, guild_id, interaction.guild), ephemeral=True
    )


def panel_view(settings: ServerSettingsService, guild_id: GuildId, guild: discord.Guild | None) -> ui.View:
    """Return what goes under the settings of a server; a role or channel that was deleted does not stand as chosen."""
    now = settings.of(guild_id)
    role = None if guild is None or now.manager_role_id is None else guild.get_role(now.manager_role_id)
    log = None if guild is None or now.log_channel_id is None else guild.get_channel(now.log_channel_id)
    view = ui.View(timeout=None)
    view.add_item(ManagerRoleSelect(None if role is None else now.manager_role_id))
    view.add_item(LogChannelSelect(None if log is None else now.log_channel_id))
    view.add_item(CeilingSelect(settings.highest, now.rating_max))
    view.add_item(ServerKeyButton(there=now.key_set_at_ms is not None))
    if now.key_set_at_ms is not None:
        view.add_item(RemoveKeyButton())
    view.add_item(OwnCharactersButton(allow=not now.own_characters))
    return view


async def submit_server_key(interaction: discord.Interaction, submission: Submission) -> None:
    """Keep the key of a filled-in form, and show the panel as it is then."""
    guild_id = staffed_guild(interaction)
    settings = services_of(interaction).server_settings
    await interaction.response.defer()
    sentence = await settings.set_key(guild_id, typed_key(submission))
    await _show(interaction, settings, guild_id, sentence)


def staffed_guild(interaction: discord.Interaction) -> GuildId:
    """Return the server of an interaction whose person may change its settings. Raises UserError otherwise.

    Looked at anew each time: a panel may stand for days, and anybody can send any custom id.
    """
    if interaction.guild_id is None:
        raise UserError(SERVERS_ONLY)
    if not manages_server(interaction):
        raise UserError(STAFF_ONLY)
    return GuildId(interaction.guild_id)


async def _change(
    interaction: discord.Interaction, change: Callable[[ServerSettingsService, GuildId], Awaitable[str | None]]
) -> None:
    guild_id = staffed_guild(interaction)
    settings = services_of(interaction).server_settings
    await interaction.response.defer()
    await _show(interaction, settings, guild_id, await change(settings, guild_id))


async def _show(
    interaction: discord.Interaction, settings: ServerSettingsService, guild_id: GuildId, sentence: str | None
) -> None:
    await interaction.edit_original_response(
        content=settings.overview(guild_id), view=panel_view(settings, guild_id, interaction.guild)
    )
    if sentence is not None:
        await answer(interaction, sentence)
    await settings.apply(guild_id)
