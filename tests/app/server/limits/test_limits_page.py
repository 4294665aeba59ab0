"""Every limit is on the generated page, with its setting, its metric and what the client sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.transfers.server import serving
from tallow.app.server.limits.catalog import BOUNDS, LIMITS, LIMITS_IN_DETAIL, Bound
from tallow.app.server.limits.limits_page import PATH, files
from tallow.app.server.settings import ServerSettings
from tallow.monitoring.catalog import METRICS, PREFIX

ROOT = Path(__file__).parents[4]
FIELDS = ServerSettings.model_fields
NUMBERS = {name for name, field in FIELDS.items() if type(field.default) in {int, float}}


def test_the_committed_page_is_up_to_date() -> None:
    assert (ROOT / PATH).read_text() == files()[PATH]


def test_every_number_among_the_settings_is_a_limit_or_a_bound() -> None:
    described = {limit.name for limit in LIMITS_IN_DETAIL if limit.fixed is None} | {b.name for b in BOUNDS}
    assert described == NUMBERS


def test_no_limit_is_listed_twice() -> None:
    names = [*LIMITS, *(bound.name for bound in BOUNDS)]
    assert len(set(names)) == len(names)


def test_every_limit_says_what_it_bounds_and_what_the_client_sees() -> None:
    assert all(limit.bounds and limit.response for limit in LIMITS_IN_DETAIL)


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name)
def test_every_bound_has_an_effect_and_a_metric_of_the_catalogue(bound: Bound) -> None:
    assert bound.effect
    name = bound.metric.strip("`").partition("{")[0]
    assert name.removeprefix(PREFIX) in METRICS


def test_the_page_shows_every_setting_with_its_default() -> None:
    page = files()[PATH]
    for name in NUMBERS:
        assert f"`{name.upper()}`" in page
    assert "| 100000 | `MAX_ROOMS` |" in page
    assert "failures of a single address, or of a single /48, show on the dashboards only" in page


async def test_every_limit_has_a_series_from_the_start(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        exposition = (await server.http.get("/metrics")).text
    for limit in LIMITS:
        assert f'tallow_limit_rejections_total{{limit="{limit}"}} 0.0' in exposition
