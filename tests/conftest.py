"""What all tests share: the check of requests against Discord's published description."""

from tests.support.openapi import discord_request_check, pytest_terminal_summary

__all__ = ["discord_request_check", "pytest_terminal_summary"]
