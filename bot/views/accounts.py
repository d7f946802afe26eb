"""Linking a NanoGPT account: the code and its address, the form for a key, and the word of how it ended."""

import logging
from typing import Any, Final

import discord
from discord import ui

from bot.domain.ids import UserId, snowflake_time_ms
from bot.domain.linking import LoginEnd
from bot.domain.linking_wording import invitation, login_news
from bot.domain.publishing import offer_sentence
from bot.errors import UserError
from bot.gateway.late_answers import change_answer
from bot.gateway.presenting import answer
from bot.services.publishing import PublishingService
from bot.services.registry import Services
from bot.views.base import AnsweringItem, services_of
from bot.views.feedback import publish_mine_view
from bot.views.modals import Submission, drawn_form

_log = logging.getLogger(__name__)

KEY_FORM: Final = "key-form"
MOST_KEY_CHARACTERS: Final = 200
"""NanoGPT's keys have about 45 (docs, authentication)."""
_KEY: Final = "key"


class PasteButton(AnsweringItem[ui.Button[Any]], kind="paste-key", ids=0):
    """Opens the form into which the presser pastes a key of their own."""

    def __init__(self) -> None:
        super().__init__(ui.Button(label="Paste a key instead", custom_id=self.id_for()))

    async def act(self, interaction: discord.Interaction) -> None:
        """Open the form."""
        await interaction.response.send_modal(key_form(interaction))


class LoginTeller:
    """Changes the answers that show codes, also those that were given before a restart."""

    def __init__(self, client: discord.Client, publishing: PublishingService) -> None:
        self._client = client
        self._publishing = publishing

    async def tell(self, token: str, user_id: UserId, end: LoginEnd) -> None:
        """Say how a login ended in the place of its code. Raises an OutletError."""
        content, view = await _ended(self._publishing, user_id, end)
        await change_answer(self._client, token, content, view=view)


def key_form(interaction: discord.Interaction) -> ui.Modal:
    """Draw the form that asks for a key."""
    return drawn_form(
        interaction,
        KEY_FORM,
        title="Paste a NanoGPT key",
        items=[
            ui.TextDisplay(
                "A key that you make on NanoGPT's API page can carry a daily limit, and can be revoked there at any "
                "time. I try it once, keep it encrypted, and show it to nobody."
            ),
            key_input("It begins with sk-nano-"),
        ],
    )


def key_input(description: str) -> ui.Item[Any]:
    """Return the field of a form into which a key is pasted."""
    field = ui.TextInput[Any](custom_id=_KEY, min_length=1, max_length=MOST_KEY_CHARACTERS)
    return ui.Label(text="API key", description=description, component=field)


def typed_key(submission: Submission) -> str:
    """Return the key of a form: for its service, and for nothing that is logged or answered."""
    return submission.values.get(_KEY, "")


async def invite(interaction: discord.Interaction) -> None:
    """Begin a login and show its code, in private, to the person who asked. Raises UserError."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    user = interaction.user
    login = await services_of(interaction).logins.begin(
        UserId(user.id), interaction.token, snowflake_time_ms(interaction.id)
    )
    assert login.secret is not None, "a login that has just begun has its secrets"
    text = invitation(
        member_name=user.display_name,
        username=user.name,
        user_code=login.secret.user_code,
        address=login.secret.address,
        expires_at_ms=login.expires_at_ms,
    )
    await interaction.edit_original_response(content=text, view=paste_view())


def paste_view() -> ui.View:
    """Return what goes under a code, and under the word that a key was not taken."""
    view = ui.View(timeout=None)
    view.add_item(PasteButton())
    return view


async def submit_key(interaction: discord.Interaction, submission: Submission) -> None:
    """Link the account of a pasted key; one that was not taken may be pasted again."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    services, user_id = services_of(interaction), UserId(interaction.user.id)
    try:
        end = await services.accounts.paste(user_id, typed_key(submission))
    except UserError as error:
        await answer(interaction, error.sentence, view=paste_view())
        return
    await services.logins.superseded(user_id, end)
    content, view = await _ended(services.publishing, user_id, end)
    await answer(interaction, content, view=view)


async def tell_login_news(interaction: discord.Interaction, services: Services) -> None:
    """Tell the person how their login ended, after their command was answered. Never raises."""
    user_id = UserId(interaction.user.id)
    try:
        news = await services.logins.pending_news(user_id)
        if news is not None and news.end is not None:
            content, view = await _ended(services.publishing, user_id, news.end)
            shown: dict[str, Any] = {} if view is None else {"view": view}
            await interaction.followup.send(content, ephemeral=True, suppress_embeds=True, **shown)
            await services.logins.told(news)
    except Exception:  # noqa: BLE001 - what the person asked for is done; they hear the news another time.
        _log.exception("how a login ended could not be told for interaction %s", interaction.id)


async def _ended(publishing: PublishingService, user_id: UserId, end: LoginEnd) -> tuple[str, ui.View | None]:
    """Return how a login ended, with the offer to publish what was rated before where the account is linked."""
    if not end.is_linked:
        return login_news(end), paste_view()
    waiting = await publishing.unpublished(user_id)
    if not waiting:
        return login_news(end), None
    return f"{login_news(end)}\n{offer_sentence(len(waiting))}", publish_mine_view()
