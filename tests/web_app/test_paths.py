"""Transfers between pages, and between pages and the command line, directly and over the relay."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from support.programs.firefox import BidiSession
from support.web_app.files import make_file, wait_for_download
from support.web_app.server import PageServer
from support.web_app.tabs import FirefoxTab, NewTab, Tab, wait_until
from support.web_app.transfers import accept, command_line, link_of, start_send, wait_for_state

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(900)]

LARGE = 100_000_000
SMALL = 300_000
LONG_WAIT_S = 600
HOSTILE = (
    "../../outside.txt",
    "/etc/absolute.txt",
    "C:\\\\Windows\\\\system.ini",
    "folder/../../up.txt",
    "CON",
    "trailing dot.",
    "ends with space ",
    "new\\nline.txt",
    "\\u202Egpj.exe",
    "<img src=x onerror=document.title='owned'>.html",
    "文件 π.txt",
    ".hidden",
)
"""Names as JavaScript string literals."""

SCRIPT_WORKERS = """() => {
  // A browser without module workers ignores the option.
  const Real = Worker;
  globalThis.scriptWorkers = 0;
  globalThis.Worker = function (url) {
    scriptWorkers += 1;
    return new Real(url);
  };
}"""


@pytest.fixture(params=["p2p", "relay"])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def prefer(tab: Tab, server: PageServer, method: str) -> None:
    """Open the page with a setting for the path."""
    tab.open(server.url)
    chosen = json.dumps(json.dumps({"relay_preference": "relay" if method == "relay" else "direct"}))
    tab.run(f"void localStorage.setItem('tallow.settings', {chosen})")
    tab.open(server.url)


def send_between(
    sender: Tab, receiver: Tab, server: PageServer, source: Path, downloads: Path, method: str
) -> Path:
    """Send a file and return where it was saved, with the same content."""
    for tab in (sender, receiver):
        prefer(tab, server, method)
    link = start_send(sender, [source])
    receiver.open(link)
    accept(receiver)
    for tab in (receiver, sender):
        assert wait_for_state(tab, "done", "failed", seconds=LONG_WAIT_S) == "done"
    saved = wait_for_download(receiver, downloads, source.name, source.stat().st_size)
    assert subprocess.run(["cmp", source, saved], check=False).returncode == 0
    assert server.wait_for(f'tallow_transfers_total{{status="success",method="{method}"}}', 1)
    return saved


def test_100_mb_from_chromium_to_chromium(
    server: PageServer, new_tab: NewTab, downloads: Path, tmp_path: Path, method: str
) -> None:
    source = make_file(tmp_path / "large.bin", LARGE)
    saved = send_between(new_tab(), new_tab(), server, source, downloads, method)
    assert saved.name == source.name


def test_chromium_to_chromium_without_module_workers(
    server: PageServer, new_tab: NewTab, tmp_path: Path, downloads: Path, method: str
) -> None:
    """The page encrypts in its own thread, and received files go to the downloads at once."""
    source = make_file(tmp_path / "source.bin", 5_000_000)
    tabs = new_tab(), new_tab()
    for tab in tabs:
        tab.before_load(SCRIPT_WORKERS)
    saved = send_between(*tabs, server, source, downloads, method)
    assert saved.read_bytes() == source.read_bytes()
    assert [tab.run("scriptWorkers > 0") for tab in tabs] == [True, True]


def test_100_mb_from_firefox_to_chromium_and_back(
    server: PageServer, new_tab: NewTab, firefox_tab: FirefoxTab, downloads: Path, tmp_path: Path, method: str
) -> None:
    source = make_file(tmp_path / "large.bin", LARGE)
    chromium = new_tab()
    send_between(firefox_tab, chromium, server, source, downloads, method)
    (downloads / source.name).unlink()
    for tab in (chromium, firefox_tab):
        prefer(tab, server, method)
    link = start_send(chromium, [source])
    firefox_tab.open(link)
    accept(firefox_tab)
    assert wait_for_state(firefox_tab, "done", "failed", seconds=LONG_WAIT_S) == "done"
    saved = wait_for_download(firefox_tab, downloads, source.name, LARGE)
    assert subprocess.run(["cmp", source, saved], check=False).returncode == 0


def test_100_mb_from_firefox_to_firefox(
    server: PageServer, firefox_session: BidiSession, downloads: Path, tmp_path: Path, method: str
) -> None:
    source = make_file(tmp_path / "large.bin", LARGE)
    pair = FirefoxTab(firefox_session), FirefoxTab(firefox_session)
    saved = send_between(*pair, server, source, downloads, method)
    assert saved.name == source.name


@pytest.mark.parametrize("browser_name", ["chromium", "firefox"])
def test_100_mb_to_and_from_the_command_line(
    server: PageServer,
    request: pytest.FixtureRequest,
    downloads: Path,
    tmp_path: Path,
    browser_name: str,
    method: str,
) -> None:
    tab: Tab = (
        request.getfixturevalue("new_tab")()
        if browser_name == "chromium"
        else request.getfixturevalue("firefox_tab")
    )
    source = make_file(tmp_path / "large.bin", LARGE)
    options = ["--relay"] if method == "relay" else []
    prefer(tab, server, method)
    link = start_send(tab, [source])
    with command_line("receive", "--yes", *options, "-o", str(tmp_path / "out"), stdin=link) as receiver:
        assert wait_for_state(tab, "done", "failed", seconds=LONG_WAIT_S) == "done"
        assert receiver.wait(timeout=60) == 0
    assert subprocess.run(["cmp", source, tmp_path / "out" / source.name], check=False).returncode == 0

    prefer(tab, server, method)
    with command_line("send", "--server", server.url, "--json", *options, str(source)) as sender:
        assert sender.stdout is not None
        tab.open(next(found for line in sender.stdout if (found := json.loads(line).get("link"))))
        accept(tab)
        assert wait_for_state(tab, "done", "failed", seconds=LONG_WAIT_S) == "done"
        sender.stdout.read()
        assert sender.wait(timeout=60) == 0
    saved = wait_for_download(tab, downloads, source.name, LARGE)
    assert subprocess.run(["cmp", source, saved], check=False).returncode == 0


def test_a_folder_arrives_as_a_zip_file_with_its_structure(
    server: PageServer, new_tab: NewTab, downloads: Path, tmp_path: Path
) -> None:
    top = tmp_path / "Holiday 2026"
    contents = {
        "a.bin": SMALL,
        "deep/er/b.bin": 10,
        "deep/Ärger mit Umlauten.txt": 2,
        "empty file": 0,
    }
    for name, size in contents.items():
        make_file(top / name, size)
    (top / "empty folder").mkdir()
    tab = new_tab()
    with command_line("send", "--server", server.url, "--json", str(top)) as sender:
        assert sender.stdout is not None
        tab.open(next(found for line in sender.stdout if (found := json.loads(line).get("link"))))
        accept(tab)
        assert wait_for_state(tab, "done", "failed") == "done"
        sender.stdout.read()
    with zipfile.ZipFile(wait_for_download(tab, downloads, "Holiday 2026.zip")) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert {f"Holiday 2026/{name}" for name in contents} <= names
        assert "Holiday 2026/empty folder/" in names
        for name in contents:
            assert archive.read(f"Holiday 2026/{name}") == (top / name).read_bytes()


def test_a_chosen_folder_arrives_at_the_command_line(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    top = tmp_path / "chosen"
    for name in ("one.txt", "inside/two.txt"):
        make_file(top / name, 100)
    tab = new_tab()
    tab.open(server.url)
    wait_until(tab, "document.querySelector('[data-choose=folder]') !== null")
    tab.page.set_input_files("[data-choose=folder]", str(top))
    tab.click("button.wide")
    with command_line("receive", "--yes", "-o", str(tmp_path / "out"), stdin=link_of(tab)) as receiver:
        assert receiver.wait(timeout=60) == 0
    for name in ("one.txt", "inside/two.txt"):
        assert (tmp_path / "out" / "chosen" / name).read_bytes() == (top / name).read_bytes()


DROP = """(() => {
  const transfer = new DataTransfer();
  for (const name of [NAMES]) transfer.items.add(new File([name], name));
  dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true}));
})()"""


def test_hostile_names_leave_no_folder_and_run_no_script(
    server: PageServer, new_tab: NewTab, downloads: Path, tmp_path: Path
) -> None:
    """Both ways: the page's names at the command line, and in another page."""
    out = tmp_path / "deep" / "out"
    names = ", ".join(f'"{name}"' for name in HOSTILE)
    for receiver_is_page in (False, True):
        tab = new_tab()
        tab.open(server.url)
        wait_until(tab, "document.querySelector('.drop') !== null")
        tab.run(DROP.replace("NAMES", names))
        wait_until(tab, "document.querySelectorAll('.files li').length > 3")
        tab.click("button.wide")
        link = link_of(tab)
        if receiver_is_page:
            other = new_tab()
            other.open(link)
            accept(other)
            assert wait_for_state(other, "done", "failed") == "done"
            with zipfile.ZipFile(wait_for_download(other, downloads, "tallow.zip")) as archive:
                assert archive.testzip() is None
                arrived = archive.namelist()
            assert other.run("document.title") != "owned"
            assert other.run("document.querySelectorAll('main img').length") == 0
        else:
            with command_line("receive", "--yes", "-o", str(out), stdin=link) as receiver:
                assert receiver.wait(timeout=60) == 0, receiver.communicate()
            arrived = [path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()]
        assert len(arrived) == len(HOSTILE)
        for name in arrived:
            assert not name.startswith("/")
            assert ".." not in name.split("/")
            assert not any(ord(letter) < 32 for letter in name)
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["out"]
