"""Card files as other programs write them, built without the code that reads them."""

import base64
import io
import json
import struct
import zipfile
import zlib
from typing import Any, Final

from bot.domain.card_files.containers import Container
from bot.domain.card_files.versions import CardVersion

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

V1: Final[dict[str, Any]] = {
    "name": "Ada",
    "description": "{{char}} keeps a lighthouse and talks to {{user}}.",
    "personality": "Patient, dry, exact.",
    "scenario": "A storm is coming.",
    "first_mes": "*{{char}} looks up.* You are late, {{user}}.",
    "mes_example": "<START>\n{{user}}: Hello?\n{{char}}: Close the door.",
}
V2: Final[dict[str, Any]] = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        **V1,
        "creator_notes": "A keeper of a lighthouse.\n\nFor slow evenings.",
        "system_prompt": "{{original}}You are {{char}}.",
        "post_history_instructions": "Stay in the lighthouse.",
        "alternate_greetings": ["Another storm?", "The lamp is out."],
        "character_book": {
            "name": "Lights",
            "entries": [
                {"keys": [], "content": "The lamp turns.", "enabled": True, "insertion_order": 2, "constant": True},
                {"keys": ["sea"], "content": "The sea is cold.", "enabled": True, "insertion_order": 1},
                {"keys": [], "content": "The sun sets.", "enabled": True, "insertion_order": 1, "constant": True},
            ],
            "extensions": {},
        },
        "tags": ["Sea Stories", "quiet"],
        "creator": "someone",
        "character_version": "1.2",
        "extensions": {"depth_prompt": {"prompt": "Stay calm.", "depth": 4, "role": "system"}},
    },
    # Stale copies, as several editors leave them beside the data.
    **dict.fromkeys(V1, "stale"),
}
V3: Final[dict[str, Any]] = {
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {
        **V2["data"],
        "nickname": "Captain",
        "group_only_greetings": ["So many of you."],
        "creator_notes_multilingual": {"de": "Eine Wärterin."},
        "source": ["https://cards.example/ada"],
        "assets": [{"type": "icon", "uri": "embeded://assets/icon/main.png", "name": "main", "ext": "png"}],
        "creation_date": 1_700_000_000,
        "modification_date": 1_710_000_000,
    },
}
CARDS: Final = {CardVersion.V1: V1, CardVersion.V2: V2, CardVersion.V3: V3}


def json_bytes(card: object) -> bytes:
    return json.dumps(card, ensure_ascii=False).encode()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text_chunk(keyword: str, card: object) -> bytes:
    return card_chunk(keyword, json_bytes(card))


def card_chunk(keyword: str, raw: bytes) -> bytes:
    return chunk(b"tEXt", keyword.encode() + b"\0" + base64.b64encode(raw))


HEADER: Final = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
PIXELS: Final = chunk(b"IDAT", zlib.compress((b"\0" + bytes(range(24))) * 8))
END: Final = chunk(b"IEND", b"")


def png(*chunks: bytes) -> bytes:
    """Return a picture of 8 by 8 pixels with these chunks in front of its pixels."""
    return b"".join([SIGNATURE, HEADER, *chunks, PIXELS, END])


def keyword_of(version: CardVersion) -> str:
    return "ccv3" if version is CardVersion.V3 else "chara"


def png_card(card: object, version: CardVersion) -> bytes:
    return png(text_chunk(keyword_of(version), card))


def charx(files: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def card_file(card: object, version: CardVersion, container: Container) -> bytes:
    return contained(json_bytes(card), version, container)


def contained(raw: bytes, version: CardVersion, container: Container) -> bytes:
    """Return a file around the text of a card, whatever that is."""
    match container:
        case Container.PNG:
            return png(card_chunk(keyword_of(version), raw))
        case Container.JSON:
            return raw
        case Container.CHARX:
            return charx({"card.json": raw, "assets/icon/main.png": png()})


SAMPLES: Final = {
    (version, container): card_file(card, version, container)
    for version, card in CARDS.items()
    for container in Container
}
"""A file of every version in every container."""
