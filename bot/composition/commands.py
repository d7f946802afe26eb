"""What people and Discord reach the services through: components, commands and listeners."""

from bot.cogs.accounts import AccountsCog
from bot.cogs.authorship import AuthorshipCog
from bot.cogs.bindings import BindingsCog
from bot.cogs.catalog import CatalogCog
from bot.cogs.character_group import character_group
from bot.cogs.desk import DeskCog
from bot.cogs.feedback import FeedbackCog
from bot.cogs.guilds import GuildsCog
from bot.cogs.help import HelpCog
from bot.cogs.modals import ModalsCog
from bot.cogs.privacy import PrivacyCog
from bot.cogs.relay import RelayCog
from bot.cogs.server_group import server_group
from bot.cogs.servers import ServersCog
from bot.cogs.silence import SilenceCog
from bot.composition.parts import Parts
from bot.composition.set_up import finishing
from bot.gateway.client import CommandSync
from bot.services.registry import Services
from bot.views.registry import MODAL_HANDLERS


def set_up_commands(parts: Parts) -> CommandSync:
    """Hand the client its services and commands, for the time when it is logged in.

    Returns what sends the commands to Discord.
    """
    client, talk, desk = parts.discord_side.client, parts.talk, parts.desk
    catalog, feedback, accounts = parts.rules.catalog, parts.feedback.feedback, parts.accounts
    client.services = _services(parts)
    group = character_group()
    servers = server_group()
    sync = CommandSync(client.tree, parts.ground.stores.state)
    parts.discord_side.set_up.cogs = (
        RelayCog(
            client,
            relay=talk.relay,
            bindings=talk.bindings,
            upkeep=talk.upkeep,
            recovery=talk.recovery,
            poster=parts.speech.poster,
            outlet=parts.discord_side.outlet,
        ),
        CatalogCog(catalog, parts.rules.searches, group),
        BindingsCog(talk.bindings, talk.upkeep, group),
        FeedbackCog(feedback, group, client.tree),
        ModalsCog(MODAL_HANDLERS),
        PrivacyCog(parts.privacy.privacy),
        GuildsCog(client, parts.retention),
        SilenceCog(parts.enquiries.silence, client.tree),
        AuthorshipCog(accounts.authorship, client.tree),
        AccountsCog(accounts.linking),
        DeskCog(desk.desk, desk.drafting, desk.cards, desk.moderation, group),
        ServersCog(servers),
        HelpCog(tree=client.tree, command_ids=sync.ids, health=parts.enquiries.health),
    )
    parts.discord_side.set_up.finish = finishing(client, (group, servers), sync, parts.ground.settings)
    return sync


def _services(parts: Parts) -> Services:
    return Services(
        accounts=parts.accounts.linking,
        logins=parts.accounts.logins,
        server_settings=parts.accounts.server_settings,
        catalog=parts.rules.catalog,
        searches=parts.rules.searches,
        desk=parts.desk.desk,
        drafting=parts.desk.drafting,
        models=parts.desk.models,
        feedback=parts.feedback.feedback,
        publishing=parts.feedback.publishing,
        privacy=parts.privacy.privacy,
        health=parts.enquiries.health,
        bindings=parts.talk.bindings,
        relay=parts.talk.relay,
    )
