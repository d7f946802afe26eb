"""A member with a NanoGPT account at their desk, over a real database and a NanoGPT that a test scripts."""

import asyncio
from typing import Final

import httpx

from bot.domain.characters import KnownCharacter, OwnCharacter
from bot.domain.drafts import Draft
from bot.domain.ids import ChannelId, CharacterId, CharacterRef, GuildId, UserId
from bot.domain.language_models import LanguageModel
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.domain.payers import OPERATOR
from bot.domain.places import Place
from bot.domain.ratings import ContentLimits, ContentRating
from bot.domain.sheets import Sheet
from bot.nanogpt.client import NanoGptClient
from bot.nanogpt.pace import Pace
from bot.nanogpt.requests import ApiKey
from bot.nanogpt.retry import RetryPolicy
from bot.services.card_desk import CardDesk
from bot.services.desk import DeskService
from bot.services.drafting import DraftingService
from bot.services.key_ring import KeyRing
from bot.services.language_models import LanguageModels
from bot.services.moderation import ModerationService
from bot.services.own_shelf import OwnShelf
from bot.store.accounts import Accounts
from bot.store.card_originals import CardOriginals
from bot.store.database import Database
from bot.store.drafts import Drafts
from bot.store.own_characters import OwnCharacters
from bot.store.sealed_files import SealedFiles
from bot.store.servers import Servers
from bot.store.vault import Vault
from bot.store.watches import Watches
from tests.support.fake_desk import SITE, FakeDesk
from tests.support.manual_clock import ManualClock
from tests.support.nearby_reader import NearbyReader

ALICE: Final = UserId(31)
BOB: Final = UserId(32)
OPEN_PLACE: Final = Place(GuildId(10), ChannelId(20), None, age_restricted=False)
ADULT_PLACE: Final = Place(GuildId(10), ChannelId(21), None, age_restricted=True)
_LIMITS: Final = ContentLimits()


class DeskWorld:
    """All the services of the desk. Only Alice has linked an account."""

    def __init__(self, database: Database, vault: Vault, clock: ManualClock) -> None:
        self.clock = clock
        self.upstream = FakeDesk()
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self.upstream.serve))
        self.nanogpt = NanoGptClient(
            self.http,
            base_url=SITE,
            responses_url=SITE,
            pace=Pace(10_000),
            jitter=lambda: 0.0,
            policy=RetryPolicy(retries=0),
            now=lambda: clock.now_ms() / 1_000,
        )
        self.accounts = Accounts(database, vault)
        self.keys = KeyRing(
            operator=ApiKey("sk-nano-fake-0000", OPERATOR),
            accounts=self.accounts,
            servers=Servers(database, vault),
            clock=clock.clock,
        )
        self.shelf = OwnShelf(own=OwnCharacters(database, vault), made_private=_nobody_hears, clock=clock.clock)
        self.drafts = Drafts(database, vault)
        self.changed: list[CharacterRef] = []
        self.dropped: list[tuple[UserId, CharacterRef]] = []
        self.made: list[tuple[Draft, KnownCharacter, OwnCharacter]] = []
        self.submitted: list[tuple[UserId, CharacterRef, bool]] = []
        self.files: dict[str, bytes] = {}
        self.fetches: asyncio.Queue[str] = asyncio.Queue()
        """The address of each file, as soon as somebody begins to fetch it."""
        self.gate = asyncio.Event()
        """Cleared, it holds up the files that are fetched."""
        self.gate.set()
        self.listed_models = [LanguageModel("fake/model", "Fake Model"), LanguageModel("other/model")]
        self.desk = DeskService(
            shelf=self.shelf,
            keys=self.keys,
            client=self.nanogpt.desk,
            changed=self._changed,
            dropped=self._dropped,
            channels_of=lambda _: 2,
            clock=clock.clock,
        )
        self.models = LanguageModels(read=self._models, most_used=lambda: "fake/model", clock=clock.clock)
        self.originals = CardOriginals(database, vault)
        self.stored = SealedFiles(database.path.with_suffix(".files"))
        self.cards = CardDesk(
            desk=self.desk,
            drafts=self.drafts,
            models=self.models,
            reader=NearbyReader(),
            originals=self.originals,
            files=self.stored,
            read_file=self._file,
            ceiling_of=_ceiling,
            clock=clock.clock,
        )
        self.watches = Watches(database, vault)
        self.letters: list[tuple[UserId, str]] = []
        self.letters_arrive = True
        self.moderation = ModerationService(
            desk=self.desk,
            shelf=self.shelf,
            watches=self.watches,
            write=self._write,
            changed=self._changed,
            clock=clock.clock,
        )
        self.drafting = DraftingService(
            desk=self.desk,
            client=self.nanogpt.desk,
            drafts=self.drafts,
            models=self.models,
            read_file=self._file,
            ceiling_of=_ceiling,
            submitted=self._submitted,
            made=self._made,
            edited=self.cards.edited,
            clock=clock.clock,
        )

    async def open(self) -> None:
        """Link Alice's account, and read the list of models."""
        secret = AccountSecret("sk-nano-fake-1111")
        await self.accounts.link(ALICE, secret, KeyOrigin.PASTED, self.clock.now_ms())
        await self.models.renew()

    async def close(self) -> None:
        await self.http.aclose()

    async def known(self, slug: str, **fields: object) -> KnownCharacter:
        """Let Alice have a character that the desk has seen."""
        self.upstream.add(slug, **fields)
        await self.desk.read_all(ALICE)
        self.upstream.requests.clear()
        return await self.desk.find(ALICE, slug)

    async def _models(self) -> tuple[LanguageModel, ...]:
        return tuple(self.listed_models)

    async def _file(self, url: str, most_bytes: int) -> bytes:
        assert len(self.files[url]) <= most_bytes
        self.fetches.put_nowait(url)
        await self.gate.wait()
        return self.files[url]

    async def _changed(self, ref: CharacterRef) -> None:
        self.changed.append(ref)

    async def _dropped(self, user_id: UserId, ref: CharacterRef) -> None:
        self.dropped.append((user_id, ref))
        await self.cards.dropped(user_id, ref)
        await self.moderation.dropped(user_id, ref)

    async def _submitted(self, user_id: UserId, known: KnownCharacter, tell: bool) -> bool:  # noqa: FBT001 - as typed
        self.submitted.append((user_id, known.ref, tell))
        return known.character.moderation_status == "pending"

    async def _made(self, draft: Draft, sheet: Sheet, known: KnownCharacter, own: OwnCharacter) -> None:
        self.made.append((draft, known, own))
        await self.cards.made(draft, sheet, known, own)

    async def _write(self, user_id: UserId, text: str) -> bool:
        if self.letters_arrive:
            self.letters.append((user_id, text))
        return self.letters_arrive


def _ceiling(place: Place | None) -> ContentRating:
    return _LIMITS.ceiling(age_restricted=place is not None and place.age_restricted)


async def _nobody_hears(character_id: CharacterId) -> None:
    del character_id
