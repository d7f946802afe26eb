"""From what a model wrote to what may be posted: made safe, then cut into messages."""

from dataclasses import dataclass
from typing import Final

from bot.domain.preview import preview_text
from bot.domain.safety import NO_NAMES, MentionNames, safe_prefix, safe_text
from bot.domain.splitting import MAX_POSTS, AsFile, plan_delivery, split_message
from bot.services.delivery import Layout
from bot.services.outlet import TextFile

POST_LIMIT: Final = 1_800
"""Leaves room under Discord's 2,000 for the name above a reply without a webhook, and for the mark under one
that was cut, so that neither moves a cut that is on show already."""


@dataclass(frozen=True, slots=True)
class Shaper:
    """Cuts one character's text for one place."""

    speaker: str
    """The character's name, which models like to put in front of what they say."""
    names: MentionNames = NO_NAMES

    def final(self, text: str, mark: str | None = None) -> Layout:
        """Lay out a text that is whole, or that ends here with a mark. No parts: there is nothing to show."""
        plan = plan_delivery(safe_text(text, self.names, speaker=self.speaker), limit=POST_LIMIT)
        if isinstance(plan, AsFile):
            return Layout((_marked(plan.summary, mark),), TextFile(plan.filename, plan.text))
        if not plan.parts:
            return Layout(())
        *before, last = plan.parts
        return Layout((*before, _marked(last, mark)))

    def cut_off(self, parts: tuple[str, ...], mark: str) -> Layout:
        """Lay out the first parts of a text, which ends there with a mark."""
        return Layout((*parts[:-1], _marked(parts[-1], mark)))

    def preview(self, text: str) -> tuple[str, ...]:
        """Lay out what may be seen of a text that still grows."""
        parts = split_message(safe_prefix(text, self.names, speaker=self.speaker), POST_LIMIT)
        if not parts or len(parts) > MAX_POSTS:
            # A reply of more posts becomes a file; what is on show waits for that.
            return parts[:MAX_POSTS]
        *before, last = parts
        shown = preview_text(last, POST_LIMIT)
        return (*before, shown) if shown else tuple(before)


def _marked(text: str, mark: str | None) -> str:
    return text if mark is None else f"{text}\n{mark}"
