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
LEFT_OUT_NOTE: Final = "There were more new messages than can be read at once; the oldest of them were left out here."


@dataclass(frozen=True, slots=True)
class ContextBudget:
    """How much of the past is sent along: messages, and characters over all of them."""

    messages: int
    characters: int
    whole: bool = True
    """Whether the new messages all go along, however long they are."""

    def halved(self) -> "ContextBudget":
        """Return half of it, for new messages too, for when upstream finds the context too long."""
        return ContextBudget(max(1, self.messages // 2), max(1, self.characters // 2), whole=False)


def input_items(
    greeting: str | None,
    history: Sequence[Exchange],
    messages: Sequence[TurnMessage],
    budget: ContextBudget,
    *,
    character_name: str = "",
) -> tuple[InputItem, ...]:
    """Build the input of one call: house note, greeting, the newest history that fits, the new messages.

    The newest message always goes along, and the other new ones with it unless the budget bounds them too; what is
    left out of those is said. The past is taken from its newest end; a message is taken whole or not at all, and
    nothing older than one that did not fit.
    """
    past = [
        piece
        for exchange in history
        for piece in (*exchange.messages, *((exchange.reply,) if exchange.reply else ()))
        if isinstance(piece, str) or piece.text
    ]
    new = [message for message in messages if message.text]
    certain = new if budget.whole else new[-1:]
    past += new[: len(new) - len(certain)]
    kept = _newest(past, budget, used=sum(len(message.text or "") for message in certain))
    labels = distinct_labels(
        {piece.author_id: piece.author_name or "" for piece in (*kept, *certain) if isinstance(piece, TurnMessage)},
        # A member who is called like the character must not be taken for it.
        reserved=[character_name] if character_name else (),
    )
    items = [InputItem("developer", HOUSE_NOTE)]
    if greeting:
        items.append(InputItem("assistant", greeting))
    if len(kept) + len(certain) < len(new):
        items.append(InputItem("developer", LEFT_OUT_NOTE))
    for piece in (*kept, *certain):
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
