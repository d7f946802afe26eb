"""Answering `Who said this?` for any message of a server."""

from bot.domain.authorship import FORGOTTEN, OWN_NOTICE, Spoken, by_another, by_character
from bot.domain.bindings import BindingState
from bot.domain.messages import Author, IncomingMessage
from bot.domain.places import Place
from bot.domain.turns import PostKind
from bot.services.binding_gate import BindingGate
from bot.services.ceilings import Ceilings
from bot.store.bindings import Bindings
from bot.store.conversations import Conversations
from bot.store.posts import Posts
from bot.store.turns import Turns


class AuthorshipService:
    """Tells whose words a message is, and who pays where it was said. Changes nothing."""

    def __init__(
        self,
        *,
        posts: Posts,
        turns: Turns,
        conversations: Conversations,
        bindings: Bindings,
        gate: BindingGate,
        ceilings: Ceilings,
    ) -> None:
        self._posts = posts
        self._turns = turns
        self._conversations = conversations
        self._bindings = bindings
        self._gate = gate
        self._ceilings = ceilings

    async def who_said(self, message: IncomingMessage, place: Place, *, by_webhook: bool) -> str:
        """Say in plain words whose a message is; `by_webhook` tells that one of the bot's own came through a webhook.

        A character above the place's ceiling is not named.
        """
        post = await self._posts.by_message(message.id)
        if post is None:
            forgotten = message.author is Author.SELF and by_webhook
            return FORGOTTEN if forgotten else by_another(message.author, message.author_id)
        turn = await self._turns.get(post.turn_id)
        conversation = None if turn is None else await self._conversations.get(turn.conversation_id)
        binding = None if conversation is None else await self._bindings.get(conversation.binding_id)
        if post.kind is PostKind.MARK:
            return OWN_NOTICE
        if turn is None or binding is None:
            return FORGOTTEN
        known = self._gate.known(binding)
        shown = known is not None and known.character.rating <= self._ceilings.of(place)
        here = binding.state is not BindingState.ENDED
        return by_character(
            Spoken(
                character=known.character if known is not None and shown else None,
                kind=turn.kind,
                payer=binding.payer if here else turn.payer,
                daily_turns=binding.daily_turns if here else None,
                brought_by=binding.bound_by if here else None,
            )
        )
