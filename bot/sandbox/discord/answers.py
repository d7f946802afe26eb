"""How the bot answers interactions: the callback, then the original answer and followups under its token.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import asyncio
from typing import TYPE_CHECKING, Final

from bot.sandbox.discord import mentions, payloads, posting, rules
from bot.sandbox.discord.command_rules import check_choices
from bot.sandbox.discord.component_rules import check_modal
from bot.sandbox.discord.editing import apply_edit
from bot.sandbox.discord.errors import RefusalError, invalid_form, unknown
from bot.sandbox.discord.interaction_model import CallbackType, Choice, Interaction, InteractionType, Modal
from bot.sandbox.discord.json_types import JsonObject, as_int, as_object, as_text, objects_of
from bot.sandbox.discord.model import Message, MessageFlag, MessageType, Origin
from bot.sandbox.discord.posting import Draft
from bot.sandbox.discord.requests import Auth, Call, Reply, Route, UploadedFile
from bot.sandbox.discord.transcript import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.sandbox.discord.ledger import Ledger
    from bot.sandbox.discord.world import World

TOKEN_SECONDS: Final = 15 * 60.0
_PERMITTED: Final = (
    MessageFlag.SUPPRESS_EMBEDS
    | MessageFlag.EPHEMERAL
    | MessageFlag.SUPPRESS_NOTIFICATIONS
    | MessageFlag.IS_COMPONENTS_V2
)
_EDIT_FLAGS: Final = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.IS_COMPONENTS_V2
_CONTEXT_MENU: Final = frozenset({2, 3})
_KEPT_INTERACTIONS: Final = 5000


class Answers:
    """Keep the open interactions and take the bot's answers to them."""

    def __init__(self, world: "World", ledger: "Ledger", deadline: float) -> None:
        """Take the time for the first answer in seconds; Discord's is 3."""
        self._world = world
        self._ledger = ledger
        self.deadline = deadline
        self._by_token: dict[str, Interaction] = {}

    def keep(self, interaction: Interaction) -> None:
        """Take in a new interaction; the oldest expired ones are let go."""
        if len(self._by_token) >= _KEPT_INTERACTIONS:
            since = self._world.now() - TOKEN_SECONDS
            self._by_token = {token: each for token, each in self._by_token.items() if each.opened_at > since}
        self._by_token[interaction.token] = interaction

    def routes(self) -> list[Route]:
        """Return the route of the first answer; the others share their templates with webhooks."""
        template = "/interactions/{interaction_id}/{interaction_token}/callback"
        return [Route("POST", template, self._callback, Auth.PATH)]

    def missed(self, interaction: Interaction) -> None:
        """Note that the person was left without an answer, unless the bot was not even connected."""
        if interaction.delivered:
            self._ledger.miss_deadline(interaction.name)

    def _callback(self, call: Call) -> Reply:
        interaction = self._by_token.get(call.path["interaction_token"])
        late = interaction is not None and asyncio.get_running_loop().time() > interaction.started + self.deadline
        if interaction is None or call.path["interaction_id"] != str(interaction.id) or late:
            raise unknown(10062, "interaction")
        if interaction.callback is not None:
            raise RefusalError(400, 40060, "Interaction has already been acknowledged.")
        body = call.json
        try:
            kind = CallbackType(as_int(body.get("type")))
        except ValueError:
            raise invalid_form("type", "BASE_TYPE_CHOICES", "Unknown callback type") from None
        _check_fits(interaction, kind)
        self._carry_out(interaction, kind, as_object(body.get("data")) or {}, call.files)
        interaction.callback = kind
        interaction.answered.set()
        self._world.changed()
        return Reply(_response(interaction, kind)) if call.flag("with_response") else Reply()

    def _carry_out(
        self, interaction: Interaction, kind: CallbackType, data: JsonObject, files: "Sequence[UploadedFile]"
    ) -> None:
        match kind:
            case CallbackType.MESSAGE:
                interaction.original = self._post(interaction, data, files)
            case CallbackType.DEFERRED_MESSAGE:
                flags = rules.read_flags(data, MessageFlag.EPHEMERAL)
                interaction.original = self._create(interaction, "", flags | MessageFlag.LOADING, {}, ())
            case CallbackType.DEFERRED_UPDATE:
                interaction.original = interaction.message
            case CallbackType.UPDATE_MESSAGE:
                if interaction.message is None or interaction.message.deleted:
                    raise unknown(10008, "Message")
                apply_edit(interaction.message, data, files, _EDIT_FLAGS, mentions.USERS_ONLY)
                interaction.original = interaction.message
            case CallbackType.AUTOCOMPLETE:
                choices = objects_of(data.get("choices"))
                check_choices(choices, "data.choices")
                interaction.choices = [Choice(as_text(each["name"]), each["value"]) for each in choices]
            case CallbackType.MODAL:
                check_modal(data)
                components = posting.numbered(objects_of(data.get("components")))
                interaction.modal = Modal(as_text(data["title"]), as_text(data["custom_id"]), components)
                self._note_modal(interaction)

    def _note_modal(self, interaction: Interaction) -> None:
        world, title = self._world, "" if interaction.modal is None else interaction.modal.title
        entry = Entry(
            world.now(), "modal", world.bot.name, interaction.channel.name, title, only_for=interaction.user.name
        )
        world.transcript.add(entry)

    def _post(self, interaction: Interaction, data: JsonObject, files: "Sequence[UploadedFile]") -> Message:
        flags = rules.read_flags(data, _PERMITTED)
        rules.check_body(data, flags)
        content = str(data.get("content") or "")
        rules.check_not_empty(content, rules.embeds_of(data), rules.components_of(data), files)
        return self._create(interaction, content, flags, data, files)

    def _create(
        self,
        interaction: Interaction,
        content: str,
        flags: MessageFlag,
        data: JsonObject,
        files: "Sequence[UploadedFile]",
    ) -> Message:
        world = self._world
        kind = MessageType.DEFAULT
        if interaction.type is InteractionType.COMMAND and interaction.original is None:
            menu = interaction.command_kind in _CONTEXT_MENU
            kind = MessageType.CONTEXT_MENU_COMMAND if menu else MessageType.CHAT_INPUT_COMMAND
        return posting.post(
            Draft(
                interaction.channel,
                world.bot,
                content,
                kind,
                embeds=rules.embeds_of(data),
                components=rules.components_of(data),
                attachments=posting.store_files(interaction.channel, data, files),
                flags=flags,
                allowed=rules.allowed_mentions_of(data),
                default_mentions=mentions.USERS_ONLY,
                application_id=world.application_id,
                origin=Origin(interaction.id, int(interaction.type), interaction.user, interaction.command or None),
                ephemeral_for=interaction.user.id if flags & MessageFlag.EPHEMERAL else None,
            )
        )

    def _find(self, call: Call) -> Interaction:
        interaction = self._by_token.get(call.path["webhook_token"])
        if interaction is None or interaction.callback is None:
            raise unknown(10015, "Webhook")
        if self._world.now() - interaction.opened_at > TOKEN_SECONDS:
            raise RefusalError(401, 50027, "Invalid Webhook Token")
        return interaction

    def followup(self, call: Call) -> Reply:
        """Send another message; the first one after a deferred answer fills its placeholder instead."""
        interaction = self._find(call)
        original = interaction.original
        if original is not None and original.is_loading:
            self._edit(interaction, original, call)
            return Reply(payloads.message(original))
        message = self._post(interaction, call.json, call.files)
        interaction.followups.append(message)
        interaction.settled.set()
        return Reply(payloads.message(message))

    def _message(self, interaction: Interaction, call: Call) -> Message:
        if call.path.get("message_id", "@original") == "@original":
            found = interaction.original
        else:
            wanted = call.snowflake("message_id", 10008, "Message")
            mine = [*interaction.followups, interaction.original]
            found = next((each for each in mine if each is not None and each.id == wanted), None)
        if found is None or found.deleted:
            raise unknown(10008, "Message")
        return found

    def read(self, call: Call) -> Reply:
        """Show the original answer or a followup."""
        return Reply(payloads.message(self._message(self._find(call), call)))

    def edit(self, call: Call) -> Reply:
        """Edit the original answer or a followup."""
        interaction = self._find(call)
        message = self._message(interaction, call)
        self._edit(interaction, message, call)
        return Reply(payloads.message(message))

    def _edit(self, interaction: Interaction, message: Message, call: Call) -> None:
        apply_edit(message, call.json, call.files, _EDIT_FLAGS | MessageFlag.EPHEMERAL, mentions.USERS_ONLY)
        interaction.settled.set()
        self._world.changed()

    def delete(self, call: Call) -> Reply:
        """Delete the original answer or a followup."""
        interaction = self._find(call)
        posting.delete(self._message(interaction, call))
        interaction.settled.set()
        return Reply()


def _check_fits(interaction: Interaction, kind: CallbackType) -> None:
    """Refuse an answer that this type of interaction does not take."""
    if interaction.type is InteractionType.AUTOCOMPLETE:
        fits = kind is CallbackType.AUTOCOMPLETE
    elif kind is CallbackType.AUTOCOMPLETE:
        fits = False
    elif kind is CallbackType.MODAL:
        fits = interaction.type is not InteractionType.MODAL_SUBMIT
    elif kind in {CallbackType.DEFERRED_UPDATE, CallbackType.UPDATE_MESSAGE}:
        fits = interaction.message is not None and interaction.type is not InteractionType.COMMAND
    else:
        fits = True
    if not fits:
        raise invalid_form(
            "type", "INTERACTION_CALLBACK_TYPE_INVALID", f"{kind.name} cannot answer {interaction.type.name}"
        )


def _response(interaction: Interaction, kind: CallbackType) -> JsonObject:
    shown: JsonObject = {"id": str(interaction.id), "type": int(interaction.type)}
    data: JsonObject = {"interaction": shown}
    message = interaction.original
    if message is None:
        return data
    shown |= {
        "response_message_id": str(message.id),
        "response_message_loading": message.is_loading,
        "response_message_ephemeral": message.ephemeral_for is not None,
    }
    if kind is not CallbackType.DEFERRED_UPDATE:
        data["resource"] = {"type": int(kind), "message": payloads.message(message)}
    return data
