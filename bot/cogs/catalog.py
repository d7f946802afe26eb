"""`/character search` and `/character show`."""

from typing import Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.cogs.autocomplete import complete_character
from bot.domain.ids import UserId
from bot.domain.ratings import ContentRating, parse_rating
from bot.domain.search import SearchQuery, Sort, tag_slugs
from bot.gateway.places import place_of
from bot.services.catalog import CatalogService
from bot.services.catalog_search import SearchService
from bot.views.catalog import show_profile, show_results

_SORTS: Final = [
    app_commands.Choice(name="trending", value=Sort.TRENDING.value),
    app_commands.Choice(name="top rated", value=Sort.TOP_RATED.value),
    app_commands.Choice(name="newest", value=Sort.NEW.value),
]
_RATINGS: Final = [app_commands.Choice(name=rating.word, value=rating.word) for rating in ContentRating]


class CatalogCog(commands.Cog):
    """Looks around in the catalogue; all answers are for the person alone."""

    def __init__(self, catalog: CatalogService, searches: SearchService, group: app_commands.Group) -> None:
        """Take the services, and the group `/character` that the commands join."""
        self._catalog = catalog
        self._searches = searches
        group.command(name="search", description="Look for characters in the NanoGPT catalogue")(self.search)
        group.command(name="show", description="See what a character is like")(self.show)

    @app_commands.describe(
        query="Words from its name or description",
        tag="Only with this tag; several with commas between",
        sort="Which come first; the trending ones, unless you choose otherwise",
        rating="The strongest content rating to show, within what this channel allows",
    )
    @app_commands.choices(sort=_SORTS, rating=_RATINGS)
    async def search(
        self,
        interaction: discord.Interaction,
        query: app_commands.Range[str, 1, 100] | None = None,
        tag: app_commands.Range[str, 1, 100] | None = None,
        sort: str | None = None,
        rating: str | None = None,
    ) -> None:
        """Show the first page of a search."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        asked = SearchQuery(
            text=(query or "").strip() or None,
            tags=tag_slugs(tag or ""),
            rating_max=parse_rating(rating),
            sort=Sort.TRENDING if sort is None else Sort(sort),
        )
        ceiling = self._catalog.ceiling(await place_of(interaction))
        page = await self._searches.search(UserId(interaction.user.id), asked, ceiling=ceiling)
        await show_results(interaction, page)

    @app_commands.describe(character="Its name in the catalogue, or its id")
    @app_commands.autocomplete(character=complete_character)
    async def show(self, interaction: discord.Interaction, character: app_commands.Range[str, 1, 100]) -> None:
        """Show the profile of a character."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        place = await place_of(interaction)
        known = await self._catalog.resolve(
            character, ceiling=self._catalog.ceiling(place), guild_id=None if place is None else place.guild_id
        )
        await show_profile(interaction, known)
