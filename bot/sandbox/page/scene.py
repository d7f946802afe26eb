"""The server that the demo opens on: its channels, its people, and what one of them says to start with."""

from dataclasses import dataclass
from typing import Final

from bot.sandbox.discord import Channel, DiscordSandbox, Guild, Permission, Person, posting
from bot.sandbox.discord.people import UPLOAD_BYTES
from bot.sandbox.discord.posting import Draft
from bot.sandbox.nanogpt.server import NanoGptSandbox

SERVER: Final = "The Inkwell"
_FILLING: Final = (
    "Did anybody see the notes from yesterday?",
    "They are *somewhere*; the question is **where**.",
    "- first look under the kettle\n- then behind the globe\n- then ask Cleo",
    "Found them. Page three says:\n> Begin in the middle, and be quick about it.",
    "`print('good morning')`",
    "I shall read it again with tea.",
)
_GENERAL: Final = (
    "## Welcome to The Inkwell\n"
    "You are among yourselves here, so try whatever you like:\n"
    "- type `/character search` to look around, or `/character show` and let it suggest names as you type\n"
    "- in {writing}, run `/character use` with one that you like, then just write: it answers under its own name\n"
    "- rate it or report it with the buttons under its replies\n"
    "- `/account link` a made-up NanoGPT account, then make a character of your own with `/character create`\n"
    "- be somebody else for a while: Cleo may decide who speaks where, Ben may not"
)
_WRITING: Final = (
    "Quiet please, people write here. Ask for *a long story with code*, and watch it arrive piece by piece."
)
_THREAD: Final = "A character that is used in {writing} answers in its threads too, and remembers each of them apart."
_DARK: Final = (
    "Age-restricted: search here, and you meet characters that {general} never shows."
    " Let one in here, and then try the same in {general}."
)
_PLAIN: Final = (
    "Nobody gave the bot *Manage Webhooks* here. Characters speak all the same, only in the bot's name;"
    " whoever can mend that is told how."
)


@dataclass(frozen=True, slots=True)
class Scene:
    """The server and who is in it."""

    guild: Guild
    people: tuple[Person, ...]
    """The one to begin as comes first."""

    @property
    def channels(self) -> list[Channel]:
        """Return every channel and thread."""
        return [*self.guild.channels.values(), *self.guild.threads]

    def person(self, person_id: str) -> Person | None:
        """Return the one with this id, or None."""
        return next((person for person in self.people if str(person.id) == person_id), None)

    def channel(self, name: str) -> Channel:
        """Return a channel or thread by its name; raises LookupError when there is none."""
        return next(channel for channel in self.channels if channel.name == name)


def set_scene(discord: DiscordSandbox) -> Scene:
    """Open the server; the owner is Ada, Cleo moderates, Ben is a member like any other."""
    guild = discord.add_guild(SERVER, owner="Ada")
    moderator = guild.add_role("Moderator", Permission.MANAGE_CHANNELS | Permission.MANAGE_MESSAGES)
    ada, cleo, ben = guild.owner, guild.add_member("Cleo", roles=[moderator]), guild.add_member("Ben")
    general = guild.add_channel("general", topic="Everybody, about everything. Begin here.")
    writing = guild.add_channel("writing-room", topic="Drafts, doubts and deadlines.")
    thread = writing.add_thread("Chapter one", owner=ada)
    dark = guild.add_channel("after-dark", nsfw=True, topic="Age-restricted: stronger characters may be used here.")
    plain = guild.add_channel("plain-voices", topic="The bot lacks Manage Webhooks here.")
    plain.deny_bot(Permission.MANAGE_WEBHOOKS)
    texts = {general: _GENERAL, writing: _WRITING, thread: _THREAD, dark: _DARK, plain: _PLAIN}
    for channel, text in texts.items():
        told = text.format(general=general.mention, writing=writing.mention)
        posting.post(Draft(channel, ada.user, told))
    for person in (ada, cleo, ben):
        person.upload_limit = UPLOAD_BYTES
    return Scene(guild, (ada, cleo, ben))


def open_accounts(nanogpt: NanoGptSandbox) -> None:
    """Open made-up accounts for the people to link: one holds enough to review, one too little, one subscribes."""
    nanogpt.catalog.add_account("ada-inkwell", usd=12.5)
    nanogpt.catalog.add_account("cleo-inkwell", subscribed=True)
    nanogpt.catalog.add_account("ben-inkwell", usd=0.4)


def fill(scene: Scene, channel: Channel, count: int) -> None:
    """Put many messages of the people into a channel at once, to see how the page bears a long history."""
    for number in range(count):
        author = scene.people[number // 2 % len(scene.people)].user
        posting.post(Draft(channel, author, f"{_FILLING[number % len(_FILLING)]}\n-# {number + 1} of {count}"))
