"""Linking an account: by a code, across restarts, by a pasted key, and what is refused."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from bot.domain.linking_wording import BAD_KEY, CLIENT_NAME, LINKED, NOT_LINKED, TAKEN, UNCHECKED_KEY
from bot.sandbox.discord import InteractionResult, Message, Person
from bot.sandbox.nanogpt.accounts import Account
from bot.sandbox.nanogpt.cast import AUTHOR, MEMBER
from bot.sandbox.nanogpt.faults import Fault, Route
from tests.end_to_end.linking import link
from tests.end_to_end.scene import GUIDE, Scene, labels
from tests.end_to_end.world import World

CODE: Final = re.compile(r"\*\*`([A-Z0-9-]+)`\*\*")
POLL_SECONDS: Final = 6
"""Longer than the bot waits between two questions about one login."""
WAITS_SHORTENED: Final = 200.0


@pytest.fixture
def scene(world: World) -> Scene:
    # The bot's waits are short, and time itself is skipped: the stand-in counts requests a minute by that time.
    world.time.haste = WAITS_SHORTENED
    return Scene.of(world)


@asynccontextmanager
async def polled(scene: Scene) -> AsyncGenerator[None]:
    """Let the bot ask once more about its logins after the block, and wait until it has."""
    calls = scene.world.upstream.calls

    def asked() -> int:
        return sum(call.route == Route.LOGIN_POLL.value for call in calls)

    before = asked()
    yield
    scene.world.time.skip(seconds=POLL_SECONDS)
    await scene.world.upstream.wait_for(lambda: asked() > before)


async def begin(scene: Scene, who: Person | None = None) -> tuple[InteractionResult, str]:
    """Begin a login, and return the answer and the code in it."""
    result = await (who or scene.owner).slash(scene.channel, "account link")
    message = await result.final_message()
    assert result.ephemeral
    found = CODE.search(message.content)
    assert found is not None, message.content
    return result, found[1]


async def approve(scene: Scene, code: str, account_id: str = AUTHOR) -> Account:
    """Approve a login on the website, and let the bot find out."""
    async with polled(scene):
        scene.world.upstream.logins.approve(code, account_id)
    return scene.world.upstream.catalog.accounts.get(account_id)


async def becomes(scene: Scene, result: InteractionResult, words: str) -> Message:
    """Wait until an answer says so, and return it."""
    await scene.until(lambda: words in result.text, words)
    assert result.message is not None
    return result.message


async def status(scene: Scene, who: Person | None = None) -> str:
    return await scene.read(await (who or scene.owner).slash(scene.channel, "account status"))


async def paste(scene: Scene, under: Message, key: str, who: Person | None = None) -> InteractionResult:
    """Press the button under a message, and send a key."""
    form = await (who or scene.owner).click(under, "Paste a key instead")
    result = await (who or scene.owner).submit(form, {"key": key})
    await result.final_message()
    assert result.ephemeral
    return result


async def test_an_account_is_linked_by_a_code_and_the_answer_becomes_the_word_of_it(scene: Scene) -> None:
    async with scene.world.bot():
        result, code = await begin(scene)
        text = result.text
        assert "**Owner** (`owner`)" in text
        assert f"<{scene.world.upstream.site_url}/cli-login/verify?code={code}>" in text
        assert "can spend your whole balance" in text
        assert "a key with a cap" in text
        async with polled(scene):
            pass
        assert CODE.search(result.text) is not None
        await approve(scene, code)
        message = await becomes(scene, result, LINKED)
        assert labels(message) == []
        assert "12.50 US dollars" in await status(scene)
        assert "NanoGPT will take your ratings" in await status(scene)
    (listed,) = [key for key in scene.world.upstream.catalog.accounts.keys_of(AUTHOR) if key.name != "default"]
    assert listed.name == f"CLI ({CLIENT_NAME})"


async def test_nobody_else_sees_a_code(scene: Scene) -> None:
    other = scene.guild.add_member("Bea")
    async with scene.world.bot():
        _, code = await begin(scene)
        assert all(code not in message.content for message in scene.channel.messages.values())
        assert other.private_messages == []


async def test_a_login_survives_a_restart_in_its_middle(scene: Scene) -> None:
    async with scene.world.bot():
        result, code = await begin(scene)
        async with polled(scene):
            pass
    scene.world.upstream.logins.approve(code, AUTHOR)
    async with scene.world.bot():
        message = await becomes(scene, result, LINKED)
        assert labels(message) == []
        assert "You have linked a NanoGPT account" in await status(scene)


async def test_what_comes_too_late_to_change_the_answer_waits_for_the_next_command(scene: Scene) -> None:
    async with scene.world.bot():
        result, _ = await begin(scene)
        shown = result.text
    scene.world.time.skip(minutes=16)
    async with scene.world.bot():
        await scene.stored("SELECT 1 FROM pending_login WHERE state = 'ended'")
        assert result.text == shown
        ping = await scene.owner.slash(scene.channel, "ping")
        await scene.until(lambda: len(ping.followups) == 1)
        assert "not approved in time" in ping.followups[0].content
        assert ping.followups[0].ephemeral_for == scene.owner.id
        async with asyncio.timeout(10):
            while scene.query("SELECT 1 FROM pending_login"):  # noqa: ASYNC110 - the database has no event to wait for
                await asyncio.sleep(0)


async def test_an_expired_code_says_so_and_a_new_one_can_be_had(scene: Scene) -> None:
    async with scene.world.bot():
        result, code = await begin(scene)
        scene.world.time.skip(minutes=11)
        message = await becomes(scene, result, "not approved in time")
        assert labels(message) == ["Paste a key instead"]
        _, second = await begin(scene)
        assert second != code


async def test_a_second_link_shows_the_same_code(scene: Scene) -> None:
    async with scene.world.bot():
        _, first = await begin(scene)
        later, second = await begin(scene)
        assert second == first
        await approve(scene, second)
        await becomes(scene, later, LINKED)
    assert len(scene.world.upstream.logins.pending) == 0


async def test_a_key_whose_answer_was_lost_means_starting_again(scene: Scene) -> None:
    async with scene.world.bot():
        result, code = await begin(scene)
        scene.world.upstream.faults.next(Fault.LOST_ANSWER, on=Route.LOGIN_POLL)
        await approve(scene, code)
        scene.world.time.skip(seconds=POLL_SECONDS)
        await becomes(scene, result, "it did not reach me")
        again, code = await begin(scene)
        await approve(scene, code)
        await becomes(scene, again, LINKED)


async def test_a_pasted_key_is_tried_and_linked_and_the_code_is_needless(scene: Scene) -> None:
    account = scene.world.upstream.catalog.accounts.get(AUTHOR)
    async with scene.world.bot():
        invited, _ = await begin(scene)
        assert invited.message is not None
        wrong = await paste(scene, invited.message, "sk-nano-fake-of-nobody")
        assert wrong.text == BAD_KEY
        assert wrong.message is not None
        scene.world.upstream.faults.next(Fault.UNAVAILABLE, times=3, on=Route.BALANCE)
        unchecked = await paste(scene, wrong.message, account.key)
        assert unchecked.text == UNCHECKED_KEY
        assert await status(scene) == NOT_LINKED
        assert unchecked.message is not None
        right = await paste(scene, unchecked.message, account.key)
        assert right.text == LINKED
        await becomes(scene, invited, LINKED)
        assert "by a key that you pasted" in await status(scene)
        assert "already" in await scene.read(await scene.owner.slash(scene.channel, "account link"))


async def test_an_account_of_another_member_is_refused_by_code_and_by_key(scene: Scene) -> None:
    account = scene.world.upstream.catalog.accounts.get(AUTHOR)
    other = scene.guild.add_member("Bea")
    async with scene.world.bot():
        invited, _ = await begin(scene)
        assert invited.message is not None
        assert (await paste(scene, invited.message, account.key)).text == LINKED
        result, code = await begin(scene, other)
        await approve(scene, code)
        message = await becomes(scene, result, TAKEN)
        assert (await paste(scene, message, account.key, other)).text == TAKEN
        assert await status(scene, other) == NOT_LINKED
        await (await scene.owner.slash(scene.channel, "account unlink")).final_message()
        assert (await paste(scene, message, account.key, other)).text == LINKED


async def test_who_cannot_review_is_told_so(scene: Scene) -> None:
    await link(scene.world, scene.owner, account_id=MEMBER, usd=0.4)
    async with scene.world.bot():
        assert "NanoGPT will not take your ratings" in await status(scene)
        scene.world.upstream.faults.catalog_down = True
        assert (await status(scene)).count("cannot tell just now") == 3


async def test_unlinking_deletes_the_key_and_says_how_to_revoke_it(scene: Scene) -> None:
    async with scene.world.bot():
        _, code = await begin(scene)
        await approve(scene, code)
        await scene.stored("SELECT 1 FROM linked_account")
        answer = await scene.read(await scene.owner.slash(scene.channel, "account unlink"))
        assert f"CLI ({CLIENT_NAME})" in answer
        assert scene.query("SELECT 1 FROM linked_account") == []
        assert await status(scene) == NOT_LINKED


async def test_everything_that_a_member_deletes_includes_their_account(scene: Scene) -> None:
    await link(scene.world, scene.owner, account_id=AUTHOR)
    async with scene.world.bot():
        shown = await scene.owner.slash(scene.channel, "privacy show")
        assert "the key of the NanoGPT account that you linked" in shown.text
        question = await scene.owner.slash(scene.channel, "privacy delete")
        assert question.message is not None
        answer = await scene.owner.click(question.message, "Delete it all")
        assert "Your NanoGPT account is unlinked" in (await answer.final_message()).content
        assert scene.query("SELECT 1 FROM linked_account") == []
        assert await status(scene) == NOT_LINKED


async def test_what_was_rated_before_is_offered_for_publishing_once_linked(scene: Scene) -> None:
    async with scene.world.bot():
        await scene.use(GUIDE)
        form = await scene.owner.slash(scene.channel, "character rate", character=GUIDE)
        await scene.owner.submit(form, {"stars": "5"})
        result, code = await begin(scene)
        await approve(scene, code)
        message = await becomes(scene, result, "a rating that is not published")
        pressed = await scene.owner.click(message, "Publish my ratings")
        await scene.until(lambda: len(scene.world.upstream.reviews) == 1)
        await pressed.final_message()
    (review,) = scene.world.upstream.reviews
    assert (review.account, review.rating) == (AUTHOR, 5)


async def test_it_works_in_direct_messages_too(scene: Scene) -> None:
    async with scene.world.bot():
        result = await scene.owner.slash(scene.owner.open_dm(), "account link")
        message = await result.final_message()
        found = CODE.search(message.content)
        assert found is not None
        await approve(scene, found[1])
        await becomes(scene, result, LINKED)
