"""Pages of search results, and profiles of characters."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import discord
from discord import ui

from bot.domain.cards import Card, option_texts, profile_card, result_card, search_title
from bot.domain.characters import KnownCharacter
from bot.domain.custom_ids import base36, read_base36
from bot.domain.gate import FRESH_MS, SENTENCES, Obstacle
from bot.domain.ids import CharacterRef, SearchPageId, UserId, snowflake_time_ms
from bot.errors import UserError
from bot.gateway.places import place_of
from bot.services.catalog_search import Direction, ResultPage
from bot.services.registry import Services
from bot.views.base import AnsweringItem, services_of
from bot.views.feedback import RateButton, ReportButton
from bot.views.own_characters import use_or_ask

INVALID_FORM_BODY: Final = 50035
"""Discord did not take what was sent (https://discord.com/developers/docs/topics/opcodes-and-status-codes#json)."""
_DIRECTIONS: Final = (Direction.BACK, Direction.FORWARD)


class TurnButton(AnsweringItem[ui.Button[Any]], kind="turn", ids=2):
    """Turns the page of a search."""

    def __init__(
        self, page_id: SearchPageId, direction: Direction, *, label: str = "▶", disabled: bool = False
    ) -> None:
        super().__init__(
            ui.Button(label=label, disabled=disabled, custom_id=self.id_for(page_id, _DIRECTIONS.index(direction)))
        )
        self._page_id = page_id
        self._direction = direction

    @classmethod
    def from_ids(cls, *ids: int) -> "TurnButton":
        """Build the button of a search and a direction."""
        page_id, direction = ids
        return cls(SearchPageId(page_id), _DIRECTIONS[direction % len(_DIRECTIONS)])

    async def act(self, interaction: discord.Interaction) -> None:
        """Show the other page in place of this one."""
        await interaction.response.defer()
        services = services_of(interaction)
        page = await services.searches.turn(
            self._page_id,
            UserId(interaction.user.id),
            self._direction,
            ceiling=services.catalog.ceiling(await place_of(interaction)),
        )
        await show_results(interaction, page)


class OpenSelect(AnsweringItem[ui.Select[Any]], kind="open"):
    """Opens the profile of one of the characters on a page."""

    def __init__(self, page_id: SearchPageId, characters: Iterable[KnownCharacter] = ()) -> None:
        super().__init__(
            ui.Select(
                custom_id=self.id_for(page_id),
                placeholder="Open…",
                options=[_option(known) for known in characters],
            )
        )

    @classmethod
    def from_ids(cls, *ids: int) -> "OpenSelect":
        """Build the select of a search."""
        return cls(SearchPageId(ids[0]))

    async def act(self, interaction: discord.Interaction) -> None:
        """Show the profile below the results."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        ref = read_base36(self.item.values[0]) if self.item.values else None
        if ref is None:
            raise UserError(SENTENCES[Obstacle.UNKNOWN])
        catalog = services_of(interaction).catalog
        place = await place_of(interaction)
        known = await catalog.resolve_ref(
            CharacterRef(ref), ceiling=catalog.ceiling(place), guild_id=None if place is None else place.guild_id
        )
        await show_profile(interaction, known)


class UseHereButton(AnsweringItem[ui.Button[Any]], kind="use"):
    """Lets the character of a profile speak in the channel, as `/character use` does."""

    def __init__(self, ref: CharacterRef) -> None:
        super().__init__(ui.Button(label="Use here", style=discord.ButtonStyle.primary, custom_id=self.id_for(ref)))
        self._ref = ref

    @classmethod
    def from_ids(cls, *ids: int) -> "UseHereButton":
        """Build the button of a character."""
        return cls(CharacterRef(ids[0]))

    async def act(self, interaction: discord.Interaction) -> None:
        """Bind the character; who may, and whether it may speak here, is checked like for the command."""
        services = services_of(interaction)
        known = services.catalog.by_ref(self._ref)
        if known is None:
            raise UserError(SENTENCES[Obstacle.UNKNOWN])
        await use_or_ask(interaction, services.bindings, known.character.id)


def results_view(page: ResultPage) -> ui.View | None:
    """Return what goes under a page of results; None where there is nothing to open and nowhere to turn."""
    if not page.characters and not page.more and page.number == 1:
        return None
    view = ui.View(timeout=None)
    if page.characters:
        view.add_item(OpenSelect(page.id, page.characters))
    back, forward = f"◀ Page {page.number - 1}", f"Page {page.number + 1} ▶"
    first, last = page.number == 1, not page.more
    view.add_item(TurnButton(page.id, Direction.BACK, label="◀" if first else back, disabled=first))
    view.add_item(TurnButton(page.id, Direction.FORWARD, label="▶" if last else forward, disabled=last))
    return view


def profile_view(ref: CharacterRef) -> ui.View:
    """Return what goes under a profile."""
    view = ui.View(timeout=None)
    view.add_item(UseHereButton(ref))
    view.add_item(RateButton(ref))
    view.add_item(ReportButton(ref))
    return view


async def show_results(interaction: discord.Interaction, page: ResultPage) -> None:
    """Put a page of results in the place of what an interaction showed, which was deferred before."""
    title = search_title(
        page.query, page.number, rating_max=page.rating_max, found=bool(page.characters), more=page.more
    )
    await _show(
        interaction, title, [result_card(known.character) for known in page.characters], partial(results_view, page)
    )


async def show_profile(interaction: discord.Interaction, known: KnownCharacter) -> None:
    """Answer an interaction, which was deferred before, with the profile of a character that passed the gate."""
    services = services_of(interaction)
    average = await _server_average(services, interaction, known.ref)
    card = profile_card(known.character, viewer=interaction.user.display_name, server_average=average)
    await _show(interaction, _staleness(interaction, known), [card], partial(profile_view, known.ref))


def drawn(card: Card, *, with_picture: bool = True) -> discord.Embed:
    """Return a card as an embed."""
    embed = discord.Embed(title=card.title, description=card.description)
    for field in card.fields:
        embed.add_field(name=field.name, value=field.value, inline=field.inline)
    if card.footer is not None:
        embed.set_footer(text=card.footer)
    if with_picture and card.picture is not None:
        embed.set_thumbnail(url=card.picture)
    return embed


async def _show(
    interaction: discord.Interaction, content: str | None, cards: list[Card], view: Callable[[], ui.View | None]
) -> None:
    """Edit the answer. Where Discord does not take the address of a picture, all go without."""
    try:
        await interaction.edit_original_response(content=content, embeds=list(map(drawn, cards)), view=view())
    except discord.HTTPException as error:
        if error.code != INVALID_FORM_BODY or not any(card.picture for card in cards):
            raise
        embeds = [drawn(card, with_picture=False) for card in cards]
        await interaction.edit_original_response(content=content, embeds=embeds, view=view())


def _option(known: KnownCharacter) -> discord.SelectOption:
    label, description = option_texts(known.character)
    return discord.SelectOption(label=label, description=description, value=base36(known.ref))


def _staleness(interaction: discord.Interaction, known: KnownCharacter) -> str | None:
    checked_at_ms = known.checked_at_ms or known.seen_at_ms
    if snowflake_time_ms(interaction.id) - checked_at_ms <= FRESH_MS:
        return None
    return f"The catalogue does not answer just now. This is what it said <t:{checked_at_ms // 1_000}:R>."


async def _server_average(services: Services, interaction: discord.Interaction, ref: CharacterRef) -> float | None:
    place = await place_of(interaction)
    return None if place is None else await services.feedback.average(ref, place.guild_id)
