"""Buttons, selects, modals and pages, all of which survive a restart."""
