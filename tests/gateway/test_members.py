"""Against the real client: what a member holds in a channel, asked of Discord one by one."""

import pytest

from bot.domain.ids import ChannelId, GuildId, UserId
from bot.domain.rights import MemberRights
from bot.gateway.members import MemberReader
from bot.sandbox.discord import Channel, DiscordSandbox, Guild, Permission, Person
from bot.services.outlet import Uncertain
from tests.sandbox.discord_clients import RecordingClient


async def rights(client: RecordingClient, guild: Guild, channel: Channel, who: Person) -> MemberRights | None:
    return await MemberReader(client).rights(GuildId(guild.id), ChannelId(channel.id), UserId(who.id))


async def test_rights_follow_roles_and_the_channels_overwrites(
    client: RecordingClient, guild: Guild, general: Channel
) -> None:
    role = guild.add_role("Keepers")
    member = guild.add_member("Mia", roles=[role])
    other = guild.add_channel("other")
    await client.until(lambda: client.get_channel(other.id))
    general.overwrite(member, allow=Permission.MANAGE_CHANNELS)
    here = await rights(client, guild, general, member)
    there = await rights(client, guild, other, member)
    assert here is not None
    assert there is not None
    assert (here.manages_channel, there.manages_channel) == (True, False)
    assert role.id in here.role_ids
    owner = await rights(client, guild, other, guild.owner)
    assert owner is not None
    assert owner.manages_channel


async def test_somebody_who_left_has_none(
    sandbox: DiscordSandbox, client: RecordingClient, guild: Guild, general: Channel
) -> None:
    member = guild.add_member("Mia")
    guild.remove_member(member)
    with sandbox.expect_refusal(status=404, code=10007):
        assert await rights(client, guild, general, member) is None


async def test_a_place_that_cannot_be_seen_tells_nothing(client: RecordingClient, guild: Guild) -> None:
    reader = MemberReader(client)
    for guild_id, channel_id in ((1, 1), (guild.id, 1)):
        with pytest.raises(Uncertain):
            await reader.rights(GuildId(guild_id), ChannelId(channel_id), UserId(guild.owner.id))


async def test_a_discord_that_does_not_answer_in_time_is_no_leaving(
    sandbox: DiscordSandbox,
    client: RecordingClient,
    guild: Guild,
    general: Channel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The library tries again and again, for longer than a reply may wait.
    monkeypatch.setattr("bot.gateway.members.LOOK_SECONDS", 0.05)
    async with sandbox.outage(gateway=False):
        with pytest.raises(Uncertain):
            await rights(client, guild, general, guild.owner)
