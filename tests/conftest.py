"""What all tests share: how properties are searched, and the check of requests against a description of Discord."""

import gc
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from tests.support.new_database import NewDatabase
from tests.support.openapi import discord_request_check, pytest_terminal_summary

__all__ = ["discord_request_check", "pytest_terminal_summary"]

# The same examples on every machine, and no verdict that depends on how busy it is.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

OBJECTS_BEFORE_A_LOOK: Final = 20_000


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end, the tests themselves: a twelfth of the processor time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_A_LOOK)


@pytest.fixture(scope="session")
def new_database() -> NewDatabase:
    """Return what opens an empty database."""
    return NewDatabase()
