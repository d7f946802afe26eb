"""Direct messages to members, for what they asked to be told."""

import logging

import discord

from bot.domain.ids import UserId
from bot.gateway.failures import asking
from bot.services.outlet import OutletError

_log = logging.getLogger(__name__)


class DirectMessenger:
    """Writes to people who may not be in any cache."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def __call__(self, user_id: UserId, text: str) -> bool:
        """Write to a person; tell whether it arrived.

        It does not where the person takes no messages of the bot, or Discord does not answer: nothing is tried again.
        """
        try:
            channel = await asking(lambda: self._client.create_dm(discord.Object(user_id)))
            await asking(
                lambda: channel.send(text, suppress_embeds=True, allowed_mentions=discord.AllowedMentions.none())
            )
        except OutletError as error:
            _log.info("A direct message did not arrive: %s", type(error).__name__)
            return False
        return True
