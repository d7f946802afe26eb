"""A leaked database tells no text: every sealed column is written, then every byte of the files is searched."""

from pathlib import Path

import pytest

from bot.domain.feedback import Complaint, Review
from bot.domain.ids import MessageId, WebhookId
from bot.domain.turns import AdmissionLimits, Arrival, VersionOutcome, VersionState
from bot.domain.webhooks import OwnWebhook
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.ratings import Ratings
from bot.store.reports import Reports
from bot.store.turns import Turns
from bot.store.vault import Vault
from bot.store.webhooks import Webhooks
from tests.store.seed import ALICE, CHANNEL, GUILD, NOW, PAYER, Seed

SECRETS = {
    "message": "the-words-of-a-member",
    "name": "the-name-of-a-member",
    "reply": "the-words-of-a-character",
    "greeting": "the-greeting-of-a-character",
    "rating": "the-review-of-a-member",
    "report": "the-details-of-a-report",
    "webhook": "fake-webhook-token-in-the-database",
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
    await Ratings(database, vault).put(ALICE, ref, Review(5, SECRETS["rating"]), GUILD, NOW)
    await Reports(database, vault, Outbox(database)).file(
        Complaint(ALICE, ref, "Spam", SECRETS["report"]), payer=PAYER, now_ms=NOW
    )
    await Webhooks(database, vault).put(OwnWebhook(CHANNEL, GUILD, WebhookId(70), SECRETS["webhook"]), NOW)


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
    for sql, context in (
        ("SELECT body AS blob, message_id AS id, '' AS more FROM claim", "claim:{}"),
        ("SELECT body AS blob, id, '' AS more FROM version", "version:{}"),
        ("SELECT body AS blob, user_id AS id, character_ref AS more FROM rating", "rating:{}:{}"),
        ("SELECT body AS blob, id, '' AS more FROM report", "report:{}"),
        ("SELECT token AS blob, channel_id AS id, '' AS more FROM webhook", "webhook:{}"),
    ):
        for row in await database.read(sql):
            opened.add(vault.open(row["blob"], context=context.format(row["id"], row["more"])))
    joined = "\n".join(opened)
    assert [name for name, text in SECRETS.items() if text not in joined] == []


@pytest.mark.parametrize("column", ["body", "token"])
async def test_every_sealed_column_is_among_those_written_above(database: Database, vault: Vault, column: str) -> None:
    await write_everything(database, vault)
    tables = await database.read(
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = $1",
        column,
    )
    assert {row["name"] for row in tables} == (
        {"claim", "version", "rating", "report"} if column == "body" else {"webhook"}
    )


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
    await Ratings(database, vault).delete_member(ALICE)
    await database.close()
    content = path.read_bytes()
    assert sealed[:1000] not in content
    assert sealed[-1000:] not in content
