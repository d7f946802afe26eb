"""NanoGPT's side of the demo, without a bot: accounts, moderation and reviews, and what can be done to them."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import aiohttp
import pytest

from bot.sandbox.discord import SandboxError
from bot.sandbox.nanogpt.accounts import OPERATOR
from bot.sandbox.nanogpt.authoring import PENDING
from bot.sandbox.nanogpt.catalog import SandboxCharacter
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.sandbox.page.asked import Asked
from bot.sandbox.page.desk import Desk
from bot.sandbox.page.scene import open_accounts


@dataclass
class Seat:
    """A desk, and whoever is told of its changes."""

    nanogpt: NanoGptSandbox
    desk: Desk
    told: list[int]

    def act(self, name: str, **fields: object) -> None:
        self.desk.act(Asked(1, "desk", {"name": name, **fields}))

    def account(self, account_id: str) -> dict[str, object]:
        return next(each for each in self.desk.draw()["accounts"] if each["id"] == account_id)


@pytest.fixture
async def seat() -> AsyncGenerator[Seat]:
    async with NanoGptSandbox(with_cast=False) as nanogpt:
        open_accounts(nanogpt)
        told: list[int] = []
        yield Seat(nanogpt, Desk(nanogpt, lambda: told.append(1)), told)


def submitted(seat: Seat) -> SandboxCharacter:
    return seat.nanogpt.catalog.add(
        SandboxCharacter(
            slug="lamp-keeper",
            name="Lamp Keeper",
            moderation_status=PENDING,
            content_rating=None,
            creator_content_rating="suggestive",
            owner="ada-inkwell",
        )
    )


async def test_the_demo_has_accounts_that_may_review_and_one_that_may_not(seat: Seat) -> None:
    drawn = {each["id"]: (each["usd"], each["subscribed"], each["may_review"]) for each in seat.desk.draw()["accounts"]}
    assert drawn == {
        "ada-inkwell": (12.5, False, True),
        "cleo-inkwell": (0.0, True, True),
        "ben-inkwell": (0.4, False, False),
    }


async def test_of_keys_only_the_names_are_drawn(seat: Seat) -> None:
    key = seat.nanogpt.catalog.accounts.key_for_client("ada-inkwell", "a bot")
    assert seat.account("ada-inkwell")["keys"] == ["default", "CLI (a bot)"]
    drawn = str(seat.desk.draw())
    assert key not in drawn
    assert "sk-nano" not in drawn


async def test_balances_and_subscriptions_are_set_and_keys_revoked(seat: Seat) -> None:
    key = seat.nanogpt.catalog.accounts.get("ben-inkwell").key
    seat.act("set_balance", account="ben-inkwell", usd=1.5)
    assert (seat.account("ben-inkwell")["usd"], seat.account("ben-inkwell")["may_review"]) == (1.5, True)
    seat.act("set_balance", account="ben-inkwell", usd=0)
    seat.act("set_subscription", account="ben-inkwell", subscribed=True)
    assert (seat.account("ben-inkwell")["subscribed"], seat.account("ben-inkwell")["may_review"]) == (True, True)
    seat.act("set_subscription", account="ben-inkwell", subscribed=False)
    assert seat.account("ben-inkwell")["may_review"] is False
    seat.act("revoke_keys", account="ben-inkwell")
    assert seat.account("ben-inkwell")["keys"] == []
    assert seat.nanogpt.catalog.accounts.of_key(key) is None
    assert len(seat.told) == 5


async def test_what_waits_is_approved_with_the_rating_of_its_author(seat: Seat) -> None:
    character = submitted(seat)
    (waiting,) = seat.desk.draw()["waiting"]
    assert (waiting["name"], waiting["owner"], waiting["rating"]) == ("Lamp Keeper", "ada-inkwell", "suggestive")
    seat.act("approve", character=character.id)
    assert seat.desk.draw()["waiting"] == []
    approved = seat.nanogpt.catalog.get(character.id)
    assert (approved.listed, approved.content_rating) == (True, "suggestive")
    with pytest.raises(SandboxError, match="does not wait any more"):
        seat.act("reject", character=character.id, reason="Too late.")


async def test_what_waits_is_rejected_with_a_reason(seat: Seat) -> None:
    character = submitted(seat)
    with pytest.raises(SandboxError, match="write a reason"):
        seat.act("reject", character=character.id, reason="  ")
    seat.act("reject", character=character.id, reason="It quotes a book.")
    rejected = seat.nanogpt.catalog.get(character.id)
    assert (rejected.listed, rejected.moderation_reason) == (False, "It quotes a book.")
    assert seat.desk.draw()["waiting"] == []


async def test_whatever_comes_over_the_api_is_told(seat: Seat) -> None:
    seat.nanogpt.catalog.add(SandboxCharacter(slug="guide", name="Guide"))
    key = seat.nanogpt.catalog.accounts.get("ada-inkwell").key
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(seat.nanogpt.site_url, headers=headers) as session:
        await session.put("/api/v1/characters/guide/review", json={"rating": 4, "review_text": "Patient and precise."})
    assert seat.told
    assert seat.desk.draw()["reviews"] == [
        {"character": "guide", "account": "ada-inkwell", "rating": 4, "text": "Patient and precise."}
    ]


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("explode", {}, "there is no 'explode' at this desk"),
        ("set_balance", {"account": "nobody", "usd": 1}, "there is no account 'nobody'"),
        ("revoke_keys", {"account": OPERATOR}, "there is no account 'operator'"),
        ("set_balance", {"account": "ada-inkwell", "usd": -1}, "usd goes from 0 to 1,000,000"),
        ("set_balance", {"account": "ada-inkwell", "usd": None}, "usd goes from 0 to 1,000,000"),
        ("set_balance", {"account": "ada-inkwell", "usd": True}, "usd goes from 0 to 1,000,000"),
        ("approve", {"character": "nothing"}, "does not wait any more"),
    ],
)
async def test_what_cannot_be_done_is_a_sentence(
    seat: Seat, name: str, fields: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SandboxError, match=sentence):
        seat.act(name, **fields)
    assert seat.told == []
