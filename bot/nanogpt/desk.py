"""The calls of the author's desk: the characters of one's own."""

from bot.domain.authoring import CharacterChanges, CharacterFields
from bot.domain.characters import OwnCharacter
from bot.domain.ids import CharacterId
from bot.nanogpt.faults import Call
from bot.nanogpt.jsonvalue import Json, parse_json
from bot.nanogpt.payloads import OwnCharacterPage, read_own_character, read_own_page, read_written_character
from bot.nanogpt.requests import ApiKey, changes_body, character_url, creation_body
from bot.nanogpt.transport import Answer, Transport


class DeskClient:
    """Reads and writes the characters that belong to a key's account.

    What writes is sent once and never retried here. Where the error that comes of it is `uncertain`, upstream may have
    done all the same what it was asked.
    """

    def __init__(self, transport: Transport, *, base_url: str) -> None:
        """`base_url` goes up to and with `/v1`."""
        self._transport = transport
        self._base = base_url

    async def create_character(self, fields: CharacterFields, *, key: ApiKey) -> OwnCharacter | CharacterId | None:
        """Make a character.

        Its id alone, or its slug, when upstream took it and shows no more of it: then it may be read. None when
        upstream does not even say that: then it is among one's own. Looking there, and not asking again, is also the
        answer to an error that is uncertain, as a second request makes a second character. A public one
        comes back pending (Characters API, Create Character).
        """
        ask = self._transport.lookup(
            "POST", f"{self._base}/characters", key, call=Call.AUTHORING, body=creation_body(fields)
        )
        return self._written(await self._transport.answer(ask))

    async def change_character(self, id_or_slug: str, changes: CharacterChanges, *, key: ApiKey) -> OwnCharacter | None:
        """Change what is named in `changes`, and only that.

        None when upstream took it and does not show what the character is now: then it may be read. An approved
        public one goes back to pending (Characters API, Manage Your Characters). Raises ValueError when there is
        nothing to change.
        """
        if not changes:
            raise ValueError("there is nothing to change")
        ask = self._transport.lookup(
            "PATCH", character_url(self._base, id_or_slug), key, call=Call.AUTHORING, body=changes_body(changes)
        )
        written = self._written(await self._transport.answer(ask))
        return written if isinstance(written, OwnCharacter) else None

    async def archive_character(self, id_or_slug: str, *, key: ApiKey) -> None:
        """Archive a character, which no call undoes.

        Whatever a good answer holds, it is archived. Raises NotFoundError also where it already was, as upstream
        may have it.
        """
        ask = self._transport.lookup("DELETE", character_url(self._base, id_or_slug), key, call=Call.AUTHORING)
        await self._transport.answer(ask)

    async def my_characters(self, *, key: ApiKey, cursor: str | None = None) -> OwnCharacterPage:
        """Fetch one page of the key's own characters; archived ones may be among them, marked as such."""
        params = [] if cursor is None else [("cursor", cursor)]
        ask = self._transport.lookup("GET", f"{self._base}/characters/mine", key, params=params)
        return await self._transport.fetch(ask, lambda body: read_own_page(body, site=self._base, asked_cursor=cursor))

    async def own_character(self, id_or_slug: str, *, key: ApiKey) -> OwnCharacter:
        """Fetch one character with what its author alone sees.

        A character of somebody else's comes back as well, without that. Raises NotFoundError without asking for
        names that are no character's.
        """
        ask = self._transport.lookup("GET", character_url(self._base, id_or_slug), key)
        return await self._transport.fetch(ask, lambda body: read_own_character(body, site=self._base))

    def _written(self, answer: Answer) -> OwnCharacter | CharacterId | None:
        body: Json
        try:
            body = parse_json(answer.body)
        except ValueError:
            # It was taken all the same: the shape of a good answer is documented nowhere.
            return None
        return read_written_character(body, site=self._base)
