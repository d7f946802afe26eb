"""An interaction that keeps what is said to it, for code that only answers."""

from typing import Any, cast

import discord


class RecordingInteraction:
    """Answers like discord.py's; `failure` is raised by every answer."""

    def __init__(
        self,
        kind: discord.InteractionType = discord.InteractionType.application_command,
        *,
        answered: bool = False,
        failure: Exception | None = None,
    ) -> None:
        self.id = 1_574_023_140_122_558_477
        self.type = kind
        self.guild_id: int | None = None
        self.channel: discord.abc.GuildChannel | None = None
        self.said: list[tuple[str, dict[str, Any]]] = []
        """The way it was said, "response" or "followup", and with what."""
        self.response = _Speaker(self, "response", failure)
        self.followup = _Speaker(self, "followup", failure)
        self.answered = answered

    @property
    def seen(self) -> discord.Interaction:
        """This, as the code under test sees it."""
        return cast("discord.Interaction", cast("object", self))

    @property
    def text(self) -> str:
        """The only thing said."""
        ((_, message),) = self.said
        return message["content"]


class _Speaker:
    def __init__(self, interaction: RecordingInteraction, way: str, failure: Exception | None) -> None:
        self._interaction = interaction
        self._way = way
        self._failure = failure

    def is_done(self) -> bool:
        return self._interaction.answered

    async def send_message(self, content: str, **options: object) -> None:
        await self.send(content, **options)

    async def send(self, content: str, **options: object) -> None:
        if self._failure is not None:
            raise self._failure
        self._interaction.said.append((self._way, {"content": content, **options}))
