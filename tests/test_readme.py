"""What the README says of the project itself, where a program can see whether it is so."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
README: Final = (ROOT / "README.md").read_text("utf-8")
SHOWN_BY: Final = re.findall(r"`(test_\w+\.py)::(test_\w+)`", README)


def test_the_table_of_the_characters_api_is_there() -> None:
    assert len(SHOWN_BY) > 20


@pytest.mark.parametrize(("file", "name"), sorted(set(SHOWN_BY)))
def test_a_test_that_the_readme_names_exists(file: str, name: str) -> None:
    text = (ROOT / "tests" / "end_to_end" / file).read_text("utf-8")
    assert re.search(rf"^async def {name}\(", text, re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(((?!https?://)[^)#]+)\)|src=\"([^\"]+)\"", README))))
def test_a_file_that_the_readme_links_to_exists(link: tuple[str, str]) -> None:
    assert (ROOT / (link[0] or link[1])).exists()
