"""Small facts the bot keeps about itself: the hash of the synced commands, for one."""

from bot.store.database import Database


class State:
    """The table state: texts by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """Return a fact, or None when it was never put."""
        rows = await self._database.read("SELECT value FROM state WHERE name = $1", name)
        return rows[0]["value"] if rows else None

    async def put(self, name: str, value: str) -> None:
        """Keep a fact in place of the one before."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "INSERT INTO state (name, value) VALUES ($1, $2) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                name,
                value,
            )

    async def remove(self, name: str) -> None:
        """Forget a fact."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM state WHERE name = $1", name)
