"""A local stand-in for Discord: REST, gateway and CDN on one port, with its rules, and people who use it.

It enforces what https://discord.com/developers/docs publishes, as far as this bot uses it, and refuses the rest.
"""

from bot.sandbox.discord.buckets import BucketPolicy
from bot.sandbox.discord.channels import Channel
from bot.sandbox.discord.errors import SandboxError
from bot.sandbox.discord.faults import Fault
from bot.sandbox.discord.guilds import Guild
from bot.sandbox.discord.interaction_model import Choice, InteractionResult, Modal
from bot.sandbox.discord.ledger import Refusal, UncleanError
from bot.sandbox.discord.model import ChannelKind, Message, MessageFlag, MessageType, Role, User, Webhook
from bot.sandbox.discord.people import Person
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.requests import RecordedRequest
from bot.sandbox.discord.server import DiscordSandbox

__all__ = [
    "BucketPolicy",
    "Channel",
    "ChannelKind",
    "Choice",
    "DiscordSandbox",
    "Fault",
    "Guild",
    "InteractionResult",
    "Message",
    "MessageFlag",
    "MessageType",
    "Modal",
    "Permission",
    "Person",
    "RecordedRequest",
    "Refusal",
    "Role",
    "SandboxError",
    "UncleanError",
    "User",
    "Webhook",
]
