"""A purge removes everything that the stack made, and nothing that it did not make."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tallow.monitoring.settings.variable_source import VariableSource
from tallow.stack import credentials
from tallow.stack.engines import configuration
from tallow.stack.engines.native import layout
from tallow.stack.engines.native.purge import PurgeResult, purge
from tallow.stack.engines.services.definitions import SERVICES
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.marker import FolderKind, folder_kind
from tallow.stack.engines.state.state_dir import StackOptions, StateDir, StateDirError
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import SupervisorPlan, SupervisorStatus

NOTHING_SET = StackSettings.load(VariableSource({}))


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    """A stopped stack with every file that `up` and the services make."""
    made = StateDir(tmp_path / "home")
    made.make()
    with locked(made, "up"):
        credentials.create_missing(made.secrets)
    made.write_options(StackOptions())
    configuration.write(made, configuration.render(made, StackOptions(), NOTHING_SET))
    state_files.write_plan(made, SupervisorPlan())
    state_files.write_status(made, SupervisorStatus())
    for name in layout.LOGS:
        (made.logs / f"{name}.log").write_text("{}\n")
        (made.logs / f"{name}.log.3").write_text("{}\n")
    for tree in layout.TREES:
        (made.root / tree / "inner").mkdir(parents=True)
        (made.root / tree / "inner" / "file").write_text("data")
    return made


def test_a_purge_removes_the_whole_folder(home: StateDir) -> None:
    assert purge(home) == PurgeResult()
    assert not home.root.exists()
    assert purge(home) == PurgeResult(), "a second one has nothing to do"


def test_every_configuration_file_is_in_the_layout(tmp_path: Path) -> None:
    """Also the files of a channel that is added later must be removed."""
    everything = {
        "ALERT_EMAIL_DEFAULT": "operations@example.org",
        "SMTP_HOST": "smtp.example.org",
        "SMTP_USER": "tallow@example.org",
        "SMTP_PASSWORD": "secret",
        "SLACK_WEBHOOK_URL": "https://hooks.slack.example/services/secret",
        "PAGERDUTY_ROUTING_KEY": "0" * 32,
        "HEARTBEAT_URL": "https://switch.example/secret",
        "REMOTE_WRITE_URL": "https://mimir.example/push",
        "REMOTE_USER": "tallow",
        "REMOTE_PASSWORD": "secret",
        "METRICS_TOKEN": "secret" * 4,
    }
    home = StateDir(tmp_path)
    state_files = configuration.render(home, StackOptions(), StackSettings.load(VariableSource(everything)))
    assert {path.relative_to(tmp_path) for path in state_files} <= {Path(name) for name in layout.FILES}


def test_the_data_folder_of_every_service_is_in_the_layout() -> None:
    given = {part for service in SERVICES for part in service.arguments if "{data}" in part}
    assert given
    for argument in given:
        assert Path("data", argument.partition("{data}/")[2]) in {Path(name) for name in layout.TREES}


def test_other_files_are_kept(home: StateDir) -> None:
    mine = [
        home.root / "notes.txt",
        home.root / ".tallow-state.bak",
        home.data / "backup.tar",
        home.logs / "mine.log",
        home.secrets / "slack_url",
        home.secrets / "alertmanager" / "other",
        home.config / "prometheus" / "targets" / "mine.yml",
        home.root / "photos" / "holiday.jpg",
        home.root / "transfers" / "send-1.json",
    ]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    remains = purge(home)
    assert sorted(path for path in home.root.rglob("*") if path.is_file()) == sorted(mine)
    assert remains.has_transfers
    assert {str(path) for path in remains.foreign} >= {
        "notes.txt",
        "photos",
        "data/backup.tar",
        "logs/mine.log",
    }
    assert "transfers" not in {path.parts[0] for path in remains.foreign}
    assert folder_kind(home.root) is FolderKind.FOREIGN, "what is left is no stack's"


def test_symbolic_links_and_their_targets_are_kept(home: StateDir, tmp_path: Path) -> None:
    """An operator may have moved data to another disk and linked to it."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("mine")
    (home.data / "tallow" / "inner" / "link").symlink_to(tmp_path / "elsewhere")
    (home.data / "heartbeat" / "inner" / "file").unlink()
    (home.data / "heartbeat" / "inner").rmdir()
    (home.data / "heartbeat").rmdir()
    (home.data / "heartbeat").symlink_to(tmp_path / "elsewhere")
    assert [str(path) for path in purge(home).foreign] == ["data/heartbeat"]
    assert (tmp_path / "elsewhere" / "precious").read_text() == "mine"


def test_data_on_another_disk_is_removed_there(home: StateDir, tmp_path: Path) -> None:
    home.data.rename(tmp_path / "disk")
    home.data.symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "mine").write_text("mine")
    assert [str(path) for path in purge(home).foreign] == ["data"]
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["mine"]


def test_a_linked_state_folder_is_emptied_and_the_link_kept(home: StateDir, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(home.root)
    assert purge(StateDir(tmp_path / "link")) == PurgeResult()
    assert list(home.root.iterdir()) == []


def test_a_folder_that_is_no_state_folder_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "prometheus").mkdir()
    (tmp_path / "data" / "prometheus" / "mine").write_text("mine")
    with pytest.raises(StateDirError, match="is not the state folder of a Tallow stack; nothing was removed"):
        purge(StateDir(tmp_path))
    assert (tmp_path / "data" / "prometheus" / "mine").exists()


def test_a_running_stack_is_not_purged(home: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    state_files.write_status(home, SupervisorStatus(pid=os.getpid()))
    with locked(home, "supervisor"), pytest.raises(StateDirError, match="a stack runs in"):
        purge(home)
    assert (home.data / "prometheus" / "inner" / "file").exists()


def test_an_incomplete_state_folder_is_removed(tmp_path: Path) -> None:
    home = StateDir(tmp_path / "home")
    home.make()
    home.run.rmdir()
    home.data.rmdir()
    assert purge(home) == PurgeResult()
    assert not home.root.exists()


def test_drafts_of_killed_writers_are_removed(home: StateDir) -> None:
    (home.run / ".report.json.4711").write_text("{")
    assert purge(home) == PurgeResult()


def test_a_failed_purge_names_the_file_and_can_be_repeated(
    home: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure is simulated, because root can remove every file."""
    remove = Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        if path.name == "metrics_token":
            raise PermissionError(13, "Permission denied", str(path))
        remove(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(
        StateDirError, match=r"not everything could be removed: .*metrics_token: Permission denied"
    ):
        purge(home)
    assert folder_kind(home.root) is FolderKind.STATE
    assert not (home.data / "prometheus").exists()
    monkeypatch.undo()
    assert purge(home) == PurgeResult()


def test_a_state_folder_without_marker_keeps_its_other_files(home: StateDir) -> None:
    (home.root / ".tallow-state").unlink()
    (home.root / ".gitignore").write_text("*.pyc\n")
    (home.root / "notes.txt").write_text("mine")
    assert [str(path) for path in purge(home).foreign] == [".gitignore", "notes.txt"]
    assert sorted(path.name for path in home.root.iterdir()) == [".gitignore", "notes.txt"]
