from collections.abc import AsyncGenerator

import pytest

from bot.domain.ids import UserId
from bot.gateway.direct_messages import DirectMessenger
from bot.sandbox.discord import DiscordSandbox, Fault, Person
from tests.sandbox.discord_clients import RecordingClient, running


@pytest.fixture
async def sandbox() -> AsyncGenerator[DiscordSandbox]:
    async with DiscordSandbox() as opened:
        yield opened
        opened.assert_clean()


@pytest.fixture
async def write(sandbox: DiscordSandbox) -> AsyncGenerator[DirectMessenger]:
    async with running(sandbox, RecordingClient()) as client:
        yield DirectMessenger(client)


def inbox(person: Person) -> list[str]:
    return [message.content for message in person.open_dm().messages.values()]


async def test_a_member_reads_what_is_written_to_them(sandbox: DiscordSandbox, write: DirectMessenger) -> None:
    alice = sandbox.add_guild("Writers").add_member("Alice")
    assert await write(UserId(alice.id), "Approved. @everyone https://example.org")
    (message,) = alice.open_dm().messages.values()
    assert (message.content, message.pings, message.unfurled) == (
        "Approved. @everyone https://example.org",
        set(),
        False,
    )


async def test_closed_direct_messages_are_no_failure(sandbox: DiscordSandbox, write: DirectMessenger) -> None:
    alice = sandbox.add_guild("Writers").add_member("Alice")
    alice.close_direct_messages()
    with sandbox.expect_refusal(status=403, code=50007):
        assert not await write(UserId(alice.id), "Approved.")
    assert inbox(alice) == []


async def test_neither_is_a_discord_that_is_down(sandbox: DiscordSandbox, write: DirectMessenger) -> None:
    alice = sandbox.add_guild("Writers").add_member("Alice")
    sandbox.faults.add(Fault("POST", "/users/@me/channels", status=503))
    assert not await write(UserId(alice.id), "Approved.")
    assert inbox(alice) == []
