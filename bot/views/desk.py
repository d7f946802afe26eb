"""An author's own characters: the pages that list them, and the card of one."""

import logging
from typing import Any

import discord
from discord import ui

from bot.domain.cards import Card, option_texts
from bot.domain.characters import KnownCharacter
from bot.domain.custom_ids import base36, read_base36
from bot.domain.desk_wording import (
    NO_CHARACTERS,
    SOMEBODY_ELSES,
    archived_sentence,
    confirm_archive,
    mine_card,
    name_of,
    own_card,
)
from bot.domain.drafts import texts_may_open
from bot.domain.ids import CharacterRef, UserId
from bot.errors import UserError
from bot.gateway.places import place_of
from bot.services.desk import MinePage
from bot.services.moderation import ModerationService
from bot.views.base import AnsweringItem, services_of
from bot.views.catalog import INVALID_FORM_BODY, drawn

_log = logging.getLogger(__name__)


class MineTurnButton(AnsweringItem[ui.Button[Any]], kind="mine-turn"):
    """Turns the page of one's own characters. The list is the presser's, whoever it was made for."""

    def __init__(self, number: int, *, label: str = "▶", disabled: bool = False) -> None:
        super().__init__(ui.Button(label=label, disabled=disabled, custom_id=self.id_for(number)))
        self._number = number

    @classmethod
    def from_ids(cls, *ids: int) -> "MineTurnButton":
        """Build the button of a page."""
        return cls(ids[0])

    async def act(self, interaction: discord.Interaction) -> None:
        """Show the other page in place of this one, from memory."""
        page = services_of(interaction).desk.page(UserId(interaction.user.id), self._number)
        await interaction.response.edit_message(embed=drawn(_card(page)), view=mine_view(page))


class MineOpenSelect(AnsweringItem[ui.Select[Any]], kind="mine-open"):
    """Opens one of the characters on a page."""

    def __init__(self, page: MinePage | None = None) -> None:
        options = [
            discord.SelectOption(label=option_texts(known.character)[0], value=base36(known.ref))
            for known in (page.characters if page else ())
        ]
        number = page.number if page else 1
        super().__init__(ui.Select(custom_id=self.id_for(number), placeholder="Open…", options=options))

    @classmethod
    def from_ids(cls, *ids: int) -> "MineOpenSelect":
        """Build the select of a page; what it offered is of no matter."""
        del ids
        return cls()

    async def act(self, interaction: discord.Interaction) -> None:
        """Show the character below the list, as it is now."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        ref = read_base36(self.item.values[0]) if self.item.values else None
        if ref is None:
            raise UserError(SOMEBODY_ELSES)
        await show_own(interaction, CharacterRef(ref))


class ArchiveButton(AnsweringItem[ui.Button[Any]], kind="archive"):
    """Archives one of the presser's own characters, after the question."""

    def __init__(self, ref: CharacterRef) -> None:
        super().__init__(ui.Button(label="Archive it", style=discord.ButtonStyle.danger, custom_id=self.id_for(ref)))
        self._ref = ref

    @classmethod
    def from_ids(cls, *ids: int) -> "ArchiveButton":
        """Build the button of a character."""
        return cls(CharacterRef(ids[0]))

    async def act(self, interaction: discord.Interaction) -> None:
        """Archive it, and say so in place of the question."""
        await interaction.response.defer()
        known = await services_of(interaction).desk.archive(UserId(interaction.user.id), self._ref)
        name = name_of(known.character)
        await interaction.edit_original_response(content=archived_sentence(name), view=None)


def mine_view(page: MinePage) -> ui.View | None:
    """Return what goes under a page of one's own characters; None where there is nothing to open."""
    if not page.characters:
        return None
    view = ui.View(timeout=None)
    view.add_item(MineOpenSelect(page))
    if page.pages > 1:
        first, last = page.number == 1, page.number == page.pages
        before, after = page.number - 1, page.number + 1
        view.add_item(MineTurnButton(before, label="◀" if first else f"◀ Page {before}", disabled=first))
        view.add_item(MineTurnButton(after, label="▶" if last else f"Page {after} ▶", disabled=last))
    return view


async def show_mine(interaction: discord.Interaction, page: MinePage) -> None:
    """Answer an interaction, which was deferred before, with a page of one's own characters."""
    if page.characters:
        await interaction.edit_original_response(embed=drawn(_card(page)), view=mine_view(page))
    else:
        await interaction.edit_original_response(content=NO_CHARACTERS)


async def show_own(interaction: discord.Interaction, ref: CharacterRef) -> None:
    """Answer an interaction, which was deferred before, with one of the person's own characters as it is now."""
    services = services_of(interaction)
    user_id = UserId(interaction.user.id)
    own = await services.desk.read(user_id, services.desk.known(user_id, ref))
    place = await place_of(interaction)
    card = own_card(own, texts=texts_may_open(own.character.rating, place, services.catalog.ceiling(place)))
    try:
        await interaction.edit_original_response(embed=drawn(card))
    except discord.HTTPException as error:
        if error.code != INVALID_FORM_BODY or card.picture is None:
            raise
        await interaction.edit_original_response(embed=drawn(card, with_picture=False))


async def ask_before_archiving(interaction: discord.Interaction, known: KnownCharacter) -> None:
    """Answer an interaction, which was deferred before, with the question whether to archive a character."""
    view = ui.View(timeout=None)
    view.add_item(ArchiveButton(known.ref))
    channels = services_of(interaction).desk.channels(known.ref)
    await interaction.edit_original_response(content=confirm_archive(name_of(known.character), channels), view=view)


async def tell_desk_news(interaction: discord.Interaction, moderation: ModerationService) -> None:
    """Tell an author what the moderators decided, after their interaction was answered. Never raises."""
    user_id = UserId(interaction.user.id)
    try:
        news = await moderation.pending_news(user_id, in_server=interaction.guild_id is not None)
        if news is not None:
            await interaction.followup.send("\n".join(news.sentences), ephemeral=True, suppress_embeds=True)
            await moderation.told(user_id, news)
    except Exception:  # noqa: BLE001 - what the person asked for is done; they hear the news another time.
        _log.exception("the news for interaction %s could not be told", interaction.id)


def _card(page: MinePage) -> Card:
    return mine_card(page.characters, page.number, page.pages, archived=page.archived)
