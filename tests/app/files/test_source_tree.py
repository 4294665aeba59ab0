"""What is collected below folders: links, exclusions, what cannot be read, and equal names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tallow.app.files.errors import FileError
from tallow.app.files.exclusions import Exclusions
from tallow.app.files.links import inner_target, safe_target
from tallow.app.files.source_tree import MAX_LISTED, CollectOptions, SourceTree, collect


def names(tree: SourceTree) -> list[str]:
    return [file.name for file in tree.files]


def make(folder: Path, *files: str) -> Path:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def test_empty_folders_are_collected(tmp_path: Path) -> None:
    (tmp_path / "trip" / "empty").mkdir(parents=True)
    (tmp_path / "trip" / "empty").chmod(0o710)
    tree = collect([tmp_path / "trip"])
    assert [(folder.name, folder.attributes.mode) for folder in tree.folders][1:] == [("trip/empty", 0o710)]
    assert tree.files == []


def test_links_inside_a_folder_are_sent_if_asked(tmp_path: Path) -> None:
    folder = make(tmp_path / "trip", "a/one.txt", "b/two.txt")
    (folder / "a" / "inner").symlink_to("../b/two.txt")
    (folder / "a" / "outer").symlink_to("../../secret")
    (folder / "a" / "absolute").symlink_to(folder / "b" / "two.txt")
    (folder / "dangling").symlink_to("b/nothing")
    lines: list[str] = []
    tree = collect([folder], CollectOptions(links=True), lines.append)
    assert {(link.name, link.target) for link in tree.links} == {
        ("trip/a/inner", "../b/two.txt"),
        ("trip/dangling", "b/nothing"),
    }
    assert sorted(line.split("/")[-1] for line in lines) == [
        "absolute is a symbolic link that leads out of its folder; left out",
        "outer is a symbolic link that leads out of its folder; left out",
    ]


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("top/l", "x", "top/x"),
        ("top/a/l", "../x/./y", "top/x/y"),
        ("top/l", "../top/x", "top/x"),
        ("top/l", "../x", None),
        ("top/l", "..", None),
        ("top/l", ".", None),
        ("top/l", "", None),
        ("top/l", "/etc/passwd", None),
        ("top/l", "../topper/x", None),
        ("l", "x", None),
        ("top/l", "x/../../../etc", None),
        ("top/l", "x\0y", None),
    ],
)
def test_a_link_stays_in_its_top_folder(name: str, target: str, expected: str | None) -> None:
    assert inner_target(name, target) == expected


def test_the_text_of_a_link_is_made_of_safe_names() -> None:
    assert safe_target("top/a/l", "../b:c/\u202ed") == "../b_c/d"


def test_what_cannot_be_sent_is_refused_or_left_out(tmp_path: Path) -> None:
    folder = make(tmp_path / "trip", "good.txt")
    deep = folder
    for _ in range(102):
        deep /= "d"
    make(deep, "deep.txt")
    with pytest.raises(FileError, match=r"nested 101 folders deep; accepted: up to 100; --skip-unreadable"):
        collect([folder])
    lines: list[str] = []
    tree = collect([folder], CollectOptions(skip_unreadable=True), lines.append)
    assert names(tree) == ["trip/good.txt"]
    assert ["left out" in line for line in lines] == [True]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    folder = make(tmp_path / "trip", "good.txt", "bad.txt", "worse/x.txt")
    (folder / "bad.txt").chmod(0)
    (folder / "worse").chmod(0)
    try:
        with pytest.raises(FileError, match=r"bad.txt: permission denied, and 1 more cannot be sent"):
            collect([folder])
        tree = collect([folder], CollectOptions(skip_unreadable=True))
        assert names(tree) == ["trip/good.txt"]
    finally:
        (folder / "worse").chmod(0o700)


def test_names_that_the_receiver_changes_are_announced(tmp_path: Path) -> None:
    folder = make(tmp_path / "trip", "a:b.txt", "plain.txt")
    lines: list[str] = []
    collect([folder], report=lines.append)
    assert lines == ["trip/a:b.txt arrives as trip/a_b.txt"]


def test_many_changed_names_are_counted(tmp_path: Path) -> None:
    folder = make(tmp_path / "trip", *(f"{number}?.txt" for number in range(MAX_LISTED + 7)))
    lines: list[str] = []
    collect([folder], report=lines.append)
    assert len(lines) == MAX_LISTED + 1
    assert lines[-1] == "7 more are renamed"


def test_equal_names_get_numbers_in_linear_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 400
    calls = 0

    def counted(path: object, number: int) -> str:
        nonlocal calls
        calls += 1
        return f"x ({number}).txt"

    monkeypatch.setattr("tallow.app.files.source_tree.numbered_path", counted)
    paths = []
    for number in range(count):
        make(tmp_path / str(number), "x.txt")
        paths.append(tmp_path / str(number) / "x.txt")
    tree = collect(paths)
    assert len(set(names(tree))) == count
    assert calls == count - 1


def test_excluded_paths_are_left_out(tmp_path: Path) -> None:
    folder = make(tmp_path / "trip", "a.log", "keep.log", "build/x.o", "src/build.py", "src/b.log")
    options = CollectOptions(exclude=Exclusions(["*.log", "!keep.log", "build/"]))
    assert names(collect([folder], options)) == ["trip/keep.log", "trip/src/build.py"]


def test_git_exclusions_follow_the_innermost_rules(tmp_path: Path) -> None:
    folder = make(tmp_path / "trip", ".git/config", "a.tmp", "in/a.tmp", "in/b.tmp", "in/deep/c.txt", "d.txt")
    (folder / ".gitignore").write_text("*.tmp\n# a comment\nd.txt\n")
    (folder / "in" / ".gitignore").write_text("!b.tmp\n/deep\n")
    tree = collect([folder], CollectOptions(exclude=Exclusions(git=True)))
    assert names(tree) == ["trip/.gitignore", "trip/in/.gitignore", "trip/in/b.tmp"]


def test_an_unusable_pattern_is_an_error_in_one_line() -> None:
    with pytest.raises(FileError, match="a pattern of --exclude is not valid"):
        Exclusions(["!"])
