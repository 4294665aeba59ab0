"""Safe names: they stay inside the folder and are valid on every system."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.app.files.names import MAX_FOLDERS, MAX_PART, MAX_PATH, PARTIAL, numbered_path, safe_path

DEVICES = ("CON", "PRN", "AUX", "NUL", "COM1", "COM9", "LPT1", "COM¹", "CONIN$", "CONOUT$")

hostile = st.text(
    st.one_of(
        st.sampled_from("../\\:~ -_\0\n\t\r\x7f\x85\u202e\u2066\u200b\ufeff\u2028\ud800CONaux1.é́ﬁ<>|?*\"'"),
        st.characters(),
    ),
    max_size=400,
)


def as_one(name: str) -> str:
    path = safe_path(name)
    assert len(path.parts) == 1
    return path.name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("photo.jpg", "photo.jpg"),
        ("holiday/beach.jpg", "holiday/beach.jpg"),
        ("été à Zürich (1).pdf", "été à Zürich (1).pdf"),
        ("日本語/写真.png", "日本語/写真.png"),
        ("archive.tar.gz", "archive.tar.gz"),
        ("README", "README"),
        ("project/.gitignore", "project/.gitignore"),
    ],
)
def test_an_ordinary_name_is_kept(name: str, expected: str) -> None:
    assert str(safe_path(name)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../x", "x"),
        ("..", "file"),
        ("a/../../../b", "a/b"),
        ("a/..", "a"),
        ("./x", "x"),
        ("a/./b//c", "a/b/c"),
        (". ./x", "file/x"),
        ("...", "file"),
        (".. /x", "x"),
        (" ../x", "x"),
        ("..\\..\\x", "_._.._x"),
        (".\u202e./x", "x"),
        (".\u200b./.\ufeff./x", "x"),
        ("\uff0e\uff0e/x", "\uff0e\uff0e/x"),
    ],
)
def test_parent_folders_are_dropped(name: str, expected: str) -> None:
    assert str(safe_path(name)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/etc/passwd", "etc/passwd"),
        ("//server/share/x", "server/share/x"),
        ("C:\\Windows\\x", "C__Windows_x"),
        ("C:/Windows/x", "C_/Windows/x"),
        ("C:x", "C_x"),
        ("\\\\server\\share\\x", "__server_share_x"),
        ("\\\\?\\C:\\x", "____C__x"),
        ("file:///etc/passwd", "file_/etc/passwd"),
    ],
)
def test_an_absolute_path_becomes_relative(name: str, expected: str) -> None:
    assert str(safe_path(name)) == expected


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("form", ["{}", "{}.txt", "{}.tar.gz", "{} .txt", "{}..", "{}:"])
def test_a_device_name_is_changed(device: str, form: str) -> None:
    for name in (form.format(device), form.format(device.lower())):
        assert as_one(name).startswith("_") or ":" in name
        assert str(safe_path(f"{name}/x")).split("/", maxsplit=1)[0] == as_one(name)


def test_a_name_that_starts_like_a_device_is_kept() -> None:
    for name in ("console.log", "nullable.txt", "COM10.txt", "auxiliary", "com.txt"):
        assert as_one(name) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a\0b.txt", "a_b.txt"),
        ("a\nb\r\tc", "a_b__c"),
        ("\x1b[31mred.txt", "_[31mred.txt"),
        ("a\x7fb\x85c", "a_b_c"),
        ("a\u2028b\u2029c", "a_b_c"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066a\u2069\u200e\ufeffb", "ab"),
        ("a\ud800b", "a_b"),
        ('a<b>c:d"e|f?g*h', "a_b_c_d_e_f_g_h"),
    ],
)
def test_invisible_and_reserved_characters_are_replaced(name: str, expected: str) -> None:
    assert as_one(name) == expected


@pytest.mark.parametrize("name", ["", " ", ".", "/", "///", "\u202e", " . . "])
def test_an_empty_name_gets_a_default(name: str) -> None:
    assert as_one(name) == "file"


@pytest.mark.parametrize(("name", "expected"), [("a. ", "a"), ("a...", "a"), ("b /c.", "b/c"), (" a", "a")])
def test_spaces_and_dots_at_the_ends_are_removed(name: str, expected: str) -> None:
    assert str(safe_path(name)) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [(".ssh/authorized_keys", "_ssh/authorized_keys"), (".bashrc", "_bashrc")]
)
def test_no_hidden_file_is_made_at_the_top(name: str, expected: str) -> None:
    assert str(safe_path(name)) == expected


def test_names_are_normalised() -> None:
    composed, decomposed = "caf\u00e9.txt", "cafe\u0301.txt"
    assert as_one(composed) == as_one(decomposed) == composed


def test_a_long_name_is_cut_and_keeps_its_extension() -> None:
    name = as_one("x" * 300 + ".jpeg")
    assert name == "x" * (MAX_PART - 5) + ".jpeg"
    wide = as_one("é" * 300 + ".txt")
    assert wide.endswith("é.txt")
    assert len(wide.encode()) in {MAX_PART, MAX_PART - 1}
    assert len(as_one("x." + "y" * 300)) == MAX_PART


def test_a_deep_path_is_flattened_and_keeps_its_file() -> None:
    path = safe_path("d/" * 5000 + "f.txt")
    assert path.name == "f.txt"
    assert len(path.parts) == MAX_FOLDERS + 1
    long = safe_path("/".join(["d" * 200] * 30) + "/f.txt")
    assert long.name == "f.txt"
    assert len(str(long).encode()) <= MAX_PATH


def test_no_name_ends_like_a_partial_file() -> None:
    for name in (f"a.0123456789abcdef{PARTIAL}", f"a{PARTIAL.upper()}", "a" * 300 + PARTIAL):
        assert not as_one(name).lower().endswith(PARTIAL)


@given(hostile)
def test_no_name_leaves_the_folder(name: str) -> None:
    path = safe_path(name)
    assert not path.is_absolute()
    assert path.parts
    for part in path.parts:
        assert part not in {"", ".", ".."}
        assert not set(part) & set('/\\:*?"<>|\0')
        assert not any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in part)
        assert not any(0x202A <= ord(letter) <= 0x202E or 0x2066 <= ord(letter) <= 0x2069 for letter in part)
        assert part == part.strip(" ").rstrip(".")
        assert len(part.encode()) <= MAX_PART
        assert unicodedata.is_normalized("NFC", part)
    assert not path.parts[0].startswith(".")
    assert len(str(path).encode()) <= MAX_PATH


@given(hostile)
def test_a_safe_name_is_unchanged(name: str) -> None:
    path = safe_path(name)
    assert safe_path(str(path)) == path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "a (2).txt"),
        ("d/a.tar.gz", "d/a (2).tar.gz"),
        ("README", "README (2)"),
        ("v1.2 x", "v1.2 x (2)"),
    ],
)
def test_a_taken_name_gets_a_number(name: str, expected: str) -> None:
    assert str(numbered_path(PurePosixPath(name), 2)) == expected


def test_a_numbered_name_keeps_the_length_limit() -> None:
    name = numbered_path(PurePosixPath("é" * 127), 12).name
    assert name.endswith("é (12)")
    assert len(name.encode()) <= MAX_PART


def test_the_shared_table_of_safe_paths_holds() -> None:
    """The page has its own implementation; its tests read the same table."""
    table = json.loads((Path(__file__).parent / "safe_paths.json").read_text())
    assert table == {name: str(safe_path(name)) for name in table}
