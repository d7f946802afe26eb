"""The outlet against the real client and a stand-in for Discord: personas, and the bot in their place."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import discord
import pytest
from discord import ui

from bot.domain.ids import ChannelId, CharacterId, CharacterRef, GuildId, MessageId, TurnId
from bot.domain.turns import Transport
from bot.gateway.history import HistoryReader
from bot.gateway.personas import LOADING_SECONDS, NAME_NOBODY_REFUSES, WEBHOOK_NAME, DiscordOutlet
from bot.gateway.rate_limits import WebhookRateLimits
from bot.sandbox.discord import Channel, ChannelKind, DiscordSandbox, Fault, Guild, Permission
from bot.services.outlet import (
    Allowance,
    Busy,
    Controls,
    Destination,
    Draft,
    Forbidden,
    Gone,
    Lost,
    Persona,
    Refused,
    SeenPost,
    TextFile,
    Uncertain,
)
from bot.store.vault import MasterKey, Vault
from bot.store.webhooks import Webhooks
from tests.sandbox.discord_clients import RecordingClient, running
from tests.support.manual_clock import START_MS
from tests.support.new_database import NewDatabase

GUIDE = Persona(CharacterId("guide"), "Guide", "https://pictures.invalid/guide.png")
HELLO = Draft("Hello", GUIDE, nonce="1.1.reply.0")
CONTROLS = Controls(TurnId(1), CharacterRef(1), retry=True)
MARK = Draft("⚠ Trouble", controls=CONTROLS, nonce="1.1.mark.0")
EXECUTE = r"^/webhooks/\{webhook_id\}/\{webhook_token\}$"
BOTH = pytest.mark.parametrize("transport", list(Transport))


def buttons(controls: Controls) -> ui.View:
    """Return a view with a button of a name that tells what it is for."""
    view = ui.View(timeout=None)
    view.add_item(ui.Button[ui.View](label="Retry", custom_id=f"retry:{controls.turn_id}"))
    return view


@pytest.fixture
async def sandbox() -> AsyncGenerator[DiscordSandbox]:
    async with DiscordSandbox() as opened:
        yield opened
        opened.assert_clean()


@pytest.fixture
def guild(sandbox: DiscordSandbox) -> Guild:
    guild = sandbox.add_guild("Guild")
    guild.bot_permissions &= ~Permission.ADMINISTRATOR
    return guild


@pytest.fixture
def room(guild: Guild) -> Channel:
    return guild.add_channel("general")


@pytest.fixture
async def client(sandbox: DiscordSandbox, room: Channel) -> AsyncGenerator[RecordingClient]:
    async with running(sandbox, RecordingClient()) as opened:
        assert opened.get_channel(room.id) is not None
        yield opened


@pytest.fixture
async def webhooks(tmp_path: Path, new_database: NewDatabase) -> AsyncGenerator[Webhooks]:
    database = await new_database(tmp_path / "bot.db", now_ms=START_MS)
    yield Webhooks(database, Vault([MasterKey(b"fake-key" * 4)]))
    await database.close()


def outlet_of(client: discord.Client, webhooks: Webhooks, sandbox: DiscordSandbox) -> DiscordOutlet:
    return DiscordOutlet(
        client,
        webhooks,
        WebhookRateLimits(),
        cdn_url=f"{sandbox.cdn_url}/",
        now_ms=lambda: START_MS,
        buttons=buttons,
    )


@pytest.fixture
def outlet(client: RecordingClient, webhooks: Webhooks, sandbox: DiscordSandbox) -> DiscordOutlet:
    return outlet_of(client, webhooks, sandbox)


def there(channel: Channel) -> Destination:
    """Return where a channel or thread of the stand-in is."""
    guild = channel.guild
    assert guild is not None
    parent = channel.webhook_home
    thread = ChannelId(channel.id) if channel.is_thread else None
    return Destination(GuildId(guild.id), ChannelId(parent.id), thread)


def asked(sandbox: DiscordSandbox, method: str, ending: str) -> int:
    """Count the requests of a kind."""
    return sum(request.method == method and request.route.endswith(ending) for request in sandbox.requests)


async def deny(client: RecordingClient, channel: Channel, denied: Permission) -> None:
    """Take a permission from the bot in a channel, and wait until its client knows."""
    heard = client.events.count("guild_channel_update")
    channel.deny_bot(denied)
    await client.until_event("guild_channel_update", heard + 1)


# Which way to speak.


async def test_a_webhook_is_made_once_and_kept(
    sandbox: DiscordSandbox, client: RecordingClient, webhooks: Webhooks, outlet: DiscordOutlet, room: Channel
) -> None:
    ways = await asyncio.gather(*(outlet.transport(there(room)) for _ in range(5)))
    assert ways == [Transport.WEBHOOK] * 5
    assert [webhook.name for webhook in room.webhooks] == [WEBHOOK_NAME]
    kept = await webhooks.get(ChannelId(room.id))
    assert kept is not None
    assert kept.id == room.webhooks[0].id
    fresh = outlet_of(client, webhooks, sandbox)
    await fresh.post(there(room), await fresh.transport(there(room)), HELLO)
    assert asked(sandbox, "GET", "/webhooks") == 1
    assert asked(sandbox, "POST", "/webhooks") == 1


async def test_the_search_for_a_webhook_ends_with_the_process(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel
) -> None:
    slow = sandbox.faults.add(Fault(method="GET", path_pattern="/webhooks$", hold=asyncio.Event()))
    asking = asyncio.create_task(outlet.transport(there(room)))
    await slow.seen.wait()
    await outlet.aclose()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()
    assert room.webhooks == []


async def test_a_webhook_of_its_own_is_found_and_others_are_left_alone(outlet: DiscordOutlet, room: Channel) -> None:
    room.add_foreign_webhook("proxy")
    own = room.add_own_webhook("from an earlier life")
    assert await outlet.transport(there(room)) is Transport.WEBHOOK
    message_id = await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    assert room.messages[message_id].webhook is own
    assert len(room.webhooks) == 2


async def test_without_the_permission_the_bot_speaks(
    client: RecordingClient, outlet: DiscordOutlet, room: Channel
) -> None:
    await deny(client, room, Permission.MANAGE_WEBHOOKS)
    assert await outlet.transport(there(room)) is Transport.BOT
    assert room.webhooks == []


async def test_a_permission_that_is_not_what_it_seemed_lets_the_bot_speak(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel
) -> None:
    sandbox.faults.add(Fault(method="GET", path_pattern="/webhooks$", status=403, code=50013))
    with sandbox.expect_refusal(status=403):
        assert await outlet.transport(there(room)) is Transport.BOT


async def test_a_channel_full_of_webhooks_lets_the_bot_speak(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel
) -> None:
    for number in range(15):
        room.add_foreign_webhook(f"proxy {number}")
    with sandbox.expect_refusal(code=30007):
        assert await outlet.transport(there(room)) is Transport.BOT


async def test_trouble_in_finding_a_webhook_is_told(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel
) -> None:
    sandbox.faults.add(Fault(method="POST", path_pattern="/webhooks$", status=400, code=50035))
    with sandbox.expect_refusal(code=50035), pytest.raises(Refused):
        await outlet.transport(there(room))
    assert await outlet.transport(there(room)) is Transport.WEBHOOK


@pytest.mark.parametrize(
    ("in_thread", "denied"),
    [
        (False, Permission.SEND_MESSAGES),
        (False, Permission.VIEW_CHANNEL),
        (True, Permission.SEND_MESSAGES_IN_THREADS),
    ],
)
async def test_where_it_may_not_write_it_does_not_though_a_webhook_could(
    client: RecordingClient, outlet: DiscordOutlet, room: Channel, denied: Permission, *, in_thread: bool
) -> None:
    place = there(room.add_thread("aside") if in_thread else room)
    assert await outlet.transport(place) is Transport.WEBHOOK
    await deny(client, room, denied)
    with pytest.raises(Forbidden):
        await outlet.transport(place)


@pytest.mark.parametrize(
    ("in_thread", "denied"), [(False, Permission.SEND_MESSAGES), (True, Permission.SEND_MESSAGES_IN_THREADS)]
)
async def test_where_it_may_not_write_nothing_is_tried_that_discord_would_refuse(
    sandbox: DiscordSandbox,
    client: RecordingClient,
    outlet: DiscordOutlet,
    room: Channel,
    denied: Permission,
    *,
    in_thread: bool,
) -> None:
    place = there(room.add_thread("aside") if in_thread else room)
    assert outlet.may_speak(place)
    await deny(client, room, denied)
    assert not outlet.may_speak(place)
    before = len(sandbox.requests)
    with pytest.raises(Forbidden):
        await outlet.typing(place)
    with pytest.raises(Forbidden):
        await outlet.post(place, Transport.BOT, MARK)
    assert len(sandbox.requests) == before


async def test_of_a_place_that_it_does_not_know_discord_has_to_say_whether_it_may_write(
    outlet: DiscordOutlet, client: RecordingClient, guild: Guild, room: Channel
) -> None:
    assert outlet.may_speak(replace(there(room), channel_id=ChannelId(1)))
    guild.become_unavailable()
    await client.until_event("guild_unavailable")
    assert outlet.may_speak(there(room))


async def test_a_channel_that_is_not_there_is_gone(outlet: DiscordOutlet, room: Channel) -> None:
    for nowhere in (replace(there(room), channel_id=ChannelId(1)), replace(there(room), guild_id=GuildId(1))):
        with pytest.raises(Gone) as raised:
            await outlet.transport(nowhere)
        assert raised.value.what is Lost.PLACE


async def test_a_server_that_is_not_described_yet_is_waited_for(
    outlet: DiscordOutlet, client: RecordingClient, guild: Guild, room: Channel
) -> None:
    place = there(room)
    guild.become_unavailable()
    await client.until_event("guild_unavailable")
    with pytest.raises(Busy) as raised:
        await outlet.transport(place)
    assert raised.value.retry_after_seconds == LOADING_SECONDS


async def test_a_kind_of_channel_without_webhooks_lets_the_bot_speak(
    client: RecordingClient, outlet: DiscordOutlet, guild: Guild
) -> None:
    category = guild.add_channel("rooms", kind=ChannelKind.CATEGORY)
    await client.until(lambda: client.get_channel(category.id))
    assert await outlet.transport(there(category)) is Transport.BOT


# Speaking.


async def test_a_persona_has_its_name_its_picture_and_no_link_previews(outlet: DiscordOutlet, room: Channel) -> None:
    message_id = await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    message = room.messages[message_id]
    assert (message.content, message.author.name, message.avatar_url) == ("Hello", "Guide", GUIDE.avatar_url)
    assert message.flags & 4
    assert message.nonce is None


async def test_without_a_picture_it_wears_one_of_discords_own(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel
) -> None:
    message_id = await outlet.post(
        there(room), Transport.WEBHOOK, replace(HELLO, persona=replace(GUIDE, avatar_url=None))
    )
    url = room.messages[message_id].avatar_url
    assert url is not None
    assert url.startswith(f"{sandbox.cdn_url}/embed/avatars/")


def refused(*fields: str) -> Fault:
    """Return a refusal of parts of the guide's face."""
    return Fault(
        method="POST",
        path_pattern=EXECUTE,
        status=400,
        code=50035,
        message="".join(f"In {field}: not like this. " for field in fields),
        when=lambda request: request.json["username"] == "Guide",
    )


@pytest.mark.parametrize(
    ("fields", "name", "own_picture"),
    [
        (["username"], NAME_NOBODY_REFUSES, True),
        (["avatar_url"], "Guide", False),
        (["username", "avatar_url"], NAME_NOBODY_REFUSES, False),
    ],
)
async def test_what_discord_refuses_of_a_face_is_left_out_and_the_rest_kept(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel, fields: list[str], name: str, *, own_picture: bool
) -> None:
    sandbox.faults.add(refused(*fields))
    with sandbox.expect_refusal(code=50035):
        message_id = await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    message = room.messages[message_id]
    assert message.author.name == name
    assert (message.avatar_url == GUIDE.avatar_url) is own_picture
    assert own_picture or f"{sandbox.cdn_url}/embed/avatars/" in str(message.avatar_url)


async def test_a_picture_that_is_refused_twice_is_told(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel
) -> None:
    for _ in range(2):
        sandbox.faults.add(refused("avatar_url"))
    with sandbox.expect_refusal(code=50035), pytest.raises(Refused):
        await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    assert room.messages == {}


async def test_a_draft_without_a_persona_goes_under_a_plain_name(outlet: DiscordOutlet, room: Channel) -> None:
    message_id = await outlet.post(there(room), Transport.WEBHOOK, Draft("Hello"))
    assert room.messages[message_id].author.name == NAME_NOBODY_REFUSES


async def test_the_bot_in_a_personas_place_puts_its_name_above(outlet: DiscordOutlet, room: Channel) -> None:
    message_id = await outlet.post(there(room), Transport.BOT, HELLO)
    message = room.messages[message_id]
    assert message.content == "**Guide**\nHello"
    assert message.nonce == HELLO.nonce
    await outlet.edit(there(room), Transport.BOT, message_id, replace(HELLO, text="Hello there"))
    assert message.content == "**Guide**\nHello there"


async def test_a_mark_is_the_bots_own_word(outlet: DiscordOutlet, room: Channel) -> None:
    message_id = await outlet.post(there(room), Transport.BOT, MARK)
    assert room.messages[message_id].content == "⚠ Trouble"


async def test_the_same_name_of_a_post_is_one_message(outlet: DiscordOutlet, room: Channel) -> None:
    first = await outlet.post(there(room), Transport.BOT, MARK)
    assert await outlet.post(there(room), Transport.BOT, MARK) == first
    other = await outlet.post(there(room), Transport.BOT, replace(MARK, nonce="1.2.mark.0"))
    assert other != first


@BOTH
async def test_a_message_is_written_anew_with_buttons_and_without(
    outlet: DiscordOutlet, room: Channel, transport: Transport
) -> None:
    message_id = await outlet.post(there(room), transport, HELLO)
    message = room.messages[message_id]
    assert message.components == []
    await outlet.edit(there(room), transport, message_id, replace(HELLO, text="Hello!", controls=CONTROLS))
    assert message.content.endswith("Hello!")
    assert len(message.components) == 1
    await outlet.bare(there(room), transport, message_id)
    assert message.components == []
    assert message.content.endswith("Hello!")


@BOTH
async def test_buttons_and_a_file_can_come_at_once(outlet: DiscordOutlet, room: Channel, transport: Transport) -> None:
    draft = replace(HELLO, controls=CONTROLS, file=TextFile("reply.txt", "all öf it"))
    message_id = await outlet.post(there(room), transport, draft)
    message = room.messages[message_id]
    assert len(message.components) == 1
    assert [(each.filename, each.content) for each in message.attachments] == [("reply.txt", "all öf it".encode())]


@BOTH
async def test_a_file_comes_and_goes_with_an_edit(outlet: DiscordOutlet, room: Channel, transport: Transport) -> None:
    message_id = await outlet.post(there(room), transport, HELLO)
    message = room.messages[message_id]
    await outlet.edit(there(room), transport, message_id, replace(HELLO, file=TextFile("reply.txt", "all of it")))
    assert [each.filename for each in message.attachments] == ["reply.txt"]
    await outlet.edit(there(room), transport, message_id, HELLO)
    assert message.attachments == []


@BOTH
async def test_a_message_can_be_deleted_once(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel, transport: Transport
) -> None:
    message_id = await outlet.post(there(room), transport, HELLO)
    await outlet.delete(there(room), transport, message_id)
    assert message_id not in room.messages
    with sandbox.expect_refusal(code=10008), pytest.raises(Gone) as raised:
        await outlet.delete(there(room), transport, message_id)
    assert raised.value.what is Lost.MESSAGE


@BOTH
async def test_nobody_is_pinged_whatever_is_written(
    outlet: DiscordOutlet, guild: Guild, room: Channel, transport: Transport
) -> None:
    text = f"@everyone {guild.owner.mention}"
    message_id = await outlet.post(there(room), transport, replace(HELLO, text=text))
    await outlet.edit(there(room), transport, message_id, replace(HELLO, text=f"{text}!"))
    message = room.messages[message_id]
    assert not message.mention_everyone
    assert message.mentions == []


@BOTH
async def test_all_of_it_works_in_a_thread(outlet: DiscordOutlet, room: Channel, transport: Transport) -> None:
    thread = room.add_thread("aside")
    place = there(thread)
    message_id = await outlet.post(place, transport, replace(HELLO, controls=CONTROLS))
    await outlet.edit(place, transport, message_id, replace(HELLO, text="Hello!", controls=CONTROLS))
    await outlet.bare(place, transport, message_id)
    assert thread.messages[message_id].content.endswith("Hello!")
    assert [seen.message_id for seen in await outlet.recent(place, MessageId(1))] == [message_id]
    await outlet.delete(place, transport, message_id)
    assert message_id not in thread.messages
    assert room.messages == {}


async def test_the_bot_can_be_seen_typing(sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel) -> None:
    await outlet.typing(there(room))
    assert asked(sandbox, "POST", "/typing") == 1


async def test_a_name_that_discord_refuses_gives_way_to_a_plain_one(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel
) -> None:
    persona = replace(GUIDE, name="Clyde the Guide")
    with sandbox.expect_refusal(code=50035):
        message_id = await outlet.post(there(room), Transport.WEBHOOK, replace(HELLO, persona=persona))
    assert room.messages[message_id].author.name == NAME_NOBODY_REFUSES


async def test_a_text_that_discord_refuses_is_told(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel
) -> None:
    await outlet.transport(there(room))
    sandbox.faults.add(Fault(method="POST", path_pattern="webhook_token", status=400, code=200_000))
    with sandbox.expect_refusal(code=200_000), pytest.raises(Refused) as raised:
        await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    assert raised.value.code == 200_000


# What becomes of webhooks.


async def test_a_webhook_that_staff_deleted_is_forgotten_and_made_anew(
    sandbox: DiscordSandbox, webhooks: Webhooks, outlet: DiscordOutlet, room: Channel
) -> None:
    await outlet.transport(there(room))
    room.remove_webhook(room.webhooks[0])
    with sandbox.expect_refusal(code=10015), pytest.raises(Gone) as raised:
        await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    assert raised.value.what is Lost.WEBHOOK
    assert await webhooks.get(ChannelId(room.id)) is None
    assert await outlet.transport(there(room)) is Transport.WEBHOOK
    await outlet.post(there(room), Transport.WEBHOOK, HELLO)


async def test_without_a_webhook_what_it_said_cannot_be_changed(
    client: RecordingClient, outlet: DiscordOutlet, room: Channel
) -> None:
    await deny(client, room, Permission.MANAGE_WEBHOOKS)
    with pytest.raises(Gone) as raised:
        await outlet.edit(there(room), Transport.WEBHOOK, MessageId(5), HELLO)
    assert raised.value.what is Lost.WEBHOOK


async def test_a_changed_webhook_is_looked_up_anew(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel
) -> None:
    await outlet.transport(there(room))
    outlet.forget_webhooks(there(room).guild_id)
    outlet.forget_webhooks(GuildId(1))
    assert await outlet.transport(there(room)) is Transport.WEBHOOK
    assert asked(sandbox, "POST", "/webhooks") == 1


async def test_a_webhook_of_an_earlier_process_is_looked_at_once_however_often_it_speaks(
    sandbox: DiscordSandbox, client: RecordingClient, webhooks: Webhooks, outlet: DiscordOutlet, room: Channel
) -> None:
    await outlet.transport(there(room))
    assert asked(sandbox, "GET", "/{webhook_token}") == 0
    fresh = outlet_of(client, webhooks, sandbox)
    for _ in range(3):
        await fresh.post(there(room), await fresh.transport(there(room)), HELLO)
    assert asked(sandbox, "GET", "/{webhook_token}") == 1


@pytest.fixture
async def elsewhere(client: RecordingClient, guild: Guild) -> Channel:
    channel = guild.add_channel("elsewhere")
    await client.until(lambda: client.get_channel(channel.id))
    return channel


@pytest.mark.parametrize("away", [True, False])
async def test_nothing_is_said_through_a_webhook_that_was_moved_to_another_channel(
    sandbox: DiscordSandbox,
    client: RecordingClient,
    webhooks: Webhooks,
    outlet: DiscordOutlet,
    room: Channel,
    elsewhere: Channel,
    *,
    away: bool,
) -> None:
    await outlet.transport(there(room))
    moved = room.webhooks[0]
    elsewhere.take_webhook(moved)
    if away:
        outlet = outlet_of(client, webhooks, sandbox)
    else:
        outlet.forget_webhooks(there(room).guild_id)
    with pytest.raises(Gone) as raised:
        await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    assert raised.value.what is Lost.WEBHOOK
    assert await webhooks.get(ChannelId(room.id)) is None
    message_id = await outlet.post(there(room), await outlet.transport(there(room)), HELLO)
    assert room.messages[message_id].webhook is not moved
    assert elsewhere.messages == {}


async def test_what_went_through_a_webhook_that_was_just_moved_is_taken_back(
    webhooks: Webhooks, outlet: DiscordOutlet, room: Channel, elsewhere: Channel
) -> None:
    await outlet.transport(there(room))
    elsewhere.take_webhook(room.webhooks[0])
    with pytest.raises(Gone) as raised:
        await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    assert raised.value.what is Lost.WEBHOOK
    assert elsewhere.messages == {}
    assert await webhooks.get(ChannelId(room.id)) is None
    message_id = await outlet.post(there(room), await outlet.transport(there(room)), HELLO)
    assert list(room.messages) == [message_id]


async def test_what_went_astray_and_cannot_be_taken_back_is_said_in_its_place_all_the_same(
    sandbox: DiscordSandbox, outlet: DiscordOutlet, room: Channel, elsewhere: Channel
) -> None:
    await outlet.transport(there(room))
    elsewhere.take_webhook(room.webhooks[0])
    sandbox.faults.add(Fault(method="DELETE", path_pattern="/messages/", status=403, code=50013))
    with sandbox.expect_refusal(status=403), pytest.raises(Gone):
        await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    message_id = await outlet.post(there(room), await outlet.transport(there(room)), HELLO)
    assert list(room.messages) == [message_id]


async def test_what_is_heard_of_a_webhook_while_it_is_looked_at_makes_it_be_looked_at_again(
    sandbox: DiscordSandbox, client: RecordingClient, webhooks: Webhooks, outlet: DiscordOutlet, room: Channel
) -> None:
    await outlet.transport(there(room))
    fresh = outlet_of(client, webhooks, sandbox)
    hold = asyncio.Event()
    slow = sandbox.faults.add(Fault(method="GET", path_pattern="webhook_token", hold=hold))
    asking = asyncio.create_task(fresh.transport(there(room)))
    await slow.seen.wait()
    fresh.forget_webhooks(there(room).guild_id)
    hold.set()
    await asking
    await fresh.transport(there(room))
    await fresh.transport(there(room))
    assert asked(sandbox, "GET", "/{webhook_token}") == 2


async def test_before_any_answer_nothing_is_known_of_a_limit(outlet: DiscordOutlet, room: Channel) -> None:
    assert outlet.allowance(there(room)) == Allowance(None, 0.0)
    await outlet.transport(there(room))
    assert outlet.allowance(there(room)) == Allowance(None, 0.0)


# What stands there.


async def test_its_own_messages_are_found_in_the_history_and_no_others(
    outlet: DiscordOutlet, guild: Guild, room: Channel
) -> None:
    before = await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    persona = await outlet.post(there(room), Transport.WEBHOOK, replace(HELLO, text="Again"))
    await guild.owner.say(room, "And I?")
    await guild.proxy_says(room.add_foreign_webhook("proxy"), "Me too")
    mark = await outlet.post(there(room), Transport.BOT, MARK)
    found = await outlet.recent(there(room), before)
    assert [(seen.message_id, seen.transport, seen.text) for seen in found] == [
        (persona, Transport.WEBHOOK, "Again"),
        (mark, Transport.BOT, "⚠ Trouble"),
    ]
    assert all(isinstance(seen, SeenPost) for seen in found)


async def test_a_bot_that_is_not_logged_in_knows_of_nothing(
    webhooks: Webhooks, sandbox: DiscordSandbox, room: Channel
) -> None:
    stranger = discord.Client(intents=discord.Intents.none())
    with pytest.raises(Uncertain):
        await outlet_of(stranger, webhooks, sandbox).recent(there(room), MessageId(1))


# The history of people.


async def test_the_newest_messages_of_a_place_are_read(
    sandbox: DiscordSandbox, client: RecordingClient, outlet: DiscordOutlet, guild: Guild, room: Channel
) -> None:
    own = await outlet.post(there(room), Transport.WEBHOOK, HELLO)
    said = await guild.owner.say(room, "Hi", mentions=[sandbox.bot_user])
    history = await HistoryReader(client).read(there(room))
    assert history.ids == {own, said.id}
    assert history.complete
    (message,) = [each for each in history.messages if each.id == said.id]
    assert (message.text, message.addressed, message.channel_id) == ("Hi", True, room.id)


async def test_a_full_page_is_not_all_there_is(client: RecordingClient, guild: Guild, room: Channel) -> None:
    for number in range(101):
        await guild.owner.say(room, f"message {number}")
    history = await HistoryReader(client).read(there(room))
    assert len(history.ids) == 100
    assert not history.complete


async def test_a_history_that_may_not_be_read_is_told(
    sandbox: DiscordSandbox, client: RecordingClient, room: Channel
) -> None:
    room.deny_bot(Permission.VIEW_CHANNEL)
    with sandbox.expect_refusal(status=403), pytest.raises(Forbidden):
        await HistoryReader(client).read(there(room))


async def test_the_channel_of_a_thread_can_be_asked_for(client: RecordingClient, room: Channel) -> None:
    thread = room.add_thread("aside")
    reader = HistoryReader(client)
    assert await reader.parent_of(ChannelId(thread.id)) == room.id
    assert await reader.parent_of(ChannelId(room.id)) is None


async def test_a_channel_that_is_gone_has_no_parent(sandbox: DiscordSandbox, client: RecordingClient) -> None:
    with sandbox.expect_refusal(status=404), pytest.raises(Gone) as raised:
        await HistoryReader(client).parent_of(ChannelId(1))
    assert raised.value.what is Lost.PLACE
