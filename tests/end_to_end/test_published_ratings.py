"""Ratings as their members' own reviews: published with their own key, refused in words, and offered once linked."""

from typing import Any

import pytest

from bot.sandbox.discord import InteractionResult, Message, Person
from bot.sandbox.nanogpt.faults import Fault, Route
from tests.end_to_end.linking import link
from tests.end_to_end.scene import BARD, GUIDE, Scene, labels
from tests.end_to_end.world import World

PUBLISHED = "published in the NanoGPT catalogue, as your own review"
ON_ITS_WAY = "on its way to the NanoGPT catalogue"
NEEDED = "an active subscription or more than 1 USD in balance"


async def rate(scene: Scene, who: Person, stars: int, text: str = "", character: str = GUIDE) -> InteractionResult:
    """Rate a character by command, once the bot has heard of it."""
    await scene.stored("SELECT 1 FROM character WHERE slug = ?", character)
    form = await who.slash(scene.channel, "character rate", character=character)
    answer = await who.submit(form, {"stars": str(stars), "text": text})
    assert "Thank you, your rating is saved" in answer.text
    return answer


async def reads(scene: Scene, answer: InteractionResult, words: str) -> Message:
    """Wait until the answer to a person says so, and return it."""
    await scene.until(lambda: words in answer.text, words)
    message = answer.message
    assert message is not None
    assert answer.ephemeral
    return message


def reviews(world: World) -> list[tuple[str, str, int, str | None]]:
    """Return what stands in the catalogue."""
    return [(each.character, each.account, each.rating, each.text) for each in world.upstream.reviews]


def chosen(form: InteractionResult) -> str:
    """Return the stars that a form begins with."""
    assert form.modal is not None
    inner = [part["component"] for part in form.modal.components if "component" in part]
    options = next(part["options"] for part in inner if part["custom_id"] == "stars")
    return next(option["value"] for option in options if option.get("default"))


def stars_of(message: Message) -> str:
    """Return what a profile says of the stars."""
    fields: list[dict[str, Any]] = message.embeds[0]["fields"]
    return next(str(field["value"]) for field in fields if field["name"] == "Stars")


async def test_two_members_of_one_server_review_a_character_under_their_own_accounts(world: World) -> None:
    scene = Scene.of(world)
    people = [scene.owner, scene.guild.add_member("Bea")]
    accounts = [await link(world, person) for person in people]
    world.upstream.catalog.update(GUIDE, rating_avg=None, rating_count=0)
    async with world.bot():
        await scene.use()
        await reads(scene, await rate(scene, people[0], 5, "Patient and precise."), PUBLISHED)
        await reads(scene, await rate(scene, people[1], 2), PUBLISHED)
        world.time.skip(minutes=2)
        profile = await (await people[0].slash(scene.channel, "character show", character=GUIDE)).final_message()
        assert stars_of(profile) == "★ 3.5 (2) in the catalogue"
    assert reviews(world) == [
        (GUIDE, accounts[0].id, 5, "Patient and precise."),
        (GUIDE, accounts[1].id, 2, None),
    ]
    used = [call.account for call in world.upstream.calls if call.route == Route.REVIEW.value]
    assert used == [account.id for account in accounts]


async def test_the_catalogues_average_stands_beside_that_of_the_server(world: World) -> None:
    scene = Scene.of(world)
    world.upstream.catalog.update(GUIDE, rating_avg=4.8, rating_count=12)
    async with world.bot():
        for name in ("Ava", "Bea", "Cyd"):
            await rate(scene, scene.guild.add_member(name), 3)
        profile = await (await scene.owner.slash(scene.channel, "character show", character=GUIDE)).final_message()
    assert stars_of(profile) == "★ 4.8 (12) in the catalogue\n★ 3.0 on this server"


async def test_rating_again_replaces_the_review(world: World) -> None:
    scene = Scene.of(world)
    account = await link(world, scene.owner)
    async with world.bot():
        await reads(scene, await rate(scene, scene.owner, 5, "As good as it gets."), PUBLISHED)
        await reads(scene, await rate(scene, scene.owner, 1, "It got worse since."), PUBLISHED)
    assert reviews(world) == [(GUIDE, account.id, 1, "It got worse since.")]


@pytest.mark.parametrize("status", [400, 402, 403])
async def test_an_account_without_the_needed_balance_is_refused_in_words_and_the_rating_stays(
    world: World, status: int
) -> None:
    world.upstream.variants.ineligible_status = status
    scene = Scene.of(world)
    await link(world, scene.owner, usd=1.0)
    async with world.bot():
        refused = await reads(scene, await rate(scene, scene.owner, 4), NEEDED)
        assert "stays saved here" in refused.content
        assert labels(refused) == ["Publish"]
        # What was read in the answer is no news any more.
        await scene.stored("SELECT 1 FROM refused_review WHERE told_at IS NOT NULL")
        assert chosen(await scene.owner.slash(scene.channel, "character rate", character=GUIDE)) == "4"
    assert scene.query("SELECT stars, published_at FROM rating") == [(4, None)]
    assert scene.query("SELECT 1 FROM outbox") == []
    assert world.upstream.reviews == []
    assert sum(call.route == Route.REVIEW.value for call in world.upstream.calls) == 1


@pytest.mark.parametrize(("nano", "words"), [(0.5, PUBLISHED), (0.4, NEEDED)])
async def test_what_an_account_holds_in_nano_counts_by_its_price(world: World, nano: float, words: str) -> None:
    scene = Scene.of(world)
    account = await link(world, scene.owner, usd=0.5)
    world.upstream.catalog.add_account(account.id, nano=nano)
    async with world.bot():
        await reads(scene, await rate(scene, scene.owner, 4), words)
        status = await scene.read(await scene.owner.slash(scene.channel, "account status"))
    assert ("NanoGPT will take your ratings" in status) is (words == PUBLISHED)


async def test_pressing_publish_asks_again_once_the_account_may_review(world: World) -> None:
    scene = Scene.of(world)
    account = await link(world, scene.owner, usd=0.5)
    async with world.bot():
        refused = await reads(scene, await rate(scene, scene.owner, 4), NEEDED)
        world.upstream.catalog.add_account(account.id, usd=20.0)
        assert world.upstream.reviews == []
        await reads(scene, await scene.owner.click(refused, "Publish"), PUBLISHED)
    assert reviews(world) == [(GUIDE, account.id, 4, None)]


async def test_a_refused_key_is_told_and_not_tried_again(world: World) -> None:
    scene = Scene.of(world)
    account = await link(world, scene.owner)
    world.upstream.catalog.revoke_key(account.id)
    async with world.bot():
        refused = await reads(scene, await rate(scene, scene.owner, 4), "NanoGPT refused the key of your account")
        pressed = await scene.owner.click(refused, "Publish")
        assert "Link it again with /account link" in await scene.read(pressed)
        assert "NanoGPT refuses the key of your account" in (await rate(scene, scene.owner, 3)).text
    assert sum(call.route == Route.REVIEW.value for call in world.upstream.calls) == 1


async def test_a_rating_from_before_can_be_published_once_an_account_is_linked(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        before = await rate(scene, scene.owner, 5, "Patient and precise.")
        assert "you have not linked a NanoGPT account" in before.text
        assert before.message is not None
        pressed = await scene.owner.click(before.message, "Publish")
        assert "Link yours with /account link" in await scene.read(pressed)
    account = await link(world, scene.owner)
    async with world.bot():
        await reads(scene, await scene.owner.click(before.message, "Publish"), PUBLISHED)
        assert "Publish" not in (await scene.owner.click(before.message, "Publish")).text
    assert reviews(world) == [(GUIDE, account.id, 5, "Patient and precise.")]


async def test_ratings_from_before_are_offered_with_the_next_one(world: World) -> None:
    scene = Scene.of(world, nsfw=True)
    async with world.bot():
        await rate(scene, scene.owner, 5)
        await rate(scene, scene.owner, 2, character="professor-quillon")
    account = await link(world, scene.owner)
    async with world.bot():
        await scene.use(BARD)
        answer = await rate(scene, scene.owner, 3, character=BARD)
        await reads(scene, answer, PUBLISHED)
        await scene.until(lambda: bool(answer.followups), "an offer")
        (offer,) = answer.followups
        assert "2 ratings that are not published" in offer.content
        assert [each[0] for each in reviews(world)] == [BARD]
        pressed = await scene.owner.click(offer, "Publish my ratings")
        await reads(scene, pressed, "2 ratings are published in the NanoGPT catalogue")
        nothing = await scene.owner.click(offer, "Publish my ratings")
        assert "nothing to publish" in await scene.read(nothing)
    assert [(who, rating) for _, who, rating, _ in reviews(world)] == [(account.id, stars) for stars in (3, 5, 2)]


async def test_whoever_links_an_account_is_offered_to_publish_and_is_told_at_unlinking_what_stays(world: World) -> None:
    scene = Scene.of(world)
    account = world.upstream.catalog.add_account("of-the-owner", usd=5.0)
    async with world.bot():
        await rate(scene, scene.owner, 5, "Patient and precise.")
        invitation = await (await scene.owner.slash(scene.channel, "account link")).final_message()
        form = await scene.owner.click(invitation, "Paste a key instead")
        linked = await (await scene.owner.submit(form, {"key": account.key})).final_message()
        assert "a rating that is not published" in linked.content
        await reads(scene, await scene.owner.click(linked, "Publish my ratings"), "1 rating is published")
        world.upstream.faults.next(Fault.UNAVAILABLE, on=Route.REVIEW)
        await rate(scene, scene.owner, 1)
        await scene.stored("SELECT 1 FROM outbox WHERE attempts > 0")
        answer = await scene.read(await scene.owner.slash(scene.channel, "account unlink"))
        assert "not sent any more" in answer
        assert "I cannot withdraw them from here" in answer
    assert scene.query("SELECT 1 FROM outbox") == []
    assert scene.query("SELECT stars FROM rating") == [(1,)]
    assert reviews(world) == [(GUIDE, account.id, 5, "Patient and precise.")]


async def test_a_review_that_could_not_be_sent_goes_out_after_a_restart(world: World) -> None:
    scene = Scene.of(world)
    account = await link(world, scene.owner)
    async with world.bot():
        world.upstream.faults.next(Fault.UNAVAILABLE, on=Route.REVIEW)
        answer = await rate(scene, scene.owner, 4, "Patient and precise.")
        assert ON_ITS_WAY in answer.text
        await scene.stored("SELECT 1 FROM outbox WHERE attempts > 0")
    assert world.upstream.reviews == []
    world.time.skip(minutes=30)
    async with world.bot():
        await world.upstream.wait_for(lambda: bool(world.upstream.reviews))
        await scene.stored("SELECT 1 FROM rating WHERE published_at IS NOT NULL")
    assert reviews(world) == [(GUIDE, account.id, 4, "Patient and precise.")]
    assert scene.query("SELECT 1 FROM outbox") == []


async def test_what_the_catalogue_says_later_is_told_after_a_command(world: World) -> None:
    scene = Scene.of(world)
    await link(world, scene.owner, usd=0.0)
    async with world.bot():
        world.upstream.faults.next(Fault.UNAVAILABLE, on=Route.REVIEW)
        await rate(scene, scene.owner, 4)
        await scene.stored("SELECT 1 FROM outbox WHERE attempts > 0")
    world.time.skip(minutes=30)
    async with world.bot():
        await scene.stored("SELECT 1 FROM refused_review")
        first = await scene.owner.slash(scene.channel, "privacy show")
        await scene.until(lambda: bool(first.followups), "the news")
        assert NEEDED in first.followups[0].content
        second = await scene.owner.slash(scene.channel, "privacy show")
    assert second.followups == []


async def test_deleting_ones_data_takes_back_what_waits_and_says_what_it_cannot(world: World) -> None:
    scene = Scene.of(world)
    account = await link(world, scene.owner)
    async with world.bot():
        await reads(scene, await rate(scene, scene.owner, 5), PUBLISHED)
        world.upstream.faults.next(Fault.UNAVAILABLE, on=Route.REVIEW)
        await rate(scene, scene.owner, 1)
        await scene.stored("SELECT 1 FROM outbox WHERE attempts > 0")
        question = await scene.owner.slash(scene.channel, "privacy delete")
        assert "a published review cannot be withdrawn from here" in question.text
        assert question.message is not None
        await (await scene.owner.click(question.message, "Delete it all")).final_message()
    assert scene.query("SELECT 1 FROM outbox UNION SELECT 1 FROM rating") == []
    assert reviews(world) == [(GUIDE, account.id, 5, None)]


async def test_a_form_that_promised_to_stay_here_stays_here(world: World) -> None:
    scene = Scene.of(world)
    async with world.bot():
        await scene.stored("SELECT 1 FROM character WHERE slug = ?", GUIDE)
        form = await scene.owner.slash(scene.channel, "character rate", character=GUIDE)
        assert "It is not published" in str(form.modal)
    await link(world, scene.owner)
    async with world.bot():
        answer = await scene.owner.submit(form, {"stars": "4"})
        assert "It is kept here. Press Publish" in answer.text
        form = await scene.owner.slash(scene.channel, "character rate", character=GUIDE)
        assert "as your own review" in str(form.modal)
    assert world.upstream.reviews == []


async def test_no_rating_leaves_with_the_operators_key_whoever_is_linked(world: World) -> None:
    scene = Scene.of(world)
    linked, other = scene.owner, scene.guild.add_member("Bea")
    account = await link(world, linked)
    async with world.bot():
        await rate(scene, other, 1)
        await reads(scene, await rate(scene, linked, 5), PUBLISHED)
    assert [(call.account, call.key) for call in world.upstream.calls if call.method == "PUT"] == [(account.id, "good")]
