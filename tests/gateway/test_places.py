"""Against the real client: where an interaction comes from, and who may do what there."""

from collections.abc import AsyncGenerator

import discord
import pytest
from discord import app_commands

from bot.domain.ids import ChannelId, GuildId
from bot.domain.notices import NO_FORUMS
from bot.domain.places import Place
from bot.domain.rights import Right
from bot.errors import UserError
from bot.gateway.places import (
    asker_of,
    bot_rights,
    manages_server,
    member_may_manage,
    place_of,
    refuse_forum,
    rights_missing_in,
)
from bot.sandbox.discord import Channel, DiscordSandbox, Guild, Permission, Person
from bot.sandbox.discord.model import ChannelKind
from tests.sandbox.discord_clients import RecordingClient, running


class AskingClient(RecordingClient):
    """A client whose one command keeps the interaction, with the place that was read from it."""

    def __init__(self) -> None:
        super().__init__()
        self.tree: app_commands.CommandTree[AskingClient] = app_commands.CommandTree(self)
        self.interaction: discord.Interaction | None = None
        self.place: Place | None = None
        self.forget: int | None = None
        """The channel that is taken out of the cache before the place is read."""

    async def setup_hook(self) -> None:
        self.tree.add_command(app_commands.Command(name="where", description="Where am I?", callback=self._where))
        await self.tree.sync()

    async def _where(self, interaction: discord.Interaction) -> None:
        self.interaction = interaction
        if self.forget is not None and interaction.guild is not None:
            interaction.guild._channels.pop(self.forget)  # pyright: ignore[reportPrivateUsage] - no other way
        self.place = await place_of(interaction)
        await interaction.response.send_message("there", ephemeral=True)


@pytest.fixture
async def client(sandbox: DiscordSandbox, general: Channel) -> AsyncGenerator[AskingClient]:
    async with running(sandbox, AskingClient()) as opened:
        assert opened.get_channel(general.id) is not None
        yield opened


async def ask(client: AskingClient, who: Person, where: Channel) -> discord.Interaction:
    await who.slash(where, "where")
    assert client.interaction is not None
    return client.interaction


@pytest.mark.parametrize("nsfw", [True, False])
async def test_a_channel_is_its_own_place(client: AskingClient, guild: Guild, *, nsfw: bool) -> None:
    channel = guild.add_channel("room", nsfw=nsfw)
    await client.until(lambda: client.get_channel(channel.id))
    await ask(client, guild.owner, channel)
    assert client.place == Place(GuildId(guild.id), ChannelId(channel.id), None, age_restricted=nsfw)


@pytest.mark.parametrize("nsfw", [True, False])
@pytest.mark.parametrize("cached", [True, False])
async def test_a_thread_goes_by_its_parent_also_when_that_has_to_be_asked_for(
    client: AskingClient, guild: Guild, *, nsfw: bool, cached: bool
) -> None:
    channel = guild.add_channel("room", nsfw=nsfw)
    thread = channel.add_thread("aside")
    await client.until(lambda: client.get_channel(thread.id))
    client.forget = None if cached else channel.id
    await ask(client, guild.owner, thread)
    expected = Place(GuildId(guild.id), ChannelId(channel.id), ChannelId(thread.id), age_restricted=nsfw)
    assert client.place == expected


async def test_a_parent_that_cannot_be_had_counts_as_not_restricted(
    sandbox: DiscordSandbox, client: AskingClient, guild: Guild
) -> None:
    channel = guild.add_channel("room", nsfw=True)
    thread = channel.add_thread("aside")
    await client.until(lambda: client.get_channel(thread.id))
    client.forget = channel.id
    guild.bot_permissions &= ~Permission.ADMINISTRATOR
    channel.deny_bot(Permission.VIEW_CHANNEL)
    with sandbox.expect_refusal(status=403):
        await ask(client, guild.owner, thread)
    assert client.place is not None
    assert not client.place.age_restricted


async def test_direct_messages_are_no_place(client: AskingClient, guild: Guild) -> None:
    member = guild.add_member("Mia")
    interaction = await ask(client, member, member.open_dm())
    assert client.place is None
    assert not member_may_manage(interaction)


async def test_who_may_manage_a_channel_follows_its_overwrites(
    client: AskingClient, guild: Guild, general: Channel
) -> None:
    member = guild.add_member("Mia")
    other = guild.add_channel("other")
    await client.until(lambda: client.get_channel(other.id))
    general.overwrite(member, allow=Permission.MANAGE_CHANNELS)
    assert member_may_manage(await ask(client, guild.owner, general))
    assert member_may_manage(await ask(client, member, general))
    assert not member_may_manage(await ask(client, member, other))


async def test_who_asks_is_known_by_the_name_shown_and_the_time_of_asking(
    client: AskingClient, guild: Guild, general: Channel
) -> None:
    member = guild.add_member("Mia", nick="Mimi")
    interaction = await ask(client, member, general)
    asker = asker_of(interaction)
    assert (asker.user_id, asker.display_name, asker.may_manage) == (member.id, "Mimi", False)
    assert asker.asked_at == interaction.id


async def test_what_the_bot_lacks_follows_the_channels_overwrites(
    client: AskingClient, guild: Guild, general: Channel
) -> None:
    assert bot_rights(await ask(client, guild.owner, general)) == frozenset()
    general.deny_bot(Permission.MANAGE_WEBHOOKS | Permission.SEND_MESSAGES_IN_THREADS)
    missing = bot_rights(await ask(client, guild.owner, general))
    assert missing == {Right.MANAGE_WEBHOOKS, Right.SEND_MESSAGES_IN_THREADS}


async def test_the_roles_of_whoever_asks_come_along(client: AskingClient, guild: Guild, general: Channel) -> None:
    role = guild.add_role("Keepers")
    member = guild.add_member("Mia", roles=[role])
    await client.until(lambda: _knows_role(client, guild, role.id))
    assert role.id in asker_of(await ask(client, member, general)).role_ids
    assert role.id not in asker_of(await ask(client, guild.owner, general)).role_ids
    assert asker_of(await ask(client, member, member.open_dm())).role_ids == frozenset()


def _knows_role(client: AskingClient, guild: Guild, role_id: int) -> bool:
    found = client.get_guild(guild.id)
    return found is not None and found.get_role(role_id) is not None


async def test_who_manages_the_server_is_told_apart(client: AskingClient, guild: Guild, general: Channel) -> None:
    deputy = guild.add_member("Dee", permissions=Permission.MANAGE_GUILD)
    member = guild.add_member("Mia", permissions=Permission.MANAGE_CHANNELS)
    assert manages_server(await ask(client, guild.owner, general))
    assert manages_server(await ask(client, deputy, general))
    assert not manages_server(await ask(client, member, general))
    assert not manages_server(await ask(client, deputy, deputy.open_dm()))


async def test_what_the_bot_lacks_in_another_channel_is_known_and_all_of_it_where_it_sees_none(
    client: AskingClient, guild: Guild, general: Channel
) -> None:
    other = guild.add_channel("other")
    await client.until(lambda: client.get_channel(other.id))
    interaction = await ask(client, guild.owner, general)
    assert rights_missing_in(interaction, ChannelId(other.id)) == frozenset()
    other.deny_bot(Permission.MANAGE_WEBHOOKS | Permission.CONNECT)
    await client.until(lambda: rights_missing_in(interaction, ChannelId(other.id)))
    assert rights_missing_in(interaction, ChannelId(other.id)) == {Right.MANAGE_WEBHOOKS}
    assert rights_missing_in(interaction, ChannelId(1)) == frozenset(Right)


async def test_connect_matters_in_voice_channels_alone(client: AskingClient, guild: Guild, general: Channel) -> None:
    voice = guild.add_channel("Voice", kind=ChannelKind.VOICE)
    await client.until(lambda: client.get_channel(voice.id))
    for channel in (general, voice):
        channel.deny_bot(Permission.CONNECT)
    assert bot_rights(await ask(client, guild.owner, general)) == frozenset()
    assert Right.CONNECT in bot_rights(await ask(client, guild.owner, voice))


async def test_a_forum_is_refused_and_a_text_channel_is_not(
    client: AskingClient, guild: Guild, general: Channel
) -> None:
    forum = guild.add_channel("forum", kind=ChannelKind.FORUM)
    post = forum.add_thread("a post")
    await client.until(lambda: client.get_channel(post.id))
    refuse_forum(await ask(client, guild.owner, general))
    with pytest.raises(UserError, match=NO_FORUMS):
        refuse_forum(await ask(client, guild.owner, post))
