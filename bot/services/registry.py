"""The services, in one value that components of messages can reach."""

from dataclasses import dataclass

from bot.services.accounts import AccountService
from bot.services.bindings import BindingService
from bot.services.catalog import CatalogService
from bot.services.catalog_search import SearchService
from bot.services.desk import DeskService
from bot.services.drafting import DraftingService
from bot.services.feedback import FeedbackService
from bot.services.health import HealthService
from bot.services.language_models import LanguageModels
from bot.services.logins import LoginService
from bot.services.privacy import PrivacyService
from bot.services.publishing import PublishingService
from bot.services.relay import RelayService
from bot.services.server_settings import ServerSettingsService


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a command or component may ask for. Hangs on the client as its attribute `services`."""

    accounts: AccountService
    bindings: BindingService
    catalog: CatalogService
    searches: SearchService
    desk: DeskService
    drafting: DraftingService
    models: LanguageModels
    feedback: FeedbackService
    publishing: PublishingService
    privacy: PrivacyService
    health: HealthService
    logins: LoginService
    relay: RelayService
    server_settings: ServerSettingsService
