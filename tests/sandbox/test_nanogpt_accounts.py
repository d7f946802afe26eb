"""Accounts in the stand-in: keys, balances, subscriptions, and the device login with its page of approval."""

import re
from dataclasses import dataclass

import pytest

from bot.sandbox.nanogpt.accounts import OPERATOR, Accounts
from bot.sandbox.nanogpt.cast import AUTHOR, CAST, MEMBER
from bot.sandbox.nanogpt.language_models import MODEL_IDS
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.sandbox.nanogpt.variants import UsageShape
from tests.sandbox.nanogpt_visits import Reply, Visit, at, items, visiting

BALANCE = "/api/check-balance"
USAGE = "/api/subscription/v1/usage"
START = "/api/cli-login/start"
POLL = "/api/cli-login/poll"
PAGE = "/cli-login/verify"
NOON = 1_770_033_600.0


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


async def start(visit: Visit, name: str = "a bot") -> Reply:
    return await visit.send("POST", START, {"client_name": name})


async def poll(visit: Visit, login: Reply) -> Reply:
    return await visit.send("POST", POLL, {"device_code": login.at("device_code")})


async def link(visit: Visit, account: str, name: str = "a bot") -> str:
    """Go through a whole login and return the key."""
    login = await start(visit, name)
    visit.upstream.logins.approve(str(login.at("user_code")), account)
    return str((await poll(visit, login)).at("key"))


async def test_a_balance_is_told_to_its_key_in_strings_or_numbers() -> None:
    async with visiting() as visit:
        key = visit.upstream.catalog.add_account("someone", usd=1.5, nano=2.0).key
        reply = await visit.send("POST", BALANCE, key=key)
        assert reply.json == {
            "usd_balance": "1.50000000",
            "nano_balance": "2.00000000",
            "nanoDepositAddress": "nano_fake_someone",
        }
        visit.upstream.variants.number_balances = True
        assert (await visit.send("POST", BALANCE, key=key)).at("usd_balance") == 1.5


@pytest.mark.parametrize("status", [400, 401])
async def test_a_bad_key_gets_no_balance(status: int) -> None:
    async with visiting() as visit:
        visit.upstream.variants.bad_balance_status = status
        assert (await visit.send("POST", BALANCE, key="sk-nano-fake-wrong")).status == status
        assert (await visit.send("POST", BALANCE)).status == 401


async def test_the_balance_is_asked_for_with_post_and_beside_the_api() -> None:
    async with visiting() as visit:
        assert (await visit.send("GET", BALANCE, key=visit.upstream.operator_key)).status == 404
        assert (await visit.send("POST", "/check-balance", key=visit.upstream.operator_key)).status == 404
        assert len(visit.upstream.unknown_routes) == 2


async def test_usage_comes_in_two_shapes_and_in_neither_without_a_subscription() -> None:
    async with visiting(NanoGptSandbox(now=Clock())) as visit:
        key = visit.upstream.catalog.add_account("someone", subscribed=True).key
        documented = await visit.send("GET", USAGE, key=key)
        assert (documented.at("active"), documented.at("state")) == (True, "active")
        assert documented.at("daily") == {
            "used": 0,
            "remaining": 5_000,
            "percentUsed": 0,
            "resetAt": (NOON + 43_200) * 1_000,
        }
        visit.upstream.variants.usage_shape = UsageShape.SEEN
        seen = await visit.send("GET", USAGE, key=key)
        assert (seen.at("dailyInputTokens"), seen.at("weeklyInputTokens", "remaining")) == (None, 60_000_000)
        without = await visit.send("GET", USAGE, key=visit.key_of(MEMBER))
        assert without.json == {"active": False, "state": "inactive"}
        assert (await visit.send("GET", USAGE)).status == 401


async def test_the_price_of_nano_needs_no_key() -> None:
    async with visiting() as visit:
        visit.upstream.catalog.accounts.nano_price = 1.23
        assert (await visit.send("GET", "/api/get-nano-price")).json == {"pair": "NANOUSD", "latestPrice": 1.23}


async def test_models_are_listed_for_everybody_a_bad_key_included() -> None:
    async with visiting() as visit:
        short = await visit.get("/models")
        detailed = await visit.get("/models", [("detailed", "true")], key="sk-nano-fake-wrong")
        assert (short.status, detailed.status) == (200, 200)
        assert {at(item, "id") for item in items(detailed.at("data"))} == MODEL_IDS
        assert detailed.at("data", 0, "pricing", "unit") == "per_million_tokens"
        with pytest.raises(KeyError):
            short.at("data", 0, "pricing")
        assert (await visit.get("/models", [("page", "2")])).status == 400


def test_the_cast_is_built_on_models_of_the_list() -> None:
    assert {character.base_model_id for character in CAST} <= MODEL_IDS


async def test_the_direct_host_has_none_of_it() -> None:
    async with visiting() as visit:
        for path in ("/models", "/characters/mine"):
            assert (await visit.get(path, direct=True, key=visit.upstream.operator_key)).status == 404


async def test_a_login_is_begun_with_two_codes_and_a_page() -> None:
    async with visiting() as visit:
        login = await start(visit)
        page = f"{visit.upstream.site_url}{PAGE}"
        device_code = login.at("device_code")
        assert re.fullmatch("fake-device-code-0001-[0-9a-f]{32}", str(device_code))
        assert login.json == {
            "device_code": device_code,
            "user_code": "FAKE-0001",
            "verification_uri": page,
            "verification_uri_complete": f"{page}?code=FAKE-0001",
            "expires_in": 600,
            "interval": 2,
        }
        assert [pending.client_name for pending in visit.upstream.logins.pending] == ["a bot"]


async def test_a_login_is_pending_until_it_is_approved_and_its_key_comes_once() -> None:
    async with visiting() as visit:
        login = await start(visit)
        waiting = await poll(visit, login)
        assert (waiting.status, waiting.json) == (202, {"status": "authorization_pending"})
        visit.upstream.logins.approve("fake-0001", MEMBER)
        approved = await poll(visit, login)
        assert (approved.status, approved.at("status")) == (200, "approved")
        mine = await visit.get("/characters/mine", key=str(approved.at("key")))
        assert mine.status == 200
        assert visit.upstream.calls[-1].account == MEMBER
        again = await poll(visit, login)
        assert (again.status, again.json) == (409, {"status": "consumed"})


async def test_a_login_expires_on_the_clock_that_was_given() -> None:
    clock = Clock()
    async with visiting(NanoGptSandbox(now=clock)) as visit:
        login = await start(visit)
        clock.now += 599
        assert (await poll(visit, login)).status == 202
        clock.now += 1
        expired = await poll(visit, login)
        assert (expired.status, expired.json) == (410, {"status": "expired"})
        assert visit.upstream.logins.pending == ()
        with pytest.raises(ValueError, match="over"):
            visit.upstream.logins.approve("FAKE-0001", MEMBER)


async def test_a_code_that_nobody_was_given_is_invalid() -> None:
    async with visiting() as visit:
        for body in ({"device_code": "fake"}, {"device_code": None}, {}):
            reply = await visit.send("POST", POLL, body)
            assert (reply.status, reply.json) == (404, {"error": "invalid_code"})


@pytest.mark.parametrize("name", ["", " ", "x" * 65, 7])
async def test_a_name_that_cannot_be_listed_is_refused(name: object) -> None:
    async with visiting() as visit:
        reply = await visit.send("POST", START, {"client_name": name})
        assert (reply.status, reply.at("error", "param")) == (400, "client_name")
        assert (await visit.send("POST", START, {})).status == 200


async def test_the_same_name_gets_an_account_the_same_key_until_it_is_revoked() -> None:
    async with visiting() as visit:
        accounts = visit.upstream.catalog.accounts
        first, other_name = await link(visit, MEMBER), await link(visit, MEMBER, "another bot")
        other_account = await link(visit, AUTHOR)
        assert await link(visit, MEMBER) == first
        assert len({first, other_name, other_account, visit.key_of(MEMBER)}) == 4
        assert [listed.name for listed in accounts.keys_of(MEMBER)] == ["default", "CLI (a bot)", "CLI (another bot)"]
        accounts.revoke_key(first)
        assert (await visit.get("/characters/mine", key=first)).status == 401
        renewed = await link(visit, MEMBER)
        assert renewed != first
        assert (await visit.get("/characters/mine", key=renewed)).status == 200


async def test_revoking_an_account_takes_the_keys_of_its_logins_as_well() -> None:
    async with visiting() as visit:
        key = await link(visit, MEMBER)
        visit.upstream.catalog.revoke_key(MEMBER)
        assert (await visit.get("/characters/mine", key=key)).status == 401


async def test_ten_logins_a_minute_may_be_begun() -> None:
    clock = Clock()
    async with visiting(NanoGptSandbox(now=clock)) as visit:
        assert [(await start(visit)).status for _ in range(10)] == [200] * 10
        clock.now += 20.5
        refused = await start(visit)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "40")
        clock.now += 40
        assert (await start(visit)).status == 200


async def test_sixty_polls_a_minute_are_answered_all_logins_together() -> None:
    clock = Clock()
    async with visiting(NanoGptSandbox(now=clock)) as visit:
        logins = [await start(visit), await start(visit)]
        statuses = [(await poll(visit, logins[number % 2])).status for number in range(61)]
        assert statuses == [202] * 60 + [429]
        clock.now += 60
        assert (await poll(visit, logins[0])).status == 202


async def test_an_approval_needs_a_code_and_an_account_that_are_there() -> None:
    async with visiting() as visit:
        await start(visit)
        for code, account in (("FAKE-0002", MEMBER), ("FAKE-0001", "nobody")):
            with pytest.raises(KeyError):
                visit.upstream.logins.approve(code, account)
        assert len(visit.upstream.logins.pending) == 1


async def test_the_page_shows_a_login_and_approves_it() -> None:
    async with visiting() as visit:
        login = await start(visit, "<b>bot</b> & co")
        page = await visit.send("GET", f"{PAGE}?code=FAKE-0001")
        assert page.status == 200
        assert page.headers["Content-Type"].startswith("text/html")
        text = page.raw.decode()
        assert "&lt;b&gt;bot&lt;/b&gt; &amp; co" in text
        assert all(f'name="account" value="{account}"' in text for account in (OPERATOR, AUTHOR, MEMBER))
        assert "A stand-in for NanoGPT's website" in text
        assert "fake-device-code" not in text
        form = {"code": "FAKE-0001", "account": AUTHOR}
        async with visit.session.post(f"{visit.upstream.site_url}{PAGE}", data=form) as response:
            assert response.status == 200
            assert f"gets a key to <b>{AUTHOR}</b>, once" in await response.text()
        assert (await poll(visit, login)).at("status") == "approved"
        used = await visit.send("GET", f"{PAGE}?code=FAKE-0001")
        assert (used.status, "each works once" in used.raw.decode()) == (410, True)
        async with visit.session.post(f"{visit.upstream.site_url}{PAGE}", data=form) as response:
            assert response.status == 400


async def test_the_page_of_approval_may_be_sent_by_itself_alone() -> None:
    async with visiting() as visit:
        await start(visit)
        site = visit.upstream.site_url
        assert (await visit.send("GET", f"{PAGE}?code=FAKE-0001")).headers["Referrer-Policy"] == "same-origin"

        async def approve(base: str, origin: str) -> int:
            form = {"code": "FAKE-0001", "account": AUTHOR}
            async with visit.session.post(f"{base}{PAGE}", data=form, headers={"Origin": origin}) as response:
                return response.status

        direct = visit.upstream.responses_url.removesuffix("/api/v1")
        for foreign in ("http://evil.example", "null", direct):
            assert await approve(site, foreign) == 403
        assert await approve(direct, direct) == 403
        assert len(visit.upstream.logins.pending) == 1
        assert await approve(site, site) == 200


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("foreign", ["name", "port", "origin", "own origin"])
async def test_no_web_page_is_answered_even_with_a_key(foreign: str, *, direct: bool) -> None:
    async with visiting() as visit:
        upstream = visit.upstream
        base = upstream.responses_url if direct else upstream.base_url
        port = base.split(":")[2].split("/")[0]
        headers = {
            "name": {"Host": f"evil.example:{port}"},
            "port": {"Host": "127.0.0.1"},
            "origin": {"Origin": "http://evil.example"},
            "own origin": {"Origin": base.removesuffix("/api/v1")},
        }[foreign]
        body = {"character_id": "helpful-guide", "store": False, "input": "hello"}
        key = {"Authorization": f"Bearer {upstream.operator_key}"}
        async with visit.session.post(f"{base}/responses", json=body, headers=key | headers) as response:
            assert response.status == 403
        assert upstream.calls == []
        local = {"Host": f"localhost:{port}"}
        async with visit.session.post(f"{base}/responses", json=body, headers=key | local) as response:
            assert response.status == 200


async def test_no_key_is_that_of_another_stand_in() -> None:
    one, other = NanoGptSandbox(), NanoGptSandbox()
    for account in one.catalog.accounts:
        assert account.key != other.catalog.accounts.get(account.id).key
        assert other.catalog.accounts.of_key(account.key) is None
        login = one.catalog.accounts.key_for_client(account.id, "a bot")
        other.catalog.accounts.key_for_client(account.id, "a bot")
        assert other.catalog.accounts.of_key(login) is None


async def test_the_page_tells_what_each_account_holds_and_whether_it_may_review() -> None:
    async with visiting() as visit:
        visit.upstream.catalog.add_account("rich", usd=12.5)
        visit.upstream.catalog.add_account("poor", usd=0.4)
        visit.upstream.catalog.add_account("patron", usd=0.0, nano=2.0, subscribed=True)
        await start(visit)
        text = (await visit.send("GET", f"{PAGE}?code=FAKE-0001")).raw.decode()
        for name, held in {
            "rich": "$12.50",
            "poor": "$0.40, too little to review",
            "patron": "$0.00 and 2 Nano, with a subscription",
        }.items():
            assert f'<span>{name}<span class="small">{held}</span>' in text


async def test_a_code_that_waited_too_long_is_said_to_be_too_old() -> None:
    clock = Clock()
    async with visiting(NanoGptSandbox(now=clock)) as visit:
        await start(visit)
        clock.now += 600
        page = await visit.send("GET", f"{PAGE}?code=FAKE-0001")
        assert (page.status, "was not approved in time" in page.raw.decode()) == (410, True)


@pytest.mark.parametrize("form", [{}, {"code": "FAKE-0001", "account": "nobody"}, {"code": "x", "account": MEMBER}])
async def test_the_page_approves_nothing_that_is_not_there(form: dict[str, str]) -> None:
    async with visiting() as visit:
        await start(visit)
        async with visit.session.post(f"{visit.upstream.site_url}{PAGE}", data=form) as response:
            assert response.status == 400
        assert len(visit.upstream.logins.pending) == 1
        assert (await visit.send("GET", f"{PAGE}?code=FAKE-9999")).status == 404
        assert (await visit.send("GET", PAGE)).status == 404


def test_opening_an_account_again_changes_only_what_is_given() -> None:
    accounts = Accounts()
    account = accounts.add("someone", usd=2.0, subscribed=True)
    assert accounts.add("someone", nano=3.0) is account
    assert (account.usd, account.nano, account.subscribed) == (2.0, 3.0, True)
    assert accounts.get("someone") is account
    with pytest.raises(KeyError):
        accounts.get("nobody")
    with pytest.raises(KeyError):
        accounts.revoke_key("sk-nano-fake-wrong")
