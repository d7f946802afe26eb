"""NanoGPT's side of the demo: the accounts, the moderators' desk and the reviews, as they stand in the stand-in."""

from collections.abc import Callable
from typing import Final

from bot.sandbox.discord import SandboxError
from bot.sandbox.discord.json_types import JsonObject
from bot.sandbox.nanogpt.accounts import Account
from bot.sandbox.nanogpt.catalog import SandboxCharacter
from bot.sandbox.nanogpt.recording import RecordedCall
from bot.sandbox.nanogpt.server import NanoGptSandbox
from bot.sandbox.page.asked import Asked

MOST_USD: Final = 1_000_000.0


class Desk:
    """Draws NanoGPT's side, and does there what its staff and the owners of accounts can do."""

    def __init__(self, nanogpt: NanoGptSandbox, tell: Callable[[], None]) -> None:
        """`tell` is called whenever something is another than it was."""
        self._nanogpt = nanogpt
        self._tell = tell
        self._told = self.draw()
        nanogpt.listen(self._hear)

    def draw(self) -> JsonObject:
        """Draw it; of keys only their names. The operator's account is left out: it is the bot's own."""
        nanogpt = self._nanogpt
        return {
            "accounts": [self._account(each) for each in nanogpt.catalog.accounts if each is not nanogpt.operator],
            "waiting": [_character(each) for each in nanogpt.moderation.pending],
            "reviews": [
                {"character": each.character, "account": each.account, "rating": each.rating, "text": each.text}
                for each in nanogpt.reviews
            ],
        }

    def _account(self, account: Account) -> JsonObject:
        accounts = self._nanogpt.catalog.accounts
        return {
            "id": account.id,
            "usd": account.usd,
            "nano": account.nano,
            "subscribed": account.subscribed,
            "may_review": accounts.may_review(account),
            "keys": [listed.name for listed in accounts.keys_of(account.id)],
        }

    def _hear(self, _: RecordedCall) -> None:
        drawn = self.draw()
        if drawn != self._told:
            self._told = drawn
            self._tell()

    def act(self, asked: Asked) -> None:
        """Do one thing; raises SandboxError, with a sentence for people, when that cannot be done."""
        name = asked.text("name")
        match name:
            case "set_balance":
                account = self._find(asked)
                self._nanogpt.catalog.add_account(account.id, usd=asked.amount("usd", most=MOST_USD))
            case "set_subscription":
                account = self._find(asked)
                self._nanogpt.catalog.add_account(account.id, subscribed=asked.flag("subscribed", default=False))
            case "revoke_keys":
                self._nanogpt.catalog.revoke_key(self._find(asked).id)
            case "approve" | "reject":
                self._decide(asked, name)
            case _:
                raise SandboxError(f"there is no {name!r} at this desk")
        self._told = self.draw()
        self._tell()

    def _find(self, asked: Asked) -> Account:
        wanted = asked.text("account")
        for account in self._nanogpt.catalog.accounts:
            if account.id == wanted and account is not self._nanogpt.operator:
                return account
        raise SandboxError(f"there is no account {wanted!r}")

    def _decide(self, asked: Asked, name: str) -> None:
        character = asked.text("character")
        try:
            if name == "approve":
                self._nanogpt.moderation.approve(character)
                return
            reason = asked.text("reason").strip()
            if not reason:
                raise SandboxError("whoever is turned down is told why: write a reason")
            self._nanogpt.moderation.reject(character, reason)
        except (KeyError, ValueError):
            raise SandboxError("that character does not wait any more") from None


def _character(character: SandboxCharacter) -> JsonObject:
    return {
        "id": character.id,
        "name": character.name,
        "slug": character.slug,
        "owner": character.owner,
        "summary": character.summary,
        "first_message": character.first_message,
        "rating": character.creator_content_rating,
    }
