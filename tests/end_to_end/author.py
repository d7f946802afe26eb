"""An author at their desk, in a channel: the vocabulary of the tests of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.sandbox.discord import InteractionResult, Message, Person
from bot.sandbox.discord.json_types import objects_of
from bot.sandbox.discord.model import Attachment
from bot.sandbox.nanogpt.accounts import Account
from bot.sandbox.nanogpt.catalog import DEFAULT_MODEL, SandboxCharacter
from bot.sandbox.nanogpt.recording import RecordedCall
from tests.end_to_end.linking import link
from tests.end_to_end.scene import Scene

TEXTS = {
    "name": "Lamp Keeper",
    "summary": "Keeps a lighthouse and talks about it.",
    "description": "Somebody to sit out a storm with.",
    "first_message": "You are late, and wet. Come in.",
}
PROMPT = "You keep a lighthouse and have seen everything twice."


@dataclass(frozen=True)
class Author:
    """A person with a NanoGPT account, who has things to do."""

    scene: Scene
    person: Person
    account: Account

    @classmethod
    async def of(cls, scene: Scene, name: str = "Ada") -> Self:
        """Let somebody join who has linked an account; no bot may run."""
        assert scene.channel.guild is not None
        person = scene.channel.guild.add_member(name)
        return cls(scene, person, await link(scene.world, person))

    async def command(self, command: str, **options: object) -> Message:
        """Run a command of the group `/character`, and return its answer, which nobody else sees."""
        result = await self.person.slash(self.scene.channel, f"character {command}", **options)
        message = await result.final_message()
        assert message.ephemeral_for == self.person.id
        return message

    async def fill(self, message: Message, button: str, values: Mapping[str, object]) -> InteractionResult:
        """Open a form with a button of a message, and send it filled in."""
        form = await self.person.click(message, button)
        assert form.modal is not None, form.text
        return await self.person.submit(form, values)

    async def press(self, message: Message, button: str) -> Message:
        """Press a button that asks NanoGPT, and return what came of it."""
        return await (await self.person.click(message, button)).final_message()

    async def write(self, **access: object) -> Message:
        """Write a new character, everything but the saving; `access` fills in who can see it. Returns the panel."""
        panel = await self.command("create", base_model=DEFAULT_MODEL)
        await self.fill(panel, "Texts", TEXTS)
        await self.fill(panel, "Prompt", {"system_prompt": PROMPT})
        await self.fill(panel, "Tags and rating", {"tags": "Sea, quiet", "rating": "sfw"})
        if access:
            await self.fill(panel, "Who can see it", access)
        return panel

    async def make(self, **access: object) -> SandboxCharacter:
        """Make a character, private unless `access` says otherwise, and return what NanoGPT has of it."""
        saved = await self.press(await self.write(**access), "Save")
        assert "is made" in saved.content, saved.content
        return self.owned()[0]

    def owned(self) -> list[SandboxCharacter]:
        """Return the author's characters as NanoGPT has them, the newest first."""
        return list(self.scene.world.upstream.catalog.owned(self.account))

    def written(self) -> list[RecordedCall]:
        """Return the calls that changed something at NanoGPT, oldest first."""
        routes = ("POST", "PATCH", "DELETE")
        calls = self.scene.world.upstream.calls
        return [call for call in calls if call.method in routes and call.path.startswith("/characters")]

    def upload(self, name: str, content: bytes) -> Attachment:
        """Upload a file for an option or a form."""
        return self.person.upload(self.scene.channel, name, content)


def shown(message: Message) -> dict[str, str]:
    """Return the fields of a message's embed."""
    (embed,) = message.embeds
    return {field["name"]: field["value"] for field in objects_of(embed.get("fields"))}


def fields(result: InteractionResult) -> dict[str, dict[str, Any]]:
    """Return the fields of an opened form by their custom ids."""
    assert result.modal is not None
    inner = [part["component"] for part in result.modal.components if "component" in part]
    return {part["custom_id"]: part for part in inner}
