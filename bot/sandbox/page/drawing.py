"""The world as JSON for the page, as one person sees it. Nothing here decides; the sandbox is asked."""

import zlib
from collections.abc import Sequence
from typing import Any, Final

from bot.sandbox.discord import (
    Channel,
    ChannelKind,
    Choice,
    Guild,
    InteractionResult,
    Message,
    MessageType,
    Modal,
    Person,
    User,
)
from bot.sandbox.discord.command_rules import CommandKind, kind_of
from bot.sandbox.discord.commands import leaves
from bot.sandbox.discord.json_types import JsonObject, as_object, as_text, objects_of
from bot.sandbox.discord.model import Attachment

_HUES: Final = 360
_REPLY_CHARACTERS: Final = 120
"""How much of a message stands above the replies to it."""
_MESSAGE_KINDS: Final = {
    MessageType.DEFAULT: "default",
    MessageType.REPLY: "reply",
    MessageType.CHAT_INPUT_COMMAND: "command",
    MessageType.CONTEXT_MENU_COMMAND: "context_menu",
}
_COMMAND_KINDS: Final = {CommandKind.CHAT_INPUT: "chat", CommandKind.USER: "user", CommandKind.MESSAGE: "message"}
_OPTION_LIMITS: Final = ("min_length", "max_length", "min_value", "max_value")


def milliseconds(at: float) -> int:
    """Turn a Unix time in seconds into one in milliseconds."""
    return round(at * 1000)


def hue(name: str) -> int:
    """Return the colour of a name, in degrees."""
    return zlib.crc32(name.encode()) % _HUES


def initial(name: str) -> str:
    """Return the letter that stands for a name."""
    return next((letter.upper() for letter in name if letter.isalnum()), "?")


def name_of(user: User, channel: Channel) -> str:
    """Return what a user is called in a channel; a webhook's face has only the name it came with."""
    return _name_in(channel.guild, user)


def _name_in(guild: Guild | None, user: User) -> str:
    member = None if guild is None else guild.members.get(user.id)
    return (None if member is None else member.nick) or user.global_name or user.name


def person(who: Person) -> JsonObject:
    """Draw one of the people to switch between."""
    roles = [role.name.lower() for role in who.member.roles]
    rank = "owner" if who.guild.owner_id == who.id else next(iter(roles), "member")
    return {
        "id": str(who.id),
        "name": who.shown_name,
        "role": rank,
        "hue": hue(who.shown_name),
        "takes_dms": who.takes_direct_messages,
    }


def channel(place: Channel, viewer: Person) -> JsonObject:
    """Draw an entry of the list of channels."""
    return {
        "id": str(place.id),
        # Those who write to each other each read the other's name.
        "name": viewer.world.bot.name if place.kind is ChannelKind.DM else place.name,
        "topic": place.topic,
        "kind": "dm" if place.kind is ChannelKind.DM else "thread" if place.is_thread else "text",
        "type": int(place.kind),
        "parent": None if place.parent is None else str(place.parent.id),
        "nsfw": (place.parent or place).nsfw,
        "may_write": viewer.may_write(place),
    }


def names(viewer: Person) -> JsonObject:
    """Draw what mentions are replaced by."""
    guild, world = viewer.guild, viewer.world
    called = {str(who.id): who.global_name or who.name for who in world.users.values()}
    called |= {str(who.id): who.shown_name for who in guild.people}
    return {
        "users": called,
        "roles": {str(role.id): role.name for role in guild.roles.values()},
        "channels": {str(place.id): place.name for place in world.channels.values() if place.guild is guild},
    }


def commands(viewer: Person) -> list[JsonObject]:
    """Draw what is offered to a person: every command that can be typed, and the entries of menus."""
    return [
        {
            "name": as_text(command["name"]),
            "words": words,
            "kind": _COMMAND_KINDS[kind_of(command)],
            "description": as_text(leaf.get("description")),
            "options": [_option(option) for option in objects_of(leaf.get("options"))],
        }
        for command in viewer.offered_commands
        for words, leaf in leaves(command)
    ]


def _option(option: JsonObject) -> JsonObject:
    choices = objects_of(option.get("choices"))
    return {
        "name": option["name"],
        "description": option["description"],
        "type": option["type"],
        "required": bool(option.get("required")),
        "autocomplete": bool(option.get("autocomplete")),
        "choices": [{"name": choice["name"], "value": choice["value"]} for choice in choices],
    } | {limit: option[limit] for limit in _OPTION_LIMITS if option.get(limit) is not None}


def message(what: Message, viewer: Person) -> JsonObject:
    """Draw a message."""
    place = what.channel
    return {
        "id": str(what.id),
        "channel": str(place.id),
        "at": milliseconds(what.created_at),
        "edited": None if what.edited_at is None else milliseconds(what.edited_at),
        "author": _face(what.author, name_of(what.author, place), webhook=what.webhook is not None),
        "content": what.content,
        "kind": _MESSAGE_KINDS.get(what.type, "system"),
        "reply": _reply(what),
        "origin": _origin(what),
        "only_you": what.ephemeral_for is not None,
        "loading": what.is_loading,
        "v2": what.is_v2,
        "embeds": [_embed(embed) for embed in what.embeds],
        "components": what.components,
        "attachments": [attachment(each) for each in what.attachments],
        "may": {
            "edit": viewer.may_edit(what),
            "delete": viewer.may_delete(what) or viewer.may_dismiss(what),
            "reply": viewer.may_reply(what),
        },
    }


def application(viewer: Person) -> JsonObject:
    """Draw the application as the author of its own messages in the server."""
    bot = viewer.world.bot
    return _face(bot, _name_in(viewer.guild, bot), webhook=False)


def _face(who: User, name: str, *, webhook: bool) -> JsonObject:
    return {
        "id": str(who.id),
        "name": name,
        "bot": who.bot,
        "webhook": webhook,
        "hue": hue(name),
        "initial": initial(name),
    }


def _reply(what: Message) -> JsonObject | None:
    if what.reply_id is None:
        return None
    target = what.replied_to
    if target is None or target.deleted:
        return {"id": str(what.reply_id), "author": "", "text": "", "gone": True}
    return {
        "id": str(target.id),
        "author": name_of(target.author, target.channel),
        "text": target.content[:_REPLY_CHARACTERS],
        "gone": False,
    }


def _origin(what: Message) -> JsonObject | None:
    if what.origin is None or what.origin.name is None:
        return None
    return {"user": name_of(what.origin.user, what.channel), "name": what.origin.name}


def _embed(embed: JsonObject) -> JsonObject:
    color = embed.get("color")
    return {
        "title": as_text(embed.get("title")),
        "url": as_text(embed.get("url")),
        "description": as_text(embed.get("description")),
        "color": color if isinstance(color, int) else None,
        "fields": [
            {
                "name": as_text(each.get("name")),
                "value": as_text(each.get("value")),
                "inline": bool(each.get("inline")),
            }
            for each in objects_of(embed.get("fields"))
        ],
        "footer": as_text((as_object(embed.get("footer")) or {}).get("text")),
        "author": as_text((as_object(embed.get("author")) or {}).get("name")),
        "thumbnail": bool(embed.get("thumbnail")),
        "image": bool(embed.get("image")),
        "link": embed.get("type") == "link",
    }


def attachment(what: Attachment) -> JsonObject:
    """Draw a file."""
    return {"id": str(what.id), "name": what.filename, "size": len(what.content), "type": what.content_type}


def result(of: InteractionResult) -> JsonObject:
    """Draw what came back at first; a form's id is that of its interaction."""
    return {"kind": of.kind, "modal": None if of.modal is None else _modal(of.modal, str(of.interaction.id))}


def _modal(modal: Modal, form: str) -> JsonObject:
    return {"form": form, "title": modal.title, "components": modal.components}


def choices(offered: Sequence[Choice]) -> list[dict[str, Any]]:
    """Draw the suggestions of an autocomplete."""
    return [{"name": choice.name, "value": choice.value} for choice in offered]
