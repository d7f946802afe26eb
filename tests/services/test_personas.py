from bot.domain.characters import Character, KnownCharacter
from bot.domain.ids import CharacterId, CharacterRef
from bot.services.outlet import Persona
from bot.services.personas import persona_for

AVATAR = "https://cdn.example/ada.png"


def known(name: str, avatar_url: str | None = AVATAR) -> KnownCharacter:
    return KnownCharacter(CharacterRef(1), Character(CharacterId("an-id"), name, avatar_url=avatar_url), 0, 0, None)


def test_a_character_speaks_under_its_own_name_and_picture() -> None:
    persona = persona_for(known("Ada"), guild_name="A Server", bot_name="A Bot", marked=False)
    assert persona == Persona(CharacterId("an-id"), "Ada", AVATAR)


def test_a_character_without_a_picture_has_none() -> None:
    assert persona_for(known("Ada", None), guild_name="A Server", bot_name="A Bot", marked=False).avatar_url is None


def test_names_that_could_be_taken_for_somebody_are_marked() -> None:
    taken = {
        persona_for(known("A Server"), guild_name="A Server", bot_name="A Bot", marked=False).name,
        persona_for(known("A Bot"), guild_name="A Server", bot_name="A Bot", marked=False).name,
        persona_for(known("Alice"), guild_name="A Server", bot_name="A Bot", marked=True).name,
    }
    assert taken == {"A Server (AI)", "A Bot (AI)", "Alice (AI)"}


def test_a_name_that_discord_refuses_is_repaired() -> None:
    name = persona_for(known("Clyde of Discord" * 10), guild_name="A Server", bot_name="A Bot", marked=False).name
    assert 1 <= len(name) <= 80
    assert "clyde" not in name.lower()
    assert "discord" not in name.lower()
