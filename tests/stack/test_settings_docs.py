"""docs/settings.md says what the settings object says."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from tallow.monitoring.environment import is_secret, variable_of
from tallow.monitoring.settings import MonitoringSettings
from tallow.stack.settings_docs import PATH, files

ROOT = Path(__file__).parents[2]
FIELDS = list(MonitoringSettings.model_fields.items())


def test_the_committed_page_is_current() -> None:
    assert (ROOT / PATH).read_text() == files()[PATH]


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=[name for name, _ in FIELDS])
def test_every_setting_has_one_whole_row(name: str, field: FieldInfo) -> None:
    variable = variable_of(name, field)
    (row,) = [line for line in files()[PATH].splitlines() if line.startswith(f"| `{variable}`")]
    _, shown, default, accepted, purpose, _ = (cell.strip() for cell in row.split("|"))
    assert (accepted, purpose) == (field.description, field.title)
    assert all((accepted, purpose, default))
    assert ("(secret)" in shown) == is_secret(field)
