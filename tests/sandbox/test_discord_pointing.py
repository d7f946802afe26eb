"""What the ids that a client sends stand for."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from bot.sandbox.discord import Channel, ChannelKind, DiscordSandbox, Modal, Person, SandboxError, pointing, posting
from bot.sandbox.discord.command_rules import OptionKind
from bot.sandbox.discord.component_rules import Kind
from bot.sandbox.discord.events import Event
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.posting import Draft


@dataclass
class Met:
    """A server with a command that takes one of everything."""

    channel: Channel
    owner: Person
    sent: list[JsonObject]

    async def run(self, **ids: object) -> JsonObject:
        """Run the command, which nobody answers, and return what Discord sends of it."""
        options = pointing.in_options(self.owner, self.channel, "give", ids)
        await self.owner.slash(self.channel, "give", **options)
        return self.sent[-1]


@pytest.fixture
async def met() -> AsyncGenerator[Met]:
    async with DiscordSandbox(interaction_deadline=0.01) as sandbox:
        guild = sandbox.add_guild("Guild")
        channel = guild.add_channel("general")
        options: list[JsonObject] = [
            {"type": int(kind), "name": kind.name.lower(), "description": "d"}
            for kind in (
                *(OptionKind.STRING, OptionKind.USER, OptionKind.ROLE),
                *(OptionKind.CHANNEL, OptionKind.MENTIONABLE, OptionKind.ATTACHMENT),
            )
        ]
        options[3]["channel_types"] = [int(ChannelKind.TEXT)]
        sandbox.world.interactions.commands.register([{"name": "give", "description": "d", "options": options}])
        sent: list[JsonObject] = []

        def hear(event: Event) -> None:
            if event.name == "INTERACTION_CREATE":
                sent.append(event.data["data"])

        sandbox.world.subscribe(hear)
        yield Met(channel, guild.owner, sent)


async def test_options_stand_for_people_roles_channels_and_files(met: Met) -> None:
    guild = met.owner.guild
    role = guild.add_role("Staff")
    file = met.owner.upload(met.channel, "card #1.json", b"{}", "application/json")
    data = await met.run(
        string=str(role.id),
        user=str(met.owner.id),
        role=str(role.id),
        channel=str(met.channel.id),
        mentionable=str(role.id),
        attachment=str(file.id),
    )
    resolved = data["resolved"]
    assert set(resolved) == {"users", "members", "roles", "channels", "attachments"}
    assert resolved["attachments"][str(file.id)]["filename"] == "card #1.json"
    assert resolved["attachments"][str(file.id)]["url"].endswith("/card%20%231.json")
    assert {option["name"]: option["value"] for option in data["options"]}["string"] == str(role.id)


@pytest.mark.parametrize("value", ["1", "x", "", 7, None, ["1"]])
@pytest.mark.parametrize("option", ["user", "role", "channel", "mentionable", "attachment"])
async def test_an_id_of_nothing_is_a_sentence(met: Met, option: str, value: object) -> None:
    with pytest.raises(SandboxError, match=r"^there is no such "):
        await met.run(**{option: value})


async def test_a_channel_has_to_be_seen_and_of_a_kind_that_is_taken(met: Met) -> None:
    guild = met.owner.guild
    thread = met.channel.add_thread("Chapter one")
    with pytest.raises(SandboxError, match="does not take channels of that kind"):
        await met.run(channel=str(thread.id))
    elsewhere = met.owner.world.direct_messages(guild.add_member("Ben").user)
    with pytest.raises(SandboxError, match="there is no such channel"):
        await met.run(channel=str(elsewhere.id))


async def test_selects_and_forms_stand_for_objects_too(met: Met) -> None:
    role = met.owner.guild.add_role("Staff")
    # The bot writes ids as numbers, which Discord's answers never do: they are larger than a browser counts.
    preset = [{"id": role.id, "type": "role"}]
    select: JsonObject = {"type": int(Kind.ROLE_SELECT), "custom_id": "role", "default_values": preset}
    rows: list[JsonObject] = [{"type": int(Kind.ROW), "components": [select]}]
    message = posting.post(Draft(met.channel, met.owner.world.bot, "choose", components=rows))
    assert pointing.in_select(met.owner, message, "role", [str(role.id)]) == [role]
    (kept,) = message.components[0]["components"]
    assert kept["default_values"] == [{"id": str(role.id), "type": "role"}]
    assert pointing.in_select(met.owner, message, "another", ["7"]) == ["7"]
    file = met.owner.upload(met.channel, "prompt.txt", b"Hello.", "text/plain")
    parts: list[JsonObject] = [
        {"type": int(Kind.LABEL), "component": {"type": int(Kind.FILE_UPLOAD), "custom_id": "files"}},
        {"type": int(Kind.LABEL), "component": {"type": int(Kind.TEXT_INPUT), "custom_id": "text"}},
    ]
    filled = pointing.in_form(met.owner, Modal("Form", "form", parts), {"files": [str(file.id)], "text": "1"})
    assert filled == {"files": [file], "text": "1"}
    with pytest.raises(SandboxError, match="there is no such file"):
        pointing.in_form(met.owner, Modal("Form", "form", parts), {"files": ["1"]})
