"""Opening interactions and waiting, as a person does, for the answer."""

import asyncio
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord import payloads
from bot.sandbox.discord.answers import Answers
from bot.sandbox.discord.commands import CommandRegistry
from bot.sandbox.discord.interaction_model import Interaction, InteractionResult, InteractionType
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.model import Message
from bot.sandbox.discord.transcript import Entry

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel
    from bot.sandbox.discord.ledger import Ledger
    from bot.sandbox.discord.people import Person
    from bot.sandbox.discord.world import World

_UPLOAD_LIMIT: Final = 10_485_760
_CONTEXT_GUILD: Final = 0
_CONTEXT_BOT_DM: Final = 1


class Interactions:
    """Send INTERACTION_CREATE for what people do, and hand back what came of it."""

    def __init__(self, world: "World", ledger: "Ledger", deadline: float) -> None:
        """Take the time for the first answer in seconds; Discord's is 3."""
        self._world = world
        self.commands = CommandRegistry(world)
        self.answers = Answers(world, ledger, deadline)

    async def run(
        self,
        person: "Person",
        channel: "Channel",
        kind: InteractionType,
        name: str,
        data: JsonObject,
        message: Message | None = None,
        command: str = "",
    ) -> InteractionResult:
        """Send one interaction and wait for its first answer, at most for the deadline."""
        world = self._world
        loop = asyncio.get_running_loop()
        interaction = Interaction(
            world.snowflakes.next(),
            world.new_token(),
            kind,
            person.user,
            channel,
            name,
            world.now(),
            loop.time(),
            delivered=world.bot_is_connected(),
            message=message,
            command_kind=data.get("type"),
            command=command,
        )
        self.answers.keep(interaction)
        if kind is not InteractionType.AUTOCOMPLETE:
            world.transcript.add(Entry(world.now(), kind.name.lower(), person.shown_name, channel.name, name))
        event = self._payload(interaction, person, data)
        world.publish_interaction(None if channel.guild is None else channel.guild.id, event)
        try:
            async with asyncio.timeout(self.answers.deadline):
                await interaction.answered.wait()
        except TimeoutError:
            self.answers.missed(interaction)
        return InteractionResult(interaction)

    def _payload(self, interaction: Interaction, person: "Person", data: JsonObject) -> JsonObject:
        world, channel = self._world, interaction.channel
        guild = channel.guild
        event: JsonObject = {
            "id": str(interaction.id),
            "application_id": str(world.application_id),
            "type": int(interaction.type),
            "token": interaction.token,
            "version": 1,
            "channel_id": str(channel.id),
            "channel": payloads.channel(channel) | {"permissions": payloads.permissions_text(channel, person.user.id)},
            "locale": person.locale,
            "app_permissions": payloads.permissions_text(channel, world.bot.id),
            "entitlements": [],
            "attachment_size_limit": _UPLOAD_LIMIT,
            "data": data,
        }
        if interaction.message is not None:
            event["message"] = payloads.message(interaction.message)
        if guild is None:
            return event | {
                "user": payloads.user(person.user),
                "context": _CONTEXT_BOT_DM,
                "authorizing_integration_owners": {"0": "0"},
            }
        member = payloads.member(person.member, with_user=True)
        return event | {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
            "guild_locale": guild.locale,
            "member": member | {"permissions": payloads.permissions_text(channel, person.user.id)},
            "context": _CONTEXT_GUILD,
            "authorizing_integration_owners": {"0": str(guild.id)},
        }
