import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.ids import CharacterId, CharacterRef, MessageId
from bot.domain.turns import (
    Post,
    PostKind,
    PostState,
    Transport,
    TurnState,
    VersionOutcome,
    VersionState,
)
from bot.services.delivery import Delivery, Ending, Layout, Withheld
from bot.services.lanes import RESERVED_CALLS
from bot.services.outlet import (
    Allowance,
    Busy,
    Controls,
    Forbidden,
    Gone,
    Lost,
    OutletError,
    Persona,
    Refused,
    TextFile,
    Uncertain,
)
from bot.store.database import Database
from bot.store.vault import Vault
from tests.support.manual_clock import ManualClock
from tests.support.post_desk import PREVIEW_SECONDS, ROOM, THREAD, PostDesk
from tests.support.recording_outlet import Act, Call, Echo, Outcome, fails, lost_answer

GUIDE = Persona(CharacterId("guide"), "Guide")
FILE = TextFile("reply.txt", "all of it")
LATER = 3_600.0
"""A first-text delay that no test lives to see the end of."""


class Reply(PostDesk):
    """The desk with deliveries of its turn."""

    def delivery(
        self,
        *,
        delay: float = 0.0,
        standing: Sequence[Post] = (),
        asked_again: bool = False,
        attempt: int = 1,
        persona: Persona | None = GUIDE,
        may_begin: Callable[[], Awaitable[bool]] | None = None,
    ) -> Delivery:
        """Return the delivery of a reply whose parts are separated by bars."""
        return Delivery(
            self.poster,
            turn_id=self.turn_id,
            kind=PostKind.REPLY,
            destination=ROOM,
            persona=persona,
            anchor=self.anchor,
            attempt=attempt,
            preview=parts,
            first_text_delay_seconds=delay,
            standing=standing,
            asked_again=asked_again,
            may_begin=may_begin,
        )

    def note(self, standing: Sequence[Post] = ()) -> Delivery:
        """Return the delivery of a mark."""
        return Delivery(
            self.poster,
            turn_id=self.turn_id,
            kind=PostKind.MARK,
            destination=ROOM,
            persona=None,
            anchor=self.anchor,
            standing=standing,
        )

    def ending(
        self,
        text: str,
        *,
        file: TextFile | None = None,
        state: TurnState = TurnState.ANSWERED,
        cause: str | None = None,
    ) -> Ending:
        outcome = VersionOutcome(text, VersionState.COMPLETE, "resp_1", "a-model", 11, 22, "0.5")
        controls = Controls(self.turn_id, CharacterRef(1), feedback=True)
        return Ending(Layout(parts(text), file), state, cause, outcome, controls)

    async def streamed(self, *texts: str) -> Delivery:
        """Return a delivery that has shown some texts one after the other."""
        delivery = self.delivery()
        for text in texts:
            delivery.feed(text)
            await self.outlet.until(lambda text=text: self.outlet.texts()[-len(parts(text)) :] == list(parts(text)))
            await self.poster.lane(ROOM).idle()
            self.clock.advance(PREVIEW_SECONDS)
        return delivery

    def delete(self, message_id: MessageId) -> None:
        """Let somebody delete a message, and the bot hear of it."""
        self.outlet.remove(message_id)
        assert self.poster.note_deletions([message_id]) == [message_id]

    async def ended_with(self, text: str) -> None:
        """Deliver a whole reply at once."""
        await self.delivery().finish(self.ending(text))

    async def standing(self) -> list[Post]:
        return await self.posts.of_turn(self.turn_id)

    async def version(self) -> tuple[VersionState, str | None] | None:
        found = await self.turns.latest_version(self.turn_id)
        return None if found is None else (found.state, found.text)


def parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("|") if part)


@pytest.fixture
async def reply(database: Database, vault: Vault, clock: ManualClock) -> Reply:
    desk = Reply(database, vault, clock)
    await desk.begin()
    return desk


# What is shown.


async def test_a_short_reply_is_one_post_and_nothing_else(reply: Reply) -> None:
    delivery = reply.delivery(delay=LATER)
    delivery.feed("Hello")
    delivery.feed("Hello there.")
    await delivery.finish(reply.ending("Hello there."))
    (call,) = reply.outlet.of(Act.POST)
    assert reply.outlet.acts == [Act.POST]
    assert call.draft is not None
    assert call.draft.text == "Hello there."
    assert call.draft.persona == GUIDE
    assert call.draft.controls == Controls(reply.turn_id, CharacterRef(1), feedback=True)
    assert await reply.turn_state() == ("answered", None)
    assert await reply.version() == (VersionState.COMPLETE, "Hello there.")


async def test_a_growing_reply_is_posted_once_and_then_edited(reply: Reply) -> None:
    delivery = await reply.streamed("Once", "Once upon", "Once upon a time")
    await delivery.finish(reply.ending("Once upon a time there was."))
    assert reply.outlet.texts() == ["Once upon a time there was."]
    assert reply.outlet.acts == [Act.POST, Act.EDIT, Act.EDIT, Act.EDIT]


async def test_only_the_latest_text_is_shown(reply: Reply) -> None:
    gate = reply.outlet.hold(Act.POST, carried_out=False)
    delivery = reply.delivery()
    delivery.feed("One")
    await gate.entered.wait()
    for text in ("One two", "One two three", "One two three four"):
        delivery.feed(text)
    gate.open()
    await reply.clock.sleeping()
    reply.clock.advance(PREVIEW_SECONDS)
    await reply.outlet.until(lambda: reply.outlet.texts() == ["One two three four"])
    await delivery.finish(reply.ending("One two three four five"))
    edits = [call.draft.text for call in reply.outlet.of(Act.EDIT) if call.draft is not None]
    assert edits == ["One two three four", "One two three four five"]


async def test_the_final_text_does_not_wait_for_a_preview_that_waits(reply: Reply) -> None:
    delivery = reply.delivery()
    delivery.feed("One")
    await reply.outlet.until(lambda: reply.outlet.texts() == ["One"])
    delivery.feed("One two")
    await reply.clock.sleeping()
    await delivery.finish(reply.ending("One two three"))
    assert reply.outlet.texts() == ["One two three"]
    assert reply.outlet.acts == [Act.POST, Act.EDIT]


async def test_the_final_text_waits_for_a_preview_that_has_begun(reply: Reply) -> None:
    gate = reply.outlet.hold(Act.POST, carried_out=True)
    delivery = reply.delivery()
    delivery.feed("One")
    await gate.entered.wait()
    finishing = asyncio.create_task(delivery.finish(reply.ending("One two")))
    await asyncio.sleep(0)
    assert not finishing.done()
    gate.open()
    await finishing
    assert reply.outlet.texts() == ["One two"]
    assert reply.outlet.acts == [Act.POST, Act.EDIT]


async def test_no_preview_is_sent_when_the_bucket_is_nearly_empty(reply: Reply) -> None:
    delivery = reply.delivery()
    delivery.feed("One")
    await reply.outlet.until(lambda: reply.outlet.texts() == ["One"])
    reply.outlet.allowances[ROOM.channel_id] = Allowance(RESERVED_CALLS, 30.0)
    delivery.feed("One two")
    await reply.clock.sleeping()
    reply.clock.advance(PREVIEW_SECONDS)
    await delivery.finish(reply.ending("One two three"))
    assert reply.outlet.acts == [Act.POST, Act.EDIT]


async def test_a_text_that_shows_nothing_new_costs_no_call(reply: Reply) -> None:
    delivery = await reply.streamed("One")
    delivery.feed("One|")
    delivery.feed("One||")
    await asyncio.sleep(0)
    await delivery.stop()
    assert reply.outlet.acts == [Act.POST]


async def test_a_text_that_is_taken_back_before_it_was_shown_costs_no_call(reply: Reply) -> None:
    delivery = reply.delivery()
    delivery.feed("One")
    await reply.outlet.until(lambda: reply.outlet.texts() == ["One"])
    delivery.feed("One two")
    await reply.clock.sleeping()
    delivery.feed("One")
    reply.clock.advance(PREVIEW_SECONDS)
    await reply.poster.lane(ROOM).idle()
    await delivery.stop()
    assert reply.outlet.acts == [Act.POST]


async def test_a_reply_grows_into_more_posts(reply: Reply) -> None:
    delivery = await reply.streamed("One", "One|Two", "One|Two|Three")
    assert delivery.last_message == (reply.ids[-1], Transport.WEBHOOK)
    await delivery.finish(reply.ending("One|Two|Three."))
    assert reply.outlet.texts() == ["One", "Two", "Three."]
    controls = [message.draft.controls is not None for message in reply.outlet.visible()]
    assert controls == [False, False, True]
    assert [post.state for post in await reply.standing()] == [PostState.POSTED] * 3


async def test_a_reply_that_shrinks_leaves_nothing_behind(reply: Reply) -> None:
    delivery = await reply.streamed("One", "One|Two", "One|Two|Three")
    await delivery.finish(reply.ending("Uno"))
    assert reply.outlet.texts() == ["Uno"]
    assert len(await reply.standing()) == 1
    assert await reply.turn_state() == ("answered", None)


async def test_posts_that_nobody_wants_any_more_are_taken_away_by_us_and_not_by_others(reply: Reply) -> None:
    removed: list[MessageId] = []
    reply.outlet.on_delete = lambda _, message_id: removed.append(message_id)
    delivery = await reply.streamed("One", "One|Two")
    await delivery.finish(reply.ending("Uno"))
    assert len(removed) == 1
    assert reply.poster.was_removed(removed[0])


async def test_a_reply_that_becomes_a_file_keeps_its_first_post(reply: Reply) -> None:
    delivery = await reply.streamed("One", "One|Two")
    await delivery.finish(reply.ending("One and more", file=FILE))
    (message,) = reply.outlet.visible()
    assert message.draft.file == FILE
    assert message.draft.text == "One and more"


async def test_a_file_goes_with_the_last_post(reply: Reply) -> None:
    await reply.delivery().finish(reply.ending("One|Two", file=FILE))
    assert [message.draft.file for message in reply.outlet.visible()] == [None, FILE]


async def test_a_reply_in_a_thread_is_written_down_as_such(reply: Reply) -> None:
    delivery = Delivery(
        reply.poster,
        turn_id=reply.turn_id,
        kind=PostKind.REPLY,
        destination=THREAD,
        persona=GUIDE,
        anchor=reply.anchor,
    )
    await delivery.finish(reply.ending("Hello"))
    (post,) = await reply.standing()
    assert (post.channel_id, post.thread_id) == (THREAD.channel_id, THREAD.thread_id)
    assert reply.outlet.visible()[0].destination == THREAD


async def test_without_a_webhook_the_bot_speaks(reply: Reply) -> None:
    reply.outlet.speaks_as = Transport.BOT
    delivery = await reply.streamed("One")
    await delivery.finish(reply.ending("One two"))
    assert {call.transport for call in reply.outlet.of(Act.POST, Act.EDIT)} == {Transport.BOT}
    assert (await reply.standing())[0].transport is Transport.BOT


async def test_a_mark_is_the_bots_own_word(reply: Reply) -> None:
    ending = Ending(Layout(("⚠ Trouble",)), TurnState.FAILED, "busy")
    await reply.note().finish(ending)
    (message,) = reply.outlet.visible()
    assert message.transport is Transport.BOT
    assert message.draft.persona is None
    assert reply.outlet.of(Act.TRANSPORT) == []
    assert await reply.turn_state() == ("failed", "busy")
    assert await reply.version() is None


async def test_a_mark_has_nothing_to_preview(reply: Reply) -> None:
    note = reply.note()
    assert not note.has_persona
    assert reply.delivery().has_persona
    note.feed("⚠ Trouble")
    await note.stop()
    assert reply.outlet.calls == []
    assert not note.visible
    assert note.last_message is None


# What is written down, and when.


async def test_the_intent_and_the_text_are_on_disk_before_the_post_is_made(reply: Reply) -> None:
    found: list[tuple[PostState, tuple[VersionState, str | None] | None, str]] = []

    async def look(call: Call) -> None:
        if call.act is Act.POST:
            (post,) = await reply.standing()
            state, _ = await reply.turn_state()
            found.append((post.state, await reply.version(), state))

    reply.outlet.on_call = look
    await reply.ended_with("Hello")
    assert found == [(PostState.INTENDED, (VersionState.COMPLETE, "Hello"), "running")]
    (post,) = await reply.standing()
    assert (post.state, post.message_id) == (PostState.POSTED, reply.ids[0])


async def test_a_preview_says_that_the_text_is_not_whole_yet(reply: Reply) -> None:
    await reply.streamed("Once")
    assert await reply.version() == (VersionState.WRITING, None)
    (post,) = await reply.standing()
    assert (post.state, post.message_id) == (PostState.POSTED, reply.ids[0])


async def test_the_whole_text_is_on_disk_before_the_last_edit_and_the_turn_ends_after_it(reply: Reply) -> None:
    delivery = await reply.streamed("Once")
    gate = reply.outlet.hold(Act.EDIT, carried_out=True)
    finishing = asyncio.create_task(delivery.finish(reply.ending("Once upon a time")))
    await gate.entered.wait()
    assert await reply.version() == (VersionState.COMPLETE, "Once upon a time")
    assert (await reply.turn_state())[0] == "running"
    gate.open()
    await finishing
    assert (await reply.turn_state())[0] == "answered"


async def test_a_turn_does_not_end_while_its_last_post_is_unanswered(reply: Reply) -> None:
    gate = reply.outlet.hold(Act.POST, carried_out=True)
    finishing = asyncio.create_task(reply.ended_with("Hello"))
    await gate.entered.wait()
    assert (await reply.turn_state())[0] == "running"
    gate.open()
    await finishing
    assert (await reply.turn_state())[0] == "answered"


async def test_each_part_is_written_down_before_the_next_is_posted(reply: Reply) -> None:
    found: list[list[PostState]] = []

    async def look(call: Call) -> None:
        if call.act is Act.POST:
            found.append([post.state for post in await reply.standing()])

    reply.outlet.on_call = look
    await reply.ended_with("One|Two|Three")
    posted, intended = PostState.POSTED, PostState.INTENDED
    assert found == [[intended], [posted, intended], [posted, posted, intended]]


async def test_usage_is_written_down_with_the_text(reply: Reply, database: Database) -> None:
    await reply.ended_with("Hello")
    rows = await database.read("SELECT upstream_id, model, input_tokens, output_tokens, cost_usd FROM version")
    assert [tuple(row) for row in rows] == [("resp_1", "a-model", 11, 22, "0.5")]


# Discord has no time, or does not answer.


async def test_a_final_text_waits_as_long_as_discord_says_and_is_then_shown(reply: Reply) -> None:
    reply.outlet.script(Act.POST, fails(Busy(7.5)))
    finishing = asyncio.create_task(reply.ended_with("Hello"))
    assert await reply.clock.sleeping() == pytest.approx(7.5)
    assert reply.outlet.texts() == []
    reply.clock.advance(7.5)
    await finishing
    assert reply.outlet.texts() == ["Hello"]
    assert await reply.turn_state() == ("answered", None)


async def test_a_final_text_is_tried_until_discord_answers_less_and_less_often(reply: Reply) -> None:
    reply.outlet.script(Act.POST, *[fails(Uncertain())] * 8)
    finishing = asyncio.create_task(reply.ended_with("Hello"))
    waits: list[float] = []
    for _ in range(8):
        waits.append(await reply.clock.sleeping())
        reply.clock.advance(waits[-1])
        await asyncio.sleep(0)
    await finishing
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert reply.outlet.texts() == ["Hello"]


async def test_a_post_whose_answer_is_lost_is_not_posted_again(reply: Reply) -> None:
    reply.outlet.script(Act.POST, lost_answer(Uncertain(), echo=Echo.HELD))
    await reply.ended_with("Hello")
    assert reply.outlet.texts() == ["Hello"]
    assert len(reply.outlet.of(Act.POST)) == 1


async def test_what_an_earlier_try_left_is_brought_up_to_the_final_text(reply: Reply) -> None:
    reply.outlet.script(Act.POST, lost_answer(Uncertain(), echo=Echo.HELD))
    reply.outlet.script(Act.RECENT, fails(Uncertain()))
    delivery = reply.delivery()
    delivery.feed("Hel")
    await reply.outlet.until(lambda: reply.outlet.of(Act.RECENT))
    await delivery.stop()
    reply.outlet.echo(reply.ids[0])
    await delivery.finish(reply.ending("Hello"))
    (message,) = reply.outlet.visible()
    assert message.draft.text == "Hello"
    assert message.draft.controls is not None
    assert len(reply.outlet.of(Act.POST)) == 1


async def test_a_second_copy_is_taken_away(reply: Reply) -> None:
    reply.outlet.script(Act.POST, Outcome(copies=2, echo=Echo.AFTER))
    await reply.ended_with("Hello")
    await reply.poster.drain()
    assert reply.outlet.texts() == ["Hello"]
    (post,) = await reply.standing()
    assert [post.message_id] == reply.ids


async def test_an_edit_is_insisted_on_too(reply: Reply) -> None:
    delivery = await reply.streamed("Once")
    reply.outlet.script(Act.EDIT, fails(Busy(3.0)), Outcome(Uncertain(), copies=1))
    finishing = asyncio.create_task(delivery.finish(reply.ending("Once upon")))
    for _ in range(2):
        reply.clock.advance(await reply.clock.sleeping())
        await asyncio.sleep(0)
    await finishing
    assert reply.outlet.texts() == ["Once upon"]


async def test_a_surplus_post_is_taken_away_once_discord_has_time(reply: Reply) -> None:
    delivery = await reply.streamed("One", "One|Two")
    reply.outlet.script(Act.DELETE, fails(Busy(3.0)))
    finishing = asyncio.create_task(delivery.finish(reply.ending("Uno")))
    reply.clock.advance(await reply.clock.sleeping())
    await finishing
    assert reply.outlet.texts() == ["Uno"]


@pytest.mark.parametrize("error", [Busy(1.0), Uncertain(), Forbidden(), Refused(50035), Gone(Lost.PLACE)])
async def test_a_preview_that_fails_is_let_go(reply: Reply, error: OutletError) -> None:
    delivery = await reply.streamed("Once")
    reply.outlet.script(Act.EDIT, fails(error))
    delivery.feed("Once upon")
    await reply.outlet.until(lambda: reply.outlet.of(Act.EDIT))
    await reply.poster.lane(ROOM).idle()
    delivery.feed("Once upon a")
    await delivery.finish(reply.ending("Once upon a time"))
    assert reply.outlet.texts() == ["Once upon a time"]


async def test_the_next_preview_is_tried_after_one_that_failed(reply: Reply) -> None:
    reply.outlet.script(Act.POST, fails(Busy(1.0)))
    delivery = reply.delivery()
    delivery.feed("Once")
    await reply.outlet.until(lambda: reply.outlet.of(Act.POST))
    await reply.poster.lane(ROOM).idle()
    delivery.feed("Once upon")
    await reply.outlet.until(lambda: reply.outlet.texts() == ["Once upon"])
    await delivery.stop()


# It cannot be shown.


@pytest.mark.parametrize("error", [Forbidden(), Refused(200_000), Gone(Lost.PLACE)])
async def test_what_cannot_be_posted_is_reported_and_leaves_the_turn_to_be_ended(
    reply: Reply, error: OutletError
) -> None:
    reply.outlet.script(Act.POST, fails(error))
    with pytest.raises(type(error)):
        await reply.ended_with("Hello")
    assert await reply.turn_state() == ("running", None)
    assert await reply.standing() == []


async def test_a_place_that_goes_away_under_a_reply_is_reported(reply: Reply) -> None:
    delivery = await reply.streamed("Once")
    reply.outlet.script(Act.EDIT, fails(Gone(Lost.PLACE)))
    with pytest.raises(Gone):
        await delivery.finish(reply.ending("Once upon"))


async def test_a_deleted_webhook_is_replaced(reply: Reply) -> None:
    reply.outlet.script(Act.POST, fails(Gone(Lost.WEBHOOK)))
    await reply.ended_with("Hello")
    assert reply.outlet.texts() == ["Hello"]
    assert reply.outlet.acts == [Act.POST, Act.POST]
    assert len(await reply.standing()) == 1


async def test_without_leave_for_a_new_webhook_the_bot_takes_over(reply: Reply) -> None:
    async def lose_the_webhook(call: Call) -> None:
        if call.act is Act.POST:
            reply.outlet.speaks_as = Transport.BOT

    reply.outlet.on_call = lose_the_webhook
    reply.outlet.script(Act.POST, fails(Gone(Lost.WEBHOOK)))
    await reply.ended_with("Hello")
    assert [message.transport for message in reply.outlet.visible()] == [Transport.BOT]


async def test_a_webhook_that_is_gone_twice_in_a_row_is_given_up(reply: Reply) -> None:
    reply.outlet.script(Act.POST, *[fails(Gone(Lost.WEBHOOK))] * 2)
    with pytest.raises(Gone):
        await reply.ended_with("Hello")
    assert await reply.standing() == []


async def test_what_a_deleted_webhook_said_is_said_again_from_there_on(reply: Reply) -> None:
    delivery = await reply.streamed("One", "One|Two", "One|Two|Three")
    old = reply.ids
    reply.outlet.script(Act.EDIT, fails(Gone(Lost.WEBHOOK)))
    await delivery.finish(reply.ending("One|Deux|Trois"))
    assert reply.outlet.texts() == ["One", "Two", "Three", "Deux", "Trois"]
    assert [post.message_id for post in await reply.standing()] == [old[0], *reply.ids[3:]]
    assert reply.outlet.of(Act.DELETE) == []


# Somebody deletes it.


async def test_a_reply_that_is_deleted_while_it_is_written_is_not_said_again(reply: Reply, database: Database) -> None:
    delivery = await reply.streamed("Once")
    reply.outlet.remove(reply.ids[0])
    delivery.feed("Once upon")
    await reply.outlet.until(lambda: reply.outlet.of(Act.EDIT))
    await reply.poster.lane(ROOM).idle()
    delivery.feed("Once upon a")
    await delivery.finish(reply.ending("Once upon a time"))
    assert delivery.removed
    assert reply.outlet.texts() == []
    assert reply.outlet.acts == [Act.POST, Act.EDIT]
    assert await reply.turn_state() == ("answered", "deleted")
    assert await reply.version() == (VersionState.COMPLETE, None)
    (row,) = await database.read("SELECT input_tokens FROM version")
    assert row["input_tokens"] == 11


async def test_a_reply_that_is_deleted_at_its_end_is_forgotten(reply: Reply) -> None:
    delivery = await reply.streamed("Once", "Once|upon")
    reply.outlet.remove(reply.ids[1])
    await delivery.finish(reply.ending("Once|upon a|time"))
    assert reply.outlet.texts() == ["Once"]
    assert await reply.turn_state() == ("answered", "deleted")
    assert await reply.version() == (VersionState.COMPLETE, None)
    assert [post.state for post in await reply.standing()] == [PostState.POSTED, PostState.DELETED]


async def test_a_post_that_is_deleted_when_nothing_would_touch_it_again_ends_the_reply(reply: Reply) -> None:
    delivery = await reply.streamed("One", "One|Two")
    reply.delete(reply.ids[0])
    calls = len(reply.outlet.calls)
    delivery.feed("One|Two|Three")
    await delivery.finish(reply.ending("One|Two|Three"))
    assert len(reply.outlet.calls) == calls
    assert await reply.turn_state() == ("answered", "deleted")
    assert await reply.version() == (VersionState.COMPLETE, None)


async def test_a_post_that_is_deleted_after_the_text_was_written_down_is_forgotten_with_it(reply: Reply) -> None:
    delivery = await reply.streamed("One", "One|Two")
    edit = reply.outlet.hold(Act.EDIT, carried_out=True)
    finishing = asyncio.create_task(delivery.finish(reply.ending("One|Deux")))
    await edit.entered.wait()
    reply.delete(reply.ids[0])
    edit.open()
    await finishing
    assert await reply.turn_state() == ("answered", "deleted")
    assert await reply.version() == (VersionState.COMPLETE, None)


# Once more, into the same posts.


async def failed_partly(reply: Reply, text: str) -> list[Post]:
    """Let a first attempt end with part of a text, and return its posts."""
    ending = reply.ending(text, state=TurnState.FAILED, cause="cut")
    assert ending.outcome is not None
    await reply.delivery().finish(replace(ending, outcome=replace(ending.outcome, state=VersionState.PARTIAL)))
    return await reply.standing()


async def test_retry_writes_into_the_posts_of_the_last_try(reply: Reply) -> None:
    posts = await failed_partly(reply, "Half a")
    await reply.delivery(standing=posts, asked_again=True, attempt=2).finish(reply.ending("The whole"))
    assert reply.outlet.texts() == ["The whole"]
    assert len(reply.outlet.of(Act.POST)) == 1
    assert await reply.version() == (VersionState.COMPLETE, "The whole")


async def test_there_is_never_a_second_reply_during_a_retry(reply: Reply) -> None:
    posts = await failed_partly(reply, "Half|a")
    most = 0

    async def count(call: Call) -> None:
        nonlocal most
        del call
        most = max(most, len(reply.outlet.visible()))

    reply.outlet.on_call = count
    reply.clock.advance(PREVIEW_SECONDS)
    delivery = reply.delivery(standing=posts, asked_again=True, attempt=2)
    delivery.feed("Whole")
    await reply.outlet.until(lambda: "Whole" in reply.outlet.texts())
    await delivery.finish(reply.ending("Whole"))
    assert reply.outlet.texts() == ["Whole"]
    assert most == 2


@pytest.mark.parametrize("heard", [False, True])
async def test_retry_says_it_anew_where_the_old_posts_cannot_be_edited(reply: Reply, *, heard: bool) -> None:
    posts = await failed_partly(reply, "Half|a")
    (reply.delete if heard else reply.outlet.remove)(reply.ids[0])
    await reply.delivery(standing=posts, asked_again=True, attempt=2).finish(reply.ending("The|whole"))
    assert reply.outlet.texts() == ["The", "whole"]
    assert await reply.turn_state() == ("answered", None)


@pytest.mark.parametrize("heard", [False, True])
async def test_finishing_after_a_stop_does_not_bring_a_deleted_reply_back(reply: Reply, *, heard: bool) -> None:
    posts = await failed_partly(reply, "Half")
    (reply.delete if heard else reply.outlet.remove)(reply.ids[0])
    await reply.delivery(standing=posts).finish(reply.ending("Half a"))
    assert reply.outlet.texts() == []
    assert await reply.turn_state() == ("answered", "deleted")


async def test_a_text_that_is_stored_already_is_not_stored_again(reply: Reply, database: Database) -> None:
    await reply.delivery().finish(replace(reply.ending("Hello"), outcome=None))
    assert await database.read("SELECT id FROM version") == []
    assert reply.outlet.texts() == ["Hello"]


async def test_only_posts_that_stand_are_taken_up(reply: Reply) -> None:
    mark = reply.note()
    await mark.finish(Ending(Layout(("⚠ Trouble",)), TurnState.FAILED, "busy"))
    await reply.intend(0)
    posts = await reply.standing()
    assert not reply.delivery(standing=posts).visible
    assert reply.note(posts).visible


async def test_a_mark_is_taken_back(reply: Reply) -> None:
    await reply.note().finish(Ending(Layout(("⚠ Trouble",)), TurnState.FAILED, "busy"))
    await reply.note(await reply.standing()).take_back()
    assert reply.outlet.texts() == []
    assert await reply.standing() == []


async def test_a_mark_that_is_gone_already_is_taken_back_in_peace(reply: Reply) -> None:
    await reply.note().finish(Ending(Layout(("⚠ Trouble",)), TurnState.FAILED, "busy"))
    reply.outlet.remove(reply.ids[0])
    await reply.note(await reply.standing()).take_back()
    assert await reply.standing() == []


async def test_a_name_is_not_used_again_by_another_attempt(reply: Reply) -> None:
    nonces = set[str | None]()
    for attempt in (1, 2):
        delivery = reply.delivery(attempt=attempt, persona=None)
        await delivery.finish(reply.ending("One|Two"))
        await delivery.take_back()
    for call in reply.outlet.of(Act.POST):
        assert call.draft is not None
        nonces.add(call.draft.nonce)
    assert len(nonces) == 4


# What goes wrong inside.


async def test_a_fault_in_the_previews_does_not_keep_the_final_text_back(
    reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    tried = asyncio.Event()

    def broken(text: str) -> tuple[str, ...]:
        tried.set()
        raise ValueError(text)

    delivery = Delivery(
        reply.poster,
        turn_id=reply.turn_id,
        kind=PostKind.REPLY,
        destination=ROOM,
        persona=GUIDE,
        anchor=reply.anchor,
        preview=broken,
    )
    delivery.feed("Once")
    await tried.wait()
    await delivery.finish(reply.ending("Once upon"))
    assert reply.outlet.texts() == ["Once upon"]
    assert "previews came to an end" in caplog.text


async def test_a_reply_that_stands_is_written_down_once_the_database_takes_it(
    vault: Vault, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "bot.db"
    database = await Database.open(path, now_ms=clock.now_ms(), busy_timeout_seconds=0.01)
    reply = Reply(database, vault, clock)
    await reply.begin()
    gate = reply.outlet.hold(Act.POST, carried_out=True)
    finishing = asyncio.create_task(reply.ended_with("One|Two"))
    await gate.entered.wait()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        gate.open()
        waits = [await clock.sleeping()]
        while len(waits) < 3:
            clock.advance(waits[-1])
            waits.append(await clock.sleeping())
        # Once for the id of the first post, and then for the intent of the second.
        assert waits == [1.0, 1.0, 2.0]
        assert reply.outlet.texts() == ["One"]
    clock.advance(waits[-1])
    await finishing
    assert reply.outlet.texts() == ["One", "Two"]
    assert [post.message_id for post in await reply.standing()] == reply.ids
    assert await reply.turn_state() == ("answered", None)
    await database.close()


async def test_a_fault_of_the_database_that_does_not_pass_reaches_the_one_who_finishes(
    reply: Reply, database: Database
) -> None:
    delivery = reply.delivery()
    await database.close()
    with pytest.raises(ValueError, match="no active connection"):
        await delivery.finish(reply.ending("Once"))


async def test_a_painter_ends_with_its_process(reply: Reply) -> None:
    gate = reply.outlet.hold(Act.POST, carried_out=False)
    reply.delivery().feed("Once")
    await gate.entered.wait()
    (painter,) = [task for task in asyncio.all_tasks() if task.get_name().startswith("painter")]
    painter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await painter
    gate.open()
    await reply.poster.lane(ROOM).idle()
    assert reply.outlet.texts() == ["Once"]


# The gate, which may have closed since the text was written.


class Permission:
    """Whether a text may be shown that nobody has seen yet."""

    def __init__(self, *, granted: bool) -> None:
        self.granted = granted

    async def __call__(self) -> bool:
        return self.granted


async def test_a_text_that_may_not_be_shown_any_more_is_not(reply: Reply) -> None:
    delivery = reply.delivery(may_begin=Permission(granted=False))
    delivery.feed("Once")
    await reply.outlet.until(lambda: reply.outlet.of(Act.TRANSPORT))
    with pytest.raises(Withheld):
        await delivery.finish(reply.ending("Once upon a time"))
    assert reply.outlet.texts() == []
    assert await reply.standing() == []


async def test_a_text_that_has_to_wait_is_not_shown_if_that_is_forbidden_meanwhile(reply: Reply) -> None:
    permission = Permission(granted=True)
    reply.outlet.script(Act.POST, fails(Busy(60.0)))
    finishing = asyncio.create_task(reply.delivery(may_begin=permission).finish(reply.ending("Hello")))
    await reply.clock.sleeping()
    permission.granted = False
    reply.clock.advance(60.0)
    with pytest.raises(Withheld):
        await finishing
    assert reply.outlet.texts() == []


async def test_a_text_that_has_begun_is_shown_to_its_end(reply: Reply) -> None:
    permission = Permission(granted=True)
    delivery = reply.delivery(may_begin=permission)
    delivery.feed("Once")
    await reply.outlet.until(lambda: reply.outlet.texts() == ["Once"])
    permission.granted = False
    await delivery.finish(reply.ending("Once upon|a time"))
    assert reply.outlet.texts() == ["Once upon", "a time"]


async def test_what_stood_there_stays_where_its_successor_may_not_be_shown(reply: Reply) -> None:
    await reply.ended_with("The first try.")
    again = reply.delivery(standing=await reply.standing(), asked_again=True, may_begin=Permission(granted=False))
    with pytest.raises(Withheld):
        await again.finish(reply.ending("Another try."))
    assert reply.outlet.texts() == ["The first try."]
