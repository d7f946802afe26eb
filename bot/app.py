"""The composition root: builds everything, starts it in order, and stops it in the reverse order."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from bot.composition.accounts import open_accounts
from bot.composition.background import Background, open_background
from bot.composition.checking import open_checking
from bot.composition.commands import set_up_commands
from bot.composition.desk import open_desk
from bot.composition.discord_side import open_discord, point_discord
from bot.composition.enquiries import open_enquiries
from bot.composition.feedback import open_feedback
from bot.composition.ground import open_ground
from bot.composition.parts import Parts
from bot.composition.privacy import open_privacy, open_retention
from bot.composition.rules import open_rules
from bot.composition.speech import open_speech
from bot.composition.talk import open_talk
from bot.config import Settings
from bot.domain.checking import Mark
from bot.domain.ids import UserId
from bot.domain.start_wording import MENTIONS_ONLY
from bot.gateway.client import CharacterBot, CommandSync, wait_for_start
from bot.gateway.starting import told_in_words
from bot.nanogpt.pace import Pace
from bot.services.announcing import Announcer
from bot.services.card_reader import CardReader
from bot.services.clock import Clock
from bot.services.posting import Poster
from bot.services.relay import RelayService

_log = logging.getLogger(__name__)

DRAIN_CALLS_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Application:
    """A bot that is logged in and ready to work and to connect."""

    client: CharacterBot
    relay: RelayService
    poster: Poster
    announcer: Announcer
    sync: CommandSync
    background: Background

    async def drain(self, seconds: float) -> None:
        """Let what is under way come to its end, while there is still a connection to say it through."""
        await self.relay.drain(seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_CALLS_SECONDS):
                await self.poster.drain()
                await self.announcer.drain()

    async def connect(self) -> None:
        """Stay connected to the gateway until the client is closed, or something ends it.

        Raises StartError when Discord does not want this connection.
        """
        if not self.client.intents.message_content:
            _log.warning(MENTIONS_ONLY)
        with told_in_words():
            await wait_for_start(self.client)
            await self.client.connect()


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Run the bot until `stop` is set, or until it cannot go on. Raises StartError and StoreError."""
    async with application(settings) as app, app.background.running():
        connection = asyncio.create_task(app.connect(), name="gateway")
        stopped = asyncio.create_task(stop.wait(), name="stop signal")
        try:
            await asyncio.wait((connection, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not connection.done():
                _log.info("Stopping: letting replies under way come to their end")
                await app.drain(settings.relay.drain_seconds)
        finally:
            stopped.cancel()
            await app.client.close()
            # A start that is held back does not notice that the client was closed.
            connection.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await connection


@asynccontextmanager
async def application(
    settings: Settings, *, pace: Pace | None = None, clock: Clock | None = None, card_reader: CardReader | None = None
) -> AsyncGenerator[Application]:
    """Build everything and log in; on the way out, end everything in the reverse order.

    `pace` takes the place of the one that the settings describe, `clock` that of the machine's, `card_reader` that of
    one with the usual limits.
    """
    point_discord(settings)
    async with AsyncExitStack() as stack:
        # Only called once everything is built, and with it the accounts.
        def deleting(user_id: UserId) -> AbstractAsyncContextManager[object]:
            return accounts.linking.deleting(user_id)

        ground = await open_ground(settings, clock or Clock(), pace, stack)
        discord_side = open_discord(ground)
        rules = await open_rules(ground, discord_side, stack)
        privacy = await open_privacy(ground, deleting=deleting)
        speech = open_speech(ground, discord_side, rules)
        talk = await open_talk(ground, discord_side, rules, privacy, speech)
        # The last ends first. The poster goes before the relay, whose workers wait for its calls.
        for owner in (rules.catalog, discord_side.outlet, speech.announcer, talk.relay, speech.poster, talk.recovery):
            stack.push_async_callback(owner.aclose)
        feedback = open_feedback(ground, discord_side, rules, speech)
        desk = open_desk(ground, discord_side, rules, talk, card_reader)
        accounts = await open_accounts(ground, discord_side, rules, talk, feedback, desk)
        retention = open_retention(ground, on_left=talk.upkeep.guild_left)
        enquiries = open_enquiries(ground, rules, privacy, speech, talk)
        parts = Parts(
            ground, discord_side, rules, privacy, retention, speech, talk, feedback, desk, accounts, enquiries
        )
        sync = set_up_commands(parts)
        stack.push_async_callback(discord_side.client.close)
        with told_in_words():
            await discord_side.client.login(settings.discord.token.get_secret_value())
        yield Application(
            discord_side.client, talk.relay, speech.poster, speech.announcer, sync, open_background(parts)
        )


async def check(settings: Settings, say: Callable[[str], None]) -> bool:
    """Say what a start would meet, a line each, without starting; tell whether nothing is wrong."""
    point_discord(settings)
    all_well = True
    async with AsyncExitStack() as stack:
        checking = await open_checking(settings, stack)
        async for finding in checking.findings():
            say(str(finding))
            all_well = all_well and finding.mark is not Mark.BAD
    return all_well
