import pytest

from bot.domain.card_files.containers import (
    MAX_FILE_BYTES,
    Container,
    card_in,
    container_of,
    file_with_card,
    has_picture,
)
from bot.domain.card_files.faults import CardFault, FaultKind
from bot.domain.card_files.versions import CardVersion
from tests.domain.card_files.faults import refused
from tests.support.card_samples import CARDS, SAMPLES, charx, png


@pytest.mark.parametrize(("version", "container"), SAMPLES)
def test_every_sample_is_told_apart_and_read(version: CardVersion, container: Container) -> None:
    file = SAMPLES[version, container]
    assert container_of(file) is container
    assert card_in(file, container) == CARDS[version]


@pytest.mark.parametrize(
    ("file", "container"),
    [
        (png(), Container.PNG),
        (b"{", Container.JSON),
        (b"[1]", Container.JSON),
        (b"\xef\xbb\xbf \r\n\t{", Container.JSON),
        (b"PK\x03\x04", Container.CHARX),
        (charx({}), Container.CHARX),
        (b"\xff\xd8\xff picture" + charx({"card.json": b"{}"}), Container.CHARX),
    ],
)
def test_content_tells_the_container(file: bytes, container: Container) -> None:
    assert container_of(file) is container


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (b"", FaultKind.FILE_EMPTY),
        (b"\xff\xd8\xff\xe0", FaultKind.OTHER_PICTURE),
        (b"GIF89a", FaultKind.OTHER_PICTURE),
        (b"RIFF\x10\0\0\0WEBP", FaultKind.OTHER_PICTURE),
        (b"Hello", FaultKind.OTHER_FORMAT),
        (b" " * 2_000 + b"{}", FaultKind.OTHER_FORMAT),
        (b"\x89PNG", FaultKind.OTHER_FORMAT),
    ],
)
def test_other_files_are_refused(file: bytes, kind: FaultKind) -> None:
    with refused(kind):
        container_of(file)


def test_the_size_of_a_file_has_a_limit() -> None:
    assert container_of(b"{".ljust(MAX_FILE_BYTES)) is Container.JSON
    with refused(FaultKind.FILE_TOO_LARGE) as faults:
        container_of(b"{".ljust(MAX_FILE_BYTES + 1))
    assert faults == [CardFault(FaultKind.FILE_TOO_LARGE, found=10_485_761, limit=10_485_760)]


@pytest.mark.parametrize(
    ("container", "pictured"), [(Container.PNG, True), (Container.JSON, False), (Container.CHARX, True)]
)
def test_pngs_and_archives_hold_a_picture(container: Container, *, pictured: bool) -> None:
    assert has_picture(SAMPLES[CardVersion.V3, container], container) is pictured


def test_an_archive_of_a_card_alone_holds_no_picture() -> None:
    assert not has_picture(charx({"card.json": b"{}"}), Container.CHARX)


@pytest.mark.parametrize("container", Container)
def test_another_card_takes_the_place_of_the_first(container: Container) -> None:
    file = file_with_card(SAMPLES[CardVersion.V2, container], container, b'{"name": "Three"}', b'{"name": "Two"}')
    assert container_of(file) is container
    assert card_in(file, container) == {"name": "Three"}
