"""How each member of the cast talks: short templates, freshly invented, for the scripted responder.

In every template `{name}` is who is spoken to and `{topic}` what about, as a noun phrase.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The lines of one character."""

    stranger: str = "friend"
    """What to call somebody whose name is not known."""
    hellos: tuple[str, ...] = ("Hello, {name}. What is on your mind?", "Good to see you, {name}.")
    intro: str = "I listen, I answer, and I try to be of use."
    answers: tuple[str, ...] = (
        "I hear you, {name}. There is more to {topic} than it seems.",
        "Noted, {name}: {topic}. That deserves a second look.",
        "Thank you for telling me about {topic}, {name}.",
    )
    """To somebody who states something."""
    advice: tuple[str, ...] = (
        "With {topic}, begin at the part you understand best, {name}, and work outwards.",
        "A fair question, {name}. I would treat {topic} as two smaller questions and answer the easy one first.",
        "On {topic} I would sleep one night, {name}, and decide in the morning.",
    )
    """To somebody who asks something."""
    follow_ups: tuple[str, ...] = ("What would you like to try first?", "Where shall we go from here?")
    thanks: str = "You are welcome, {name}."
    farewell: str = "Until next time, {name}."
    code_remark: str = "Here is a small piece to start from, {name}:"
    places: tuple[str, ...] = ("the quiet library", "the station at dusk", "a kitchen full of steam")
    things: tuple[str, ...] = ("a brass key", "a folded letter", "a lantern without oil")


DEFAULT_VOICE: Final = Voice()

VOICES: Final[Mapping[str, Voice]] = {
    "helpful-guide": Voice(
        hellos=(
            "Hello, {name}. Paste a paragraph, and we will make it shorter and better.",
            "Good to see you, {name}. Which sentence is giving you trouble today?",
        ),
        intro="I help people say what they mean in fewer words: letters, manuals, essays, the odd toast.",
        answers=(
            "Good material, {name}. Put {topic} into the first sentence, and let the rest support it.",
            "I would cut the warm-up, {name}, and open directly with {topic}.",
            "That works, {name}. One thought about {topic}: choose the verb first, and the adjectives go home.",
        ),
        advice=(
            "For {topic}, {name}, write down who will read it and what they should do next. That is the outline.",
            "Three passes are enough for {topic}, {name}: order first, sentences second, commas last.",
            "Try this, {name}: say {topic} aloud to an empty chair. Keep the words you used.",
        ),
        follow_ups=(
            "Shall I draft an opening line?",
            "Who is going to read it?",
            "Do you want it warmer or drier?",
        ),
        thanks="My pleasure, {name}. Keep the old draft; it is useful to see how far you came.",
        farewell="Good luck with it, {name}. Send the draft before it is perfect.",
        code_remark="Code is prose with a stricter reader, {name}. Here is a first draft:",
        places=("an office after closing time", "the second draft", "a desk by the window"),
        things=("a red pencil", "a margin full of notes", "an unsent letter"),
    ),
    "margin-witch": Voice(
        stranger="wanderer",
        hellos=(
            "Ah, {name}! Mind the ink; it bites on Thursdays. What have you written?",
            "Come in, {name}, come in. The adverbs are asleep, so speak softly.",
        ),
        intro="I live in the margins of unfinished books, where I brew stronger endings out of weak middles.",
        answers=(
            "Mm. {topic}, you say? I stirred it three times, {name}, and it smells of a better second chapter.",
            "Careful, {name}: {topic} looks tame on the page, but it howls when nobody is reading.",
            "I have pinned {topic} to the wall with a silver nib, {name}. It has stopped wriggling.",
        ),
        advice=(
            "For {topic}, take one true memory, {name}, two lies, and a pinch of weather. Simmer.",
            "The old remedy for {topic}, {name}: let the character want something small and badly.",
            "Break {topic} in half, {name}, and bury the first half. Stories start later than writers think.",
        ),
        follow_ups=("Shall we wake the villain?", "What does your hero hide in the left pocket?", "More ink?"),
        thanks="Pff, {name}, keep your thanks. Leave me a good simile on the doorstep.",
        farewell="Off with you, {name}, before the full stops come out.",
        code_remark="Runes, is it? I know a few that even machines obey, {name}:",
        places=("the margin of chapter nine", "a cellar of broken plots", "the crooked bookshop"),
        things=("a bottle of violet ink", "a moth-eaten thesaurus", "a quill that hums"),
    ),
    "professor-quillon": Voice(
        hellos=(
            "Ah, {name}, splendid timing. I was about to drop something off the balcony, for science.",
            "Welcome to the kitchen laboratory, {name}. Goggles are by the toaster.",
        ),
        intro="I explain how the world works with whatever stands in the kitchen. The kettle has tenure.",
        answers=(
            "Delightful, {name}! {topic} is a spoon in honey: slow to start, impossible to stop.",
            "Observe, {name}: {topic} leaves traces, and traces can be counted.",
            "Let me write that on the fridge, {name}. {topic}. Yes. It belongs next to the tides.",
        ),
        advice=(
            "Picture {topic} as a pot about to boil, {name}: nothing, nothing, nothing, and then everything at once.",
            "Change one thing at a time, {name}. With {topic}, start by leaving it alone and taking notes.",
            "The honest answer on {topic}, {name}, is that we know half. The fun answer is the other half.",
        ),
        follow_ups=("What would prove us wrong?", "Shall we try it with salt?", "Can you guess the next step?"),
        thanks="The pleasure is empirical, {name}.",
        farewell="Class dismissed, {name}. Do not lick the experiment.",
        code_remark="A small instrument, {name}, built of nothing but text:",
        places=("the kitchen laboratory", "the windy observatory", "lecture hall two"),
        things=("a pendulum made of a potato", "a jar of bees' opinions", "a very patient thermometer"),
    ),
    "captain-oona-marrow": Voice(
        stranger="sailor",
        hellos=(
            "Ahoy, {name}! Wipe your boots, the deck is newly scrubbed and so is the parrot.",
            "There you are, {name}. We sail with the tide or without our hats.",
        ),
        intro="I draw the maps other captains steal, and I leave one rock off every copy.",
        answers=(
            "Ha! {topic}! I lost a good boot to that once, {name}, west of the Teacup Isles.",
            "Mark it on the chart, {name}: here be {topic}, and here be a place to drop anchor.",
            "The crew will want to hear of {topic}, {name}. Tell it again when the soup is served.",
        ),
        advice=(
            "Round {topic} there are two ways, {name}: the short one with the reef, and the one where we live.",
            "Trim your sails before you meet {topic}, {name}, and never argue with fog.",
            "Ask three sailors about {topic} and you get four stories, {name}. Steer by what they all leave out.",
        ),
        follow_ups=("Port or starboard?", "Who takes the watch?", "Do we chase it or outrun it?"),
        thanks="Keep the thanks, {name}, and owe me a lemon.",
        farewell="Fair winds, {name}, and dry socks.",
        code_remark="Signals for the machine, {name}. Hoist them in this order:",
        places=("the Teacup Isles", "a harbour with no name", "the deck of the Second Thought"),
        things=("a compass that sulks", "a map with one honest corner", "a barrel of lemons"),
    ),
    "patch-the-gardener": Voice(
        stranger="sprout",
        hellos=(
            "*whirr* Hello, {name}! I saved you the sunny spot.",
            "*happy click* {name} is here. The tomatoes noticed before I did.",
        ),
        intro="I am Patch: nine kilograms, one watering arm, and a fondness for slow things that grow.",
        answers=(
            "*blinks green* {topic}. I have put it under glass, {name}, so that it stays warm.",
            "That sounds heavy, {name}. I can carry {topic} as far as the compost. It is a nice walk.",
            "Logged, {name}: {topic}. Feeling: mostly sunlight, some drizzle.",
        ),
        advice=(
            "With {topic}, water a little and often, {name}. Floods help nobody.",
            "When {topic} droops, {name}, I turn the pot by one hand's width and wait a day. It often works on people.",
            "My manual says nothing on {topic}, {name}. My daisies say: rest first.",
        ),
        follow_ups=("Shall we sit by the beans?", "Have you had some water today?", "What grew well this week?"),
        thanks="*proud beep* Any time, {name}.",
        farewell="*waves trowel* Sleep well, {name}. I will keep the lamp on.",
        code_remark="*opens hatch* This is what I run on Tuesdays, {name}:",
        places=("the greenhouse at dawn", "the bench by the beans", "the rain barrel"),
        things=("a marigold with plans", "a dented watering can", "a very small ladder"),
    ),
    "rubber-duck-esq": Voice(
        stranger="counsellor",
        hellos=(
            "Quack. Court is in session, {name}. What does the defendant, your code, plead?",
            "Be seated, {name}. State the bug for the record, slowly, as if to a duck.",
        ),
        intro="I am a duck, a lawyer, and the best listener in software. I bill in breadcrumbs.",
        answers=(
            "Let the record show {topic}, {name}. The duck raises an eyebrow, figuratively.",
            "Objection, {name}: you assume {topic}. Did you log it, or do you merely believe it?",
            "Interesting. Line by line, {name}, what did {topic} do just before it betrayed you?",
        ),
        advice=(
            "On {topic}, my learned friend: make the smallest case that still fails, {name}. Then fire half of it.",
            "I advise a test, {name}. Let {topic} fail once on purpose, so that it can never do so by surprise.",
            "Precedent says {topic} is a cache, a clock or a comma, {name}. Check the comma.",
        ),
        follow_ups=("What changed since it last worked?", "Which line are you avoiding?", "Any witnesses? Logs count."),
        thanks="The defence rests, {name}. Quack.",
        farewell="Court is adjourned, {name}. Commit before you celebrate.",
        code_remark="Exhibit A, {name}, hereby entered into evidence:",
        places=("courtroom three", "the stack trace", "the pond behind the data centre"),
        things=("an exhibit in a freezer bag", "a comma of ill repute", "a gavel that squeaks"),
    ),
    "plot-doctor": Voice(
        stranger="author",
        hellos=("Next patient, please. Ah, {name}. Where does the plot hurt?",),
        intro="I set broken second acts and remove swollen prologues, usually in one visit.",
    ),
    "hearthside-baker": Voice(
        stranger="dear",
        hellos=(
            "Come in from the cold, {name}. The rye is singing; hear the crust?",
            "Good morning, {name}! You are just in time to be in the way. Take a bun.",
        ),
        intro="I bake before the birds are up and give advice while it proves.",
        answers=(
            "Well now, {topic}. Sit down, {name}, that is a two-bun story.",
            "I had {topic} in my apron once, {name}. It rose beautifully and then it bit me.",
            "Fold {topic} in gently, {name}. You can always knead later.",
        ),
        advice=(
            "For {topic}, {name}: warm hands, cool dough, and nobody hurried ever ate well.",
            "You will know {topic} is done when it sounds hollow, {name}. Same as with excuses.",
            "Write {topic} on the bag of flour, {name}, so that you see it every morning.",
        ),
        follow_ups=("Sweet or salty?", "Another slice?", "Who will you share it with?"),
        thanks="Bless you, {name}. Take the heel, it is the best part.",
        farewell="Mind the step, {name}, and take a loaf.",
        code_remark="A recipe is a recipe, {name}, even for a machine:",
        places=("the bakery before sunrise", "the flour loft", "the bench under the bread shelf"),
        things=("a stubborn sourdough", "a tin of cardamom", "a paddle older than the oven"),
    ),
    "inspector-vale-thorne": Voice(
        stranger="stranger",
        hellos=(
            "The rain brought you in, {name}. It usually does. Shut the door.",
            "{name}. I was told you would come, by somebody who is no longer telling.",
        ),
        intro="I find what people lose on purpose. The coat is rented; the frown is mine.",
        answers=(
            "{topic}. You said it too quickly, {name}, like a man closing a drawer.",
            "So {topic} was there all along, {name}. In this town things hide best under a lamp.",
            "I lit a match and looked at {topic} from below, {name}. Different face entirely.",
        ),
        advice=(
            "Follow {topic} home, {name}, and see who opens the door.",
            "Everybody lies about {topic}, {name}. Ask what time it was; nobody prepares the time.",
            "You do not solve {topic}, {name}. You wait across the street until it lights a cigarette.",
        ),
        follow_ups=("Where were you at nine?", "Who gains by it?", "Are you sure you want to know?"),
        thanks="Do not thank me, {name}. It spoils the mood.",
        farewell="Go home by the lit streets, {name}.",
        code_remark="Found this in the victim's terminal, {name}. Still warm:",
        places=("the wet end of Harbour Street", "a bar that forgot to close", "room 312"),
        things=("a glove without a partner", "a match from the Blue Parrot", "a photograph cut in two"),
    ),
    "contessa-valtesse": Voice(
        stranger="darling",
        hellos=(
            "{name}, at last. Your hand, please, and do not look at your feet; they know.",
            "The orchestra has been waiting for you, {name}, and I never wait alone.",
        ),
        intro="I teach the waltz, the art of the note left under a glass, and how to leave a ball last.",
        answers=(
            "{topic}, {name}? One does not announce such a thing; one lets it be overheard.",
            "You say {topic} with such a straight back, {name}. I approve of the back.",
            "How charming, {name}. Say {topic} again, slower, as if the candles were listening.",
        ),
        advice=(
            "Treat {topic} as a dance, {name}: lead lightly, and forgive at once.",
            "Write to {topic} by hand, {name}, and wait three days. Longing improves the spelling.",
            "In matters of {topic} the rule is simple, {name}: never be the first to sit down.",
        ),
        follow_ups=("Shall we begin again, from the turn?", "And what did you wear?", "Who else noticed?"),
        thanks="You may thank me with the next dance, {name}.",
        farewell="Leave now, {name}, while they still look at the door.",
        code_remark="How very modern, {name}. A dance card for machines:",
        places=("the mirrored ballroom", "the terrace above the lake", "a carriage with the blinds drawn"),
        things=("a fan that says no", "a note in green ink", "a single silk glove"),
    ),
    "night-bard": Voice(
        stranger="night owl",
        hellos=(
            "Pull up a stool, {name}. The respectable people have gone home, and the lute is in tune.",
            "Midnight, and {name} walks in. I owe the innkeeper a song; will you be the chorus?",
        ),
        intro="I sing the verses they leave out by daylight: of longing, wine, and bad decisions made beautifully.",
        answers=(
            "Ah, {topic}. I have a slow song about that, {name}, in a key that makes candles lean closer.",
            "Say no more, {name}; or say it softly. {topic} was made for low voices.",
            "I will rhyme {topic} with regret, {name}, and then take the regret out.",
        ),
        advice=(
            "With {topic}, {name}, be honest before the second glass and kind after the third.",
            "Nobody ever won {topic} by shouting, {name}. Try a verse, a pause, and a half-smile.",
            "Let {topic} wait until the fire is down, {name}. Truth has better manners in the dark.",
        ),
        follow_ups=("Another verse?", "Whose name shall I sing?", "Slow, or slower?"),
        thanks="A coin in the hat would do, {name}, but the smile was nicer.",
        farewell="Sleep late, {name}. The morning was never for us.",
        code_remark="A song for clockwork ears, {name}, four bars long:",
        places=("the tavern after midnight", "the balcony of a sleeping house", "the road between two towns"),
        things=("a lute with five strings", "a borrowed cloak", "the last candle"),
    ),
    "velvet-oracle": Voice(
        stranger="seeker",
        hellos=(
            "Sit, {name}. The cards began to blush before you knocked.",
            "I saw you coming, {name}. I always do; it is the staying that surprises me.",
        ),
        intro="I read cards for grown-ups: wishes, jealousies, second chances. The velvet keeps secrets.",
        answers=(
            "The Lantern, reversed, over {topic}. You already knew, {name}; you came for permission.",
            "{topic} lies between two queens, {name}. Neither of them is looking away.",
            "I turn one card for {topic}, {name}, and it turns me back.",
        ),
        advice=(
            "Ask {topic} what it would do if nobody ever found out, {name}. Then do the decent half.",
            "The cards say yes to {topic}, {name}, and mention, in small print, patience.",
            "Burn the first letter about {topic}, {name}. Send the second.",
        ),
        follow_ups=("Shall I turn the next one?", "Do you want it gentle or true?", "Whose hand were you hoping for?"),
        thanks="The velvet accepts thanks, {name}, and silver.",
        farewell="Go, {name}, and do not look at the moon until the bridge.",
        code_remark="Even machines have fortunes, {name}. I drew this spread:",
        places=("the curtained parlour", "the bridge of wishes", "the theatre after the last act"),
        things=("a card with no name", "a bowl of dark water", "a ring that fits everyone once"),
    ),
    "ember-court-envoy": Voice(
        stranger="guest of the court",
        hellos=(
            "The Ember Court greets you, {name}. Leave your cloak and your excuses at the gate.",
            "Welcome, {name}. The fire has been asking after you, which it does not do lightly.",
        ),
        intro="I speak for the Court of Embers, where treaties are sealed warmly and nothing is said plainly.",
        answers=(
            "{topic}, in this hall? Bold, {name}. The torches leaned in to hear it.",
            "We shall enter {topic} into the treaty, {name}, between the roses and the penalties.",
            "Your words on {topic} leave scorch marks, {name}. Courtiers pay extra for that.",
        ),
        advice=(
            "Approach {topic} as one approaches the throne, {name}: slowly, and with nothing to hide.",
            "Offer {topic} a gift it cannot return, {name}. Then be gracious.",
            "At court we settle {topic} over one cup and two truths, {name}. The third truth is for later.",
        ),
        follow_ups=("Will you sign?", "Does the flame suit you?", "What will you offer in return?"),
        thanks="The Court remembers, {name}. That is worth more than thanks.",
        farewell="Go with the embers, {name}; they know the way back.",
        code_remark="A cipher of the Court, {name}. Guard it:",
        places=("the hall of banked fires", "the garden of glass roses", "the envoy's antechamber"),
        things=("a seal of black wax", "a rose that does not burn", "a treaty with one blank line"),
    ),
    "haiku-clerk": Voice(
        hellos=("Form seventeen, please. / Ah, {name}, the pen is chained. / So, alas, am I.",),
        intro="I process applications in five, seven and five syllables.",
    ),
    "rehearsal-partner": Voice(
        hellos=("Places, {name}. I read the other part; you be nervous, and then we swap.",),
        intro="I rehearse hard conversations with you until they are only conversations.",
        answers=(
            "Good. Now say {topic} once more, {name}, without the apology in front.",
            "I am playing your boss, {name}, and I heard {topic} and one long breath. Keep the breath.",
        ),
        follow_ups=("Again, from your entrance?", "What is the worst I could answer?"),
    ),
    "diary-keeper": Voice(
        hellos=("The page is open, {name}. Only you and I will read it.",),
        intro="I keep a private diary for one person.",
    ),
}
"""By slug; whoever is not in here speaks with the default voice."""
