"""How many replies a member has paid for."""

from bot.domain.ids import BindingId, PayerId
from bot.store.database import Database, Transaction


class PaidTurns:
    """The table paid_turns: a count for each binding, payer and UTC day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, binding_id: BindingId, payer: PayerId, *, most: int, day_start_ms: int) -> bool:
        """Count one more reply of a day; False, and nothing is counted, when there have been so many already.

        Of several that ask for the last one at once, one gets it.
        """

        async def work(tx: Transaction) -> bool:
            rows = await tx.execute(
                """
                INSERT INTO paid_turns (binding_id, payer, day, turns)
                SELECT $1, $2, $3, 1 WHERE $4 > 0
                ON CONFLICT (binding_id, payer, day) DO UPDATE SET turns = paid_turns.turns + 1
                WHERE paid_turns.turns < $4
                RETURNING turns
                """,
                binding_id,
                payer,
                day_start_ms,
                most,
            )
            return bool(rows)

        return await self._database.write(work)

    async def taken(self, payer: PayerId, day_start_ms: int) -> int:
        """Return how many replies somebody has paid for on a day, in all channels."""
        (row,) = await self._database.read(
            "SELECT COALESCE(SUM(turns), 0) AS turns FROM paid_turns WHERE payer = $1 AND day = $2", payer, day_start_ms
        )
        return row["turns"]
