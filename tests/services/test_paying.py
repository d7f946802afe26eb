"""Who pays for a reply: the operator, the server, or a member for a character of their own."""

from dataclasses import replace

import httpx
import pytest

from bot.domain import own_wording
from bot.domain.bindings import Binding, BindingState, PauseCause, Trigger
from bot.domain.characters import Character
from bot.domain.failures import Failure, FailureCause, failure_sentence
from bot.domain.gate import FRESH_MS
from bot.domain.ids import CharacterId, CharacterRef, RoleId, UserId
from bot.domain.linking import AccountSecret, KeyOrigin
from bot.domain.notices import NOT_ALLOWED
from bot.domain.payers import OPERATOR, PayerKind, member_payer, server_payer
from bot.domain.places import Place
from bot.domain.ratings import ContentRating
from bot.domain.rights import MemberRights
from bot.domain.turns import Arrival
from bot.errors import UserError
from bot.services.binding_book import LOOK_AGAIN_AFTER_SECONDS
from bot.services.bindings import Asker, BindingChange
from bot.services.catalog import REUSE_MS
from bot.services.outlet import Uncertain
from bot.services.own_characters import OWNER_AWAY_SECONDS, OWNER_FRESH_SECONDS, OwnCharacterFound
from bot.store.database import Database
from bot.store.vault import MasterKey, Vault
from tests.support.manual_clock import ManualClock
from tests.support.own_parts import MANAGER, OPERATOR_KEY
from tests.support.recording_outlet import Gate
from tests.support.relay_world import ALICE, BOB, GUILD, OTHER_ROOM, ROOM, THREAD, RelayWorld, character
from tests.support.scripted_upstream import refuses, streams

SERVER_KEY = "sk-nano-fake-server"
ALICES_KEY = "sk-nano-fake-alice"
DIARY = CharacterId("diary")
HERE = Place(GUILD, ROOM, None, age_restricted=False)
ELSEWHERE = Place(GUILD, OTHER_ROOM, None, age_restricted=False)
KEEPERS = RoleId(77)


@pytest.fixture
async def world(database: Database, vault: Vault, clock: ManualClock) -> RelayWorld:
    world = RelayWorld(database, vault, clock)
    await world.open()
    return world


def asker(
    world: RelayWorld, user_id: UserId = ALICE, *, may_manage: bool = True, roles: tuple[RoleId, ...] = ()
) -> Asker:
    return Asker(user_id, "Somebody", may_manage, world.outlet.next_id(), frozenset(roles))


async def link(world: RelayWorld, key: str = ALICES_KEY) -> None:
    """Do what linking does, apart from its words; all keys are of one account."""
    await world.parts.accounts.link(ALICE, AccountSecret(key, "of-alice"), KeyOrigin.PASTED, world.clock.now_ms())
    world.breakers.forget(member_payer(ALICE))


async def unlink(world: RelayWorld) -> None:
    """Do what unlinking does, apart from its words."""
    await world.parts.accounts.unlink(ALICE)
    await world.upkeep.payer_gone(member_payer(ALICE))
    world.parts.shelf.forget(ALICE)
    await world.idle()


@pytest.fixture
async def own(world: RelayWorld) -> RelayWorld:
    """Let Alice have linked her account, and written a private character."""
    world.town.membership.rights[ALICE] = MANAGER
    private = {"visibility": "private", "moderation_status": None, "allow_api": False, "content_rating": None}
    world.upstream.characters[DIARY] = character(DIARY, name="Dear Diary", **private)
    world.upstream.owners[DIARY] = ALICES_KEY
    await link(world)
    return world


async def asked_first(world: RelayWorld, place: Place = HERE, trigger: Trigger | None = None) -> OwnCharacterFound:
    with pytest.raises(OwnCharacterFound) as found:
        await world.binding_service.use(place, asker(world), "Dear Diary", trigger)
    return found.value


async def brought(
    world: RelayWorld, *, trigger: Trigger = Trigger.EVERY, most: int = 50, place: Place = HERE
) -> BindingChange:
    """Let Alice agree to pay for her diary."""
    found = await asked_first(world, place)
    change = await world.binding_service.use_own(place, asker(world), found.known.ref, trigger, most)
    world.binding_service.release(change)
    return change


def bound(world: RelayWorld) -> Binding:
    binding = world.index.get(ROOM)
    assert binding is not None
    return binding


def known_by(world: RelayWorld, ref: CharacterRef) -> Character:
    """Return what Alice's key has seen of one of her characters."""
    known = world.parts.own.known(ALICE, ref)
    assert known is not None
    return known.character


# The server


async def test_a_servers_own_key_pays_from_the_next_reply_on(world: RelayWorld) -> None:
    await world.bind()
    await world.ask("One")
    await world.parts.rules.set_key(GUILD, SERVER_KEY)
    await world.upkeep.server_changed(GUILD)
    assert bound(world).payer == server_payer(GUILD)
    await world.ask("Two")
    assert "this server's own NanoGPT key" in world.binding_service.current(HERE)
    await world.parts.rules.remove_key(GUILD)
    await world.upkeep.server_changed(GUILD)
    await world.ask("Three")
    assert world.upstream.paid_with == [OPERATOR_KEY.reveal(), SERVER_KEY, OPERATOR_KEY.reveal()]
    assert [turn.payer for turn in await world.all_turns()] == [OPERATOR, server_payer(GUILD), OPERATOR]


async def test_what_is_brought_into_a_server_with_a_key_is_paid_for_by_it(world: RelayWorld) -> None:
    await world.parts.rules.set_key(GUILD, SERVER_KEY)
    world.upstream.characters["guide"] = character("guide")
    change = await world.binding_service.use(HERE, asker(world), "guide")
    assert change.binding.payer == server_payer(GUILD)


async def test_a_stop_between_the_key_and_its_bindings_is_put_right_at_the_next_start(world: RelayWorld) -> None:
    await world.bind()
    await world.parts.rules.set_key(GUILD, SERVER_KEY)
    after = await world.restarted()
    assert bound(after).payer == server_payer(GUILD)


async def test_no_other_key_pays_where_the_servers_is_lost(world: RelayWorld, database: Database) -> None:
    await world.bind()
    await world.parts.rules.set_key(GUILD, SERVER_KEY)
    await world.upkeep.server_changed(GUILD)
    lost = RelayWorld(
        database,
        Vault([MasterKey(b"another-" * 4)]),
        world.clock,
        outlet=world.outlet,
        upstream=world.upstream,
        town=world.town,
    )
    await lost.open()
    await lost.ask()
    assert lost.upstream.paid_with == []
    assert await lost.states() == [("failed", "no_key")]
    (mark,) = lost.texts()
    assert "Someone who manages this server has to give it again with /server settings." in mark


@pytest.mark.parametrize(("status", "cause"), [(401, FailureCause.BAD_KEY), (402, FailureCause.BALANCE)])
async def test_a_servers_key_that_fails_is_not_fallen_through_from(
    world: RelayWorld, status: int, cause: FailureCause
) -> None:
    await world.bind()
    await world.parts.rules.set_key(GUILD, SERVER_KEY)
    await world.upkeep.server_changed(GUILD)
    world.upstream.script(refuses(status))
    await world.ask()
    assert world.upstream.paid_with == [SERVER_KEY]
    (mark,) = world.texts()
    assert mark == failure_sentence(Failure(cause, paid_by=PayerKind.SERVER))
    assert bound(world).state is BindingState.ACTIVE


async def test_a_server_that_threw_the_bot_out_has_no_key_when_it_is_back(world: RelayWorld) -> None:
    await world.bind()
    await world.parts.rules.set_key(GUILD, SERVER_KEY)
    await world.upkeep.server_changed(GUILD)
    await world.upkeep.guild_left(GUILD)
    assert await world.parts.servers.key(GUILD) is None
    await world.upkeep.guild_joined(GUILD)
    await world.ask()
    assert world.upstream.paid_with == [OPERATOR_KEY.reveal()]


async def test_a_turn_that_a_stop_cut_is_charged_to_whoever_pays_now(world: RelayWorld) -> None:
    await world.bind()
    message = world.message()
    conversation = await world.conversation(bound(world))
    await world.turns.admit_and_begin(
        conversation.id,
        [Arrival(message.id, GUILD, ROOM, ALICE, "Alice", message.text)],
        world.rules.limits,
        OPERATOR,
        now_ms=world.clock.now_ms(),
        day_start_ms=0,
    )
    await world.parts.rules.set_key(GUILD, SERVER_KEY)
    after = await world.restarted()
    await after.recovered()
    assert after.upstream.paid_with == [SERVER_KEY]
    assert [turn.payer for turn in await after.all_turns()] == [server_payer(GUILD)]


# What a server sets besides


async def test_a_lowered_ceiling_pauses_at_once_and_a_raised_one_lets_go_on(world: RelayWorld) -> None:
    world.town.restricted[ROOM] = True
    adult = CharacterId("bard")
    world.upstream.characters[adult] = character(adult, content_rating="nsfw", creator_content_rating="nsfw")
    await world.bind(character_id=adult)
    await world.parts.rules.change(GUILD, lambda before: replace(before, rating_max=ContentRating.SFW))
    await world.upkeep.server_changed(GUILD)
    assert bound(world).pause_cause is PauseCause.ABOVE_CEILING
    await world.ask()
    assert world.upstream.asked == []
    await world.parts.rules.change(GUILD, lambda before: replace(before, rating_max=None))
    await world.upkeep.server_changed(GUILD)
    assert bound(world).state is BindingState.ACTIVE


async def test_a_manager_role_may_decide_like_those_who_manage_channels(world: RelayWorld) -> None:
    world.upstream.characters["guide"] = character("guide")
    keeper = asker(world, BOB, may_manage=False, roles=(KEEPERS,))
    with pytest.raises(UserError, match=NOT_ALLOWED):
        await world.binding_service.use(HERE, keeper, "guide")
    await world.parts.rules.change(GUILD, lambda before: replace(before, manager_role_id=KEEPERS))
    await world.binding_service.use(HERE, keeper, "guide")
    assert world.binding_service.may_decide(GUILD, keeper)
    assert not world.binding_service.may_decide(GUILD, asker(world, BOB, may_manage=False, roles=(RoleId(78),)))


# A member's own character


async def test_its_owner_is_asked_before_their_own_character_speaks(own: RelayWorld) -> None:
    found = await asked_first(own)
    assert "everyone here spends your balance" in found.sentence
    assert "nobody has reviewed" in found.sentence
    assert found.trigger is Trigger.MENTION
    assert own.index.get(ROOM) is None
    assert (await asked_first(own, trigger=Trigger.EVERY)).trigger is Trigger.EVERY


async def test_its_owner_pays_for_everyones_replies_once_they_agreed(own: RelayWorld) -> None:
    change = await brought(own)
    assert (change.binding.payer, change.binding.daily_turns) == (member_payer(ALICE), 50)
    assert "**Dear Diary**" in (change.notice or "")
    assert "nobody has reviewed its content rating" in (change.notice or "")
    assert "at most 50 a day" in (change.notice or "")
    await own.ask(by=BOB)
    assert own.texts() == ["Hello."]
    assert own.upstream.paid_with == [ALICES_KEY]
    assert "<@400>'s own character" in own.binding_service.current(HERE)


async def test_no_one_else_can_bring_it(own: RelayWorld) -> None:
    found = await asked_first(own)
    with pytest.raises(UserError, match="no public character"):
        await own.binding_service.use(HERE, asker(own, BOB), "diary")
    with pytest.raises(UserError, match="have not linked"):
        await own.binding_service.use_own(HERE, asker(own, BOB), found.known.ref, Trigger.EVERY, 50)
    await own.parts.accounts.link(BOB, AccountSecret("sk-nano-fake-bob"), KeyOrigin.PASTED, 1)
    with pytest.raises(UserError, match="not know that character as one of yours"):
        await own.binding_service.use_own(HERE, asker(own, BOB), found.known.ref, Trigger.EVERY, 50)


async def test_a_character_that_a_read_names_by_its_slug_alone_stays_the_same(own: RelayWorld) -> None:
    own.upstream.shows_ids = False
    change = await brought(own)
    own.clock.advance(FRESH_MS / 1_000 + 1)
    await own.ask()
    assert own.texts() == ["Hello."]
    (known,) = own.parts.shelf.of(ALICE)
    assert (known.ref, known.character.id) == (change.binding.character_ref, DIARY)
    assert known.checked_at_ms == own.clock.now_ms()


async def test_the_catalogue_is_never_asked_for_it_without_its_key(own: RelayWorld) -> None:
    change = await brought(own)
    await own.ask()
    assert own.relay.characters_in_use() == []
    public = own.catalog.by_ref(change.binding.character_ref)
    assert public is None or public.character.name == DIARY
    assert [choice.value for choice in own.catalog.suggest("dear", ceiling=ContentRating.EXPLICIT)] == [
        'Look for "dear"'
    ]


async def test_what_its_author_withdraws_is_private_for_everybody_at_once(own: RelayWorld) -> None:
    private, owner = own.upstream.characters[DIARY], own.upstream.owners.pop(DIARY)
    own.upstream.characters[DIARY] = character(DIARY, name="Dear Diary")
    public = await own.catalog.resolve("diary", ceiling=ContentRating.SFW)
    own.upstream.characters[DIARY], own.upstream.owners[DIARY] = private, owner
    own.clock.advance(REUSE_MS / 1_000 + 1)
    await brought(own)
    withdrawn = own.catalog.by_ref(public.ref)
    assert withdrawn is not None
    assert withdrawn.character.visibility == "private"


@pytest.mark.parametrize(
    ("place", "may_manage", "sentence"),
    [
        (None, True, "live in the channels"),
        (HERE, False, "Only people with"),
        (Place(GUILD, ROOM, THREAD, age_restricted=False), True, "belong to a channel"),
    ],
)
async def test_agreeing_needs_the_same_rights_as_bringing(
    own: RelayWorld, place: Place | None, *, may_manage: bool, sentence: str
) -> None:
    found = await asked_first(own)
    with pytest.raises(UserError, match=sentence):
        await own.binding_service.use_own(place, asker(own, may_manage=may_manage), found.known.ref, Trigger.EVERY, 50)


async def test_a_server_may_forbid_it_before_and_after(own: RelayWorld) -> None:
    found = await asked_first(own)
    await own.parts.rules.change(GUILD, lambda before: replace(before, own_characters=False))
    with pytest.raises(UserError, match="does not let members bring"):
        await own.binding_service.use(HERE, asker(own), "diary")
    with pytest.raises(UserError, match="does not let members bring"):
        await own.binding_service.use_own(HERE, asker(own), found.known.ref, Trigger.EVERY, 50)
    await own.parts.rules.change(GUILD, lambda before: replace(before, own_characters=True))
    await brought(own)
    await own.parts.rules.change(GUILD, lambda before: replace(before, own_characters=False))
    await own.upkeep.server_changed(GUILD)
    assert bound(own).pause_cause is PauseCause.OWN_FORBIDDEN
    await own.ask()
    assert own.upstream.paid_with == []


async def test_one_above_the_ceiling_is_neither_offered_nor_bound(own: RelayWorld) -> None:
    found = await asked_first(own)
    own.upstream.characters[DIARY]["creator_content_rating"] = "nsfw"
    own.clock.advance(120)
    with pytest.raises(UserError, match="rated above what this channel may show"):
        await own.binding_service.use(HERE, asker(own), "diary")
    with pytest.raises(UserError, match="rated above what this channel may show"):
        await own.binding_service.use_own(HERE, asker(own), found.known.ref, Trigger.EVERY, 50)


async def test_only_its_owner_may_let_it_answer_more(own: RelayWorld) -> None:
    await brought(own, trigger=Trigger.MENTION)
    with pytest.raises(UserError, match=own_wording.ONLY_OWNER_WIDENS):
        await own.binding_service.settings(HERE, asker(own, BOB), Trigger.EVERY)
    wider = await own.binding_service.settings(HERE, asker(own), Trigger.EVERY)
    assert wider.binding.trigger is Trigger.EVERY
    narrower = await own.binding_service.settings(HERE, asker(own, BOB), Trigger.MENTION)
    assert narrower.binding.trigger is Trigger.MENTION


async def test_the_number_of_replies_a_day_is_kept_and_starts_afresh(own: RelayWorld) -> None:
    await brought(own, most=2)
    for text in ("One", "Two", "Three"):
        await own.ask(text)
    assert len(own.upstream.paid_with) == 2
    assert own.texts()[:2] == ["Hello.", "Hello."]
    assert "pays for so many replies a day" in own.texts()[2]
    assert "It works again <t:" in own.texts()[2]
    assert (await own.states())[-1] == ("failed", "payer_cap")
    own.clock.advance(86_400)
    await own.ask("Four")
    assert len(own.upstream.paid_with) == 3


async def test_agreeing_anew_changes_the_number_and_keeps_the_conversation(own: RelayWorld) -> None:
    first = await brought(own, most=1)
    again = await brought(own, most=9)
    assert again.binding.id == first.binding.id
    assert again.binding.daily_turns == 9
    assert again.greeting is None


async def test_it_stops_when_its_owner_unlinks_and_waits_for_their_word(own: RelayWorld) -> None:
    await brought(own)
    await own.ask()
    await unlink(own)
    assert bound(own).pause_cause is PauseCause.UNLINKED
    assert "has unlinked their NanoGPT account" in own.texts()[-1]
    await own.ask()
    await link(own, "sk-nano-fake-of-another-account")
    own.upstream.owners[DIARY] = "sk-nano-fake-of-another-account"
    own.clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    await own.ask()
    assert own.upstream.paid_with == [ALICES_KEY]
    await asked_first(own, ELSEWHERE)
    own.clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    await own.ask()
    assert bound(own).pause_cause is PauseCause.UNLINKED
    await brought(own)
    await own.ask()
    assert own.upstream.paid_with == [ALICES_KEY, "sk-nano-fake-of-another-account"]


async def test_a_stop_right_after_unlinking_does_not_let_it_go_on_without_their_word(own: RelayWorld) -> None:
    await brought(own)
    await own.parts.accounts.unlink(ALICE)
    after = await own.restarted()
    await link(after)
    await asked_first(after, ELSEWHERE)
    await after.recovered()
    after.clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    await after.ask()
    assert bound(after).pause_cause is PauseCause.UNLINKED
    assert after.upstream.paid_with == []


async def test_an_owner_who_unlinks_while_it_is_about_to_go_on_still_has_to_agree_anew(own: RelayWorld) -> None:
    await brought(own)
    paused = await own.upkeep.pause(bound(own), PauseCause.OWNER_AWAY)
    assert paused is not None
    standing = await own.parts.gate.standing(paused, ceiling=ContentRating.SFW)
    assert standing.cause is None
    await own.parts.accounts.unlink(ALICE)
    assert await own.upkeep.recheck(paused, standing) is None
    await unlink(own)
    await link(own)
    await asked_first(own, ELSEWHERE)
    own.clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    await own.ask("Still there?")
    assert (bound(own).state, bound(own).pause_cause) == (BindingState.PAUSED, PauseCause.UNLINKED)
    assert own.upstream.paid_with == []


async def test_it_stops_with_a_bad_key_and_goes_on_with_a_good_one(own: RelayWorld) -> None:
    await brought(own)
    own.upstream.refused.add(ALICES_KEY)
    await own.ask()
    assert bound(own).pause_cause is PauseCause.KEY_REFUSED
    assert "The member whose character this is has to renew it with /account link." in own.texts()[0]
    assert "NanoGPT refuses the key of the member" in own.texts()[1]
    own.clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    await own.ask()
    assert own.upstream.paid_with == [ALICES_KEY]
    await link(own, "sk-nano-fake-renewed")
    own.upstream.owners[DIARY] = "sk-nano-fake-renewed"
    own.clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    await own.ask()
    assert own.upstream.paid_with == [ALICES_KEY, "sk-nano-fake-renewed"]


async def test_a_late_refusal_of_the_key_before_does_not_stop_the_one_linked_since(own: RelayWorld) -> None:
    await brought(own)
    gate = Gate()
    own.upstream.script(httpx.Response(401, stream=streams(gate).stream))
    own.say("One")
    await gate.entered.wait()
    await link(own, "sk-nano-fake-renewed")
    own.upstream.owners[DIARY] = "sk-nano-fake-renewed"
    gate.open()
    await own.idle()
    assert bound(own).state is BindingState.ACTIVE
    assert own.breakers.failure(member_payer(ALICE)) is None
    await own.ask("Two")
    assert own.upstream.paid_with == [ALICES_KEY, "sk-nano-fake-renewed"]


@pytest.mark.parametrize("rights", [None, MemberRights(manages_channel=False)])
async def test_it_stops_when_its_owner_is_gone_or_may_not_decide_any_more(
    own: RelayWorld, rights: MemberRights | None
) -> None:
    await brought(own)
    await own.ask()
    if rights is None:
        del own.town.membership.rights[ALICE]
    else:
        own.town.membership.rights[ALICE] = rights
    own.clock.advance(OWNER_FRESH_SECONDS)
    await own.ask()
    assert bound(own).pause_cause is PauseCause.OWNER_AWAY
    assert own.upstream.paid_with == [ALICES_KEY]
    own.town.membership.rights[ALICE] = MANAGER
    own.clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    looks = len(own.town.membership.asked)
    await own.ask()
    assert len(own.town.membership.asked) == looks
    own.clock.advance(OWNER_AWAY_SECONDS)
    await own.ask()
    assert own.upstream.paid_with == [ALICES_KEY, ALICES_KEY]


async def test_a_manager_role_is_enough_for_its_owner(own: RelayWorld) -> None:
    await own.parts.rules.change(GUILD, lambda before: replace(before, manager_role_id=KEEPERS))
    own.town.membership.rights[ALICE] = MemberRights(manages_channel=False, role_ids=frozenset({KEEPERS}))
    await brought(own)
    await own.ask()
    assert own.upstream.paid_with == [ALICES_KEY]


async def test_while_discord_does_not_tell_of_its_owner_what_it_said_last_counts(own: RelayWorld) -> None:
    await brought(own)
    own.town.membership.error = Uncertain()
    await own.ask("One")
    own.town.membership.error = None
    await own.ask("Two")
    own.clock.advance(OWNER_FRESH_SECONDS)
    own.town.membership.error = Uncertain()
    await own.ask("Three")
    assert own.upstream.paid_with == [ALICES_KEY] * 3


async def test_one_that_its_key_sees_no_more_pauses(own: RelayWorld) -> None:
    await brought(own)
    await own.ask()
    del own.upstream.characters[DIARY]
    own.clock.advance(660)
    await own.ask()
    assert bound(own).pause_cause is PauseCause.UNAVAILABLE
    assert own.upstream.paid_with == [ALICES_KEY]


async def test_one_that_may_be_seen_and_not_spoken_with_is_tried_every_ten_minutes(own: RelayWorld) -> None:
    change = await brought(own)
    await own.ask("One")
    for _ in range(2):
        own.upstream.script(refuses(403, "This character is not available via API"))
    for number in range(8):
        await own.ask(f"Still there? {number}")
        own.clock.advance(LOOK_AGAIN_AFTER_SECONDS)
    await own.parts.shelf.remember_listed(ALICE, [known_by(own, change.binding.character_ref)])
    await own.ask("And now?")
    assert bound(own).pause_cause is PauseCause.UNAVAILABLE
    assert len(own.upstream.asked) == 2
    own.clock.advance(FRESH_MS / 1_000)
    await own.ask("Ten minutes later")
    assert len(own.upstream.asked) == 3
    again = await own.binding_service.use_own(HERE, asker(own), change.binding.character_ref, Trigger.EVERY, 50)
    own.binding_service.release(again)
    await own.ask("Brought anew")
    assert len(own.upstream.asked) == 4
    assert bound(own).state is BindingState.ACTIVE


async def test_what_its_key_sees_is_as_fresh_as_what_the_catalogue_says(own: RelayWorld) -> None:
    await brought(own)
    own.upstream.characters[DIARY]["name"] = "Dearest Diary"
    own.clock.advance(660)
    await own.ask()
    ref = bound(own).character_ref
    known = own.parts.own.known(ALICE, ref)
    assert known is not None
    assert known.character.name == "Dearest Diary"


async def test_a_slow_catalogue_does_not_silence_it_for_a_day(own: RelayWorld) -> None:
    await brought(own)
    own.upstream.catalogue_down = True
    own.clock.advance(3_600)
    await own.ask()
    assert own.upstream.paid_with == [ALICES_KEY]
    own.clock.advance(86_400)
    await own.ask()
    assert bound(own).pause_cause is PauseCause.UNVERIFIED


async def test_what_everybody_may_use_by_now_can_be_brought_at_the_operators_cost(own: RelayWorld) -> None:
    first = await brought(own)
    await unlink(own)
    del own.upstream.owners[DIARY]
    own.upstream.characters[DIARY] |= {
        "visibility": "public",
        "moderation_status": "approved",
        "allow_api": True,
        "content_rating": "sfw",
    }
    own.clock.advance(660)
    change = await own.binding_service.use(HERE, asker(own, BOB), "diary")
    own.binding_service.release(change)
    assert (change.binding.id, change.binding.payer) == (first.binding.id, OPERATOR)
    assert change.binding.daily_turns is None
    await own.ask()
    assert own.upstream.paid_with == [OPERATOR_KEY.reveal()]


async def test_one_that_has_become_public_is_paid_for_by_its_owner_until_it_is_brought_anew(own: RelayWorld) -> None:
    first = await brought(own)
    del own.upstream.owners[DIARY]
    own.upstream.characters[DIARY] |= {
        "visibility": "public",
        "moderation_status": "approved",
        "allow_api": True,
        "content_rating": "sfw",
    }
    own.clock.advance(660)
    await own.ask("One")
    change = await own.binding_service.use(HERE, asker(own, BOB), "diary")
    own.binding_service.release(change)
    assert (change.binding.id, change.binding.payer, change.binding.daily_turns) == (first.binding.id, OPERATOR, None)
    await own.ask("Two")
    assert own.upstream.paid_with == [ALICES_KEY, OPERATOR_KEY.reveal()]


async def test_everything_about_it_outlasts_a_restart(own: RelayWorld) -> None:
    await brought(own, most=1)
    await own.ask("One")
    after = await own.restarted()
    await after.ready()
    await after.idle_in_time()
    await after.ask("Two")
    assert after.upstream.paid_with == [ALICES_KEY]
    assert bound(after).daily_turns == 1


async def test_a_linked_member_still_uses_public_characters_at_the_operators_cost(own: RelayWorld) -> None:
    own.upstream.characters["guide"] = character("guide")
    change = await own.binding_service.use(HERE, asker(own), "guide")
    assert change.binding.payer == OPERATOR


async def test_a_refused_key_is_said_so_when_its_owner_names_a_character(own: RelayWorld) -> None:
    own.upstream.refused.add(ALICES_KEY)
    with pytest.raises(UserError, match="refuses the key of your account"):
        await own.binding_service.use(HERE, asker(own), "diary")
    with pytest.raises(UserError, match="no public character"):
        await own.binding_service.use(HERE, asker(own), "diary")


async def test_two_of_ones_own_with_one_name_are_told_apart_by_their_ids(own: RelayWorld) -> None:
    twin = CharacterId("diary-two")
    own.upstream.characters[twin] = own.upstream.characters[DIARY] | {"id": twin, "slug": "second-diary"}
    own.upstream.owners[twin] = ALICES_KEY
    with pytest.raises(UserError, match="no public character"):
        await own.binding_service.use(HERE, asker(own), "Dear Diary")
    with pytest.raises(OwnCharacterFound) as found:
        await own.binding_service.use(HERE, asker(own), "second-diary")
    assert found.value.known.character.id == twin
