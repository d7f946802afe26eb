from dataclasses import replace

from bot.domain.bindings import Binding, BindingState, PauseCause, Trigger
from bot.domain.ids import BindingId, ChannelId, CharacterRef, GuildId, MessageId, PayerId, UserId
from bot.services.binding_index import BindingIndex

ROOM = ChannelId(300)
OTHER_ROOM = ChannelId(301)


def binding(number: int, channel_id: ChannelId = ROOM) -> Binding:
    return Binding(
        BindingId(number),
        GuildId(200),
        channel_id,
        CharacterRef(1),
        Trigger.EVERY,
        BindingState.ACTIVE,
        None,
        UserId(400),
        PayerId("operator"),
        MessageId(1000),
        1_800_000_000_000,
    )


def test_an_unbound_channel_has_nothing() -> None:
    assert BindingIndex().get(ROOM) is None


def test_a_binding_is_found_by_its_channel_until_it_is_dropped() -> None:
    index = BindingIndex()
    index.put(binding(1))
    assert index.get(ROOM) == binding(1)
    index.drop(ROOM)
    index.drop(ROOM)
    assert index.get(ROOM) is None


def test_a_paused_binding_stays() -> None:
    index = BindingIndex()
    paused = replace(binding(1), state=BindingState.PAUSED, pause_cause=PauseCause.UNAVAILABLE)
    index.put(paused)
    assert index.get(ROOM) == paused


def test_an_ended_binding_is_forgotten() -> None:
    index = BindingIndex()
    index.put(binding(1))
    index.put(replace(binding(1), state=BindingState.ENDED))
    assert index.get(ROOM) is None


def test_the_end_of_an_earlier_binding_leaves_its_successor() -> None:
    index = BindingIndex()
    index.put(binding(2))
    index.put(replace(binding(1), state=BindingState.ENDED))
    assert index.get(ROOM) == binding(2)


def test_a_binding_is_found_as_it_stands_now_and_not_its_successor() -> None:
    index = BindingIndex()
    index.put(replace(binding(1), state=BindingState.PAUSED))
    assert index.current(binding(1)) == replace(binding(1), state=BindingState.PAUSED)
    index.put(binding(2))
    assert index.current(binding(1)) is None
    assert index.current(binding(2, OTHER_ROOM)) is None


def test_loading_replaces_everything_and_the_newest_of_a_channel_wins() -> None:
    index = BindingIndex()
    index.put(binding(1, OTHER_ROOM))
    index.load([binding(5), binding(4)])
    assert index.get(ROOM) == binding(5)
    assert index.get(OTHER_ROOM) is None
    assert len(index) == 1


def test_the_index_may_change_while_it_is_gone_through() -> None:
    index = BindingIndex()
    index.load([binding(1), binding(2, OTHER_ROOM)])
    for each in index:
        index.drop(each.channel_id)
    assert len(index) == 0
