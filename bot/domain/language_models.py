"""The language models that a character may be built on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A model of NanoGPT's list; None where the list did not say."""

    id: str
    """What `base_model_id` of a character names."""
    name: str | None = None
    """For people."""
    prompt_price: float | None = None
    """US dollars per million tokens that are read."""
    completion_price: float | None = None
    """US dollars per million tokens that are written."""
