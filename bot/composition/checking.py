"""What looks at everything that a start would meet, without starting."""

from contextlib import AsyncExitStack

from bot.composition.ground import operator_key
from bot.composition.nanogpt import open_nanogpt
from bot.composition.stores import vault_keys
from bot.config import Settings
from bot.gateway.probe import look_at_discord
from bot.services.checking import CheckingService, DatabaseToCheck
from bot.services.clock import Clock
from bot.store.inspection import inspect


async def open_checking(settings: Settings, stack: AsyncExitStack) -> CheckingService:
    """Build the check; nothing of the database is opened or made before it looks."""
    return CheckingService(
        database=DatabaseToCheck(
            settings.database.path,
            inspect,
            None if settings.vault.keys else settings.vault_key_file,
            lambda: vault_keys(settings),
        ),
        look_at_discord=lambda: look_at_discord(settings.discord.token.get_secret_value()),
        nanogpt=await open_nanogpt(settings, None, Clock(), stack),
        key=operator_key(settings),
        message_content=settings.discord.message_content,
        addresses=(
            ("discord.api_url", settings.discord.api_url),
            ("discord.gateway_url", settings.discord.gateway_url),
            ("discord.cdn_url", settings.discord.cdn_url),
            ("nanogpt.base_url", settings.nanogpt.base_url),
            ("nanogpt.responses_url", settings.nanogpt.responses_url),
        ),
    )
