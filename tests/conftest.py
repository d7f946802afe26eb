"""What all tests share: how properties are searched, and the check of requests against a description of Discord."""

import pytest
from hypothesis import HealthCheck, settings

from tests.support.new_database import NewDatabase
from tests.support.openapi import discord_request_check, pytest_terminal_summary

__all__ = ["discord_request_check", "pytest_terminal_summary"]

# The same examples on every machine, and no verdict that depends on how busy it is.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session")
def new_database() -> NewDatabase:
    """Return what opens an empty database."""
    return NewDatabase()
