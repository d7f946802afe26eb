"""The path that people take: search, bring a character in, talk, rate, report; and the same after a restart."""

from typing import Any, cast

from bot.sandbox.discord import InteractionResult
from bot.sandbox.discord.json_types import as_text, objects_of
from tests.end_to_end.scene import GREETING, Scene
from tests.end_to_end.world import World

TALK = (
    ("Help me with my essay", "Let us begin with the title."),
    ("It is about rivers", "Then let it *flow*: what happens first?"),
    ("A boy finds a boat", "Good. Cut everything before the boat."),
)


def filled_in(form: InteractionResult) -> dict[str, Any]:
    """Return what a form shows as chosen or typed already, by custom id."""
    assert form.modal is not None
    shown: dict[str, Any] = {}
    for part in form.modal.components:
        field = cast("dict[str, Any]", part.get("component", {}))
        if "options" in field:
            shown[field["custom_id"]] = [option["value"] for option in field["options"] if option.get("default")]
        elif field:
            shown[field["custom_id"]] = field.get("value", "")
    return shown


async def test_a_character_is_found_used_talked_to_rated_and_reported_and_all_goes_on_after_a_restart(
    world: World,
) -> None:
    scene = Scene.of(world)
    owner, channel = scene.owner, scene.channel
    async with world.bot():
        page = await (await owner.slash(channel, "character search", query="writing")).final_message()
        assert [embed.get("title") for embed in page.embeds] == ["Margin Witch", "Helpful Guide"]
        (select,) = objects_of(page.components[0].get("components"))
        wanted = next(option for option in objects_of(select.get("options")) if option.get("label") == "Helpful Guide")
        opened = await owner.select(page, as_text(select.get("custom_id")), [wanted.get("value")])
        profile = await opened.final_message()
        assert profile.embeds[0].get("title") == "Helpful Guide"

        greeting = await scene.use("helpful-guide")
        assert greeting.content == GREETING
        replies = [await scene.ask(said, answer) for said, answer in TALK]

        everything = [message for message in channel.messages.values() if message.id >= greeting.id]
        assert [message.content for message in everything] == [GREETING, *(text for pair in TALK for text in pair)]
        for reply in (greeting, *replies):
            assert reply.author.name == "Helpful Guide"
            assert reply.author.bot
            assert reply.avatar_url is not None
            assert reply.avatar_url.startswith(f"{world.discord.cdn_url}/embed/avatars/")
        assert len({reply.avatar_url for reply in (greeting, *replies)}) == 1

        rating = await owner.click(replies[-1], "★ Rate")
        assert filled_in(rating) == {"stars": [], "text": ""}
        thanks = await owner.submit(rating, {"stars": "5", "text": "It cut my essay in half, and well."})
        assert "★★★★★" in thanks.text
        report = await owner.click(replies[-1], "⚑ Report")
        taken = await owner.submit(report, {"reason": "other", "details": "It was rude about my boat."})
        assert "Your report is stored" in taken.text
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 1)
        open_rating = await owner.click(replies[-1], "★ Rate")
        open_report = await owner.click(replies[-1], "⚑ Report")

    async with world.bot():
        again = await owner.click(replies[-1], "★ Rate")
        assert filled_in(again) == {"stars": ["5"], "text": "It cut my essay in half, and well."}
        assert "★★☆☆☆" in (await owner.submit(open_rating, {"stars": "2", "text": "On reflection it was rude."})).text
        assert "Your report is stored" in (await owner.submit(open_report, {"reason": "hate"})).text
        await world.upstream.wait_for(lambda: len(world.upstream.reports) == 2)
        await scene.ask("And now?", "Now the boat must leave.")
        assert filled_in(await owner.click(replies[-1], "★ Rate"))["stars"] == ["2"]

    assert [(report.character, report.reason) for report in world.upstream.reports] == [
        ("helpful-guide", "Something else"),
        ("helpful-guide", "Hate or harassment"),
    ]
    assert scene.context() == [
        f"assistant: {GREETING}",
        *(line for said, answer in TALK for line in (f"user: [Owner] {said}", f"assistant: {answer}")),
        "user: [Owner] And now?",
    ]
    assert all(call.character == "11111111-1111-4111-8111-111111111111" for call in scene.calls)
    assert all(call.fields["store"] is False for call in scene.calls)
