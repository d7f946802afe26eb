"""An interaction that answers nothing, for drawing forms."""

from typing import cast

import discord


class _Opening:
    def __init__(self, number: int) -> None:
        self.id = number


def opening(number: int = 1_574_023_140_122_558_477) -> discord.Interaction:
    """Return something with the id of an interaction, which is all that drawing a form asks for."""
    return cast("discord.Interaction", cast("object", _Opening(number)))
