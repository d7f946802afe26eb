"""NanoGPT as an author sees it, behind httpx's fake transport: their own characters, written and read."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

import httpx

SITE: Final = "https://nanogpt.test/api/v1"
_PREFIX: Final = "/api/v1/characters"


class FakeDesk:
    """Characters as JSON, of the one account that there is; what is public waits for its moderators."""

    def __init__(self) -> None:
        self.characters: dict[str, dict[str, Any]] = {}
        self.requests: list[httpx.Request] = []
        self.answers: list[Callable[[httpx.Request], httpx.Response | None]] = []
        """Take the place of the next answers; None stands for the usual one, given after it."""
        self.lost = 0
        """So many writes are carried out and not answered."""
        self.meanwhile: dict[str, Callable[[], Awaitable[object]]] = {}
        """What happens while the next request of a method is on its way."""
        self.page_size = 50
        self.prompts_shown = True
        self.lists_whole = True
        """False: a list shows no more of a character than its id, slug and name."""
        self.bare_answers = False
        """Writes are answered without the character."""
        self.sparse_answers = False
        """Writes are answered with no more of the character than its id, slug and name."""

    def add(self, slug: str, **fields: object) -> dict[str, Any]:
        made: dict[str, Any] = {
            "id": f"id-{slug}",
            "slug": slug,
            "name": slug.title(),
            "summary": f"All about {slug}.",
            "base_model_id": "fake/model",
            "system_prompt": f"You are {slug}.",
            "visibility": "private",
            "moderation_status": None,
            "allow_api": False,
            "creator_content_rating": "sfw",
            "tags": ["one"],
            **fields,
        }
        self.characters[made["id"]] = made
        return made

    def refuse(self, status: int, message: str = "no", **error: object) -> None:
        self.answers.append(lambda _: httpx.Response(status, json={"error": {"message": message, **error}}))

    def break_down(self) -> None:
        def broken(request: httpx.Request) -> httpx.Response:
            raise httpx.ReadTimeout("no answer", request=request)

        self.answers.append(broken)

    def answer_first(self) -> None:
        """Give the next request its usual answer, whatever the ones after it are to get."""
        self.answers.append(lambda _: None)

    def written(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        """What was asked to be changed: method, path and body."""
        return [
            (request.method, unquote(request.url.path).removeprefix(_PREFIX), json.loads(request.content or b"{}"))
            for request in self.requests
            if request.method != "GET"
        ]

    async def serve(self, request: httpx.Request) -> httpx.Response:
        if (happens := self.meanwhile.pop(request.method, None)) is not None:
            await happens()
        return self.handle(request)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.answers and (answer := self.answers.pop(0)(request)) is not None:
            return answer
        answer = self._answer(request)
        if self.lost and request.method != "GET":
            self.lost -= 1
            raise httpx.ReadTimeout("no answer", request=request)
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("Authorization") != "Bearer sk-nano-fake-1111":
            return httpx.Response(401, json={"error": {"message": "Invalid session", "code": "invalid_api_key"}})
        address = unquote(request.url.path).removeprefix(_PREFIX).strip("/")
        body: dict[str, Any] = json.loads(request.content) if request.content else {}
        match request.method, address:
            case "POST", "":
                made = self.add(f"made-{len(self.characters)}", **body)
                made["moderation_status"] = "pending" if made["visibility"] == "public" else None
                return self._told(made, 201)
            case "GET", "mine":
                return self._mine(request.url.params)
            case _:
                return self._one(request.method, address, body)

    def _one(self, method: str, address: str, body: dict[str, Any]) -> httpx.Response:
        character = next((each for each in self.characters.values() if address in (each["id"], each["slug"])), None)
        if character is None or (method == "DELETE" and "archived_at" in character):
            return httpx.Response(404, json={"error": {"message": "Character not found", "type": "not_found_error"}})
        if method == "PATCH":
            character |= body
            if character["visibility"] == "public":
                character["moderation_status"] = "pending"
        if method == "DELETE":
            character["archived_at"] = "2027-01-01T00:00:00Z"
            return httpx.Response(204)
        return httpx.Response(200, json=self._shown(character)) if method == "GET" else self._told(character, 200)

    def _told(self, character: dict[str, Any], status: int) -> httpx.Response:
        if self.bare_answers:
            return httpx.Response(status, json={"ok": True})
        shown = self._shown(character)
        return httpx.Response(status, json=_sparse(shown) if self.sparse_answers else shown)

    def _mine(self, params: httpx.QueryParams) -> httpx.Response:
        start = int(params.get("cursor", 0))
        end = start + self.page_size
        every = list(self.characters.values())
        following = str(end) if end < len(every) else None
        shown = [self._shown(character) for character in every[start:end]]
        listed = shown if self.lists_whole else [_sparse(one) for one in shown]
        return httpx.Response(200, json={"data": listed, "next_cursor": following})

    def _shown(self, character: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in character.items() if self.prompts_shown or name != "system_prompt"}


def _sparse(character: dict[str, Any]) -> dict[str, Any]:
    return {name: character[name] for name in ("id", "slug", "name")}
