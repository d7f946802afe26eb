"""Whatever goes wrong at NanoGPT: one sentence or the marked part of a reply, and a way to go on.

One bot runs for all of these tests, which keep to a server each.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from bot.sandbox.discord import Permission
from bot.sandbox.nanogpt.faults import Fault
from tests.end_to_end.scene import GREETING, Scene, labels
from tests.end_to_end.world import World

together = pytest.mark.asyncio(loop_scope="module")
WHOLE = "The river begins in the hills, and it ends where nobody has been."
PART = 31
"""Characters after which a reply breaks off: "The river begins in the hills, "."""
SHORT_PATIENCE = {"nanogpt__idle_timeout_seconds": "0.2"}
HASTE = 50


@dataclass(frozen=True)
class Case:
    fault: Fault
    sentence: str
    times: int = 1
    """How often it is asked before people are told."""
    wait_minutes: float = 0
    """When a key may be asked again."""

    def __str__(self) -> str:
        return self.fault.name.lower()


NOTHING_SAID = (
    Case(Fault.BAD_KEY, "The key that pays for this was refused", wait_minutes=2),
    Case(Fault.INSUFFICIENT_BALANCE, "has run out of credit", wait_minutes=2),
    Case(Fault.DAILY_CAP, "Today's limit of the AI service is used up. It works again <t:", wait_minutes=24 * 60),
    Case(Fault.RATE_LIMITED, "answering too many people", 3),
    Case(Fault.EMPTY_500, "having trouble", 3),
    Case(Fault.HTML_502, "having trouble", 3),
    Case(Fault.UNAVAILABLE, "having trouble", 3),
    Case(Fault.NOT_JSON, "having trouble"),
    Case(Fault.STALL_BEFORE_ANSWER, "did not answer in time", 3),
    Case(Fault.STALL_BEFORE_TEXT, "did not answer in time", 3),
    Case(Fault.CUT_BEFORE_ANSWER, "having trouble", 3),
    Case(Fault.CUT_BEFORE_TEXT, "connection to the AI service broke", 3),
    Case(Fault.END_BEFORE_TEXT, "connection to the AI service broke", 3),
    Case(Fault.FAILED_BEFORE_TEXT, "having trouble", 3),
    Case(Fault.ERROR_BEFORE_TEXT, "having trouble", 3),
    Case(Fault.EMPTY, "had nothing to say", 2),
    Case(Fault.CONTENT_POLICY, "will not answer this"),
    Case(Fault.CONTEXT_TOO_LONG, "has become too long for the character. Use /character reset", 2),
)
IN_MID_TEXT = (
    Case(Fault.STALL_IN_TEXT, "cut off: the AI service stopped in mid-sentence"),
    Case(Fault.CUT_IN_TEXT, "cut off: the connection to the AI service broke"),
    Case(Fault.END_IN_TEXT, "cut off: the connection to the AI service broke"),
    Case(Fault.FAILED_IN_TEXT, "cut off: the AI service had trouble"),
    Case(Fault.ERROR_IN_TEXT, "cut off: the AI service had trouble"),
    Case(Fault.CHAT_STYLE_ERROR, "cut off: the AI service had trouble"),
    Case(Fault.INCOMPLETE, "cut off: the reply reached its length limit"),
    Case(Fault.CONTENT_FILTERED, "cut off by the AI service"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(shared_world: World) -> AsyncGenerator[World]:
    """Run one bot for the tests that need it to be no other than usual, but impatient."""
    shared_world.time.haste = HASTE
    async with shared_world.bot(**SHORT_PATIENCE):
        yield shared_world


@together
@pytest.mark.parametrize("case", NOTHING_SAID, ids=str)
async def test_a_reply_that_never_began_is_one_sentence_of_the_bots_with_a_retry(running: World, case: Case) -> None:
    scene = Scene.of(running)
    await scene.use()
    running.upstream.faults.next(case.fault, case.times)
    asked = await scene.owner.say(scene.channel, "Where does the river end?")
    mark = await scene.marked(case.sentence)
    await scene.settled()
    assert scene.spoken() == [GREETING]
    assert len(scene.calls) == case.times
    assert running.upstream.faults.pending == ()
    assert labels(mark) == ["Retry"]
    assert case.sentence.partition(".")[0][:30] in await scene.why(asked)

    running.time.skip(minutes=case.wait_minutes)
    running.upstream.script(WHOLE)
    pressed = await scene.owner.click(mark, "Retry")
    assert pressed.kind == "deferred_update"
    await scene.shows(WHOLE)
    await scene.settled()
    # The mark has made room for the reply.
    assert mark.deleted
    assert not scene.marks()
    assert scene.context() == [f"assistant: {GREETING}", "user: [Owner] Where does the river end?"]


@together
@pytest.mark.parametrize("case", IN_MID_TEXT, ids=str)
async def test_a_reply_that_broke_off_is_kept_and_marked_and_a_retry_takes_its_place(
    running: World, case: Case
) -> None:
    scene = Scene.of(running)
    await scene.use()
    running.upstream.script(WHOLE)
    running.upstream.faults.next(case.fault, after_characters=PART)
    asked = await scene.owner.say(scene.channel, "Where does the river end?")
    part = f"{WHOLE[:PART].rstrip()}\n-# ⚠ {case.sentence}"
    reply = await scene.shows(part)
    await scene.settled()
    assert len(scene.calls) == 1
    assert not scene.marks()
    assert labels(reply) == ["★ Rate", "⚑ Report", "Retry"]
    why = await scene.why(asked)
    assert "answered only in part" in why
    assert str(reply.id) in why

    await scene.ask("Go on", "I was saying:")
    assert f"assistant: {WHOLE[:PART]}" in scene.context()

    running.upstream.script(WHOLE)
    await scene.owner.click(reply, "Retry")
    await scene.until(lambda: reply.content == WHOLE, "the whole reply")
    await scene.settled()
    assert labels(reply) == ["★ Rate", "⚑ Report"]
    # What came later is not told to a reply that comes in an earlier place.
    assert scene.context() == [f"assistant: {GREETING}", "user: [Owner] Where does the river end?"]


@together
@pytest.mark.parametrize(
    "case", [case for case in NOTHING_SAID if case.times > 1 and case.fault is not Fault.CONTEXT_TOO_LONG], ids=str
)
async def test_trouble_that_passes_is_not_seen(running: World, case: Case) -> None:
    scene = Scene.of(running)
    await scene.use()
    running.upstream.faults.next(case.fault, case.times - 1)
    await scene.ask("Where does the river end?", WHOLE)
    assert len(scene.calls) == case.times
    assert not scene.marks()


@together
@pytest.mark.parametrize("fault", [Fault.CONTENT_POLICY, Fault.FAILED_IN_TEXT], ids=["of a mark", "of a part"])
@pytest.mark.parametrize("who", ["the person answered", "staff"])
async def test_retry_is_for_the_person_answered_and_for_staff(running: World, fault: Fault, who: str) -> None:
    scene = Scene.of(running)
    alice, bob = scene.guild.add_member("Alice"), scene.guild.add_member("Bob")
    staff = scene.guild.add_member("Staff", permissions=Permission.MANAGE_CHANNELS)
    await scene.use()
    running.upstream.script(WHOLE, 2 if fault is Fault.FAILED_IN_TEXT else 1)
    running.upstream.faults.next(fault, after_characters=PART)
    await alice.say(scene.channel, "Where does it end?")
    await scene.until(lambda: any("Retry" in labels(each) for each in scene.channel.messages.values()), "Retry")
    await scene.settled()
    button = next(each for each in scene.channel.messages.values() if "Retry" in labels(each))
    sentence = await scene.read(await bob.click(button, "Retry"))
    assert sentence == "Only the people this answers, and whoever may manage the channel, can press Retry."
    assert len(scene.calls) == 1
    await (staff if who == "staff" else alice).click(button, "Retry")
    await scene.shows(WHOLE)


@together
async def test_two_presses_of_retry_are_one(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    running.upstream.faults.next(Fault.CONTENT_POLICY)
    await scene.owner.say(scene.channel, "Where does it end?")
    mark = await scene.marked("will not answer this")
    await scene.settled()
    async with running.upstream.hold() as held:
        presses = await asyncio.gather(*(scene.owner.click(mark, "Retry") for _ in range(3)))
        await held.waiting()
        await scene.until(lambda: sum(len(press.followups) for press in presses) == 2, "two answers")
        assert {each.content for press in presses for each in press.followups} == {"I am already on it."}
        await held.finish(WHOLE)
    await scene.shows(WHOLE)
    await scene.settled()
    assert len(scene.calls) == 2


@together
async def test_the_same_trouble_within_five_minutes_is_one_mark(running: World) -> None:
    scene = Scene.of(running)
    await scene.use()
    running.upstream.faults.next(Fault.CONTENT_POLICY, 4)
    for number in range(3):
        await scene.owner.say(scene.channel, f"Question {number}?")
        await scene.asked(number + 1)
        await scene.settled()
    (mark,) = scene.marks()
    running.time.skip(minutes=6)
    await scene.owner.say(scene.channel, "Question 3?")
    await scene.marked(count=2)
    # Retry answers everything that stands under the mark.
    running.upstream.script("All three at once.")
    await scene.owner.click(mark, "Retry")
    await scene.shows("All three at once.")
    await scene.settled()
    assert [line for line in scene.context() if line.startswith("user")] == [
        f"user: [Owner] Question {number}?" for number in range(3)
    ]


@together
async def test_a_key_that_cannot_pay_is_not_asked_again_for_a_while(running: World) -> None:
    scene = Scene.of(running)
    other = scene.beside()
    await scene.use()
    await other.use()
    running.upstream.faults.next(Fault.INSUFFICIENT_BALANCE)
    await scene.owner.say(scene.channel, "Hello?")
    await scene.marked("run out of credit")
    await other.owner.say(other.channel, "Hello?")
    await other.marked("run out of credit")
    assert len(scene.calls) == 1
    running.time.skip(minutes=2)
    await other.ask("And now?", "Now I can.")
