"""The live bindings in memory, so that a message of an unbound channel costs one look-up and no query."""

from collections.abc import Iterable, Iterator

from bot.domain.bindings import Binding, BindingState
from bot.domain.ids import ChannelId


class BindingIndex:
    """Which character speaks in which channel; threads are looked up by their parent.

    A copy of what the store holds: whoever changes a binding there puts it here, with no wait in between.
    """

    def __init__(self) -> None:
        self._by_channel: dict[ChannelId, Binding] = {}

    def load(self, bindings: Iterable[Binding]) -> None:
        """Replace everything, as at the start of the process. Of several in one channel the newest stays."""
        self._by_channel.clear()
        for binding in sorted(bindings, key=lambda binding: binding.id):
            self.put(binding)

    def get(self, channel_id: ChannelId) -> Binding | None:
        """Return the live binding of a channel, which may be paused."""
        return self._by_channel.get(channel_id)

    def current(self, binding: Binding) -> Binding | None:
        """Return a binding as it stands now; None where it has ended, also by another taking its place."""
        known = self._by_channel.get(binding.channel_id)
        return known if known is not None and known.id == binding.id else None

    def put(self, binding: Binding) -> None:
        """Take note of a binding as it stands now; one that has ended is forgotten."""
        if binding.state is not BindingState.ENDED:
            self._by_channel[binding.channel_id] = binding
        elif (known := self._by_channel.get(binding.channel_id)) is not None and known.id == binding.id:
            del self._by_channel[binding.channel_id]

    def drop(self, channel_id: ChannelId) -> None:
        """Forget what is bound to a channel, if anything is."""
        self._by_channel.pop(channel_id, None)

    def __iter__(self) -> Iterator[Binding]:
        """Go through the live bindings as they stand at this moment; the index may change meanwhile."""
        return iter(tuple(self._by_channel.values()))

    def __len__(self) -> int:
        return len(self._by_channel)
