"""How long to wait before a new session with Discord's gateway."""

from typing import Final

SPACED_BELOW: Final = 200
HELD_BELOW: Final = 50
FIRST_DELAY_SECONDS: Final = 30.0
STARTS_PER_DOUBLING: Final = 25


def start_delay_seconds(remaining: int, reset_after_seconds: float) -> float:
    """Return how long a start should wait, from what is left of the day's session starts.

    A process that crashes at once and is restarted would use up the 1,000 starts of a day, and Discord then
    resets the token (https://discord.com/developers/docs/events/gateway#session-start-limit-object). Below 200
    starts are spaced, twice as far each 25; below 50 they wait for the reset.
    """
    if remaining >= SPACED_BELOW:
        return 0.0
    if remaining < HELD_BELOW:
        return reset_after_seconds
    doublings = (SPACED_BELOW - 1 - remaining) // STARTS_PER_DOUBLING
    return min(FIRST_DELAY_SECONDS * 2**doublings, reset_after_seconds)
