"""Card files gone wrong, by accident or on purpose: samples of every kind, changed by seeded dice."""

import base64
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, Final

from bot.domain.card_files.containers import Container
from bot.domain.card_files.versions import CardVersion
from tests.support.card_samples import (
    CARDS,
    END,
    HEADER,
    PIXELS,
    SAMPLES,
    SIGNATURE,
    card_chunk,
    charx,
    chunk,
    contained,
    keyword_of,
    png,
)

EXTREME_NUMBERS: Final = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
LENGTHS: Final = (0, 1, 41, 101, 301, 8_001, 32_001, 70_000, 300_000, 2_100_000)
TEXTS: Final = (
    *("", " ", "\0", "\x1b[31m", "\u202e", "\ufdfa", "\U0001f600", "e\u0301", "@everyone", "<@1>", "[x](http://x.y)"),
    *("{{char}}", "<bot>", "{{user}}", "{{//", "{{// x}}", "{{hidden_key:", "{{original}}", "{{random:a,b}}", "{", "}"),
    *("\n", "\n\n", "\r", "<", "</a", "```", "](", "nsfw", "-", "/", "../", "%s", "\\", "'", "x", "word "),
)
VALUES: Final = (
    "null",
    "true",
    "0",
    "-1",
    "1e308",
    "1e999",
    "-1e999",
    "NaN",
    "Infinity",
    "-Infinity",
    "9" * 33,
    "9" * 5_000,
)
ODD_VALUES: Final = ("null", "true", "0", "-1", "1.5", "1" * 20, "[]", "{}", '""', "[[]]", "[null]", '{"": null}')
RAW_TEXTS: Final = ('"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\x"', '"\\u12"', '"\t"', '"', "''", '"a" "b"')
PATHS: Final = (
    "../card.json",
    "/card.json",
    "C:\\card.json",
    "a/../../b",
    "..\\x",
    "x\0y",
    "CARD.JSON",
    "card.json",
    "card.json/",
)

JsonChange = Callable[["random.Random", dict[str, Any]], None]


def mutation(seed: int, number: int) -> bytes:
    """Return the file of a number under a seed: always the same one."""
    return Mutator(random.Random(f"{seed}:{number}")).file()  # noqa: S311 - dice of a test


class Mutator:
    """Makes files by its dice: the card is changed, or what it lies in, or the bytes of the whole, or all of it."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def file(self) -> bytes:
        """Make one file."""
        dice = self._dice
        version = dice.choice(list(CardVersion))
        container = dice.choice(list(Container))
        layers = dice.choice(
            ("card", "card", "text", "container", "container", "bytes", "card container", "text bytes")
        )
        raw = json.dumps(self._card(version) if "card" in layers else CARDS[version], ensure_ascii=dice.random() < 0.5)
        text = raw.encode("utf-8", "surrogatepass")
        if "text" in layers:
            text = self._text(text)
        if "container" in layers:
            file = self._container(text, version, container)
        else:
            file = contained(text, version, container)
        return self._bytes(file) if "bytes" in layers else file

    def _card(self, version: CardVersion) -> dict[str, Any]:
        """Change some of what a card says, wherever that stands."""
        card: dict[str, Any] = json.loads(json.dumps(CARDS[version]))
        for _ in range(self._dice.randint(1, 4)):
            data = card["data"] if isinstance(card.get("data"), dict) and self._dice.random() < 0.8 else card
            key = self._dice.choice(
                [*data, "name", "tags", "nickname", "extensions", "character_book", "char_name", "data"]
            )
            data[key] = self._value(version)
        return card

    def _value(self, version: CardVersion) -> object:
        dice = self._dice
        card = CARDS[version]
        match dice.randrange(9):
            case 0:
                return json.loads(dice.choice(ODD_VALUES))
            case 1:
                return self._nested(dice.choice((5, 28, 29, 30, 31, 32, 33, 100)))
            case 2:
                return [self._long_text() for _ in range(dice.choice((1, 3, 11)))]
            case 3:
                return [
                    {"content": self._long_text(), "constant": dice.random() < 0.5} for _ in range(dice.choice((1, 60)))
                ]
            case 4:
                return {
                    "entries": [
                        {
                            "content": self._long_text(),
                            "constant": True,
                            "insertion_order": dice.choice((0, "x", 1e308)),
                        }
                    ]
                }
            case 5:
                return {
                    "nanogpt": {
                        "fields": {**card, "tags": [], "summary": "x"},
                        "original": card,
                        "content_rating": "sfw",
                    }
                }
            case _:
                return self._long_text()

    def _long_text(self) -> str:
        piece = "".join(self._dice.choices(TEXTS, k=self._dice.randint(1, 3))) or "x"
        # The longest ones rarely: they only take time to make.
        length = self._dice.choices(LENGTHS, weights=(3, 3, 3, 3, 3, 3, 2, 1, 1, 1))[0]
        return (piece * (length // len(piece) + 1))[:length]

    def _nested(self, depth: int) -> object:
        value: object = {}
        for _ in range(depth):
            value = [value] if self._dice.random() < 0.5 else {"x": value}
        return value

    def _text(self, text: bytes) -> bytes:
        """Change the text of the JSON, mostly into something that is none."""
        dice = self._dice
        colon = dice.choice([place for place in range(len(text)) if text[place : place + 2] == b": "]) + 2
        match dice.randrange(10):
            case 0:
                return text[:colon] + dice.choice(VALUES).encode() + b", " + text[colon:].partition(b", ")[2]
            case 1:
                return text[:colon] + dice.choice(RAW_TEXTS).encode() + b", " + text[colon:].partition(b", ")[2]
            case 2:
                opening = dice.choice((b"[", b'{"x":', b"[[", b'[{"":'))
                return text[:colon] + opening * dice.choice((10, 40, 1_000, 20_000, 100_000, 400_000))
            case 3:
                part = dice.choice((b"[],", b"{},", b'{"":0},', b'"",', b"1.5,", b"0,", b'{"":[{}]},'))
                return (
                    text[:colon] + b"[" + part * dice.choice((100, 10_000, 199_000, 600_000)) + b"0], " + text[colon:]
                )
            case 4:
                return dice.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b" " * 999, b"// x\n", b"[")) + text
            case 5:
                return text.decode().encode(dice.choice(("utf-16", "utf-32", "utf-7", "utf-16-le")))
            case 6:
                keys = b"".join(b'"%d":0,' % number for number in range(dice.choice((1_000, 100_000))))
                return b"{" + keys + text[1:]
            case 7:
                return text[:-1] + b', "name": "again", "name": "' + b"x" * dice.choice(LENGTHS) + b'"}'
            case 8:
                return text * dice.choice((2, 50))
            case _:
                return dice.choice(
                    (b"", b"{}", b"[]", b"null", b'""', b"{" * 9, b'{"name": "x"}', b'{"data": {"name": 1}}')
                )

    def _container(self, text: bytes, version: CardVersion, container: Container) -> bytes:
        match container:
            case Container.PNG:
                return self._png(text, version)
            case Container.CHARX:
                return self._charx(text)
            case Container.JSON:
                # Plain JSON has nothing around it: some other picture or archive is put in front of it or behind.
                other = self._dice.choice(
                    (*SAMPLES.values(), b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF1234WEBP", b"PK\x05\x06" + bytes(18))
                )
                return other + text if self._dice.random() < 0.5 else text + other

    def _png(self, text: bytes, version: CardVersion) -> bytes:
        dice = self._dice
        card = card_chunk(keyword_of(version), text)
        match dice.randrange(8):
            case 0:
                return png(*[chunk(b"tEXt", b"x\0")] * dice.choice((900, 1_990, 2_100, 50_000)), card)
            case 1:
                return png(card, card, *(card_chunk("chara", sample) for sample in (b"{}", text)))
            case 2:
                return SIGNATURE + b"".join(dice.sample([HEADER, card, PIXELS, END, card, END], k=dice.randint(0, 6)))
            case 3:
                whole = png(card)
                return whole[: dice.randrange(len(whole))]
            case 4:
                return png(card, chunk(b"fiLL", bytes(dice.choice((1_000, 3_000_000, 10_400_000, 10_600_000)))))
            case _:
                return png(self._chunk(text, keyword_of(version).encode()))

    def _chunk(self, text: bytes, keyword: bytes) -> bytes:
        """Make a chunk that might hold a card."""
        dice = self._dice
        card = card_chunk(keyword.decode(), text)
        match dice.randrange(8):
            case 0:
                return struct.pack(">I", dice.choice(EXTREME_NUMBERS)) + card[4:]
            case 1:
                return struct.pack(">I", max(0, len(card) - 12 + dice.randint(-20, 20))) + card[4:]
            case 2:
                return chunk(dice.choice((b"zTXt", b"iTXt")), keyword + b"\0\0" + zlib.compress(bytes(10_000_000)))
            case 3:
                flags = dice.choice((b"\0\0\0\0\0", b"\0\1\0\0\0", b"\0\0\0", b"\0"))
                return chunk(b"iTXt", keyword + flags + base64.b64encode(text))
            case 4:
                noise = bytes(dice.choices(b"AZaz09+/=\n -_\xff", k=dice.choice((0, 3, 4, 5_000))))
                return chunk(b"tEXt", keyword + b"\0" + noise)
            case 5:
                return chunk(b"tEXt", keyword + b"\0" + b"A" * dice.choice((4, 2_800_000, 4_194_304, 4_194_308)))
            case 6:
                start = dice.choice((b"", b"\0", b"chara", b"CCV3\0", b"\0chara\0", keyword + b" \0"))
                return chunk(b"tEXt", start + base64.b64encode(text))
            case _:
                return chunk(dice.randbytes(4), text) + card

    def _charx(self, text: bytes) -> bytes:
        dice = self._dice
        file = charx({"card.json": text, "assets/a.png": png(), "assets/b.txt": b"x" * 500})
        match dice.randrange(12):
            case 0 | 1 | 2:
                mark, size = dice.choice(((b"PK\x03\x04", 30), (b"PK\x01\x02", 46), (b"PK\x05\x06", 22)))
                return self._overwritten(file, file.find(mark), size)
            case 3:
                return charx({"card.json": text.ljust(dice.choice((100_000, 3_000_000, 50_000_000)))})
            case 4:
                return charx(
                    {
                        "card.json": text,
                        **{f"assets/{number}": b"" for number in range(dice.choice((400, 499, 500, 3_000)))},
                    }
                )
            case 5:
                return charx(
                    {"card.json": text, **{f"{number}/{'x' * 3_000}": b"" for number in range(dice.choice((50, 100)))}}
                )
            case 6:
                path = dice.choice(PATHS)
                safe = "y" * len(path)
                return charx({"card.json": text, safe: b"x"}).replace(safe.encode(), path.encode())
            case 7:
                return charx(
                    {"card.json": text},
                    compression=dice.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED)),
                )
            case 8:
                return dice.choice((b"\xff\xd8\xff" + bytes(500), b"MZ" + bytes(90), png(), b"{}")) + file
            case 9:
                return file + dice.choice((b"x", bytes(70_000), b"PK\x05\x06", b"PK\x05\x06" + bytes(18), file))
            case 10:
                return self._on_top_of_each_other(text)
            case _:
                return file[: dice.randrange(len(file))] if dice.random() < 0.5 else charx({"folder/card.json": text})

    def _overwritten(self, file: bytes, start: int, size: int) -> bytes:
        """Put extreme numbers into a header."""
        changed = bytearray(file)
        for _ in range(self._dice.randint(1, 3)):
            form, width = self._dice.choice((("<H", 2), ("<I", 4)))
            number = self._dice.choice(EXTREME_NUMBERS) & (0xFFFF if width == 2 else 0xFFFFFFFF)
            struct.pack_into(form, changed, start + self._dice.randrange(0, size - width + 1, 2), number)
        return bytes(changed)

    def _on_top_of_each_other(self, text: bytes) -> bytes:
        """Make every line of the directory point at one big file, as the bombs do that unpack to petabytes."""
        file = bytearray(
            charx({"big": bytes(9_000_000), "card.json": text, **{f"assets/{number}": b"" for number in range(300)}})
        )
        first = file.find(b"PK\x01\x02")
        packed = struct.unpack_from("<I", file, first + 20)[0]
        position = first
        while (position := file.find(b"PK\x01\x02", position + 4)) > 0:
            if not file.startswith(b"card.json", position + 46) or self._dice.random() < 0.5:
                struct.pack_into("<II", file, position + 20, packed, 0xFFFFFFFF)
                struct.pack_into("<I", file, position + 42, 0)
        return bytes(file)

    def _bytes(self, file: bytes) -> bytes:
        """Change bytes without knowing what they are."""
        dice = self._dice
        for _ in range(dice.choice((1, 1, 2, 5))):
            changed = bytearray(file or b"x")
            place = dice.randrange(len(changed))
            match dice.randrange(7):
                case 0:
                    del changed[place:]
                case 1:
                    changed[place] ^= 1 << dice.randrange(8)
                case 2:
                    del changed[place : place + dice.randint(1, 200)]
                case 3:
                    changed[place:place] = dice.randbytes(dice.randint(1, 100))
                case 4:
                    changed[place : place + 4] = struct.pack(dice.choice("<>") + "I", dice.choice(EXTREME_NUMBERS))
                case 5:
                    other = dice.choice(list(SAMPLES.values()))
                    changed[place:] = other[dice.randrange(len(other)) :]
                case _:
                    changed[place:place] = changed[place : place + dice.randint(1, 500)]
            file = bytes(changed)
        return file
