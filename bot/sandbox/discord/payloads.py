"""State into the JSON that Discord sends; the shapes are those that discord.py 2.7.1 was seen to parse."""

import hashlib
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord import model
from bot.sandbox.discord.clock import iso
from bot.sandbox.discord.json_types import JsonObject, as_object
from bot.sandbox.discord.model import ChannelKind
from bot.sandbox.discord.permissions import permissions_in

if TYPE_CHECKING:
    from bot.sandbox.discord.channels import Channel
    from bot.sandbox.discord.guilds import Guild
    from bot.sandbox.discord.world import World

_VOICE_BITRATE: Final = 64_000
_ARCHIVE_MINUTES: Final = 1440
_WEBHOOK_INCOMING: Final = 1
_MEMBERS_LIMITED: Final = 1 << 15
_MESSAGE_CONTENT_LIMITED: Final = 1 << 19
_BLANK: Final[JsonObject] = {"content": "", "embeds": [], "attachments": [], "components": []}


def user(who: model.User) -> JsonObject:
    """Write a user."""
    return {
        "id": str(who.id),
        "username": who.name,
        "discriminator": who.discriminator,
        "global_name": who.global_name,
        "avatar": who.avatar,
        "bot": who.bot,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }


def own_user(who: model.User) -> JsonObject:
    """Write the bot's own user, as READY and /users/@me show it."""
    return user(who) | {"verified": True, "mfa_enabled": False, "email": None, "locale": "en-US"}


def role(what: model.Role) -> JsonObject:
    """Write a role."""
    tags: JsonObject = {} if what.bot_id is None else {"tags": {"bot_id": str(what.bot_id)}}
    return {
        "id": str(what.id),
        "name": what.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": what.position,
        "permissions": str(int(what.permissions)),
        "managed": what.managed,
        "mentionable": what.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    } | tags


def member(who: model.Member, *, with_user: bool) -> JsonObject:
    """Write a member; message events carry it without the user."""
    data: JsonObject = {
        "roles": [str(held.id) for held in who.roles],
        "joined_at": iso(who.joined_at),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "nick": who.nick,
        "avatar": None,
        "banner": None,
        "flags": 0,
        "communication_disabled_until": None,
    }
    return {"user": user(who.user)} | data if with_user else data


def channel(place: "Channel") -> JsonObject:
    """Write a channel, a thread or a direct message."""
    base: JsonObject = {
        "id": str(place.id),
        "type": int(place.kind),
        "last_message_id": None if place.last_message_id is None else str(place.last_message_id),
        "flags": 0,
    }
    if place.kind is ChannelKind.DM:
        people = [place.world.users[who] for who in place.recipients if who != place.world.bot.id]
        return base | {"recipients": [user(who) for who in people]}
    base |= {
        "guild_id": str(place.guild.id) if place.guild is not None else None,
        "name": place.name,
        "parent_id": None if place.parent is None else str(place.parent.id),
        "rate_limit_per_user": 0,
    }
    if place.is_thread:
        return base | _thread_part(place)
    base |= {
        "position": place.position,
        "permission_overwrites": [
            {
                "id": str(entry.id),
                "type": int(entry.for_member),
                "allow": str(int(entry.allow)),
                "deny": str(int(entry.deny)),
            }
            for entry in place.overwrites.values()
        ],
        "topic": place.topic or None,
        "nsfw": place.nsfw,
    }
    if place.kind in {ChannelKind.VOICE, ChannelKind.STAGE}:
        base |= {"bitrate": _VOICE_BITRATE, "user_limit": 0, "rtc_region": None}
    if place.kind is ChannelKind.FORUM:
        base |= {
            "available_tags": [],
            "default_reaction_emoji": None,
            "default_sort_order": None,
            "default_forum_layout": 0,
        }
    return base


def _thread_part(place: "Channel") -> JsonObject:
    stamp = iso(place.created_at)
    return {
        "owner_id": str(place.owner_id),
        "message_count": place.message_count,
        "member_count": 1,
        "total_message_sent": place.message_count,
        "thread_metadata": {
            "archived": place.archived,
            "auto_archive_duration": _ARCHIVE_MINUTES,
            "archive_timestamp": stamp,
            "locked": place.locked,
            "create_timestamp": stamp,
        },
    }


def thread_stub(place: "Channel") -> JsonObject:
    """Write the little that THREAD_DELETE carries."""
    return {
        "id": str(place.id),
        "type": int(place.kind),
        "guild_id": None if place.guild is None else str(place.guild.id),
        "parent_id": None if place.parent is None else str(place.parent.id),
    }


def guild(place: "Guild") -> JsonObject:
    """Write a server without its channels and members."""
    return {
        "id": str(place.id),
        "name": place.name,
        "icon": None,
        "splash": None,
        "owner_id": str(place.owner_id),
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "roles": [role(held) for held in place.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "max_members": 500_000,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": place.locale,
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
    }


def guild_create(place: "Guild", *, joined: bool = False) -> JsonObject:
    """Write the full GUILD_CREATE: channels, active threads, and of the members only the bot.

    `joined` leaves out `unavailable`, by whose absence a bot tells a new server from one that came back.
    Without the presences intent Discord sends of a large server little more than the bot itself.
    """
    bot = place.members[place.world.bot.id]
    came_back: JsonObject = {} if joined else {"unavailable": False}
    return (
        guild(place)
        | came_back
        | {
            "joined_at": iso(place.joined_at),
            "large": False,
            "member_count": len(place.members),
            "voice_states": [],
            "members": [member(bot, with_user=True)],
            "channels": [channel(each) for each in place.channels.values() if not each.deleted],
            "threads": [channel(each) for each in place.threads if not each.archived],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }
    )


def message(what: model.Message, *, for_event: bool = False, nested: bool = False) -> JsonObject:
    """Write a message; events also carry the server's id and the author's membership."""
    place = what.channel
    data: JsonObject = {
        "id": str(what.id),
        "channel_id": str(place.id),
        "author": user(what.author),
        "content": what.content,
        "timestamp": iso(what.created_at),
        "edited_timestamp": None if what.edited_at is None else iso(what.edited_at),
        "tts": False,
        "mention_everyone": what.mention_everyone,
        "mentions": [user(who) for who in what.mentions],
        "mention_roles": [str(each) for each in what.mention_roles],
        "attachments": [attachment(each) for each in what.attachments],
        "embeds": what.embeds,
        "components": what.components,
        "pinned": False,
        "type": int(what.type),
        "flags": int(what.flags),
    }
    if what.webhook is not None:
        data["webhook_id"] = str(what.webhook.id)
    elif what.origin is not None:
        data["webhook_id"] = str(what.application_id)
    if what.application_id is not None:
        data["application_id"] = str(what.application_id)
    if what.nonce is not None:
        data["nonce"] = what.nonce
    _add_reference(data, what, nested=nested)
    if what.origin is not None:
        data["interaction_metadata"] = {
            "id": str(what.origin.id),
            "type": what.origin.type,
            "user": user(what.origin.user),
            "authorizing_integration_owners": {},
        }
    if for_event and place.guild is not None:
        data["guild_id"] = str(place.guild.id)
        membership = place.guild.members.get(what.author.id) if what.webhook is None else None
        if membership is not None:
            data["member"] = member(membership, with_user=False)
    return data


def _add_reference(data: JsonObject, what: model.Message, *, nested: bool) -> None:
    if what.reply_id is None:
        return
    reference: JsonObject = {"type": 0, "channel_id": str(what.channel.id), "message_id": str(what.reply_id)}
    if what.channel.guild is not None:
        reference["guild_id"] = str(what.channel.guild.id)
    data["message_reference"] = reference
    target = what.replied_to
    if not nested:
        gone = target is None or target.deleted
        data["referenced_message"] = None if gone or target is None else message(target, nested=True)


def redact(data: JsonObject, what: model.Message, bot: model.User) -> JsonObject:
    """Blank what a session without the message-content intent may not read.

    Free to read stay the bot's own messages, direct messages, and messages that mention the bot:
    https://discord.com/developers/docs/events/gateway#message-content-intent. Posts of the application's own
    webhooks are blanked too: Discord does not say, and the stricter reading is the safe one.
    """
    shown = data if _readable(what, bot) else data | _BLANK
    inner = as_object(data.get("referenced_message"))
    if what.replied_to is not None and inner is not None and not _readable(what.replied_to, bot):
        shown = shown | {"referenced_message": inner | _BLANK}
    return shown


def _readable(what: model.Message, bot: model.User) -> bool:
    return what.author is bot or what.channel.guild is None or bot in what.mentions


def attachment(what: model.Attachment) -> JsonObject:
    """Write an attachment."""
    data: JsonObject = {
        "id": str(what.id),
        "filename": what.filename,
        "size": len(what.content),
        "url": what.url,
        "proxy_url": what.url,
        "content_type": what.content_type,
    }
    return data if what.description is None else data | {"description": what.description}


def webhook(what: model.Webhook, *, viewer_application: int) -> JsonObject:
    """Write a webhook; only its own application is shown the token."""
    place = what.channel
    data: JsonObject = {
        "id": str(what.id),
        "type": _WEBHOOK_INCOMING,
        "name": what.name,
        "avatar": None,
        "channel_id": str(place.id),
        "guild_id": None if place.guild is None else str(place.guild.id),
        "application_id": None if what.application_id is None else str(what.application_id),
    }
    if what.creator is not None:
        data["user"] = user(what.creator)
    if what.application_id == viewer_application:
        data["token"] = what.token
    return data


def application(world: "World") -> JsonObject:
    """Write the application, as the login asks for it."""
    return {
        "id": str(world.application_id),
        "name": world.bot.name,
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": application_flags(world),
        "owner": user(next(iter(world.users.values()))),
        "team": None,
        "interactions_endpoint_url": None,
        "approximate_guild_count": len(world.guilds),
        "bot": own_user(world.bot),
    }


def application_flags(world: "World") -> int:
    """Write which privileged intents are switched on, as a bot in few servers has them.

    https://discord.com/developers/docs/resources/application#application-object-application-flags
    """
    members = _MEMBERS_LIMITED if world.members_intent_enabled else 0
    return members | (_MESSAGE_CONTENT_LIMITED if world.message_content_enabled else 0)


def permissions_text(place: "Channel", user_id: int) -> str:
    """Write what a user may do in a channel, as interactions carry it."""
    return str(int(permissions_in(place, user_id)))


def avatar_hash(url: str | None) -> str | None:
    """Stand in for the hash under which Discord keeps a fetched picture."""
    return None if not url else hashlib.sha256(url.encode()).hexdigest()[:32]
