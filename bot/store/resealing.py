"""Sealing anew, under the key that writes, what lies in the database under older ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bot.store.database import Database, Transaction
from bot.store.sealed import SEALED_COLUMNS, SealedColumn
from bot.store.vault import HEADER_BYTES, Vault, VaultError, key_id_of

BATCH_ROWS: Final = 200
"""So that the writer and the reader are held for milliseconds at a time."""

_Keys = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Resealed:
    """What one pass over the database did."""

    values: int
    """How many were sealed anew."""
    left: frozenset[bytes]
    """The ids of other keys than the writing one that something is still sealed under: it could not be opened."""


class Resealing:
    """Goes over every sealed column in batches. What is written meanwhile is sealed with the writing key anyway."""

    def __init__(self, database: Database, vault: Vault, *, batch_rows: int = BATCH_ROWS) -> None:
        self._database = database
        self._vault = vault
        self._batch_rows = batch_rows

    async def run(self) -> Resealed:
        """Seal anew what can be opened and is not under the writing key. May be broken off, and begun again."""
        values, left = 0, set[bytes]()
        for column in SEALED_COLUMNS:
            last: _Keys | None = None
            while True:
                headers = await self._headers(column, last)
                stale = [keys for keys, header in headers if header != self._vault.header]
                if stale:
                    done, closed = await self._database.write(partial(self._seal, column, stale))
                    values += done
                    left |= closed
                if len(headers) < self._batch_rows:
                    break
                last = headers[-1][0]
        return Resealed(values, frozenset(left))

    async def _headers(self, column: SealedColumn, last: _Keys | None) -> list[tuple[_Keys, bytes]]:
        """Return the keys and headers of the next rows, in the order of their keys."""
        names = ", ".join(column.keys)
        values = (self._batch_rows, *(last or ()))
        places = ", ".join(f"${place}" for place in range(2, len(values) + 1))
        after = f"AND ({names}) > ({places})" if last else ""
        rows = await self._database.read(
            f"SELECT {names}, substr({column.column}, 1, {HEADER_BYTES}) AS header FROM {column.table} "
            f"WHERE {column.column} IS NOT NULL {after} ORDER BY {names} LIMIT $1",
            *values,
        )
        return [(tuple(row[name] for name in column.keys), bytes(row["header"])) for row in rows]

    async def _seal(self, column: SealedColumn, rows: Sequence[_Keys], tx: Transaction) -> tuple[int, set[bytes]]:
        """Seal the values of some rows anew; return how many, and the keys of those that could not be opened."""
        where = " AND ".join(f"{name} = ${place}" for place, name in enumerate(column.keys, 1))
        new_value = f"${len(column.keys) + 1}"
        done, closed = 0, set[bytes]()
        for keys in rows:
            found = await tx.execute(f"SELECT {column.column} AS value FROM {column.table} WHERE {where}", *keys)
            value: bytes | None = found[0]["value"] if found else None
            if value is None:
                continue
            context = column.context(*keys)
            try:
                content = self._vault.open_bytes(value, context=context)
            except VaultError:
                closed.add(key_id_of(value[:HEADER_BYTES]))
                continue
            await tx.execute(
                f"UPDATE {column.table} SET {column.column} = {new_value} WHERE {where}",
                *keys,
                self._vault.seal_bytes(content, context=context),
            )
            done += 1
        return done, closed
