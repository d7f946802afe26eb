"""Reading query parameters, with the refusals that wrong ones get."""

from collections.abc import Mapping

from bot.sandbox.nanogpt.catalog import DEFAULT_LIMIT, MAX_LIMIT
from bot.sandbox.nanogpt.recording import Record, RecordedCall
from bot.sandbox.nanogpt.wire import RefusedError, refusal

Query = Mapping[str, tuple[str, ...]]


def known_query(call: RecordedCall, parameters: frozenset[str], record: Record) -> Query:
    """Return the query; raises RefusedError (400), and complains, for a parameter that is none of these."""
    for name in sorted(call.query.keys() - parameters):
        record.complain(f"{call.method} {call.path} with the unknown parameter {name}.")
        raise bad_parameter(name, "is not a parameter here")
    return call.query


def single(query: Query, name: str) -> str | None:
    """Return a parameter that may be given once, or None."""
    values = query.get(name, ())
    if len(values) > 1:
        raise bad_parameter(name, "is given more than once")
    return values[0] if values else None


def word(query: Query, name: str, words: tuple[str, ...]) -> str | None:
    """Return a parameter that must be one of these words, or None."""
    value = single(query, name)
    if value is not None and value not in words:
        raise bad_parameter(name, f"must be one of {', '.join(words)}")
    return value


def limit(query: Query) -> int:
    """Return the size of the page that is asked for, within bounds."""
    value = single(query, "limit")
    if value is None:
        return DEFAULT_LIMIT
    if not value.isdecimal() or int(value) < 1:
        raise bad_parameter("limit", "must be a number from 1 up")
    return min(int(value), MAX_LIMIT)


def bad_parameter(name: str, rule: str) -> RefusedError:
    """Make the refusal of a parameter."""
    return refusal(400, f"{name} {rule}", code="invalid_parameter_value", param=name)


def bad_body(name: str, rule: str) -> RefusedError:
    """Make the refusal of a member of a body."""
    return refusal(400, f"{name} {rule}", param=name)
