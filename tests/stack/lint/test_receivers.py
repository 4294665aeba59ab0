"""``alert/receiver``: a receiver without integrations needs a comment."""

from __future__ import annotations

import pytest

from tallow.stack import routing
from tallow.stack.lint import check_receivers

SILENT = """\
receivers:
- name: default
  email_configs: [{to: a@example.org}]
- name: critical-alerts
"""


def test_a_receiver_without_an_integration_is_refused() -> None:
    (problem,) = check_receivers(SILENT, where="alertmanager.yml")
    assert str(problem) == (
        "alertmanager.yml: critical-alerts: alert/receiver: has no integration and no comment about it"
    )


def test_an_empty_list_of_integrations_is_none() -> None:
    config = SILENT.replace("- name: critical-alerts\n", "- name: critical-alerts\n  slack_configs: []\n")
    assert [one.rule for one in check_receivers(config, where="a.yml")] == ["alert/receiver"]


def test_receiver_with_a_comment_passes() -> None:
    commented = "# critical-alerts: no slack: SLACK_WEBHOOK_URL is not set\n- name: critical-alerts"
    assert (
        check_receivers(SILENT.replace("- name: critical-alerts", commented), where="alertmanager.yml") == []
    )


@pytest.mark.parametrize("path", [path for path in routing.files() if path.suffix == ".yml"], ids=str)
def test_shipped_receivers_pass(path: object) -> None:
    assert check_receivers(routing.files()[path], where=str(path)) == []  # type: ignore[index]
