"""Every kind of button and select there is, for the client to know them from its start on."""

from typing import Any, Final

from discord import ui

DYNAMIC_ITEMS: Final[tuple[type[ui.DynamicItem[Any]], ...]] = ()
"""Handed to Client.add_dynamic_items at start, so that components of old messages are answered."""
