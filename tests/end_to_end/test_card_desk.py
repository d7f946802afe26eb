"""Card files from Discord to NanoGPT and back."""

import pytest

from bot.domain.card_files.containers import MAX_FILE_BYTES, Container
from bot.domain.card_files.reading import read_card_file
from bot.domain.card_files.versions import CardVersion
from bot.sandbox.discord import Message
from tests.end_to_end.author import Author, fields, shown
from tests.end_to_end.scene import Scene
from tests.end_to_end.world import World
from tests.support.card_samples import V1, V2, V3, card_file

PNG = card_file(V2, CardVersion.V2, Container.PNG)


async def bring(author: Author, content: bytes = PNG, name: str = "ada.png") -> Message:
    """Import a file, and return the panel over its draft."""
    return await author.command("import", file=author.upload(name, content))


async def make(author: Author, content: bytes = PNG, name: str = "ada.png") -> None:
    """Import a file, rate it, and make the character."""
    panel = await bring(author, content, name)
    await author.fill(panel, "Tags and rating", {"rating": "sfw"})
    saved = await author.press(panel, "Save")
    assert "is made" in saved.content, saved.content


def there(world: World) -> int:
    folder = world.folder / "bot.files"
    return len(list(folder.iterdir())) if folder.exists() else 0


async def test_an_import_is_shown_rated_and_made_private(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        panel = await bring(author)
        said = shown(panel)
        assert said["From a file: Character Card V2, PNG"].startswith("name, summary, description, prompt")
        assert "scenario" in said["Put into the prompt"]
        assert "2 other greetings" in said["Lost, as NanoGPT has no place for it"]
        assert "NanoGPT takes no picture: it is in the export only." in said["The file itself"]
        assert said["Who can see it"] == "private, closed to apps"
        assert said["Content rating"] == "not chosen yet"
        refused = await author.press(panel, "Save")
        assert "a content rating" in refused.content
        for button in ("Texts", "Prompt", "Texts as files"):
            assert "no content rating yet" in (await author.person.click(panel, button)).text
        form = await author.person.click(panel, "Tags and rating")
        assert not any(option.get("default") for option in fields(form)["rating"]["options"])
        await author.person.submit(form, {"rating": "suggestive"})
        for button in ("Texts", "Prompt", "Texts as files"):
            assert "above what this channel may show" in (await author.person.click(panel, button)).text
        await author.press(panel, "Save")
    (made,) = author.owned()
    assert (made.name, made.visibility, made.allow_api) == ("Ada", "private", False)
    assert (made.creator_content_rating, made.tags) == ("suggestive", ("sea-stories", "quiet"))
    assert "keeps a lighthouse" in made.system_prompt
    assert there(world) == 1


@pytest.mark.parametrize(("card", "version"), [(V1, CardVersion.V1), (V2, CardVersion.V2), (V3, CardVersion.V3)])
async def test_what_was_imported_is_given_back_byte_for_byte_until_it_is_edited(
    world: World, card: object, version: CardVersion
) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    original = card_file(card, version, Container.PNG)
    async with world.bot():
        await make(author, original, "my ada.png")
    async with world.bot():
        given = await author.command("export", character="ada")
        (file,) = given.attachments
        assert (file.content, file.filename) == (original, "my ada.png")
        assert "as it was" in given.content
        panel = await author.command("edit", character="ada")
        await author.fill(panel, "Texts", {"summary": "A keeper who writes."})
        await author.press(panel, "Save")
        given = await author.command("export", character="ada")
        assert "V3 card of the character as it is today" in given.content
        (file,) = given.attachments
        assert file.filename == "ada.png"
        assert read_card_file(file.content).mapping.fields.summary == "A keeper who writes."
        again = await bring(author, file.content, file.filename)
        assert shown(again)["Summary"] == f"{len('A keeper who writes.')} characters"


async def test_what_was_changed_before_it_was_made_is_exported_as_it_was_made(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        panel = await bring(author)
        await author.fill(panel, "Tags and rating", {"rating": "sfw"})
        await author.fill(panel, "Texts", {"name": "Berta"})
        await author.press(panel, "Save")
        given = await author.command("export", character="berta")
    (file,) = given.attachments
    assert "V3 card of the character as it is today" in given.content
    assert read_card_file(file.content).mapping.fields.name == "Berta"


async def test_a_file_is_gone_once_its_character_is_archived(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        await make(author)
        question = await author.command("archive", character="ada")
        await author.press(question, "Archive it")
        assert there(world) == 0
        assert scene.query("SELECT COUNT(*) FROM card_file") == [(0,)]


async def test_everything_is_gone_with_the_account(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        await make(author)
        panel = await bring(author)
        result = await author.person.slash(scene.channel, "account unlink")
        answer = await result.final_message()
        assert "with your drafts and card files" in answer.content
        assert there(world) == 0
        assert (await author.person.click(panel, "Texts")).text.startswith("That draft is gone")
    for table in ("draft", "card_file", "own_character", "moderation_watch"):
        assert scene.query(f"SELECT COUNT(*) FROM {table}") == [(0,)]  # noqa: S608 - constants


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, "damaged"),
        (b"{not json", "no JSON"),
        (b"PK\x03\x04" + b"\x00" * 60, "damaged"),
        (b"\xff\xd8\xff\xe0 a photograph", "Only PNG pictures"),
        (b"x" * (MAX_FILE_BYTES + 1), "too large: I take at most 10 MiB"),
    ],
    ids=["png", "json", "zip", "photograph", "large"],
)
async def test_what_is_no_card_is_a_sentence(world: World, content: bytes, said: str) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        answer = await bring(author, content)
        assert said in answer.content
        assert answer.components == []
    assert author.written() == []
    assert there(world) == 0


async def test_a_character_that_was_never_imported_is_exported_with_its_prompt(world: World) -> None:
    scene = Scene.of(world)
    author = await Author.of(scene)
    async with world.bot():
        await author.make()
        given = await author.command("export", character="lamp-keeper")
    (file,) = given.attachments
    assert file.filename == "lamp-keeper.json"
    assert read_card_file(file.content).mapping.fields.system_prompt == author.owned()[0].system_prompt
