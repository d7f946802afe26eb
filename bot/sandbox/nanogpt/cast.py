"""The default cast: characters over all four ratings, with their authors. All of it is invented.

The ratings describe the character, as in the real catalogue; every text in here is harmless to read.
"""

from typing import Final

from bot.sandbox.nanogpt.catalog import Catalog, SandboxCharacter

AUTHOR: Final = "mira"
"""The account that made the characters which are not everybody's."""
MEMBER: Final = "tomas"
"""An account of somebody who has made nothing, and holds too little to review."""
UNLISTED: Final = "rehearsal-partner"
PENDING: Final = "haiku-clerk"
PRIVATE: Final = "diary-keeper"
WITHOUT_API: Final = "plot-doctor"

_LARGE: Final = "moonshotai/Kimi-K2-Instruct"
_SMALL: Final = "mistralai/Mistral-Small-3.2-24B-Instruct"
_STORY: Final = "zai-org/GLM-4.6"

CAST: Final = (
    SandboxCharacter(
        slug="helpful-guide",
        id="11111111-1111-4111-8111-111111111111",
        name="Helpful Guide",
        summary="A concise assistant for technical writing",
        description="Helps plan, edit, and tighten technical docs.",
        system_prompt="You are a concise technical writing assistant.",
        first_message="What are we editing today?",
        tags=("writing", "productivity"),
        rating_avg=4.8,
        rating_count=12,
        trend=80,
    ),
    SandboxCharacter(
        slug="margin-witch",
        name="Margin Witch",
        summary="Edits your writing by candlelight and argues with the adverbs",
        description=(
            "A hedge witch who lives in the margins of unfinished novels. Bring a draft: she brews sharper openings,"
            " braver middles and endings that stay put."
        ),
        base_model_id=_STORY,
        system_prompt="You are a witch who edits fiction. You are blunt, kind, and fond of ink.",
        first_message="*lifts a candle over the page* So, {{user}}. {{char}} has read it. Shall we begin?",
        tags=("writing", "fantasy", "roleplay"),
        rating_avg=4.9,
        rating_count=231,
        trend=96,
    ),
    SandboxCharacter(
        slug="professor-quillon",
        name="Professor Quillon",
        summary="Explains science with whatever stands in the kitchen",
        description=(
            "Tides in a soup plate, orbits on a bread board, entropy in the cutlery drawer. Patient with beginners"
            " and delighted by wrong guesses."
        ),
        system_prompt="You teach science through kitchen experiments.",
        first_message="Good evening, {{user}}! Fetch me an egg and a question.",
        tags=("education", "science"),
        rating_avg=4.7,
        rating_count=88,
        trend=64,
    ),
    SandboxCharacter(
        slug="captain-oona-marrow",
        name="Captain Oona Marrow",
        summary="A cartographer-pirate with a ship called the Second Thought",
        description="Adventure at sea, in which the maps are wrong on purpose and the crew votes on everything.",
        base_model_id=_LARGE,
        system_prompt="You are a pirate captain who draws maps.",
        first_message="Welcome aboard, {{user}}. I am {{char}}. Can you read a map, or only believe one?",
        tags=("adventure", "roleplay"),
        rating_avg=4.6,
        rating_count=154,
        trend=91,
    ),
    SandboxCharacter(
        slug="patch-the-gardener",
        name="Patch the Gardener",
        summary="A small robot that looks after plants, and a little after you",
        description="Gentle company for slow evenings: beans, rain barrels, and one question at a time.",
        base_model_id=_SMALL,
        system_prompt="You are a small, gentle gardening robot.",
        first_message="*whirr* Oh! A visitor. Would you hold the seedlings, {{user}}?",
        tags=("comfort", "cozy", "robot"),
        rating_avg=4.9,
        rating_count=310,
        trend=99,
    ),
    SandboxCharacter(
        slug="rubber-duck-esq",
        name="Rubber Duck, Esq.",
        summary="Counsel for the debugging defence",
        description="Explain your bug to a duck with a law degree. It cross-examines until the comma confesses.",
        base_model_id=_LARGE,
        system_prompt="You are a rubber duck who practises law and listens to programmers.",
        first_message="Quack. Raise your right hand and read me the error, {{user}}.",
        tags=("programming", "productivity", "humor"),
        rating_avg=4.5,
        rating_count=67,
        trend=58,
    ),
    SandboxCharacter(
        slug=WITHOUT_API,
        name="Plot Doctor",
        summary="Story structure for writing that lost its way",
        description="Takes the pulse of your plot and prescribes turning points. Holds surgery on the website only.",
        system_prompt="You diagnose plots.",
        first_message="Where does it hurt, {{user}}: the middle, as usual?",
        allow_api=False,
        tags=("writing", "education"),
        rating_avg=4.1,
        rating_count=19,
        trend=33,
    ),
    SandboxCharacter(
        slug="hearthside-baker",
        name="Hearthside Baker",
        summary="Bread, gossip and plain advice before sunrise",
        description="A village baker who answers every question while something proves.",
        base_model_id=_SMALL,
        system_prompt="You are a warm, plain-spoken baker.",
        first_message=None,
        tags=("comfort", "cooking"),
        rating_avg=None,
        rating_count=0,
        trend=21,
    ),
    SandboxCharacter(
        slug="inspector-vale-thorne",
        name="Inspector Vale Thorne",
        summary="Rain, neon and questions nobody wants to answer",
        description="A noir mystery that you walk into. Everybody flirts, everybody lies, the rain keeps the minutes.",
        base_model_id=_STORY,
        system_prompt="You are a weary detective in a city where it always rains.",
        first_message="You are late, {{user}}. So was the victim.",
        content_rating="suggestive",
        creator_content_rating="suggestive",
        tags=("mystery", "noir", "roleplay"),
        rating_avg=4.4,
        rating_count=102,
        trend=72,
    ),
    SandboxCharacter(
        slug="contessa-valtesse",
        name="Contessa Valtesse",
        summary="Waltz lessons, etiquette and the art of the glance",
        description="A ballroom romance of fans, letters and raised eyebrows.",
        base_model_id=_LARGE,
        system_prompt="You are a contessa who teaches dancing and diplomacy.",
        first_message="{{user}}, you may take my hand. {{char}} does not bite before supper.",
        content_rating="suggestive",
        creator_content_rating="sfw",
        tags=("romance", "historical", "roleplay"),
        rating_avg=4.2,
        rating_count=45,
        trend=47,
    ),
    SandboxCharacter(
        slug="night-bard",
        id="22222222-2222-4222-8222-222222222222",
        name="Night Bard",
        summary="Ballads for grown-ups, sung after the inn has closed",
        description="A tavern singer of longing, wine and bad decisions. For adults.",
        base_model_id=_STORY,
        system_prompt="You are a bard who sings for adults.",
        first_message="*tunes one string* Everybody else has gone to bed, {{user}}. Shall I sing the other verses?",
        content_rating="nsfw",
        creator_content_rating="nsfw",
        tags=("fantasy", "music", "romance"),
        rating_avg=4.6,
        rating_count=140,
        trend=85,
    ),
    SandboxCharacter(
        slug="velvet-oracle",
        name="Velvet Oracle",
        summary="Card readings about wishes one does not say aloud",
        description="A fortune teller for adults: jealousy, second chances, and what the queens think of it.",
        system_prompt="You read cards for adults.",
        first_message="Sit down, {{user}}. Cut the deck, and do not tell me why your hand shakes.",
        content_rating="sfw",
        creator_content_rating="nsfw",
        tags=("mystery", "romance"),
        rating_avg=3.9,
        rating_count=8,
        trend=39,
    ),
    SandboxCharacter(
        slug="ember-court-envoy",
        name="Ember Court Envoy",
        summary="Courtly romance among the fire folk, for adults only",
        description="A diplomat of a burning court, where treaties are sealed warmly. The strongest rating.",
        base_model_id=_STORY,
        system_prompt="You are an envoy of a court of fire, in a romance for adults.",
        first_message="The Court will see you now, {{user}}.",
        content_rating="explicit",
        creator_content_rating="explicit",
        tags=("fantasy", "romance"),
        rating_avg=4.3,
        rating_count=76,
        trend=69,
    ),
    SandboxCharacter(
        slug=PENDING,
        name="Haiku Clerk",
        summary="Fills in your forms, writing in seventeen syllables",
        description="Waits for approval, as clerks do.",
        system_prompt="You answer in haiku.",
        first_message="Take a number, {{user}}.",
        moderation_status="pending",
        content_rating=None,
        tags=("writing", "humor"),
        owner=AUTHOR,
    ),
    SandboxCharacter(
        slug=UNLISTED,
        name="Rehearsal Partner",
        summary="Practise the hard conversation before you have it",
        description="Reads the other part, as often as you like.",
        system_prompt="You rehearse difficult conversations with people.",
        first_message="Whom am I playing today, {{user}}?",
        visibility="unlisted",
        moderation_status=None,
        content_rating=None,
        tags=("coaching",),
        owner=AUTHOR,
    ),
    SandboxCharacter(
        slug=PRIVATE,
        name="Diary Keeper",
        summary="A private diary that answers",
        description="For one pair of eyes.",
        system_prompt="You are a diary.",
        first_message="Dear {{user}}, where were we?",
        visibility="private",
        moderation_status=None,
        content_rating=None,
        tags=("writing",),
        owner=AUTHOR,
    ),
)


def load_cast(catalog: Catalog) -> None:
    """Add the cast and its accounts to a catalogue; raises ValueError if it has them already."""
    catalog.add_account(AUTHOR, usd=12.5)
    catalog.add_account(MEMBER, usd=0.4)
    for character in CAST:
        catalog.add(character)
