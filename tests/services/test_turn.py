import asyncio
from pathlib import Path

import httpx
import pytest

from bot.domain.bindings import PauseCause
from bot.domain.context import HOUSE_NOTE, ContextBudget
from bot.domain.failures import MARK_SIGN, NOT_RETRYABLE, Failure, FailureCause, cut_mark, failure_sentence
from bot.domain.ids import CharacterId, ConversationId
from bot.domain.turns import PostKind, Transport, VersionState
from bot.nanogpt.payloads import read_character
from bot.services.breakers import HOLD_SECONDS
from bot.services.outlet import Busy, Forbidden, Gone, Lost, OutletError, Refused
from bot.services.speaking import FOLD_WITHIN_MS
from bot.services.turn import TYPING_AFTER_SECONDS, TYPING_AGAIN_SECONDS, Readers, TurnSettings
from bot.store.database import Database
from bot.store.errors import DatabaseLocked
from bot.store.vault import Vault
from tests.support.manual_clock import ManualClock
from tests.support.recording_outlet import Act, Call, Gate, Outcome, fails
from tests.support.relay_world import ALICE, BOB, GUIDE, GUILD, ROOM, THREAD, RelayWorld, Rules, character
from tests.support.scripted_upstream import SITE, Piece, ended, event, refuses, says, streams

BARD = CharacterId("bard")
NOON_RESET_S = 1_800_057_600
"""The next midnight UTC after the clock's start."""


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> RelayWorld:
    world = RelayWorld(database, vault, clock)
    await world.open()
    await world.bind()
    return world


async def opened(world: RelayWorld, rules: Rules) -> RelayWorld:
    """Open a world of other rules in the place of one."""
    other = RelayWorld(
        world.database,
        world.vault,
        world.clock,
        rules,
        outlet=world.outlet,
        upstream=world.upstream,
        town=world.town,
    )
    await other.open()
    return other


async def until_claimed(world: RelayWorld, count: int, state: str | None = None) -> None:
    """Wait until so many messages were let in, or are in a state."""
    async with asyncio.timeout(10):
        while sum(state in (None, found) for found, _ in await world.claims()) < count:
            pass


def failed(error: dict[str, str]) -> bytes:
    """Return the event by which a stream says that it failed."""
    return event("failed", response={"id": "resp_1", "status": "failed", "error": error})


# What upstream says in the place of a reply.

WITHOUT_TEXT: list[tuple[str, httpx.Response | Exception, FailureCause]] = [
    ("no credit", refuses(402, "Insufficient balance"), FailureCause.BALANCE),
    ("bad key", refuses(401, "Invalid session"), FailureCause.BAD_KEY),
    ("not permitted", refuses(403, "Not allowed for this key", kind="permission_error"), FailureCause.NOT_PERMITTED),
    ("too many requests", refuses(429, "Slow down", retry_after="2"), FailureCause.BUSY),
    ("server error", refuses(500), FailureCause.UPSTREAM_DOWN),
    ("gateway", refuses(502), FailureCause.UPSTREAM_DOWN),
    ("unavailable", refuses(503), FailureCause.UPSTREAM_DOWN),
    ("no connection", httpx.ConnectError("no"), FailureCause.UPSTREAM_DOWN),
    ("silence", httpx.ReadTimeout("slow"), FailureCause.STALLED),
    ("silent stream", streams(httpx.ReadTimeout("slow")), FailureCause.STALLED),
    ("stream that ends", streams(event("created", response={"id": "resp_1"})), FailureCause.CUT),
    ("stream that breaks", streams(httpx.ReadError("reset")), FailureCause.CUT),
    ("nothing said", streams(ended("")), FailureCause.EMPTY),
    ("only its own name", says("Guide:"), FailureCause.EMPTY),
    (
        "no room",
        streams(ended("", status="incomplete", incomplete_details={"reason": "max_output_tokens"})),
        FailureCause.LENGTH,
    ),
    (
        "held back",
        streams(ended("", status="incomplete", incomplete_details={"reason": "content_filter"})),
        FailureCause.FILTERED,
    ),
    ("policy", refuses(400, code="content_policy_violation"), FailureCause.CONTENT_POLICY),
    ("body too large", refuses(413), FailureCause.CONTEXT_TOO_LONG),
    ("withdrawn", refuses(403, "This character is not available via API"), FailureCause.CHARACTER_UNAVAILABLE),
    ("not found", refuses(404, "No such thing"), FailureCause.CHARACTER_UNAVAILABLE),
    ("bad request", refuses(400, "What is this?"), FailureCause.REJECTED),
    ("conflict", refuses(409), FailureCause.REJECTED),
    ("failed stream", streams(failed({"code": "server_error", "message": "x"})), FailureCause.UPSTREAM_DOWN),
    ("no answer of theirs", httpx.Response(302, headers={"location": "/"}), FailureCause.UPSTREAM_DOWN),
]


@pytest.mark.parametrize(
    ("reply", "cause"), [case[1:] for case in WITHOUT_TEXT], ids=[case[0] for case in WITHOUT_TEXT]
)
async def test_what_upstream_refuses_is_said_in_the_bots_name(
    world: RelayWorld, reply: httpx.Response | Exception, cause: FailureCause
) -> None:
    world.upstream.script(reply)
    await world.ask()
    (mark,) = world.shown()
    assert mark.draft.text == failure_sentence(Failure(cause))
    assert mark.transport is Transport.BOT
    assert mark.draft.persona is None
    assert (mark.draft.controls is not None and mark.draft.controls.retry) is (cause not in NOT_RETRYABLE)
    assert await world.states() == [("failed", cause.value)]
    assert await world.claims() == [("failed", cause.value)]


@pytest.mark.parametrize(
    ("headers", "resets_at"), [({"retry_after": "600"}, 1_800_000_600), ({}, NOON_RESET_S)], ids=["told", "midnight"]
)
async def test_a_used_up_day_says_when_it_works_again(
    world: RelayWorld, headers: dict[str, str], resets_at: int
) -> None:
    world.upstream.script(refuses(429, code="daily_usd_limit_exceeded", **headers))
    await world.ask()
    assert world.texts() == [failure_sentence(Failure(FailureCause.DAILY_LIMIT, resets_at_s=resets_at))]
    assert f"<t:{resets_at}:R>" in world.texts()[0]


WITH_TEXT: list[tuple[str, tuple[Piece | str, ...], FailureCause]] = [
    ("stream that ends", ("Once upon a time",), FailureCause.CUT),
    ("stream that breaks", ("Once upon a time", httpx.ReadError("reset")), FailureCause.CUT),
    ("silence", ("Once upon a time", httpx.ReadTimeout("slow")), FailureCause.STALLED),
    ("failure", ("Once upon a time", failed({"code": "server_error", "message": "x"})), FailureCause.UPSTREAM_DOWN),
    (
        "length",
        ("Once", ended("Once upon a time", status="incomplete", incomplete_details={"reason": "max_output_tokens"})),
        FailureCause.LENGTH,
    ),
    (
        "filter",
        ("Once", ended("Once upon a time", status="incomplete", incomplete_details={"reason": "content_filter"})),
        FailureCause.FILTERED,
    ),
    ("policy", ("Once upon a time", failed({"code": "content_filter", "message": "x"})), FailureCause.CONTENT_POLICY),
]


@pytest.mark.parametrize(("pieces", "cause"), [case[1:] for case in WITH_TEXT], ids=[case[0] for case in WITH_TEXT])
async def test_what_came_of_a_reply_is_kept_and_marked(
    world: RelayWorld, pieces: tuple[Piece | str, ...], cause: FailureCause
) -> None:
    world.upstream.script(streams(*pieces))
    await world.ask()
    (message,) = world.shown()
    assert message.draft.text == f"Once upon a time\n{cut_mark(Failure(cause))}"
    assert message.transport is Transport.WEBHOOK
    assert message.draft.controls is not None
    assert message.draft.controls.retry
    assert await world.states() == [("failed", cause.value)]
    (turn,) = await world.all_turns()
    version = await world.turns.latest_version(turn.id)
    assert version is not None
    assert (version.state, version.text) == (VersionState.PARTIAL, "Once upon a time")


async def test_a_text_that_upstream_takes_back_is_not_on_show_afterwards(world: RelayWorld) -> None:
    world.upstream.script(says("A bold claim."), streams("Something else", ended("Quite another thing.")))
    await world.ask()
    await world.ask()
    assert world.texts() == ["A bold claim.", "Quite another thing."]


async def test_a_fault_while_reading_is_marked_with_a_code(world: RelayWorld, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    world.upstream.script(streams(broken))
    await world.ask()
    assert world.texts() == [failure_sentence(Failure(FailureCause.UNEXPECTED, code="code1"))]
    assert "`code1`" in world.texts()[0]
    assert "(code code1)" in caplog.text
    assert await world.states() == [("failed", "unexpected")]


async def test_a_fault_while_reading_leaves_what_was_read(world: RelayWorld) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    world.upstream.script(streams("Once upon a time", broken))
    await world.ask()
    assert world.texts() == [f"Once upon a time\n{cut_mark(Failure(FailureCause.UNEXPECTED))}"]


async def test_a_fault_before_reading_is_marked_with_a_code(
    world: RelayWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.faults.append(ZeroDivisionError("a fault"))
    await world.ask()
    assert world.texts() == [failure_sentence(Failure(FailureCause.UNEXPECTED, code="code1"))]
    assert "(code code1)" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_a_fault_that_cannot_be_marked_ends_the_turn_all_the_same(
    world: RelayWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.faults.extend([ZeroDivisionError("a fault"), ZeroDivisionError("another")])
    await world.ask()
    assert world.texts() == []
    assert await world.states() == [("failed", "unexpected")]
    assert "could not be marked either (code code1)" in caplog.text


@pytest.mark.parametrize("act", [Act.TRANSPORT, Act.POST])
async def test_a_mistake_in_posting_is_marked_and_not_tried_for_ever(world: RelayWorld, act: Act) -> None:
    async def stumble(call: Call) -> None:
        if call.act is act and call.transport is not Transport.BOT:
            raise TypeError("a mistake")

    world.outlet.on_call = stumble
    await world.ask()
    assert world.texts() == [failure_sentence(Failure(FailureCause.UNEXPECTED, code="code1"))]
    assert await world.states() == [("failed", "unexpected")]
    assert len(world.outlet.of(act)) == 1 + (act is Act.POST)


async def test_a_mistake_in_typing_costs_no_reply(world: RelayWorld, caplog: pytest.LogCaptureFixture) -> None:
    async def stumble(call: Call) -> None:
        if call.act is Act.TYPING:
            raise TypeError("a mistake")

    world.outlet.on_call = stumble
    gate = Gate()
    world.upstream.script(says(gate, "Well."))
    world.say()
    await gate.entered.wait()
    await world.clock.pass_for(TYPING_AFTER_SECONDS)
    await world.outlet.until(lambda: world.outlet.of(Act.TYPING))
    gate.open()
    await world.idle()
    assert world.texts() == ["Well."]
    assert "TypeError" in caplog.text


async def test_a_fault_in_a_channel_that_is_gone_ends_the_turn(world: RelayWorld) -> None:
    world.faults.append(ZeroDivisionError("a fault"))
    del world.town.restricted[ROOM]
    await world.ask()
    assert await world.states() == [("failed", "unexpected")]


async def test_a_reply_that_stands_though_its_end_could_not_be_written_down_stays(world: RelayWorld) -> None:
    async with world.full_disk():
        world.say()
        await world.outlet.until(lambda: "Hello." in world.texts())
        await world.clock.sleeping()
    await world.idle_in_time()
    assert world.texts()[0] == "Hello."
    assert [state for state, _ in await world.states()] == ["failed"]
    await world.ask("And now?")
    assert world.texts()[-1] == "Hello."


async def test_a_turn_that_nothing_could_be_said_of_is_marked_once_it_can_be_ended(world: RelayWorld) -> None:
    world.outlet.script(Act.POST, fails(Forbidden()), fails(Forbidden()))
    async with world.full_disk():
        world.say()
        await world.outlet.until(lambda: len(world.outlet.of(Act.POST)) == 2)
        await world.clock.sleeping()
    await world.idle_in_time()
    assert world.texts() == [failure_sentence(Failure(FailureCause.UNEXPECTED))]
    assert await world.states() == [("failed", "unexpected")]


# More than one failure.


async def test_failures_of_one_cause_share_a_mark(world: RelayWorld) -> None:
    for _ in range(3):
        world.upstream.script(refuses(503))
        await world.ask()
    assert len(world.texts()) == 1
    assert await world.states() == [("failed", "upstream_down")]
    (turn,) = await world.all_turns()
    assert len(turn.messages) == 3


async def test_a_failure_of_another_cause_has_a_mark_of_its_own(world: RelayWorld) -> None:
    world.upstream.script(refuses(503), refuses(404), refuses(503))
    for _ in range(3):
        await world.ask()
    assert len(world.texts()) == 3


async def test_after_five_minutes_a_failure_is_marked_anew(world: RelayWorld) -> None:
    world.upstream.script(refuses(503), refuses(503))
    await world.ask()
    world.clock.advance(FOLD_WITHIN_MS / 1_000 + 1)
    await world.ask()
    assert len(world.texts()) == 2


async def test_a_reply_between_two_failures_parts_them(world: RelayWorld) -> None:
    world.upstream.script(refuses(503), says("Better."), refuses(503))
    for _ in range(3):
        await world.ask()
    assert len(world.texts()) == 3


async def test_a_key_that_cannot_pay_is_left_alone_for_a_while(world: RelayWorld) -> None:
    world.upstream.script(refuses(402))
    await world.ask()
    await world.ask()
    assert len(world.upstream.asked) == 1
    world.clock.advance(HOLD_SECONDS)
    await world.ask()
    assert len(world.upstream.asked) == 2
    assert world.texts()[-1] == "Hello."


# Context.


async def test_the_history_is_sent_with_names_and_the_greeting_first(world: RelayWorld) -> None:
    await world.greet("Good evening.")
    world.upstream.script(says("Good evening, Alice."))
    await world.ask("Hi", by=ALICE)
    await world.ask("[Alice] May I?", by=BOB)
    assert world.upstream.said() == [
        ("assistant", "Good evening."),
        ("user", "[Alice] Hi"),
        ("assistant", "Good evening, Alice."),
        ("user", "[Bob] \\[Alice] May I?"),
    ]


async def test_a_request_names_the_character_and_stores_nothing(world: RelayWorld) -> None:
    await world.ask()
    (body,) = world.upstream.asked
    assert body["character_id"] == GUIDE
    assert body["store"] is False
    assert "instructions" not in body
    assert body["input"][0]["role"] == "developer"
    assert body["input"][0]["content"] == HOUSE_NOTE


async def test_a_greeting_that_the_server_sends_is_not_sent_again(world: RelayWorld) -> None:
    other = await opened(world, Rules(turn=TurnSettings(ContextBudget(40, 24_000), greeting_sent_by_server=True)))
    await other.greet("Good evening.")
    await other.ask("Hi")
    assert other.upstream.said() == [("user", "[Alice] Hi")]


async def test_the_longest_answer_is_the_operators_choice(world: RelayWorld) -> None:
    other = await opened(world, Rules(turn=TurnSettings(ContextBudget(40, 24_000), max_output_tokens=500)))
    await other.ask()
    assert other.upstream.asked[0]["max_output_tokens"] == 500


async def test_a_context_that_is_too_long_is_halved_once(world: RelayWorld) -> None:
    other = await opened(world, Rules(turn=TurnSettings(ContextBudget(4, 24_000))))
    for text in ("One", "Two", "Three"):
        await other.ask(text)
    other.upstream.script(refuses(400, code="context_length_exceeded"), says("Now it fits."))
    await other.ask("Four")
    assert other.texts()[-1] == "Now it fits."
    assert [len(other.upstream.said(place)) for place in (-2, -1)] == [5, 3]
    assert other.upstream.said()[-1] == ("user", "[Alice] Four")


async def test_when_the_context_is_too_long_the_oldest_of_many_new_messages_are_left_out(world: RelayWorld) -> None:
    other = await opened(world, Rules(turn=TurnSettings(ContextBudget(40, 100))))
    gate = Gate()
    other.upstream.script(says(gate, "One moment."))
    other.say("Wait")
    await gate.entered.wait()
    for letter in "abcd":
        other.say(letter * 20)
    other.upstream.script(refuses(400, code="context_length_exceeded"), says("Now it fits."))
    gate.open()
    await other.idle_in_time()
    assert other.texts()[-1] == "Now it fits."
    whole, cut = (other.upstream.said(place) for place in (-2, -1))
    assert [text for role, text in whole if role == "user"][-4:] == [f"[Alice] {letter * 20}" for letter in "abcd"]
    assert cut == [("user", f"[Alice] {letter * 20}") for letter in "cd"]


async def test_a_context_that_is_too_long_twice_is_told(world: RelayWorld) -> None:
    too_long = [refuses(400, code="context_length_exceeded") for _ in range(2)]
    world.upstream.script(*too_long)
    await world.ask()
    assert world.texts() == [failure_sentence(Failure(FailureCause.CONTEXT_TOO_LONG))]
    assert len(world.upstream.asked) == 2


async def test_a_context_that_is_too_long_in_mid_sentence_is_not_asked_again(world: RelayWorld) -> None:
    world.upstream.script(streams("Once upon a time", failed({"code": "context_length_exceeded", "message": "x"})))
    await world.ask()
    assert len(world.upstream.asked) == 1
    assert world.texts()[0].startswith("Once upon a time\n")


# Who may speak, and to whom.


async def test_a_character_above_the_ceiling_falls_silent(world: RelayWorld) -> None:
    world.upstream.characters[GUIDE] = character(GUIDE, content_rating="explicit")
    world.clock.advance(11 * 60)
    await world.ask()
    assert world.upstream.asked == []
    assert await world.states() == [("dropped", "paused")]
    binding = world.index.get(ROOM)
    assert binding is not None
    assert binding.pause_cause is PauseCause.ABOVE_CEILING
    assert len(world.texts()) == 1


async def test_a_character_that_upstream_withdraws_is_paused_though_a_list_still_names_it(world: RelayWorld) -> None:
    world.upstream.script(refuses(403, "This character is not available via API"))
    for _ in range(3):
        await world.ask()
        await world.shelf.remember([read_character(character(GUIDE), site=SITE)])
        world.clock.advance(20)
    assert len(world.upstream.asked) == 1
    binding = world.index.get(ROOM)
    assert binding is not None
    assert binding.pause_cause is PauseCause.UNAVAILABLE


async def test_a_character_that_upstream_withdraws_is_paused_at_the_next_message(world: RelayWorld) -> None:
    world.upstream.script(refuses(403, "This character is not available via API"))
    await world.ask()
    await world.ask()
    assert len(world.upstream.asked) == 1
    assert await world.states() == [("failed", "character_unavailable"), ("dropped", "paused")]
    binding = world.index.get(ROOM)
    assert binding is not None
    assert binding.pause_cause is PauseCause.UNAVAILABLE


async def grown_up(world: RelayWorld) -> None:
    """Let a character for adults speak in the room, which is age-restricted."""
    world.town.restricted[ROOM] = True
    world.upstream.characters[BARD] = character(BARD, content_rating="nsfw")
    await world.bind(character_id=BARD)


async def test_a_reply_that_waits_for_discord_is_not_shown_where_it_may_not_be_any_more(world: RelayWorld) -> None:
    await grown_up(world)
    world.outlet.script(Act.POST, fails(Busy(60.0)))
    world.say()
    await world.outlet.until(lambda: world.outlet.of(Act.POST))
    world.town.restricted[ROOM] = False
    changing = asyncio.create_task(world.upkeep.channel_changed(ROOM, age_restricted=False))
    await world.outlet.until(world.texts)
    await world.clock.pass_for(60.0)
    await changing
    await world.idle()
    (notice,) = world.shown()
    assert notice.draft.persona is None
    assert await world.states() == [("dropped", "paused")]
    assert await world.claims() == [("dropped", "paused")]


async def test_a_reply_that_waits_for_discord_is_shown_where_the_pause_is_over(world: RelayWorld) -> None:
    await grown_up(world)
    world.outlet.script(Act.POST, fails(Busy(60.0)))
    world.say()
    await world.outlet.until(lambda: world.outlet.of(Act.POST))
    binding = world.index.get(ROOM)
    assert binding is not None
    await world.upkeep.pause(binding, PauseCause.UNVERIFIED)
    await world.clock.pass_for(60.0)
    await world.idle()
    assert world.texts()[-1] == "Hello."


async def test_a_reply_of_a_character_that_another_replaced_is_not_shown_where_it_may_not_be(
    world: RelayWorld,
) -> None:
    await grown_up(world)
    world.outlet.script(Act.POST, fails(Busy(60.0)))
    world.say()
    await world.outlet.until(lambda: world.outlet.of(Act.POST))
    world.town.restricted[ROOM] = False
    await world.bind()
    await world.clock.pass_for(60.0)
    await world.idle()
    assert world.texts() == []
    assert await world.states() == [("dropped", "unbound")]


async def test_a_member_who_asked_to_be_ignored_meanwhile_is_not_answered(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(says(gate, "First."))
    world.say("One", by=BOB)
    await gate.entered.wait()
    world.say("Two", by=ALICE)
    await until_claimed(world, 2)
    world.ignored.ignore(ALICE)
    gate.open()
    await world.idle()
    assert world.texts() == ["First."]
    assert await world.states() == [("answered", None), ("dropped", "ignored_member")]


async def test_of_several_only_those_who_want_to_be_heard_are(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(says(gate, "First."))
    world.say("One", by=BOB)
    await gate.entered.wait()
    world.say("Two", by=ALICE)
    world.say("Three", by=BOB)
    await until_claimed(world, 3)
    world.ignored.ignore(ALICE)
    gate.open()
    await world.idle()
    assert world.upstream.said() == [("user", "[Bob] One"), ("assistant", "First."), ("user", "[Bob] Three")]


async def test_what_an_ignored_member_said_before_is_not_sent_any_more(world: RelayWorld) -> None:
    await world.ask("One", by=ALICE)
    world.ignored.ignore(ALICE)
    await world.ask("Two", by=BOB)
    assert world.upstream.said() == [("assistant", "Hello."), ("user", "[Bob] Two")]


async def test_a_message_that_was_deleted_before_its_turn_is_not_answered(world: RelayWorld) -> None:
    world.upstream.script(refuses(402, "Insufficient balance"))
    first = await world.ask("One")
    binding = world.index.get(ROOM)
    assert binding is not None
    (turn,) = await world.all_turns()
    await world.turns.erase([first.id])
    await world.turns.ask_again(turn.id)
    world.relay.wake(await world.conversation(binding))
    await world.idle()
    assert await world.states() == [("dropped", "deleted")]


# Where it cannot be said.


@pytest.mark.parametrize("error", [Forbidden(), Gone(Lost.PLACE)])
async def test_where_nobody_may_speak_the_turn_ends_in_silence(world: RelayWorld, error: OutletError) -> None:
    world.outlet.script(Act.POST, fails(error))
    await world.ask()
    assert world.texts() == []
    assert await world.states() == [("failed", "cannot_speak")]


LONG = "\n\n".join(f"{number} {'and on ' * 230}" for number in range(3))
"""As many posts as paragraphs."""


async def test_a_reply_whose_end_may_not_be_posted_is_marked_as_cut_and_can_be_retried(world: RelayWorld) -> None:
    other = await opened(world, Rules(feedback_buttons=True))
    other.upstream.script(says(LONG))
    other.outlet.script(Act.TRANSPORT, Outcome(), Outcome(), fails(Forbidden()))
    await other.ask()
    first, second = other.shown()
    mark = cut_mark(Failure(FailureCause.CANNOT_SPEAK))
    assert mark not in first.draft.text
    assert first.draft.controls is None
    assert second.draft.text.startswith("1 and on")
    assert second.draft.text.endswith(mark)
    assert second.draft.controls is not None
    assert second.draft.controls.retry
    assert await other.states() == [("failed", "cannot_speak")]
    (turn,) = await other.all_turns()
    other.upstream.script(says(LONG))
    await other.relay.retry(turn.id, ROOM, ALICE, is_staff=False)
    await other.idle()
    assert [text[:8] for text in other.texts()] == ["0 and on", "1 and on", "2 and on"]
    assert mark not in "".join(other.texts())


async def test_a_greeting_whose_end_may_not_be_posted_is_marked_as_cut(world: RelayWorld) -> None:
    world.outlet.script(Act.TRANSPORT, Outcome(), fails(Forbidden()))
    await world.greet(LONG)
    (only,) = world.shown()
    assert only.draft.text.endswith(cut_mark(Failure(FailureCause.CANNOT_SPEAK)))
    assert only.draft.controls is not None
    assert not only.draft.controls.retry


async def test_a_reply_whose_end_may_not_be_posted_nor_marked_ends_all_the_same(world: RelayWorld) -> None:
    world.upstream.script(says(LONG))
    world.outlet.script(Act.TRANSPORT, Outcome(), fails(Forbidden()))
    world.outlet.script(Act.EDIT, fails(Forbidden()))
    await world.ask()
    assert [text[:8] for text in world.texts()] == ["0 and on"]
    assert await world.states() == [("failed", "cannot_speak")]


async def test_a_text_that_discord_refuses_is_marked(world: RelayWorld) -> None:
    world.outlet.script(Act.POST, fails(Refused(200_000)))
    await world.ask()
    assert world.texts() == [failure_sentence(Failure(FailureCause.REFUSED_BY_DISCORD))]
    assert await world.states() == [("failed", "refused_by_discord")]


async def test_a_final_text_that_discord_refuses_takes_its_preview_with_it(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(says("Once there was a king.", gate, " He was old."))
    world.outlet.script(Act.EDIT, fails(Refused(200_000)))
    world.say()
    await world.outlet.until(world.texts)
    gate.open()
    await world.idle()
    assert world.texts() == [failure_sentence(Failure(FailureCause.REFUSED_BY_DISCORD))]


async def test_a_refused_text_that_cannot_be_taken_back_is_marked_all_the_same(
    world: RelayWorld, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    world.upstream.script(says("Once there was a king.", gate, " He was old."))
    world.outlet.script(Act.EDIT, fails(Refused(200_000)))
    world.outlet.script(Act.DELETE, fails(Forbidden()))
    world.say()
    await world.outlet.until(world.texts)
    gate.open()
    await world.idle()
    assert world.texts()[-1] == failure_sentence(Failure(FailureCause.REFUSED_BY_DISCORD))
    assert "could not be taken back" in caplog.text


async def test_a_mark_that_discord_refuses_ends_the_turn(world: RelayWorld) -> None:
    world.outlet.script(Act.POST, fails(Refused(1)), fails(Refused(1)))
    await world.ask()
    assert world.texts() == []
    assert await world.states() == [("failed", "refused_by_discord")]


async def test_a_channel_that_is_gone_ends_the_turn(world: RelayWorld) -> None:
    del world.town.restricted[ROOM]
    await world.ask()
    assert await world.states() == [("failed", "cannot_speak")]


# Typing.


async def test_a_character_that_thinks_is_shown_typing(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(says(gate, "Well."))
    world.say()
    await gate.entered.wait()
    assert await world.clock.sleeping() == pytest.approx(TYPING_AFTER_SECONDS)
    world.clock.advance(TYPING_AFTER_SECONDS)
    await world.outlet.until(lambda: world.outlet.of(Act.TYPING))
    assert await world.clock.sleeping() == pytest.approx(TYPING_AGAIN_SECONDS)
    world.clock.advance(TYPING_AGAIN_SECONDS)
    await world.outlet.until(lambda: len(world.outlet.of(Act.TYPING)) == 2)
    gate.open()
    await world.idle()
    assert world.texts() == ["Well."]


async def test_typing_ends_with_the_first_word(world: RelayWorld) -> None:
    gate, rest = Gate(), Gate()
    world.upstream.script(says(gate, "Well", rest, "."))
    world.say()
    await gate.entered.wait()
    world.clock.advance(TYPING_AFTER_SECONDS)
    await world.outlet.until(lambda: world.outlet.of(Act.TYPING))
    gate.open()
    await rest.entered.wait()
    world.clock.advance(TYPING_AGAIN_SECONDS)
    rest.open()
    await world.idle_in_time()
    assert len(world.outlet.of(Act.TYPING)) == 1


async def test_a_quick_reply_shows_no_typing(world: RelayWorld) -> None:
    await world.ask()
    assert world.outlet.of(Act.TYPING) == []


@pytest.mark.parametrize("error", [Busy(60.0), Forbidden()])
async def test_typing_that_cannot_be_shown_changes_nothing(world: RelayWorld, error: OutletError) -> None:
    gate = Gate()
    world.upstream.script(says(gate, "Well."))
    world.outlet.script(Act.TYPING, fails(error))
    world.say()
    await gate.entered.wait()
    world.clock.advance(await world.clock.sleeping())
    await world.outlet.until(lambda: world.outlet.of(Act.TYPING))
    gate.open()
    await world.idle()
    assert world.texts() == ["Well."]
    assert len(world.outlet.of(Act.TYPING)) == 1


# Stopping, and many at once.


async def test_a_stopped_reply_keeps_what_can_be_seen(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(streams("Once upon a time", gate))
    world.say()
    await world.outlet.until(world.texts)
    (turn,) = await world.all_turns()
    await world.readers.stop(turn.conversation_id)
    assert world.texts() == [f"Once upon a time\n{cut_mark(Failure(FailureCause.STOPPED))}"]
    assert await world.states() == [("failed", "stopped")]
    (message,) = world.shown()
    assert message.draft.controls is not None
    assert not message.draft.controls.retry


async def test_a_reply_that_is_stopped_before_its_first_word_ends_in_silence(world: RelayWorld) -> None:
    gate = Gate()
    world.upstream.script(streams(gate))
    world.say()
    await gate.entered.wait()
    (turn,) = await world.all_turns()
    await world.readers.stop(turn.conversation_id)
    assert world.texts() == []
    assert await world.states() == [("failed", "stopped")]


async def one_waits_for_another(world: RelayWorld) -> tuple[RelayWorld, Gate]:
    """Let a reply in the room hold the one place that there is, until the gate opens, and one in the thread wait."""
    other = await opened(world, Rules(max_concurrent=1))
    gate = Gate()
    other.upstream.script(says(gate, "First."))
    other.say("One")
    await gate.entered.wait()
    other.say("Two", at=THREAD)
    await until_claimed(other, 2, "running")
    return other, gate


async def test_a_reply_that_waits_for_others_can_be_stopped_too(world: RelayWorld) -> None:
    other, gate = await one_waits_for_another(world)
    second = (await other.all_turns())[1]
    stopping = asyncio.create_task(other.readers.stop(second.conversation_id))
    await asyncio.sleep(0)
    gate.open()
    await stopping
    await other.idle()
    assert other.texts(ROOM) == ["First."]
    assert other.texts(THREAD) == []
    assert (await other.states())[1] == ("failed", "stopped")
    assert len(other.upstream.asked) == 1


async def test_stopping_where_nothing_is_under_way_does_nothing() -> None:
    await Readers().stop(ConversationId(1))


async def test_a_character_that_is_withdrawn_while_its_reply_waits_does_not_speak(world: RelayWorld) -> None:
    other, gate = await one_waits_for_another(world)
    binding = other.index.get(ROOM)
    assert binding is not None
    await other.catalog.withdrawn(binding.character_ref)
    gate.open()
    await other.idle()
    assert other.texts(THREAD) == []
    assert await other.states() == [("answered", None), ("dropped", "paused")]
    assert len(other.upstream.asked) == 1


async def test_nothing_is_paid_for_where_the_bot_may_not_speak(world: RelayWorld) -> None:
    world.outlet.muted.add(ROOM)
    await world.ask()
    assert world.upstream.asked == []
    assert world.outlet.calls == []
    assert await world.states() == [("failed", "cannot_speak")]
    await world.ask(at=THREAD)
    assert world.texts(THREAD) == ["Hello."]
    world.outlet.muted.clear()
    await world.ask()
    assert world.texts(ROOM) == ["Hello."]


async def test_nothing_is_paid_for_where_the_bot_may_no_longer_speak_when_it_is_the_turns_turn(
    world: RelayWorld,
) -> None:
    other, gate = await one_waits_for_another(world)
    other.outlet.muted.add(THREAD)
    gate.open()
    await other.idle()
    assert other.texts(THREAD) == []
    assert await other.states() == [("answered", None), ("failed", "cannot_speak")]
    assert len(other.upstream.asked) == 1


async def test_a_mark_keeps_its_retry_while_the_bot_may_not_speak(world: RelayWorld) -> None:
    world.upstream.script(refuses(402, "Insufficient balance"))
    await world.ask()
    world.outlet.muted.add(ROOM)
    (turn,) = await world.all_turns()
    await world.relay.retry(turn.id, ROOM, ALICE, is_staff=False)
    await world.idle()
    (mark,) = world.shown()
    assert mark.draft.controls is not None
    world.outlet.muted.clear()
    world.clock.advance(HOLD_SECONDS + 1)
    await world.relay.retry(turn.id, ROOM, ALICE, is_staff=False)
    await world.idle()
    assert world.texts() == ["Hello."]


async def test_a_turn_waits_for_its_server_to_be_described(world: RelayWorld) -> None:
    world.town.loading.add(GUILD)
    world.say()
    await world.clock.sleeping()
    assert world.upstream.asked == []
    world.town.loading.clear()
    await world.idle_in_time()
    assert world.texts() == ["Hello."]


async def test_no_more_replies_are_read_at_once_than_allowed(world: RelayWorld) -> None:
    other = await opened(world, Rules(max_concurrent=1))
    gates = [Gate(), Gate()]
    other.upstream.script(says(gates[0], "First."), says(gates[1], "Second."))
    other.say("One")
    await gates[0].entered.wait()
    other.say("Two", at=THREAD)
    await until_claimed(other, 2, "running")
    assert len(other.upstream.asked) == 1
    gates[0].open()
    await gates[1].entered.wait()
    gates[1].open()
    await other.idle()
    assert (other.texts(ROOM), other.texts(THREAD)) == (["First."], ["Second."])


# Retry.


async def retried(world: RelayWorld) -> None:
    """Press Retry on the newest turn, and wait for what comes of it."""
    turn = (await world.all_turns())[-1]
    place = THREAD if world.texts(THREAD) else ROOM
    await world.relay.retry(turn.id, place, ALICE, is_staff=False)
    await world.idle_in_time()


async def test_a_retry_takes_the_mark_back_and_answers(world: RelayWorld) -> None:
    world.upstream.script(refuses(503), says("Here I am."))
    await world.ask()
    await retried(world)
    assert world.texts() == ["Here I am."]
    assert await world.states() == [("answered", None)]
    (turn,) = await world.all_turns()
    assert [post.kind for post in await world.posts.of_turn(turn.id)] == [PostKind.REPLY]


async def test_a_retry_that_fails_again_is_marked_anew_under_another_name(world: RelayWorld) -> None:
    world.upstream.script(refuses(503), refuses(503))
    await world.ask()
    (first,) = world.shown()
    await retried(world)
    (second,) = world.shown()
    assert first.id != second.id
    assert first.draft.nonce != second.draft.nonce


async def test_a_retry_of_a_reply_that_was_cut_writes_over_it(world: RelayWorld) -> None:
    world.upstream.script(streams("Once upon a time"), says("Once there was a king."))
    await world.ask()
    await retried(world)
    assert world.texts() == ["Once there was a king."]
    assert len(world.outlet.of(Act.POST)) == 1


async def test_a_retry_that_yields_nothing_leaves_what_stood_there(world: RelayWorld) -> None:
    world.upstream.script(streams("Once upon a time"), refuses(503))
    await world.ask()
    await retried(world)
    assert world.texts() == [f"Once upon a time\n{cut_mark(Failure(FailureCause.UPSTREAM_DOWN))}"]


async def test_a_fault_at_a_retry_does_not_leave_two_marks(world: RelayWorld) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    world.upstream.script(refuses(503), streams(broken))
    await world.ask()
    await retried(world)
    assert world.texts() == [failure_sentence(Failure(FailureCause.UNEXPECTED, code="code1"))]


async def test_a_retried_reply_keeps_its_place_in_the_history(world: RelayWorld) -> None:
    world.upstream.script(refuses(503), says("Second."), says("First."), says("Third."))
    await world.ask("One")
    await world.ask("Two")
    first = (await world.all_turns())[0]
    await world.relay.retry(first.id, ROOM, ALICE, is_staff=False)
    await world.idle_in_time()
    await world.ask("Three")
    assert world.upstream.said() == [
        ("user", "[Alice] One"),
        ("assistant", "First."),
        ("user", "[Alice] Two"),
        ("assistant", "Second."),
        ("user", "[Alice] Three"),
    ]


# Buttons, and the bot in a character's place.


async def test_buttons_move_to_the_newest_reply(world: RelayWorld) -> None:
    other = await opened(world, Rules(feedback_buttons=True))
    await other.ask()
    await other.ask()
    first, second = other.shown()
    assert first.draft.controls is None
    assert second.draft.controls is not None
    assert second.draft.controls.feedback


async def test_buttons_move_away_from_what_an_earlier_process_said(world: RelayWorld) -> None:
    other = await opened(world, Rules(feedback_buttons=True))
    await other.ask()
    await other.ask("And in the thread?", at=THREAD)
    later = await opened(other, Rules(feedback_buttons=True))
    await later.ask()
    assert [message.draft.controls is not None for message in later.shown()] == [False, True]
    assert [message.draft.controls is not None for message in later.shown(THREAD)] == [True]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("shown", ["", "Half a"], ids=["mark", "cut reply"])
async def test_what_can_be_retried_can_be_after_the_next_reply_too(
    world: RelayWorld, shown: str, *, restarted: bool
) -> None:
    other = await opened(world, Rules(feedback_buttons=True))
    await other.ask("Before", by=BOB)
    other.upstream.script(streams(shown, httpx.ReadError("cut")))
    await other.ask("From Alice")
    if restarted:
        other = await opened(other, Rules(feedback_buttons=True))
    await other.ask("From Bob", by=BOB)
    before, to_be_retried, after = (message.draft for message in other.shown())
    assert to_be_retried.text.startswith(shown or MARK_SIGN)
    assert to_be_retried.controls is not None
    assert to_be_retried.controls.retry
    assert before.controls is None
    assert after.controls is not None


async def test_buttons_move_to_what_was_answered_at_last(world: RelayWorld) -> None:
    other = await opened(world, Rules(feedback_buttons=True))
    other.upstream.script(streams("Half a", httpx.ReadError("cut")))
    await other.ask()
    await other.ask("And this?")
    (cut, _) = await other.all_turns()
    await other.relay.retry(cut.id, ROOM, ALICE, is_staff=False)
    await other.idle()
    first, second = (message.draft for message in other.shown())
    assert first.controls is not None
    assert not first.controls.retry
    assert second.controls is None


async def test_buttons_of_an_earlier_process_are_left_after_an_hour(world: RelayWorld) -> None:
    other = await opened(world, Rules(feedback_buttons=True))
    await other.ask()
    later = await opened(other, Rules(feedback_buttons=True))
    later.clock.advance(3_601)
    await later.ask()
    assert [message.draft.controls is not None for message in later.shown()] == [True, True]


async def test_a_database_that_does_not_tell_where_the_buttons_are_costs_no_reply(
    world: RelayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await opened(world, Rules(feedback_buttons=True))

    async def fail(*_: object, **__: object) -> None:
        raise DatabaseLocked(Path("bot.db"))

    monkeypatch.setattr(other.posts, "last_answer_in", fail)
    await other.ask()
    assert await other.states() == [("answered", None)]
    assert len(other.texts()) == 1


async def test_old_buttons_are_left_where_they_are(world: RelayWorld) -> None:
    other = await opened(world, Rules(feedback_buttons=True))
    await other.ask()
    other.clock.advance(3_601)
    await other.ask()
    assert [message.draft.controls is not None for message in other.shown()] == [True, True]


async def test_without_buttons_none_move(world: RelayWorld) -> None:
    await world.ask()
    await world.ask()
    assert world.outlet.of(Act.BARE) == []


async def test_without_a_webhook_staff_is_told_once_how_to_get_one(world: RelayWorld) -> None:
    world.outlet.speaks_as = Transport.BOT
    await world.ask()
    await world.ask()
    hints = [text for text in world.texts() if "Manage Webhooks" in text]
    assert len(hints) == 1
    assert len(world.texts()) == 3


async def test_the_room_beside_a_turn_is_known_by_its_persona(world: RelayWorld) -> None:
    await world.ask()
    (message,) = world.shown()
    assert message.draft.persona is not None
    assert message.draft.persona.name == "Guide"


async def test_a_name_that_somebody_who_spoke_goes_by_stays_marked(world: RelayWorld) -> None:
    world.upstream.characters[GUIDE]["name"] = "Bob"
    world.clock.advance(11 * 60)
    for author in (ALICE, BOB, ALICE):
        await world.ask(by=author)
    fresh = await world.restarted()
    await fresh.recovered()
    await fresh.ask(by=ALICE)
    shown = [message.draft.persona for message in fresh.shown()]
    assert [persona and persona.name for persona in shown] == ["Bob", "Bob (AI)", "Bob (AI)", "Bob (AI)"]


async def test_the_newest_knowledge_of_a_character_is_the_one_that_speaks(world: RelayWorld) -> None:
    world.upstream.characters[GUIDE] = character(GUIDE, base_model_id="another-model")
    world.clock.advance(11 * 60)
    world.upstream.script(refuses(400, "model is required", code="missing_required_parameter"), says("Fine."))
    await world.ask()
    assert world.upstream.asked[-1]["model"] == "another-model"
