"""Credentials are created once, private, and repaired after an incomplete rotation."""

from __future__ import annotations

import stat
from pathlib import Path

import bcrypt
import pytest
import yaml

from tallow.stack import credentials
from tallow.stack.credentials import CREDENTIALS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    credentials.create_missing(tmp_path)
    return tmp_path


def asks_for(folder: Path, password: str) -> bool:
    users = yaml.safe_load((folder / "web.yml").read_text())["basic_auth_users"]
    return bcrypt.checkpw(password.encode(), users["tallow"].encode())


def values(folder: Path) -> list[str]:
    return [credentials.read(folder, one) for one in CREDENTIALS]


def test_secrets_are_long_distinct_and_private(folder: Path) -> None:
    assert len(set(values(folder))) == len(CREDENTIALS)
    assert all(len(value) >= 32 for value in values(folder))
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    assert asks_for(folder, credentials.password(folder))


def test_secrets_stay_until_they_are_rotated(folder: Path) -> None:
    before = values(folder)
    credentials.create_missing(folder)
    assert values(folder) == before
    credentials.rotate(folder)
    assert set(values(folder)).isdisjoint(before)
    assert not asks_for(folder, before[0])


def test_incomplete_rotation_is_repaired(folder: Path) -> None:
    (folder / "monitoring_password").write_text("written just before the power failed")
    credentials.create_missing(folder)
    assert asks_for(folder, "written just before the power failed")
