"""The language models that characters of this stand-in are built on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.sandbox.nanogpt.catalog import DEFAULT_MODEL, FIRST_CREATED


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A model of the list; prices are invented, in US dollars per million tokens."""

    id: str
    name: str
    prompt_price: float
    completion_price: float
    context_length: int = 128_000


MODELS: Final = (
    LanguageModel(DEFAULT_MODEL, "DeepSeek V3 0324", 0.25, 1.0),
    LanguageModel("mistralai/Mistral-Small-3.2-24B-Instruct", "Mistral Small 3.2", 0.1, 0.3),
    LanguageModel("moonshotai/Kimi-K2-Instruct", "Kimi K2", 0.5, 2.0),
    LanguageModel("zai-org/GLM-4.6", "GLM 4.6", 0.4, 1.5, 200_000),
)
MODEL_IDS: Final = frozenset(model.id for model in MODELS)


def models_body(*, detailed: bool) -> dict[str, object]:
    """Return the list of models in the documented shape (docs, models)."""
    return {"object": "list", "data": [_model(model, detailed=detailed) for model in MODELS]}


def _model(model: LanguageModel, *, detailed: bool) -> Mapping[str, object]:
    body: dict[str, object] = {
        "id": model.id,
        "object": "model",
        "created": FIRST_CREATED,
        "owned_by": model.id.split("/")[0],
    }
    if detailed:
        body |= {
            "name": model.name,
            "context_length": model.context_length,
            "pricing": {
                "prompt": model.prompt_price,
                "completion": model.completion_price,
                "currency": "USD",
                "unit": "per_million_tokens",
            },
        }
    return body
