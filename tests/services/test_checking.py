"""What `check` says, with a scripted NanoGPT and whatever Discord and the disk are made to answer."""

import errno
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.domain.checking import DiscordFindings, Finding, Mark
from bot.domain.ids import PayerId
from bot.errors import StartError
from bot.nanogpt.jsonvalue import Json
from bot.nanogpt.requests import ApiKey
from bot.services.checking import CheckingService, DatabaseToCheck
from bot.store.errors import DatabaseInUse, DatabaseNotWritable, StoreError
from bot.store.inspection import Inspection
from bot.store.vault import BadKey, KeyFileError, KeyFileProblem, MasterKey
from tests.nanogpt.fixtures import CATALOGUE_PAGE, FAKE_KEY, MODELS_PAGE
from tests.nanogpt.support import NOON, Step, Upstream, answer

DATE = formatdate(NOON, usegmt=True)
MASTER = MasterKey(b"fake-key" * 4)
REPLY: dict[str, Any] = {
    "id": "resp_fake",
    "object": "response",
    "status": "completed",
    "model": "fake/model",
    "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}],
}
NO_CHARACTERS: dict[str, Any] = {"data": []}
REFUSED: dict[str, Any] = {"error": {"message": "model is required", "type": "invalid_request_error", "param": "model"}}


async def discord_is_well() -> DiscordFindings:
    return DiscordFindings(
        bot_name="guide#0001",
        message_content=True,
        interactions_elsewhere=False,
        needs_code_grant=False,
        guild_count=3,
        invite_url="https://discord.example/invite",
        starts_left=990,
        starts_total=1_000,
        starts_reset_seconds=40_000.0,
    )


async def discord_is_away() -> DiscordFindings:
    raise StartError("Discord could not be reached.", wrong_settings=False)


def catalogue(page: Json = CATALOGUE_PAGE, date: str = DATE) -> list[Step]:
    """Return what the four looks at the catalogue are answered with: list, both probes, clock."""
    return [answer(page, date=date), answer(page), answer(MODELS_PAGE), answer(page, date=date)]


def failing(status: int, kind: str, message: str = "scripted") -> httpx.Response:
    return answer({"error": {"type": kind, "message": message}}, status)


@dataclass
class Disk:
    """A database and a key file that are made to be in some state."""

    found: Inspection | StoreError = field(default_factory=lambda: Inspection(1, 1, frozenset({MASTER.id})))
    keys: Exception | None = None
    key_file: Path | None = None

    def inspect(self, path: Path) -> Inspection:
        del path
        if isinstance(self.found, StoreError):
            raise self.found
        return self.found

    def load_keys(self) -> list[MasterKey]:
        if self.keys is not None:
            raise self.keys
        return [MASTER]


async def check(*script: Step, disk: Disk | None = None, away: bool = False) -> list[Finding]:
    disk = disk or Disk()
    service = CheckingService(
        database=DatabaseToCheck(Path("bot.db"), disk.inspect, disk.key_file, disk.load_keys),
        look_at_discord=discord_is_away if away else discord_is_well,
        nanogpt=Upstream(script or [*catalogue(), answer(REPLY)]).client(),
        key=ApiKey(FAKE_KEY, PayerId("operator")),
        message_content=True,
        addresses=[("nanogpt.base_url", "https://proxy.example/v1")],
    )
    return [finding async for finding in service.findings()]


def marked(findings: list[Finding], mark: Mark) -> list[str]:
    return [finding.sentence for finding in findings if finding.mark is mark]


async def test_all_is_said_when_all_is_well() -> None:
    findings = await check()
    assert marked(findings, Mark.BAD) == []
    assert marked(findings, Mark.UNSURE) == [
        "nanogpt.base_url leads to proxy.example, which is meant for a proxy or a test."
    ]
    text = "\n".join(map(str, findings))
    for words in (
        "settings are complete",
        "bot.db can be used and is up to date",
        "opens what is stored",
        "guide#0001",
        "list of characters: it stands under “data”, the cursor under “next_cursor”, no pictures; fields: allow_api,",
        "list of character-models: it stands under “data”",
        "The clock is right",
        "Helpful Guide gave one short reply, which NanoGPT bills. “model” is not needed beside “character_id”",
    ):
        assert words in text
    assert FAKE_KEY not in text


async def test_the_price_of_the_reply_is_told_where_it_is_known() -> None:
    findings = await check(*catalogue(), answer(REPLY, x_cost="0.000123"))
    assert "which NanoGPT bills (0.000123 US dollars, it says)" in findings[-1].sentence


async def test_a_model_that_is_wanted_is_told() -> None:
    findings = await check(*catalogue(), answer(REFUSED, 400), answer(REPLY))
    assert "“model” is needed beside “character_id”" in findings[-1].sentence


@pytest.mark.parametrize(
    ("refusal", "mark", "words"),
    [
        (failing(401, "authentication_error"), Mark.BAD, "refuses the key"),
        (failing(402, "insufficient_quota"), Mark.BAD, "cannot pay"),
        (failing(403, "permission_denied"), Mark.BAD, "may not ask for replies"),
        (failing(429, "daily_rpd_limit_exceeded"), Mark.BAD, "daily limit"),
        (failing(400, "invalid_request_error", "character is archived"), Mark.UNSURE, "Helpful Guide was refused"),
        (failing(404, "not_found_error", "no such thing"), Mark.UNSURE, "Helpful Guide was refused"),
        (answer([]), Mark.BAD, "does not generate replies"),
    ],
)
async def test_a_key_that_fails_is_told_with_what_to_do(refusal: httpx.Response, mark: Mark, words: str) -> None:
    findings = await check(*catalogue(), *[refusal] * 3)
    assert (findings[-1].mark, words in findings[-1].sentence) == (mark, True), findings[-1]


async def test_an_empty_reply_is_a_reply() -> None:
    findings = await check(*catalogue(), *[answer({**REPLY, "output": []})] * 2)
    assert (findings[-1].mark, "came back empty" in findings[-1].sentence) == (Mark.GOOD, True)


async def test_without_a_catalogue_neither_key_nor_clock_can_be_checked() -> None:
    findings = await check(*[httpx.ConnectError("scripted")] * 3)
    (sentence,) = marked(findings, Mark.BAD)
    assert sentence.startswith("NanoGPT's catalogue does not answer (")
    assert "check this machine's connection, and nanogpt.base_url" in sentence
    assert "The key and the clock could not be checked" in findings[-1].sentence


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (failing(401, "authentication_error"), "refused the request (status 401, "),
        (failing(403, "permission_denied"), "refused the request (status 403, "),
        (failing(404, "not_found_error"), "refused the request (status 404, "),
        (failing(429, "rate_limit_exceeded"), "is asked too often just now (status 429, "),
        (failing(503, "service_unavailable"), "failed (status 503, "),
        (httpx.Response(502, html="<html>scripted</html>"), "failed (status 502"),
        (httpx.Response(200, text="scripted"), "sent what cannot be read (status 200"),
    ],
)
async def test_a_catalogue_that_answers_is_not_said_to_be_out_of_reach(response: httpx.Response, words: str) -> None:
    findings = await check(*[response] * 3)
    (sentence,) = marked(findings, Mark.BAD)
    assert sentence.startswith(f"NanoGPT's catalogue {words}")
    assert "connection" not in sentence
    assert "scripted" not in sentence


async def test_a_catalogue_without_a_usable_character_leaves_the_key_unknown() -> None:
    findings = await check(*catalogue(NO_CHARACTERS))
    assert "no character to try the key with" in findings[-1].sentence


async def test_one_list_that_fails_does_not_keep_the_key_from_being_tried() -> None:
    page, *_ = catalogue()
    findings = await check(page, answer(CATALOGUE_PAGE), failing(404, "not_found_error"), answer(REPLY))
    assert "could not be seen" in marked(findings, Mark.UNSURE)[1]
    assert "The clock could not be compared." in marked(findings, Mark.UNSURE)
    assert "The key works" in findings[-1].sentence


async def test_a_list_of_another_form_is_wrong() -> None:
    page, _, models, clock = catalogue()
    findings = await check(page, answer({"surprise": 1}), models, clock, answer(REPLY))
    assert "list of characters comes in a form that this release cannot read" in marked(findings, Mark.BAD)[0]


async def test_a_bare_array_with_pictures_is_told() -> None:
    page, _, models, clock = catalogue()
    listed: Json = [{"id": "x", "avatarUrl": "https://pictures.example/x.png"}]
    findings = await check(page, answer(listed), models, clock, answer(REPLY))
    assert any(
        "as a bare array, no cursor on the first page, pictures under “avatarUrl”; fields: avatarUrl, id" in sentence
        for sentence in marked(findings, Mark.GOOD)
    )


async def test_a_wrong_clock_is_wrong() -> None:
    findings = await check(*catalogue(date=formatdate(NOON - 3_600, usegmt=True)), answer(REPLY))
    assert "60 minutes ahead" in marked(findings, Mark.BAD)[0]


async def test_what_discord_says_of_a_failed_login_is_handed_on() -> None:
    assert "Discord could not be reached." in marked(await check(away=True), Mark.BAD)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Inspection(None, 3), "no database at bot.db yet"),
        (Inspection(2, 3), "the next start brings it up to date"),
    ],
)
async def test_a_database_that_the_start_takes_care_of_is_well(found: Inspection, words: str) -> None:
    findings = await check(disk=Disk(found))
    assert any(words in sentence for sentence in marked(findings, Mark.GOOD))
    assert marked(findings, Mark.BAD) == []


async def test_a_database_that_cannot_be_used_is_told_in_the_stores_own_words() -> None:
    refusal = DatabaseNotWritable(Path("bot.db"))
    findings = await check(disk=Disk(refusal))
    assert marked(findings, Mark.BAD) == [str(refusal)]


async def test_a_database_in_use_may_be_the_bot_at_work() -> None:
    refusal = DatabaseInUse(Path("bot.db"))
    (sentence,) = marked(await check(disk=Disk(refusal)), Mark.BAD)
    assert sentence == f"{refusal} It may be this bot, already running."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyFileError(Path("bot.key"), KeyFileProblem.READABLE_BY_OTHERS), "chmod 600"),
        (BadKey(), "base64 of 32"),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot be read: Permission denied"),
    ],
)
async def test_a_key_of_the_vault_that_cannot_be_used_is_wrong(error: Exception, words: str) -> None:
    (sentence,) = marked(await check(disk=Disk(keys=error)), Mark.BAD)
    assert words in sentence


async def test_another_key_than_the_one_that_sealed_is_wrong() -> None:
    (sentence,) = marked(await check(disk=Disk(Inspection(1, 1, frozenset({b"else"})))), Mark.BAD)
    assert "1 key that the vault does not have" in sentence


async def test_a_lost_key_file_is_wrong_only_where_something_was_sealed(tmp_path: Path) -> None:
    key_file = tmp_path / "bot.key"
    (sentence,) = marked(await check(disk=Disk(key_file=key_file)), Mark.BAD)
    assert "put it back" in sentence
    fresh = await check(disk=Disk(Inspection(None, 1), key_file=key_file))
    assert any("The first start makes the vault's key file" in said for said in marked(fresh, Mark.GOOD))
    key_file.touch()
    assert marked(await check(disk=Disk(key_file=key_file)), Mark.BAD) == []
