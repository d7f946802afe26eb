"""What can go wrong in the stand-in: a misuse by the test, or a refusal sent to the bot."""

from typing import Final

from bot.sandbox.discord.json_types import JsonObject

INVALID_FORM: Final = 50035
"""Code of every failed check of a request body; https://discord.com/developers/docs/topics/opcodes-and-status-codes."""


class SandboxError(Exception):
    """Say that a test or the demo asked the stand-in for something Discord's own client would not offer."""


class RefusalError(Exception):
    """Carry one error answer: HTTP status, Discord's JSON error code, its message and the per-field errors."""

    def __init__(self, status: int, code: int, message: str, errors: JsonObject | None = None) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def payload(self) -> JsonObject:
        """Return the JSON body of the answer."""
        body: JsonObject = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        return body


def invalid_form(field: str, code: str, message: str) -> RefusalError:
    """Build a 400/50035 whose error tree names one field, dots separating the levels."""
    tree: JsonObject = {"_errors": [{"code": code, "message": message}]}
    for part in reversed(field.split(".")):
        tree = {part: tree}
    return RefusalError(400, INVALID_FORM, "Invalid Form Body", tree)


def unknown(code: int, what: str) -> RefusalError:
    """Build a 404 with one of Discord's "Unknown …" codes (10003 channel, 10008 message, 10015 webhook …)."""
    return RefusalError(404, code, f"Unknown {what}")


def missing_permissions() -> RefusalError:
    """Build 403/50013."""
    return RefusalError(403, 50013, "Missing Permissions")


def missing_access() -> RefusalError:
    """Build 403/50001: the bot cannot see the place at all."""
    return RefusalError(403, 50001, "Missing Access")
