import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeAlias

import aiohttp
import discord
import pytest
from discord import app_commands, ui

from bot.sandbox.discord import Channel, DiscordSandbox, Guild, Permission, Person, SandboxError
from tests.sandbox.discord_clients import INTENTS, RecordingClient, running

Handler: TypeAlias = Callable[[discord.Interaction], Awaitable[object]]


class CommandClient(RecordingClient):
    """A client whose commands and components do what the test puts into `handle`."""

    def __init__(self) -> None:
        super().__init__(INTENTS)
        self.tree: app_commands.CommandTree[CommandClient] = app_commands.CommandTree(self)
        self.handle: Handler | None = None
        self.values: dict[str, Any] = {}
        self.on_component: Handler | None = None

    async def setup_hook(self) -> None:
        group = app_commands.Group(name="character", description="Characters")

        @group.command(name="search", description="Find one")
        @app_commands.describe(query="Words", count="How many", who="Whose")
        async def search(  # pyright: ignore[reportUnusedFunction] - registered by its decorator
            interaction: discord.Interaction,
            query: app_commands.Range[str, 1, 20],
            count: int | None = None,
            who: discord.Member | None = None,
        ) -> None:
            self.values = {"query": query, "count": count, "who": who}
            assert self.handle is not None
            await self.handle(interaction)

        @search.autocomplete("query")
        async def suggest(  # pyright: ignore[reportUnusedFunction] - registered by its decorator
            _: discord.Interaction, current: str
        ) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=current.upper(), value=current)]

        self.tree.add_command(group)
        staff: app_commands.Command[Any, ..., None] = app_commands.Command(
            name="staff", description="For staff", callback=self._staff
        )
        staff.default_permissions = discord.Permissions(manage_guild=True)
        self.tree.add_command(staff)
        self.tree.add_command(app_commands.ContextMenu(name="Why silent?", callback=self._why))
        await self.tree.sync()

    async def _staff(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message("hello, staff")

    async def _why(self, interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"about {message.content!r}", ephemeral=True)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        handled = {discord.InteractionType.component, discord.InteractionType.modal_submit}
        if interaction.type in handled and self.on_component is not None:
            await self.on_component(interaction)


@pytest.fixture
def alice(guild: Guild) -> Person:
    return guild.add_member("Alice", nick="Al")


@pytest.fixture
async def client(sandbox: DiscordSandbox, general: Channel) -> AsyncGenerator[CommandClient]:
    async with running(sandbox, CommandClient()) as running_client:
        assert running_client.get_channel(general.id) is not None
        yield running_client


REGISTERED: list[dict[str, Any]] = [
    {"name": "staff", "description": "d", "default_member_permissions": str(int(Permission.MANAGE_GUILD))},
    {
        "name": "character",
        "description": "d",
        "options": [
            {
                "type": 1,
                "name": "search",
                "description": "d",
                "options": [
                    {"type": 3, "name": "query", "description": "d", "required": True, "max_length": 20},
                    {"type": 4, "name": "count", "description": "d"},
                ],
            }
        ],
    },
]


def button_view(*custom_ids: str) -> ui.View:
    view = ui.View(timeout=None)
    for custom_id in custom_ids:
        view.add_item(ui.Button(label=custom_id.title(), custom_id=custom_id))
    return view


async def test_a_command_arrives_with_its_options_and_its_answer_is_seen(
    sandbox: DiscordSandbox, client: CommandClient, general: Channel, alice: Person
) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        assert interaction.user.display_name == "Al"
        assert interaction.permissions.send_messages
        assert interaction.app_permissions.manage_webhooks
        sent = await interaction.response.send_message("found", ephemeral=True)
        assert isinstance(sent.resource, discord.InteractionMessage)

    client.handle = answer
    result = await alice.slash(general, "character search", query="pirate", count=3, who=alice)
    assert (result.kind, result.text, result.ephemeral) == ("message", "found", True)
    assert client.values["query"] == "pirate"
    assert client.values["count"] == 3
    assert client.values["who"].id == alice.id
    assert not general.messages
    assert client.heard == []
    assert result.message is not None
    assert alice.sees(result.message)
    sandbox.assert_clean()


async def test_a_public_answer_is_a_message_of_the_channel(
    client: CommandClient, general: Channel, alice: Person
) -> None:
    client.handle = lambda interaction: interaction.response.send_message(f"hi {alice.mention}")
    result = await alice.slash(general, "character search", query="x")
    assert result.message is general.last_message
    await client.until_heard(1)
    assert client.heard[0].type is discord.MessageType.chat_input_command
    assert result.message is not None
    assert result.message.pings == {alice.id}


async def test_a_deferred_answer_settles_with_its_edit(client: CommandClient, general: Channel, alice: Person) -> None:
    release = asyncio.Event()

    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True, ephemeral=True)
        await release.wait()
        await interaction.edit_original_response(content="done")
        await interaction.followup.send("more", ephemeral=True)

    client.handle = answer
    result = await alice.slash(general, "character search", query="x")
    assert result.kind == "deferred"
    assert result.message is not None
    assert result.message.is_loading
    release.set()
    final = await result.final_message()
    assert (final.content, final.is_loading, final.ephemeral_for) == ("done", False, alice.id)


async def test_the_first_followup_fills_the_placeholder(
    client: CommandClient, general: Channel, alice: Person, sandbox: DiscordSandbox
) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.followup.send("first")
        second = await interaction.followup.send("second", wait=True)
        await second.edit(content="second!")

    client.handle = answer
    result = await alice.slash(general, "character search", query="x")
    assert (await result.final_message()).content == "first"
    await sandbox.wait_for(lambda: [each.content for each in result.followups] == ["second!"])
    assert len(general.messages) == 2


async def test_autocomplete_returns_what_the_bot_suggests(
    client: CommandClient, general: Channel, alice: Person
) -> None:
    choices = await alice.autocomplete(general, "character search", "query", "pir", count=2)
    assert [(choice.name, choice.value) for choice in choices] == [("PIR", "pir")]
    assert client.is_ready()


async def test_context_menus_carry_the_message(client: CommandClient, general: Channel, alice: Person) -> None:
    message = await alice.say(general, "hello?")
    result = await alice.context_menu(message, "Why silent?")
    assert result.text == "about 'hello?'"
    assert client.is_ready()


@pytest.mark.parametrize(
    ("command", "options", "complaint"),
    [
        ("nothing", {}, "no command"),
        ("character find", {}, "no subcommand"),
        ("character", {}, "needs a subcommand"),
        ("character search", {}, "needs the option query"),
        ("character search", {"query": "x", "nope": 1}, "no option"),
        ("character search", {"query": "x" * 21}, "21 characters"),
        ("character search", {"query": "x", "count": "three"}, "takes a integer"),
        ("staff", {}, "not offered to Al, who lacks Manage Guild"),
    ],
)
async def test_what_the_client_would_not_offer_is_an_error_of_the_test(
    sandbox: DiscordSandbox,
    general: Channel,
    alice: Person,
    command: str,
    options: dict[str, object],
    complaint: str,
) -> None:
    sandbox.world.interactions.commands.register(REGISTERED)
    with pytest.raises(SandboxError, match=complaint):
        await alice.slash(general, command, **options)


async def test_default_permissions_admit_staff(client: CommandClient, guild: Guild, general: Channel) -> None:
    assert client.is_ready()
    staff = guild.add_member("Sam", permissions=Permission.MANAGE_GUILD)
    assert (await staff.slash(general, "staff")).text == "hello, staff"


async def test_a_click_can_update_the_message_that_carries_the_button(
    sandbox: DiscordSandbox, client: CommandClient, guild: Guild, general: Channel, alice: Person
) -> None:
    channel = client.get_channel(general.id)
    assert isinstance(channel, discord.TextChannel)
    webhook = await channel.create_webhook(name="characters")
    sent = await webhook.send("rate me", view=button_view("rate:1", "rate:2"), wait=True)
    message = general.messages[sent.id]

    async def update(interaction: discord.Interaction) -> None:
        assert interaction.message is not None
        await interaction.response.edit_message(content="thanks", view=None)

    client.on_component = update
    result = await alice.click(message, "Rate:2")
    assert (result.kind, message.content, message.components) == ("update", "thanks", [])
    with pytest.raises(SandboxError, match="no button"):
        await guild.owner.click(message, "rate:1")
    sandbox.assert_clean()


async def test_a_silent_defer_settles_with_a_followup(client: CommandClient, general: Channel, alice: Person) -> None:
    client.handle = lambda interaction: interaction.response.send_message("menu", view=button_view("go"))
    menu = await (await alice.slash(general, "character search", query="x")).final_message()

    async def later(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send("only you", ephemeral=True)

    client.on_component = later
    result = await alice.click(menu, "go")
    assert result.kind == "deferred_update"
    assert (await result.final_message()).content == "only you"


async def test_a_select_sends_only_what_it_offers(client: CommandClient, general: Channel, alice: Person) -> None:
    view = ui.View(timeout=None)
    options = [discord.SelectOption(label="One", value="1"), discord.SelectOption(label="Two", value="2")]
    view.add_item(ui.Select(custom_id="pick", options=options))
    view.add_item(ui.UserSelect(custom_id="who"))
    client.handle = lambda interaction: interaction.response.send_message("menu", view=view)
    menu = await (await alice.slash(general, "character search", query="x")).final_message()
    seen: list[Any] = []

    async def remember(interaction: discord.Interaction) -> None:
        seen.append((interaction.data or {}).get("values"))
        await interaction.response.send_message("ok", ephemeral=True)

    client.on_component = remember
    await alice.select(menu, "pick", ["2"])
    await alice.select(menu, "who", [alice])
    assert seen == [["2"], [str(alice.id)]]
    with pytest.raises(SandboxError, match="offers"):
        await alice.select(menu, "pick", ["3"])


class Review(ui.Modal, title="Review"):
    stars: "ui.Label[Review]" = ui.Label(
        text="Stars", component=ui.RadioGroup(options=[discord.RadioGroupOption(label=n, value=n) for n in "12345"])
    )
    text: "ui.Label[Review]" = ui.Label(text="Text", component=ui.TextInput(required=False, max_length=20))
    spoiler: "ui.Label[Review]" = ui.Label(text="Spoiler", component=ui.Checkbox())


async def test_a_form_is_opened_filled_in_and_answered(
    sandbox: DiscordSandbox, client: CommandClient, general: Channel, alice: Person
) -> None:
    client.handle = lambda interaction: interaction.response.send_modal(Review(custom_id="review:1", timeout=900))
    opened = await alice.slash(general, "character search", query="x")
    assert opened.modal is not None
    assert opened.modal.title == "Review"
    seen: list[Any] = []

    async def take(interaction: discord.Interaction) -> None:
        data: Any = interaction.data
        seen.extend(part["component"].get("value") for part in data["components"])
        await interaction.response.send_message("kept", ephemeral=True)

    client.on_component = take
    result = await alice.submit(opened, {"Stars": "4", "Spoiler": True})
    assert result.text == "kept"
    assert seen == ["4", "", True]
    for wrong in ({}, {"Stars": "9"}, {"Stars": "1", "Text": "x" * 21}, {"Stars": "1", "Nope": "x"}):
        with pytest.raises(SandboxError):
            await alice.submit(opened, wrong)
    sandbox.assert_clean()


async def test_no_answer_in_time_fails_and_is_noted() -> None:
    async with DiscordSandbox(interaction_deadline=0.05) as sandbox:
        guild = sandbox.add_guild("Guild")
        general = guild.add_channel("general")
        alice = guild.add_member("Alice")
        late = asyncio.Event()
        refused = asyncio.Event()

        async def answer(interaction: discord.Interaction) -> None:
            await late.wait()
            with pytest.raises(discord.NotFound):
                await interaction.response.send_message("too late")
            refused.set()

        async with running(sandbox, CommandClient()) as client:
            client.handle = answer
            with sandbox.expect_missed_deadline(), sandbox.expect_refusal(status=404, code=10062):
                result = await alice.slash(general, "character search", query="x")
                assert result.failed
                late.set()
                await refused.wait()
        sandbox.assert_clean()


async def test_a_second_answer_is_refused(
    sandbox: DiscordSandbox, client: CommandClient, general: Channel, alice: Person
) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        url = f"{sandbox.api_url}/interactions/{interaction.id}/{interaction.token}/callback"
        async with aiohttp.ClientSession() as http:
            for expected in (204, 400):
                response = await http.post(url, json={"type": 4, "data": {"content": "x"}})
                assert response.status == expected

    client.handle = answer
    with sandbox.expect_refusal(code=40060):
        await alice.slash(general, "character search", query="x")
        await sandbox.wait_for(lambda: sandbox.refusals)


async def test_a_token_dies_after_fifteen_minutes() -> None:
    now = [1_767_225_600.0]
    async with DiscordSandbox(clock=lambda: now[0]) as sandbox:
        guild = sandbox.add_guild("Guild")
        general = guild.add_channel("general")
        kept: list[discord.Interaction] = []

        async def answer(interaction: discord.Interaction) -> None:
            kept.append(interaction)
            await interaction.response.send_message("hi")

        async with running(sandbox, CommandClient()) as client:
            client.handle = answer
            await guild.owner.slash(general, "character search", query="x")
            now[0] += 15 * 60 - 1
            await kept[0].edit_original_response(content="still")
            now[0] += 2
            with sandbox.expect_refusal(status=401, code=50027), pytest.raises(discord.HTTPException):
                await kept[0].edit_original_response(content="gone")


async def test_a_command_in_direct_messages_names_the_user(client: CommandClient, alice: Person) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        assert isinstance(interaction.channel, discord.DMChannel)
        assert isinstance(interaction.user, discord.User)
        await interaction.response.send_message("psst")

    client.handle = answer
    result = await alice.slash(alice.open_dm(), "character search", query="x")
    assert result.text == "psst"


def option(name: str, **more: object) -> dict[str, object]:
    return {"type": 3, "name": name, "description": "d", **more}


def command(**more: object) -> dict[str, object]:
    return {"name": "a", "description": "d", **more}


def many_choices() -> list[dict[str, object]]:
    return [{"name": "x" * 70, "value": f"{number}"} for number in range(25)]


@pytest.mark.parametrize(
    "commands",
    [
        [command(name="Upper")],
        [command(name="x" * 33)],
        [command(description="")],
        [command(description="x" * 101)],
        [command(), command()],
        [command(type=3, name="Menu")],
        [command(options=[option(f"o{number}") for number in range(26)])],
        [command(options=[option("o"), option("p", required=True)])],
        [command(options=[option("o", choices=[{"name": "x" * 101, "value": "x"}])])],
        [command(options=[option("o", autocomplete=True, choices=[{"name": "x", "value": "x"}])])],
        [command(options=[option(f"o{number}", choices=many_choices()) for number in range(5)])],
        [{"name": str(number), "type": 3} for number in range(16)],
    ],
)
async def test_a_command_set_that_breaks_a_limit_is_refused(
    sandbox: DiscordSandbox, commands: list[dict[str, object]]
) -> None:
    url = f"{sandbox.api_url}/applications/{sandbox.application_id}/commands"
    async with aiohttp.ClientSession() as http:
        with sandbox.expect_refusal(status=400):
            response = await http.put(url, json=commands, headers={"Authorization": f"Bot {sandbox.token}"})
        assert response.status == 400
