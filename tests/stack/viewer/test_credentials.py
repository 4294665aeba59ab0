"""The credentials file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.dashboards.viewer import PASSWORD, credentials_file
from tallow.stack.viewer.credentials import (
    BadCredentialsError,
    Credentials,
    Login,
    load_credentials,
    load_token,
)


def test_known_members_are_read_and_others_ignored(tmp_path: Path) -> None:
    path = credentials_file(tmp_path, prometheus={"user": "p", "password": "q"}, grafana={"password": "z"})
    credentials = load_credentials(path)
    assert credentials.viewer == Login("tallow", PASSWORD)
    assert credentials.prometheus == Login("p", "q")
    assert credentials.alertmanager is None


def test_single_password_is_used_for_every_server(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    path.chmod(0o600)
    login = Login("tallow", PASSWORD)
    assert load_credentials(path) == Credentials(login, login, login)


def test_file_readable_by_others_is_refused(tmp_path: Path) -> None:
    path = credentials_file(tmp_path)
    path.chmod(0o640)
    with pytest.raises(BadCredentialsError, match="chmod 600"):
        load_credentials(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is not JSON"),
        ("a secret", "needs one line, a password of at least 12 characters"),
        ("a secret\non two lines", "needs one line"),
        ("[]", "needs an object with a member 'viewer'"),
        ("{}", "needs an object with a member 'viewer'"),
        ('{"viewer": "a secret"}', "'viewer' needs 'user' and 'password', both text"),
        ('{"viewer": {"user": "u", "password": 123456789012}}', "'viewer' needs 'user' and 'password'"),
        ('{"viewer": {"user": "u", "password": "a secret"}}', "fewer than 12 characters"),
        ('{"viewer": null}', "fewer than 12 characters"),
    ],
)
def test_error_names_the_problem_and_no_secret(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(BadCredentialsError, match=says) as caught:
        load_credentials(path)
    assert "a secret" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCredentialsError, match=r"nothing\.json cannot be read"):
        load_credentials(tmp_path / "nothing.json")


def test_repr_of_a_login_omits_the_password() -> None:
    assert "hidden" not in repr(Login("somebody", "hidden"))
    assert json.dumps(repr(Login("somebody", "hidden"))).count("somebody") == 1


@pytest.mark.parametrize(
    "content", ["", "too-short", "a token with a space", "two-lines-of\ntoken-text", "tökentökentöken"]
)
def test_malformed_token_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text("a-token-for-the-scrapes\n")
    path.chmod(0o600)
    assert load_token(path) == "a-token-for-the-scrapes"
    path.write_text(content)
    with pytest.raises(BadCredentialsError, match="a token of at least 16") as refused:
        load_token(path)
    assert not content or content not in str(refused.value)
    path.chmod(0o644)
    with pytest.raises(BadCredentialsError, match="chmod 600"):
        load_token(path)
