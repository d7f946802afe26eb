"""NanoGPT accounts that members have linked, and logins under way."""

import json
from typing import Final

from bot.domain.bindings import PauseCause
from bot.domain.ids import UserId
from bot.domain.linking import (
    AccountSecret,
    KeyOrigin,
    LinkedAccount,
    LoginEnd,
    LoginSecret,
    LoginState,
    PendingLogin,
)
from bot.domain.payers import member_payer
from bot.store.characters import FORGET_NAMELESS, NAMELESS
from bot.store.database import Database, Row, Transaction
from bot.store.reviews import cancel_in
from bot.store.sealed import open_or_none
from bot.store.vault import Vault

_MOST_FORGOTTEN: Final = 1_000
"""Characters of one member whose ids are forgotten at once; the rounds of forgetting come to the rest."""


class NotLinkedError(Exception):
    """A member has no account, as they took it away while something of theirs was under way."""


class Accounts:
    """The tables linked_account and pending_login: at most one row a member in each, their secrets sealed."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def get(self, user_id: UserId) -> LinkedAccount | None:
        """Return a member's account, without its key."""
        rows = await self._database.read("SELECT * FROM linked_account WHERE user_id = $1", user_id)
        return _account(rows[0]) if rows else None

    async def secret(self, user_id: UserId) -> AccountSecret | None:
        """Return the key of a member; None when there is none, or it cannot be opened any more."""
        rows = await self._database.read("SELECT token FROM linked_account WHERE user_id = $1", user_id)
        return self._secret(user_id, rows[0]["token"]) if rows else None

    async def holder_of(self, secret: AccountSecret) -> UserId | None:
        """Return the member who has linked the account that a key opens: by the key itself, or by the fingerprint.

        Everybody's key is opened for that, as the database must not tell whose accounts are the same.
        """
        for row in await self._database.read("SELECT user_id, token FROM linked_account ORDER BY user_id"):
            user_id = UserId(row["user_id"])
            held = self._secret(user_id, row["token"])
            if held is not None and held.opens_what(secret):
                return user_id
        return None

    async def link(self, user_id: UserId, secret: AccountSecret, origin: KeyOrigin, now_ms: int) -> LoginEnd:
        """Keep a member's key in place of the one before, and forget a login under way; return what came of it.

        A key of another account makes an end of what hung on the one before, as unlinking does. What that one paid
        for stops also where it cannot be told whether it is the same.
        """
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM pending_login WHERE user_id = $1", user_id)
            return await self._link(tx, user_id, secret, origin, now_ms)

    async def link_approved(self, login: PendingLogin, secret: AccountSecret, now_ms: int) -> LoginEnd | None:
        """Keep the key that a login has brought, as `link` does, which ends it; return how.

        None when that login is not the one whose key waits any more: its member unlinked, erased, pasted another key
        or began anew, and does not want this one.
        """
        async with self._database.transaction() as tx:
            wanted = await tx.execute(
                "UPDATE pending_login SET state = 'ended', token = NULL "
                "WHERE user_id = $1 AND started_at = $2 AND state = 'approved' RETURNING user_id",
                login.user_id,
                login.started_at_ms,
            )
            if not wanted:
                return None
            end = await self._link(tx, login.user_id, secret, KeyOrigin.DEVICE, now_ms)
            await tx.execute("UPDATE pending_login SET outcome = $2 WHERE user_id = $1", login.user_id, end.value)
            return end

    async def _link(
        self, tx: Transaction, user_id: UserId, secret: AccountSecret, origin: KeyOrigin, now_ms: int
    ) -> LoginEnd:
        end = await self._replace(tx, user_id, secret)
        await tx.execute(
            """
            INSERT INTO linked_account (user_id, token, origin, linked_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (user_id) DO UPDATE
            SET token = excluded.token, origin = excluded.origin, linked_at = excluded.linked_at,
                refused_at = NULL
            """,
            user_id,
            self._sealed(user_id, secret),
            origin.value,
            now_ms,
        )
        return end

    async def _replace(self, tx: Transaction, user_id: UserId, secret: AccountSecret) -> LoginEnd:
        """Make an end of what hangs on a member's account, as far as a key is not known to open the same one."""
        rows = await tx.execute("SELECT token FROM linked_account WHERE user_id = $1", user_id)
        if not rows:
            return LoginEnd.LINKED
        held = self._secret(user_id, rows[0]["token"])
        same = None if held is None else held.opens_what(secret)
        if same is False:
            await _forget_in(tx, user_id)
            return LoginEnd.REPLACED
        stopped = same is None and await _stop_paying_in(tx, user_id)
        return LoginEnd.UNPROVEN if stopped else LoginEnd.LINKED

    async def identify(self, user_id: UserId, secret: AccountSecret) -> None:
        """Keep the fingerprint of an account that had none, unless the key is another by now."""
        async with self._database.transaction() as tx:
            rows = await tx.execute("SELECT token FROM linked_account WHERE user_id = $1", user_id)
            held = self._secret(user_id, rows[0]["token"]) if rows else None
            if held is not None and held.key == secret.key:
                await tx.execute(
                    "UPDATE linked_account SET token = $2 WHERE user_id = $1", user_id, self._sealed(user_id, secret)
                )

    async def refused(self, user_id: UserId, key: str, now_ms: int) -> bool:
        """Write down that NanoGPT refuses a member's key; False when that was known, or their key is another."""
        async with self._database.transaction() as tx:
            rows = await tx.execute("SELECT token FROM linked_account WHERE user_id = $1", user_id)
            held = self._secret(user_id, rows[0]["token"]) if rows else None
            if held is None or held.key != key:
                return False
            return bool(
                await tx.execute(
                    "UPDATE linked_account SET refused_at = $2 WHERE user_id = $1 AND refused_at IS NULL "
                    "RETURNING user_id",
                    user_id,
                    now_ms,
                )
            )

    async def unidentified(self) -> list[tuple[UserId, AccountSecret]]:
        """Return the keys of which it is not known whose account they open, apart from those that are refused."""
        rows = await self._database.read(
            "SELECT user_id, token FROM linked_account WHERE refused_at IS NULL ORDER BY linked_at, user_id"
        )
        held = ((UserId(row["user_id"]), self._secret(UserId(row["user_id"]), row["token"])) for row in rows)
        return [(user_id, secret) for user_id, secret in held if secret is not None and secret.fingerprint is None]

    async def lose(self, user_id: UserId, now_ms: int) -> None:
        """Unlink a member unasked, as their account is another's; they have yet to hear of it."""
        async with self._database.transaction() as tx:
            await unlink_in(tx, user_id)
            await tx.execute(
                "INSERT INTO pending_login (user_id, state, outcome, started_at, expires_at, answer_until) "
                "VALUES ($1, 'ended', $2, $3, $3, $3)",
                user_id,
                LoginEnd.LOST.value,
                now_ms,
            )

    async def accepted(self, user_id: UserId, key: str) -> bool:
        """Take back that NanoGPT refuses a member's key; False when it was not refused, or their key is another."""
        async with self._database.transaction() as tx:
            rows = await tx.execute("SELECT token FROM linked_account WHERE user_id = $1", user_id)
            held = self._secret(user_id, rows[0]["token"]) if rows else None
            if held is None or held.key != key:
                return False
            return bool(
                await tx.execute(
                    "UPDATE linked_account SET refused_at = NULL WHERE user_id = $1 AND refused_at IS NOT NULL "
                    "RETURNING user_id",
                    user_id,
                )
            )

    async def unlink(self, user_id: UserId) -> bool:
        """Delete a member's key, a login under way, and what the key let the bot see; False when there was no key.

        Reviews that were on their way to the catalogue under that key are not sent.
        """
        async with self._database.transaction() as tx:
            return await unlink_in(tx, user_id)

    # Logins

    async def begin_login(
        self, user_id: UserId, secret: LoginSecret, *, now_ms: int, expires_at_ms: int, answer_until_ms: int
    ) -> PendingLogin:
        """Keep a login that has just begun, in place of an earlier one of the member."""
        async with self._database.transaction() as tx:
            (row,) = await tx.execute(
                """
                INSERT INTO pending_login (user_id, state, token, started_at, expires_at, answer_until)
                VALUES ($1, 'waiting', $2, $3, $4, $5)
                ON CONFLICT (user_id) DO UPDATE
                SET state = excluded.state, token = excluded.token, outcome = NULL, started_at = excluded.started_at,
                    expires_at = excluded.expires_at, answer_until = excluded.answer_until
                RETURNING *
                """,
                user_id,
                self._sealed_login(user_id, secret),
                now_ms,
                expires_at_ms,
                answer_until_ms,
            )
            return self._login(row)

    async def login(self, user_id: UserId) -> PendingLogin | None:
        """Return a member's login: under way, or ended and not told yet."""
        rows = await self._database.read("SELECT * FROM pending_login WHERE user_id = $1", user_id)
        return self._login(rows[0]) if rows else None

    async def open_logins(self) -> list[PendingLogin]:
        """Return the logins that have not ended, oldest first."""
        rows = await self._database.read(
            "SELECT * FROM pending_login WHERE state <> 'ended' ORDER BY started_at, user_id"
        )
        return [self._login(row) for row in rows]

    async def change_login(self, login: PendingLogin, secret: LoginSecret, *, answer_until_ms: int) -> bool:
        """Keep another secret with a login that waits: the answer that shows it is another. False when it ended."""
        return await self._change_login(login, "waiting", secret, answer_until_ms)

    async def approve_login(self, login: PendingLogin, secret: LoginSecret) -> bool:
        """Keep the key that has come, within the secret; False when the login is not the one under way any more."""
        return await self._change_login(login, "approved", secret, login.answer_until_ms)

    async def _change_login(self, login: PendingLogin, state: str, secret: LoginSecret, answer_until_ms: int) -> bool:
        async with self._database.transaction() as tx:
            return bool(
                await tx.execute(
                    "UPDATE pending_login SET state = $3, token = $4, answer_until = $5 "
                    "WHERE user_id = $1 AND started_at = $2 AND state = 'waiting' RETURNING user_id",
                    login.user_id,
                    login.started_at_ms,
                    state,
                    self._sealed_login(login.user_id, secret),
                    answer_until_ms,
                )
            )

    async def end_login(self, login: PendingLogin, end: LoginEnd) -> bool:
        """Write down how a login ended, and forget its secrets; False when it is not the one under way any more."""
        async with self._database.transaction() as tx:
            return bool(
                await tx.execute(
                    "UPDATE pending_login SET state = 'ended', token = NULL, outcome = $3 "
                    "WHERE user_id = $1 AND started_at = $2 AND state <> 'ended' RETURNING user_id",
                    login.user_id,
                    login.started_at_ms,
                    end.value,
                )
            )

    async def told(self, login: PendingLogin) -> None:
        """Forget a login that has ended, as its member knows how."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "DELETE FROM pending_login WHERE user_id = $1 AND started_at = $2 AND state = 'ended'",
                login.user_id,
                login.started_at_ms,
            )

    # Sealing

    def _sealed(self, user_id: UserId, secret: AccountSecret) -> bytes:
        return self._vault.seal(json.dumps([secret.key, secret.fingerprint]), context=_context(user_id))

    def _secret(self, user_id: UserId, token: bytes) -> AccountSecret | None:
        opened = open_or_none(self._vault, token, context=_context(user_id))
        return None if opened is None else AccountSecret(*json.loads(opened))

    def _sealed_login(self, user_id: UserId, secret: LoginSecret) -> bytes:
        parts = [secret.device_code, secret.answer_token, secret.user_code, secret.address, secret.key]
        return self._vault.seal(json.dumps(parts), context=_login_context(user_id))

    def _login(self, row: Row) -> PendingLogin:
        user_id = UserId(row["user_id"])
        opened = open_or_none(self._vault, row["token"], context=_login_context(user_id))
        outcome: str | None = row["outcome"]
        return PendingLogin(
            user_id,
            LoginState(row["state"]),
            None if opened is None else LoginSecret(*json.loads(opened)),
            None if outcome is None else LoginEnd(outcome),
            row["started_at"],
            row["expires_at"],
            row["answer_until"],
        )


async def unlink_in(tx: Transaction, user_id: UserId) -> bool:
    """As Accounts.unlink, inside a transaction that does more."""
    rows = await tx.execute("DELETE FROM linked_account WHERE user_id = $1 RETURNING user_id", user_id)
    await tx.execute("DELETE FROM pending_login WHERE user_id = $1", user_id)
    await _forget_in(tx, user_id)
    return bool(rows)


async def _forget_in(tx: Transaction, user_id: UserId) -> None:
    """Make an end of what hangs on a member's account: what it pays for, what its key saw, and what it was to do."""
    await _stop_paying_in(tx, user_id)
    for sql in (
        "DELETE FROM own_character WHERE user_id = $1",
        "DELETE FROM draft WHERE user_id = $1",
        "DELETE FROM card_file WHERE user_id = $1",
        "DELETE FROM moderation_watch WHERE user_id = $1",
    ):
        await tx.execute(sql, user_id)
    await tx.execute(FORGET_NAMELESS, NAMELESS, _MOST_FORGOTTEN)
    await cancel_in(tx, user_id)


async def _stop_paying_in(tx: Transaction, user_id: UserId) -> bool:
    """Pause what a member pays for: they have to agree anew, whatever they link later. False when there is nothing."""
    return bool(
        await tx.execute(
            "UPDATE binding SET state = 'paused', pause_cause = $2 WHERE payer = $1 AND state <> 'ended' RETURNING id",
            member_payer(user_id),
            PauseCause.UNLINKED.value,
        )
    )


async def check_linked_in(tx: Transaction, user_id: UserId) -> None:
    """Raise NotLinkedError in a transaction that keeps what goes with an account, unless there is one."""
    if not await tx.execute("SELECT user_id FROM linked_account WHERE user_id = $1", user_id):
        raise NotLinkedError


def _account(row: Row) -> LinkedAccount:
    return LinkedAccount(UserId(row["user_id"]), KeyOrigin(row["origin"]), row["linked_at"], row["refused_at"])


def _context(user_id: UserId) -> str:
    return f"account:{user_id}"


def _login_context(user_id: UserId) -> str:
    return f"login:{user_id}"
