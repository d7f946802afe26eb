"""Keys of members and servers, and what tells who pays."""

from dataclasses import dataclass

from bot.composition.desk import DeskParts
from bot.composition.discord_side import DiscordSide
from bot.composition.feedback import FeedbackParts
from bot.composition.ground import Ground
from bot.composition.rules import Rules
from bot.composition.talk import Talk
from bot.domain.ids import UserId
from bot.services.accounts import AccountService
from bot.services.authorship import AuthorshipService
from bot.services.logins import LoginService
from bot.services.server_settings import ServerSettingsService
from bot.views.accounts import LoginTeller


@dataclass(frozen=True, slots=True)
class AccountParts:
    """Linking and unlinking, the settings of servers, and who wrote and paid for what was said."""

    linking: AccountService
    logins: LoginService
    server_settings: ServerSettingsService
    authorship: AuthorshipService


async def open_accounts(
    ground: Ground, discord_side: DiscordSide, rules: Rules, talk: Talk, feedback: FeedbackParts, desk: DeskParts
) -> AccountParts:
    """Build what keeps keys, and load the logins that are under way."""
    stores, nanogpt, clock = ground.stores, ground.nanogpt, ground.clock
    upkeep, breakers = talk.upkeep, talk.breakers
    teller = LoginTeller(discord_side.client, feedback.publishing)

    async def forget_login(user_id: UserId) -> None:
        await logins.forget(user_id)

    linking = AccountService(
        accounts=stores.accounts,
        nanogpt=nanogpt,
        upkeep=upkeep,
        own_shelf=rules.own_shelf,
        breakers=breakers,
        outbox=feedback.outbox,
        paid_turns=stores.paid_turns,
        clock=clock,
        on_unlinked=(forget_login, desk.cards.unlinked),
    )
    logins = LoginService(accounts=stores.accounts, linking=linking, nanogpt=nanogpt, tell=teller.tell, clock=clock)
    await logins.load()
    server_settings = ServerSettingsService(
        rules=rules.servers, nanogpt=nanogpt, upkeep=upkeep, breakers=breakers, ceilings=rules.ceilings
    )
    authorship = AuthorshipService(
        posts=stores.posts,
        turns=stores.turns,
        conversations=stores.conversations,
        bindings=stores.bindings,
        gate=rules.gate,
        ceilings=rules.ceilings,
    )
    return AccountParts(linking, logins, server_settings, authorship)
