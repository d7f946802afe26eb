import pytest

from bot.domain.authorship import ANOTHER_WEBHOOK, FORGOTTEN, OWN_NOTICE
from bot.domain.ids import MessageId
from bot.domain.messages import Author, IncomingMessage
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits, ContentRating
from bot.services.authorship import AuthorshipService
from bot.services.ceilings import Ceilings
from bot.store.bindings import Bindings
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.manual_clock import ManualClock
from tests.support.relay_world import ALICE, GUIDE, GUILD, ROOM, RelayWorld, character
from tests.support.scripted_upstream import refuses

HERE = Place(GUILD, ROOM, None, age_restricted=False)


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> RelayWorld:
    world = RelayWorld(database, vault, clock)
    await world.open()
    return world


async def asked(
    world: RelayWorld, message_id: MessageId, author: Author = Author.SELF, *, by_webhook: bool = True
) -> str:
    service = AuthorshipService(
        posts=world.posts,
        turns=world.turns,
        conversations=world.conversations,
        bindings=world.bindings,
        gate=world.parts.gate,
        ceilings=Ceilings(ContentLimits(ContentRating.SFW, ContentRating.NSFW)),
    )
    message = IncomingMessage(
        id=message_id,
        guild_id=GUILD,
        channel_id=ROOM,
        parent_id=None,
        in_thread=False,
        author_id=ALICE,
        author_name="Alice",
        author=author,
        text="Hello.",
        addressed=False,
    )
    return await service.who_said(message, HERE, by_webhook=by_webhook)


async def test_a_reply_tells_its_character_and_who_pays_here(world: RelayWorld) -> None:
    await world.bind()
    await world.ask()
    (reply,) = world.shown()
    text = await asked(world, reply.id)
    assert "**Guide** said this, in NanoGPT's catalogue as `helpful-guide`" in text
    assert "`a-model`" in text
    assert "by the bot's operator" in text


async def test_once_its_character_has_left_a_reply_still_tells_who_paid(world: RelayWorld) -> None:
    binding = await world.bind()
    await world.ask()
    (reply,) = world.shown()
    await Bindings(world.database).end(binding.id, world.clock.now_ms())
    text = await asked(world, reply.id)
    assert "**Guide**" in text
    assert "has left this channel since" in text


async def test_a_character_above_the_ceiling_is_not_named(world: RelayWorld) -> None:
    await world.bind()
    await world.ask()
    (reply,) = world.shown()
    world.upstream.characters[GUIDE] = character(GUIDE, content_rating="nsfw")
    world.clock.advance(660)
    (binding,) = world.index
    await world.catalog.standing(binding.character_ref, ceiling=ContentRating.SFW)
    assert "Guide" not in await asked(world, reply.id)


async def test_a_mark_is_the_bots_own(world: RelayWorld) -> None:
    await world.bind()
    world.upstream.script(refuses(503))
    await world.ask()
    (mark,) = world.shown()
    assert await asked(world, mark.id, by_webhook=False) == OWN_NOTICE


async def test_what_nothing_is_known_of_is_told_by_where_it_came_from(world: RelayWorld) -> None:
    assert await asked(world, MessageId(1)) == FORGOTTEN
    assert await asked(world, MessageId(1), by_webhook=False) == OWN_NOTICE
    assert await asked(world, MessageId(1), Author.WEBHOOK) == ANOTHER_WEBHOOK
    assert "a person" in await asked(world, MessageId(1), Author.MEMBER, by_webhook=False)
