"""What is kept about one member: told, and deleted when they ask."""

from bot.domain.ids import UserId
from bot.domain.payers import member_payer
from bot.domain.privacy import KeptAboutMember
from bot.store.accounts import unlink_in
from bot.store.database import Database, Row, Transaction

DELETED = "deleted"
"""The stored cause of messages that still waited when their author had everything deleted."""

_KEPT = """
    SELECT (SELECT COUNT(*) FROM claim WHERE author_id = $1) AS messages,
           (SELECT COUNT(*) FROM claim WHERE author_id = $1 AND body IS NOT NULL) AS message_texts,
           (SELECT COUNT(*) FROM rating WHERE user_id = $1) AS ratings,
           (SELECT COUNT(*) FROM report WHERE reporter_id = $1) AS reports,
           (SELECT COUNT(*) FROM search_page WHERE user_id = $1) AS searches,
           (SELECT COUNT(*) FROM binding WHERE bound_by = $1 AND state <> 'ended') AS bindings,
           (SELECT since FROM ignored_member WHERE user_id = $1 AND heard_after IS NULL) AS ignored_since,
           (SELECT linked_at FROM linked_account WHERE user_id = $1) AS linked_at,
           (SELECT COUNT(*) FROM draft WHERE user_id = $1) AS drafts,
           (SELECT COUNT(*) FROM card_file WHERE user_id = $1) AS card_files,
           (SELECT COUNT(*) FROM pending_login WHERE user_id = $1) AS logins,
           (SELECT COUNT(*) FROM own_character WHERE user_id = $1) AS own_characters,
           (SELECT COUNT(*) FROM moderation_watch WHERE user_id = $1) AS watches,
           (SELECT COALESCE(SUM(turns), 0) FROM paid_turns WHERE payer = $2) AS paid_replies
"""


class Personal:
    """What hangs on a member's id, over all tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def kept(self, user_id: UserId) -> KeptAboutMember:
        """Count what is kept about a member."""
        (row,) = await self._database.read(_KEPT, user_id, member_payer(user_id))
        return _kept(row)

    async def delete(self, user_id: UserId) -> KeptAboutMember:
        """Delete what a member said and gave, in one transaction; return what was kept until then.

        Gone are the texts of their messages and the names sealed with them, the replies that answered nobody
        else, their ratings, settled reports, the details of reports still under way, their searches, and the
        key of their account with what it let the bot see and with what was on their desk; no review is sent any
        more. What waits for an answer is dropped with the cause "deleted". The bare ids of messages stay until
        they are pruned, so that none is answered twice; so do the counts of replies paid for, the wish to be ignored,
        past or present, and the binding of a character to a channel, which is the server's.
        """
        async with self._database.transaction() as tx:
            (row,) = await tx.execute(_KEPT, user_id, member_payer(user_id))
            await self._delete(tx, user_id)
            return _kept(row)

    async def _delete(self, tx: Transaction, user_id: UserId) -> None:
        await tx.execute(
            """
            UPDATE version SET body = NULL
            WHERE body IS NOT NULL
              AND turn_id IN (SELECT turn_id FROM claim WHERE author_id = $1 AND turn_id IS NOT NULL)
              AND NOT EXISTS (
                SELECT 1 FROM claim WHERE claim.turn_id = version.turn_id AND claim.author_id <> $1)
            """,
            user_id,
        )
        await tx.execute(
            """
            UPDATE claim
            SET body = NULL, cause = CASE WHEN state = 'waiting' THEN $2 ELSE cause END,
                state = CASE WHEN state = 'waiting' THEN 'dropped' ELSE state END
            WHERE author_id = $1 AND (body IS NOT NULL OR state = 'waiting')
            """,
            user_id,
            DELETED,
        )
        for sql in (
            "DELETE FROM rating WHERE user_id = $1",
            "DELETE FROM report WHERE reporter_id = $1 AND state <> 'waiting'",
            "UPDATE report SET body = NULL WHERE reporter_id = $1",
            "DELETE FROM search_page WHERE user_id = $1",
        ):
            await tx.execute(sql, user_id)
        await unlink_in(tx, user_id)


def _kept(row: Row) -> KeptAboutMember:
    return KeptAboutMember(
        messages=row["messages"],
        message_texts=row["message_texts"],
        ratings=row["ratings"],
        reports=row["reports"],
        searches=row["searches"],
        bindings=row["bindings"],
        ignored_since_ms=row["ignored_since"],
        linked_at_ms=row["linked_at"],
        drafts=row["drafts"],
        card_files=row["card_files"],
        logins=row["logins"],
        own_characters=row["own_characters"],
        watches=row["watches"],
        paid_replies=row["paid_replies"],
    )
