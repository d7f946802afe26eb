"""The list of language models, from memory: to choose one for a character, and to notice a misspelt one."""

import difflib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from bot.domain.language_models import LanguageModel
from bot.domain.suggestions import MAX_CHOICES, Suggestion, as_model_choices, folded
from bot.nanogpt.errors import NanoGptError
from bot.services.clock import Clock

_log = logging.getLogger(__name__)

RENEW_SECONDS: Final = 6 * 3_600.0
AFTER_FAILURE_SECONDS: Final = 120.0
_CLOSE: Final = 0.6


class LanguageModels:
    """Knows the models that NanoGPT lists, once it has listed them."""

    def __init__(
        self,
        *,
        read: Callable[[], Awaitable[tuple[LanguageModel, ...]]],
        most_used: Callable[[], str | None],
        clock: Clock,
    ) -> None:
        """`most_used` tells the model that most characters of the catalogue are built on."""
        self._read = read
        self._most_used = most_used
        self._clock = clock
        self._models: dict[str, LanguageModel] = {}

    async def keep_warm(self) -> None:
        """Read the list now and every six hours. Runs until cancelled."""
        while True:
            try:
                await self.renew()
            except NanoGptError as error:
                _log.info("the list of models could not be read: %r", error)
                await self._clock.sleep(AFTER_FAILURE_SECONDS)
            else:
                await self._clock.sleep(RENEW_SECONDS)

    async def renew(self) -> None:
        """Read the list. An empty one says nothing and changes nothing. Raises NanoGptError."""
        models = await self._read()
        self._models = {model.id: model for model in models} or self._models

    def suggest(self, typed: str, *, limit: int = MAX_CHOICES) -> list[Suggestion]:
        """Return what to offer for a text that a person is typing: the models that have all its words."""
        words = folded(typed).split()
        found = [
            model
            for model in self._models.values()
            if all(word in folded(f"{model.id} {model.name or ''}") for word in words)
        ]
        return as_model_choices(found, typed, limit=limit)

    def closest(self, model_id: str) -> str | None:
        """Return the model whose id is most like a misspelt one; None where none is like it."""
        return next(iter(difflib.get_close_matches(model_id, self._models, n=1, cutoff=_CLOSE)), None)

    def is_known(self, model_id: str) -> bool:
        """Tell whether a model is listed; while there is no list, any may be."""
        return not self._models or model_id in self._models

    def default(self) -> str | None:
        """Return the model to begin with, unless its author chooses another: the one that most characters have."""
        model_id = self._most_used()
        return model_id if model_id is not None and self.is_known(model_id) else None
