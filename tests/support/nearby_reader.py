"""Card files read without a child process, which has tests of its own: what it is asked and answers is the same."""

from bot.services.card_child import answer
from bot.services.card_reader import CardReader


class NearbyReader(CardReader):
    """Carries out in this process what a child would be asked."""

    async def _asked(self, message: bytes) -> bytes:
        return answer(message)
