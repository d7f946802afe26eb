"""Dropping the texts of whole conversations; the ids stay, so that nothing is answered twice."""

from typing import Final

from bot.domain.ids import ConversationId, MessageId
from bot.store.database import Transaction

AFTER_EVERYTHING: Final = MessageId(2**63 - 1)
"""Discord's ids are positive and fit into a BIGINT."""


async def drop_conversation(
    tx: Transaction, conversation_id: ConversationId, *, up_to: MessageId, cause: str, greetings: bool
) -> None:
    """Drop the texts of a conversation's messages up to one, and of the replies that answer no later one.

    What waits among them ends without an answer: messages as dropped, turns asked for again as failed.
    """
    await tx.execute(
        """
        UPDATE claim
        SET body = NULL, cause = CASE WHEN state = 'waiting' THEN $3 ELSE cause END,
            state = CASE WHEN state = 'waiting' THEN 'dropped' ELSE state END
        WHERE conversation_id = $1 AND message_id <= $2 AND (body IS NOT NULL OR state = 'waiting')
        """,
        conversation_id,
        up_to,
        cause,
    )
    await tx.execute(
        """
        UPDATE turn SET state = 'failed', cause = $3
        WHERE conversation_id = $1 AND state = 'waiting'
          AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.turn_id = turn.id AND claim.message_id > $2)
        """,
        conversation_id,
        up_to,
        cause,
    )
    await tx.execute(
        """
        UPDATE version SET body = NULL
        WHERE body IS NOT NULL AND turn_id IN (
            SELECT turn.id FROM turn
            WHERE turn.conversation_id = $1 AND (turn.kind = 'reply' OR $3 = 1)
              AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.turn_id = turn.id AND claim.message_id > $2))
        """,
        conversation_id,
        up_to,
        int(greetings),
    )
