"""What a character is told: greeting, history and the new messages, cut to a budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.domain.conversation import InputItem
from bot.domain.speakers import distinct_labels, labelled
from bot.domain.turns import Exchange, TurnMessage

HOUSE_NOTE: Final = (
    "You are talking in a Discord chat. Several people may take part; each of their messages begins with the "
    "speaker's name in brackets. Answer as yourself, without a name in front, in at most a few paragraphs unless "
    "asked for more."
)
"""Goes in a developer item, since `instructions` would replace the persona."""


@dataclass(frozen=True, slots=True)
class ContextBudget:
    """How much of the past is sent along: messages, and characters over all of them."""

    messages: int
    characters: int

    def halved(self) -> "ContextBudget":
        """Return half of it, for when upstream finds the context too long."""
        return ContextBudget(max(1, self.messages // 2), max(1, self.characters // 2))


def input_items(
    greeting: str | None,
    history: Sequence[Exchange],
    messages: Sequence[TurnMessage],
    budget: ContextBudget,
    *,
    character_name: str = "",
) -> tuple[InputItem, ...]:
    """Build the input of one call: house note, greeting, the newest history that fits, the new messages.

    The new messages always go along whole. History is taken from its newest end; a message is taken whole or
    not at all, and nothing older than one that did not fit.
    """
    past = [
        piece
        for exchange in history
        for piece in (*exchange.messages, *((exchange.reply,) if exchange.reply else ()))
        if isinstance(piece, str) or piece.text
    ]
    new = [message for message in messages if message.text]
    kept = _newest(past, budget, used=sum(len(message.text or "") for message in new))
    labels = distinct_labels(
        {piece.author_id: piece.author_name or "" for piece in (*kept, *new) if isinstance(piece, TurnMessage)},
        # A member who is called like the character must not be taken for it.
        reserved=[character_name] if character_name else (),
    )
    items = [InputItem("developer", HOUSE_NOTE)]
    if greeting:
        items.append(InputItem("assistant", greeting))
    for piece in (*kept, *new):
        if isinstance(piece, str):
            items.append(InputItem("assistant", piece))
        else:
            items.append(InputItem("user", labelled(piece.text or "", labels[piece.author_id])))
    return tuple(items)


def _newest(past: Sequence[TurnMessage | str], budget: ContextBudget, *, used: int) -> list[TurnMessage | str]:
    kept: list[TurnMessage | str] = []
    for piece in reversed(past):
        used += len(piece if isinstance(piece, str) else piece.text or "")
        if len(kept) >= budget.messages or used > budget.characters:
            break
        kept.append(piece)
    kept.reverse()
    return kept
