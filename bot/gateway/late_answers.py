"""Changing the answer to a command after the interaction object is gone, as after a restart."""

from typing import Final, cast

import discord

from bot.gateway.failures import asking
from bot.services.outlet import Uncertain

_ORIGINAL: Final = "@original"
"""Stands for the id of the first answer, in routes with an interaction's token
(https://discord.com/developers/docs/interactions/receiving-and-responding#endpoints)."""


async def change_answer(
    client: discord.Client, token: str, content: str, *, view: discord.ui.View | None = None
) -> None:
    """Put another text, and other buttons or none, in the place of the answer to an interaction.

    `token` is the interaction's, which lives for 15 minutes. Raises an OutletError.
    """
    if client.application_id is None:
        raise Uncertain
    webhook = discord.Webhook.partial(client.application_id, token, client=client)
    original = cast("int", cast("object", _ORIGINAL))
    await asking(lambda: webhook.edit_message(original, content=content, view=view))
