import base64
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.store.vault import (
    BadKey,
    Damaged,
    KeyFileError,
    KeyFileProblem,
    MasterKey,
    UnknownKey,
    Vault,
    load_or_create_key_file,
    parse_key,
)

OLD = MasterKey(b"o" * 32)
NEW = MasterKey(b"n" * 32)
CONTEXT = "version.text:7"


def counting_bytes() -> Callable[[int], bytes]:
    numbers: Iterator[int] = iter(range(1_000))
    return lambda size: next(numbers).to_bytes(size, "big")


@given(text=st.text(), context=st.text())
@settings(max_examples=50)
def test_what_is_sealed_opens_again_in_the_same_context(text: str, context: str) -> None:
    vault = Vault([NEW])
    assert vault.open(vault.seal(text, context=context), context=context) == text


@given(content=st.binary(max_size=200))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_any_bytes_open_again_as_they_were(content: bytes) -> None:
    vault = Vault([NEW])
    assert vault.open_bytes(vault.seal_bytes(content, context=CONTEXT), context=CONTEXT) == content


def test_half_a_surrogate_pair_survives() -> None:
    vault = Vault([NEW])
    assert vault.open(vault.seal("a\ud800b", context=CONTEXT), context=CONTEXT) == "a\ud800b"


def test_a_sealed_value_does_not_contain_its_text() -> None:
    assert b"the quick brown fox" not in Vault([NEW]).seal("the quick brown fox", context=CONTEXT)


def test_two_seals_of_one_text_differ() -> None:
    vault = Vault([NEW])
    assert vault.seal("same", context=CONTEXT) != vault.seal("same", context=CONTEXT)


def test_the_nonce_comes_from_the_given_source() -> None:
    vault = Vault([NEW], random_bytes=counting_bytes())
    first, second = vault.seal("a", context=CONTEXT), vault.seal("a", context=CONTEXT)
    assert (first[5:17], second[5:17]) == (bytes(12), (1).to_bytes(12, "big"))


def test_the_format_is_version_then_key_id_then_nonce_then_ciphertext() -> None:
    blob = Vault([NEW], random_bytes=counting_bytes()).seal("abc", context=CONTEXT)
    assert blob[:1] == b"\x01"
    assert blob[1:5] == NEW.id
    assert len(blob) == 1 + 4 + 12 + len("abc") + 16


def test_a_value_moved_to_another_context_is_damaged() -> None:
    vault = Vault([NEW])
    with pytest.raises(Damaged):
        vault.open(vault.seal("mine", context="version.text:7"), context="version.text:8")


@pytest.mark.parametrize("position", [5, 16, 17, -1])
def test_a_changed_byte_is_noticed(position: int) -> None:
    vault = Vault([NEW])
    blob = bytearray(vault.seal("text", context=CONTEXT))
    blob[position] ^= 1
    with pytest.raises(Damaged):
        vault.open(bytes(blob), context=CONTEXT)


@pytest.mark.parametrize("blob", [b"", b"\x01", b"plain text, long enough to be a sealed value", b"\x02" + bytes(60)])
def test_bytes_of_another_format_are_damaged(blob: bytes) -> None:
    with pytest.raises(Damaged):
        Vault([NEW]).open(blob, context=CONTEXT)


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    old_blob = Vault([OLD]).seal("before", context=CONTEXT)
    rotated = Vault([NEW, OLD])
    assert rotated.open(old_blob, context=CONTEXT) == "before"
    assert rotated.seal("after", context=CONTEXT)[1:5] == NEW.id


def test_a_value_of_a_forgotten_key_names_that_key() -> None:
    blob = Vault([OLD]).seal("before", context=CONTEXT)
    with pytest.raises(UnknownKey) as caught:
        Vault([NEW]).open(blob, context=CONTEXT)
    assert caught.value.key_id == OLD.id
    assert OLD.id.hex() in str(caught.value)


def test_a_vault_without_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        Vault([])


def test_a_key_does_not_show_in_its_repr() -> None:
    assert repr(NEW) == "MasterKey()"


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(bytes(range(224, 256))).decode(),
        base64.urlsafe_b64encode(bytes(range(224, 256))).decode(),
        base64.b64encode(bytes(range(224, 256))).decode().rstrip("="),
        "  " + base64.b64encode(bytes(range(224, 256))).decode() + "\n",
    ],
)
def test_a_key_is_read_from_base64(text: str) -> None:
    assert parse_key(text).secret == bytes(range(224, 256))


@pytest.mark.parametrize("text", ["", "A", "not base64!", base64.b64encode(bytes(31)).decode(), "ключ"])
def test_a_text_that_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadKey) as caught:
        parse_key(text)
    assert not text or text not in str(caught.value).split()


def test_a_missing_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "vault.key"
    key = load_or_create_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_key_file(path) == key
    assert [entry.name for entry in path.parent.iterdir()] == ["vault.key"]


def test_two_key_files_hold_different_keys(tmp_path: Path) -> None:
    assert load_or_create_key_file(tmp_path / "a") != load_or_create_key_file(tmp_path / "b")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_file_open_to_others_is_refused_with_a_sentence(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "vault.key"
    load_or_create_key_file(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600") as caught:
        load_or_create_key_file(path)
    assert caught.value.problem is KeyFileProblem.READABLE_BY_OTHERS
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"too short", b"\xff\xfe"])
def test_a_file_without_a_key_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vault.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError) as caught:
        load_or_create_key_file(path)
    assert caught.value.problem is KeyFileProblem.NOT_A_KEY
    assert path.read_bytes() == content


def test_of_two_processes_starting_at_once_both_get_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    rival: list[MasterKey] = []

    def random_bytes(size: int) -> bytes:
        rival.append(load_or_create_key_file(path))
        return b"l" * size

    assert load_or_create_key_file(path, random_bytes=random_bytes) == rival[0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["vault.key"]


def test_a_file_system_without_links_still_gets_its_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    path = tmp_path / "vault.key"
    key = load_or_create_key_file(path)
    assert load_or_create_key_file(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
