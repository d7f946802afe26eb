"""The command group `/character`, which several cogs fill."""

from discord import app_commands


def character_group() -> app_commands.Group:
    """Make the empty group `/character`, for servers only.

    Each cog takes it in its constructor and adds its commands there:

        group.command(name="search", description="…")(self.search)

    with `search` an ordinary method `async def search(self, interaction, query: str | None = None) -> None`, which may
    carry `@app_commands.describe` and the like. The group is added to the command tree by the client, not by
    a cog. Who may use a subcommand is checked when it runs: Discord's own permissions are for a whole group.
    """
    return app_commands.Group(
        name="character",
        description="Find AI characters and let them speak here",
        guild_only=True,
        allowed_contexts=app_commands.AppCommandContext(guild=True),
        allowed_installs=app_commands.AppInstallationType(guild=True),
    )
