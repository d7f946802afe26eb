"""Every kind of button, select and form there is, for the client to know them from its start on."""

from collections.abc import Mapping
from typing import Any, Final

from discord import ui

from bot.views.accounts import KEY_FORM, PasteButton, submit_key
from bot.views.catalog import OpenSelect, TurnButton, UseHereButton
from bot.views.desk import ArchiveButton, MineOpenSelect, MineTurnButton
from bot.views.drafting import (
    DRAFT_FORM,
    UPLOAD_FORM,
    DraftFilesButton,
    DraftFormButton,
    DraftSaveButton,
    DraftUploadButton,
    submit_draft,
    submit_upload,
)
from bot.views.feedback import (
    RATE_FORM,
    REPORT_FORM,
    PublishButton,
    PublishMineButton,
    RateButton,
    ReportButton,
    submit_rating,
    submit_report,
)
from bot.views.modals import ModalHandler
from bot.views.own_characters import OWN_FORM, AgreeButton, submit_agreement
from bot.views.privacy import DeleteMineButton
from bot.views.replies import RetryButton
from bot.views.servers import (
    SERVER_KEY_FORM,
    CeilingSelect,
    LogChannelSelect,
    ManagerRoleSelect,
    OwnCharactersButton,
    RemoveKeyButton,
    ServerKeyButton,
    submit_server_key,
)

DYNAMIC_ITEMS: Final[tuple[type[ui.DynamicItem[Any]], ...]] = (
    OpenSelect,
    TurnButton,
    UseHereButton,
    AgreeButton,
    PasteButton,
    RateButton,
    ReportButton,
    PublishButton,
    PublishMineButton,
    DeleteMineButton,
    RetryButton,
    ManagerRoleSelect,
    LogChannelSelect,
    CeilingSelect,
    OwnCharactersButton,
    ServerKeyButton,
    RemoveKeyButton,
    MineOpenSelect,
    MineTurnButton,
    ArchiveButton,
    DraftFormButton,
    DraftFilesButton,
    DraftUploadButton,
    DraftSaveButton,
)
"""Handed to Client.add_dynamic_items at start, so that components of old messages are answered."""

MODAL_HANDLERS: Final[Mapping[str, ModalHandler]] = {
    RATE_FORM: submit_rating,
    REPORT_FORM: submit_report,
    OWN_FORM: submit_agreement,
    KEY_FORM: submit_key,
    SERVER_KEY_FORM: submit_server_key,
    DRAFT_FORM: submit_draft,
    UPLOAD_FORM: submit_upload,
}
"""Who takes a submitted form, by the kind in its custom id; handed to ModalsCog."""
