"""A leaked database tells no text: every sealed column is written, then every byte of the files is searched."""

from pathlib import Path

from bot.domain.characters import Character
from bot.domain.drafts import DraftKind, Writing
from bot.domain.feedback import Complaint, NotAccepted, Review
from bot.domain.ids import CharacterId, MessageId, WebhookId
from bot.domain.linking import AccountSecret, KeyOrigin, LoginSecret
from bot.domain.moderation import Outcome, Verdict
from bot.domain.sheets import Sheet
from bot.domain.turns import AdmissionLimits, Arrival, VersionOutcome, VersionState
from bot.domain.webhooks import OwnWebhook
from bot.store.accounts import Accounts
from bot.store.card_originals import CardOriginals
from bot.store.database import Database
from bot.store.drafts import Drafts
from bot.store.outbox import Outbox
from bot.store.own_characters import OwnCharacters
from bot.store.personal import Personal
from bot.store.ratings import Ratings
from bot.store.reports import Reports
from bot.store.sealed import SEALED_COLUMNS
from bot.store.sealed_files import StoredFile
from bot.store.servers import Servers
from bot.store.turns import Turns
from bot.store.vault import Vault
from bot.store.watches import Watches
from bot.store.webhooks import Webhooks
from tests.store.seed import ALICE, BOB, CHANNEL, GUILD, NOW, PAYER, Seed

SECRETS = {
    "message": "the-words-of-a-member",
    "name": "the-name-of-a-member",
    "reply": "the-words-of-a-character",
    "greeting": "the-greeting-of-a-character",
    "rating": "the-review-of-a-member",
    "refusal": "what-the-catalogue-said-of-a-review",
    "report": "the-details-of-a-report",
    "webhook": "fake-webhook-token-in-the-database",
    "account": "sk-nano-fake-of-a-member",
    "fingerprint": "the-fingerprint-of-an-account",
    "device code": "fake-device-code-of-a-login",
    "answer token": "fake-token-of-an-interaction",
    "server": "sk-nano-fake-of-a-server",
    "own": "the-name-of-a-private-character",
    "draft": "the-prompt-of-a-draft",
    "card digest": "what-tells-a-card-from-others",
    "card name": "the-name-of-a-card-file",
    "moderation": "the-reason-of-a-moderator",
}


async def write_everything(database: Database, vault: Vault) -> None:
    seed = Seed(database, vault)
    ref = await seed.character()
    room = await seed.room(await seed.binding())
    turns = Turns(database, vault)
    arrival = Arrival(MessageId(50), GUILD, CHANNEL, ALICE, SECRETS["name"], SECRETS["message"])
    await turns.admit(room.id, [arrival], AdmissionLimits(20, 0, 0), now_ms=NOW, day_start_ms=NOW)
    turn = await turns.begin(room.id, PAYER, now_ms=NOW)
    assert turn is not None
    async with database.transaction() as tx:
        await turns.add_version(tx, turn.id, VersionOutcome(SECRETS["reply"], VersionState.COMPLETE), now_ms=NOW)
    thread = await seed.thread(await seed.binding(), 25)
    await turns.begin_greeting(thread.id, PAYER, SECRETS["greeting"], now_ms=NOW)
    ratings = Ratings(database, vault)
    rating = await ratings.put(ALICE, ref, Review(5, SECRETS["rating"]), GUILD, NOW)
    await ratings.refuse(rating, NotAccepted.INVALID, SECRETS["refusal"], NOW)
    await Reports(database, vault, Outbox(database)).file(
        Complaint(ALICE, ref, "Spam", SECRETS["report"]), payer=PAYER, now_ms=NOW
    )
    await Webhooks(database, vault).put(OwnWebhook(CHANNEL, GUILD, WebhookId(70), SECRETS["webhook"]), NOW)
    accounts = Accounts(database, vault)
    await accounts.link(ALICE, AccountSecret(SECRETS["account"], SECRETS["fingerprint"]), KeyOrigin.PASTED, NOW)
    login = LoginSecret(SECRETS["device code"], SECRETS["answer token"], "ABCD", "https://nano-gpt.example")
    await accounts.begin_login(BOB, login, now_ms=NOW, expires_at_ms=NOW, answer_until_ms=NOW)
    await Servers(database, vault).put_key(GUILD, SECRETS["server"], NOW)
    await OwnCharacters(database, vault).remember(ALICE, Character(CharacterId("own"), SECRETS["own"]), NOW)
    writing = Writing(Sheet(system_prompt=SECRETS["draft"]))
    draft = await Drafts(database, vault).create(ALICE, DraftKind.CREATE, None, writing, NOW)
    await CardOriginals(database, vault).put(
        ALICE,
        draft.id,
        StoredFile("file", b"k" * 32),
        size=1,
        name=SECRETS["card name"],
        fingerprint=SECRETS["card digest"],
        now_ms=NOW,
    )
    watches = Watches(database, vault)
    await watches.begin(ALICE, ref, tell=True, status="pending", due_ms=NOW, now_ms=NOW)
    (watch,) = await watches.of(ALICE)
    await watches.found(watch, Verdict(Outcome.REFUSED, "rejected", SECRETS["moderation"]), due_ms=None)


def bytes_on_disk(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.name.startswith(path.name)}


async def test_nothing_sealed_can_be_read_in_the_files(database: Database, vault: Vault) -> None:
    await write_everything(database, vault)
    await Seed(database, vault).character("a-character-in-plain-view")
    files = bytes_on_disk(database.path)
    assert "bot.db-wal" in files
    everything = b"".join(files.values())
    assert b"a-character-in-plain-view" in everything
    for text in SECRETS.values():
        assert text.encode() not in everything
        assert text.encode("utf-16-le") not in everything


async def test_what_was_sealed_is_there_for_whoever_has_the_key(database: Database, vault: Vault) -> None:
    await write_everything(database, vault)
    opened: set[str] = set()
    for sealed in SEALED_COLUMNS:
        rows = [
            row
            for row in await database.read(f"SELECT * FROM {sealed.table}")  # noqa: S608 - a constant
            if row[sealed.column] is not None
        ]
        assert rows, sealed.table
        for row in rows:
            context = sealed.context(*(row[name] for name in sealed.keys))
            opened.add(vault.open(row[sealed.column], context=context))
    joined = "\n".join(opened)
    assert [name for name, text in SECRETS.items() if text not in joined] == []


async def test_what_was_deleted_is_not_left_over_in_the_file(tmp_path: Path, vault: Vault) -> None:
    path = tmp_path / "deleted.db"
    database = await Database.open(path, now_ms=NOW)
    ratings, ref = Ratings(database, vault), await Seed(database, vault).character()
    await ratings.put(ALICE, ref, Review(5, "a long review " * 1000), GUILD, NOW)
    (row,) = await database.read("SELECT body FROM rating")
    sealed: bytes = row["body"]
    await database.close()
    assert sealed[-1000:] in path.read_bytes()
    database = await Database.open(path, now_ms=NOW)
    await Personal(database).delete(ALICE)
    await database.close()
    content = path.read_bytes()
    assert sealed[:1000] not in content
    assert sealed[-1000:] not in content
