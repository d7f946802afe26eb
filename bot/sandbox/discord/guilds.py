"""Servers: their channels, roles and members, and what befalls them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.sandbox.discord import payloads, posting
from bot.sandbox.discord.channels import Channel
from bot.sandbox.discord.events import Event, Intent
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.discord.model import ChannelKind, Member, Message, Role, User, Webhook
from bot.sandbox.discord.people import Person
from bot.sandbox.discord.permissions import BOT_DEFAULT, MEMBER_DEFAULT, Permission
from bot.sandbox.discord.posting import Draft

if TYPE_CHECKING:
    from bot.sandbox.discord.world import World


@dataclass(slots=True, eq=False)
class Guild:
    """A server. The bot is a member from the start, with a managed role of its own."""

    world: "World"
    id: int
    name: str
    owner_id: int
    everyone: Role
    bot_role: Role
    roles: dict[int, Role]
    members: dict[int, Member]
    joined_at: float
    channels: dict[int, Channel] = field(default_factory=dict[int, Channel])
    people: list[Person] = field(default_factory=list[Person])
    unavailable: bool = False
    left: bool = False
    locale: str = "en-US"
    people_role: Role | None = None

    @property
    def owner(self) -> Person:
        """Return the person who owns the server."""
        return self.people[0]

    @property
    def threads(self) -> list[Channel]:
        """Return every thread of the server."""
        return [place for place in self.world.channels.values() if place.guild is self and place.is_thread]

    @property
    def bot_permissions(self) -> Permission:
        """Return what the bot may do server-wide; assigning changes its role and, where needed, @everyone's."""
        return self.bot_role.permissions | self.everyone.permissions

    @bot_permissions.setter
    def bot_permissions(self, wanted: Permission) -> None:
        if self.everyone.permissions & ~wanted:
            # Roles only add up, so what the bot must lose cannot stay with @everyone: people get it by a role.
            if self.people_role is None:
                self.people_role = self.add_role("Members", self.everyone.permissions)
                for person in self.people:
                    person.member.roles.append(self.people_role)
            self.everyone.permissions &= wanted
            self._announce_role(self.everyone)
        self.bot_role.permissions = wanted
        self._announce_role(self.bot_role)

    def add_channel(
        self,
        name: str,
        *,
        nsfw: bool = False,
        topic: str = "",
        kind: ChannelKind = ChannelKind.TEXT,
        parent: Channel | None = None,
    ) -> Channel:
        """Create a channel and announce it."""
        channel = Channel(
            self.world,
            self.world.snowflakes.next(),
            kind,
            name,
            self,
            parent,
            nsfw,
            topic,
            position=len(self.channels),
            created_at=self.world.now(),
        )
        self.world.channels[channel.id] = channel
        self.channels[channel.id] = channel
        self._publish("CHANNEL_CREATE", payloads.channel(channel))
        return channel

    def add_role(self, name: str, permissions: Permission = Permission.NONE, *, mentionable: bool = False) -> Role:
        """Create a role and announce it."""
        role = Role(self.world.snowflakes.next(), name, permissions, len(self.roles), mentionable)
        self.roles[role.id] = role
        self._publish("GUILD_ROLE_CREATE", {"guild_id": str(self.id), "role": payloads.role(role)})
        return role

    def add_member(
        self,
        name: str,
        *,
        permissions: Permission = Permission.NONE,
        roles: Sequence[Role] = (),
        nick: str | None = None,
        bot: bool = False,
        user: User | None = None,
    ) -> Person:
        """Let somebody join; `permissions` beyond the members' usual ones come by a role named after them."""
        world = self.world
        if user is None:
            user = User(
                world.snowflakes.next(), name.lower().replace(" ", "_"), name, bot, discriminator="0001" if bot else "0"
            )
        world.users[user.id] = user
        held = list(roles)
        if permissions:
            held.append(self.add_role(f"{name}'s role", permissions))
        if self.people_role is not None:
            held.append(self.people_role)
        member = Member(user, held, world.now(), nick)
        self.members[user.id] = member
        person = Person(world, user, self, member)
        self.people.append(person)
        data = payloads.member(member, with_user=True) | {"guild_id": str(self.id)}
        self._publish("GUILD_MEMBER_ADD", data, Intent.GUILD_MEMBERS)
        return person

    def remove_member(self, person: Person) -> None:
        """Let somebody leave."""
        self.members.pop(person.user.id, None)
        self.people.remove(person)
        data: JsonObject = {"guild_id": str(self.id), "user": payloads.user(person.user)}
        self._publish("GUILD_MEMBER_REMOVE", data, Intent.GUILD_MEMBERS)

    async def proxy_says(self, webhook: Webhook, text: str, name: str | None = None) -> Message:
        """Let a foreign webhook speak, as proxy bots do for people."""
        face = User(webhook.id, name or webhook.name, None, bot=True, discriminator="0000")
        return posting.post(Draft(webhook.channel, face, text, webhook=webhook))

    def rename(self, name: str) -> None:
        """Give the server another name."""
        self.name = name
        self._publish("GUILD_UPDATE", payloads.guild(self))

    def become_unavailable(self) -> None:
        """Fall to an outage: the bot is still a member and must not clean up."""
        self.unavailable = True
        self._publish("GUILD_DELETE", {"id": str(self.id), "unavailable": True})

    def become_available(self) -> None:
        """Come back from an outage."""
        self.unavailable = False
        self._publish("GUILD_CREATE", payloads.guild_create(self))

    def remove_bot(self) -> None:
        """Throw the bot out: its GUILD_DELETE has no `unavailable` key and its webhooks die with it."""
        world = self.world
        self.left = True
        world.guilds.pop(self.id, None)
        for hook in [hook for hook in world.webhooks.values() if hook.channel.guild is self]:
            hook.deleted = True
            del world.webhooks[hook.id]
        for channel in [place for place in world.channels.values() if place.guild is self]:
            del world.channels[channel.id]
        self._publish("GUILD_DELETE", {"id": str(self.id)})

    def _announce_role(self, changed: Role) -> None:
        self._publish("GUILD_ROLE_UPDATE", {"guild_id": str(self.id), "role": payloads.role(changed)})

    def _publish(self, name: str, data: JsonObject, intent: Intent = Intent.GUILDS) -> None:
        self.world.publish(Event(name, data, self.id, intent))


def open_guild(world: "World", name: str, owner_name: str) -> Guild:
    """Create a server with an owner, invite the bot and announce it."""
    guild_id = world.snowflakes.next()
    everyone = Role(guild_id, "@everyone", MEMBER_DEFAULT)
    role_id = world.snowflakes.next()
    bot_role = Role(role_id, world.bot.name, BOT_DEFAULT, position=1, managed=True, bot_id=world.bot.id)
    now = world.now()
    owner = User(world.snowflakes.next(), owner_name.lower().replace(" ", "_"), owner_name)
    guild = Guild(
        world,
        guild_id,
        name,
        owner.id,
        everyone,
        bot_role,
        {everyone.id: everyone, bot_role.id: bot_role},
        {world.bot.id: Member(world.bot, [bot_role], now)},
        now,
    )
    world.guilds[guild.id] = guild
    guild.add_member(owner_name, user=owner)
    world.publish(Event("GUILD_CREATE", payloads.guild_create(guild, joined=True), guild.id, Intent.GUILDS))
    return guild
