"""The evaluation agrees with promtool's, and measures how far a condition is from holding."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tallow.stack.prove.expression import parse
from tallow.stack.prove.promtool.documents import as_yaml
from tallow.stack.prove.promtool.program import Promtool
from tallow.stack.prove.witnesses.evaluation.compiler import ExpressionCompiler
from tallow.stack.prove.witnesses.evaluation.database import Database, Stored
from tallow.stack.prove.witnesses.evaluation.functions import SUPPORTED
from tallow.stack.prove.witnesses.evaluation.model import Context
from tallow.stack.prove.witnesses.evaluation.signal import Shape, Signal
from tallow.stack.prove.witnesses.evaluation.vector import UnsupportedError, least_distance, results
from tallow.stack.prove.witnesses.witness import InputSeries

pytestmark = pytest.mark.slow

INTERVAL: Final = 15.0
STEP: Final = 0.000001
TIME: Final = 3607.0
"""Between two samples, as Prometheus 2 and 3 treat the edges of ranges differently."""


def signal(shape: Shape, **values: Any) -> Signal:
    return Signal(shape, INTERVAL, reference=TIME, **values)


SERIES: Final[Mapping[str, list[Stored]]] = {
    "requests_total": [
        ({"job": "web", "code": "500"}, signal("counter", slope=0.2, level=0.0)),
        ({"job": "web", "code": "200"}, signal("counter", slope=1.5, level=100.0)),
        ({"job": "db", "code": "200"}, signal("sawtooth", level=1.0, amplitude=2.5, period=7)),
    ],
    "queue": [
        ({"job": "web", "instance": "a"}, signal("line", level=40.0, slope=-0.01)),
        ({"job": "web", "instance": "b"}, signal("line", level=7.0)),
        ({"job": "db", "instance": "c"}, signal("alternating", level=3.0, amplitude=5.0, period=3)),
    ],
    "limit": [
        ({"job": "web"}, signal("line", level=50.0)),
        ({"job": "db"}, signal("line", level=0.0)),
    ],
    "gone": [({"job": "web"}, signal("vanishing", level=2.0, event=3000.0))],
    "new": [({"job": "web"}, signal("appearing", level=2.0, event=3500.0))],
    "jump": [({"job": "web"}, signal("step", level=2.0, amplitude=3.0, event=3400.0))],
    "latency_bucket": [
        ({"job": "web", "le": le}, signal("counter", slope=slope, level=0.0))
        for le, slope in (("0.1", 1.0), ("0.5", 3.0), ("2", 4.0), ("+Inf", 4.5))
    ],
}
EXPRESSIONS: Final = [
    "rate(requests_total[5m])",
    "increase(requests_total[5m])",
    "irate(requests_total[5m])",
    "resets(requests_total[10m])",
    "changes(queue[10m])",
    "delta(queue[10m])",
    "idelta(queue[10m])",
    "deriv(queue[10m])",
    "predict_linear(queue[10m], 3600)",
    "double_exponential_smoothing(queue[10m], 0.5, 0.3)",
    "avg_over_time(queue[10m])",
    "sum_over_time(queue[10m])",
    "min_over_time(queue[10m])",
    "max_over_time(queue[10m])",
    "count_over_time(queue[10m])",
    "last_over_time(queue[10m])",
    "present_over_time(queue[10m])",
    "stddev_over_time(queue[10m])",
    "stdvar_over_time(queue[10m])",
    "quantile_over_time(0.3, queue[10m])",
    "absent_over_time(gone[5m])",
    "absent_over_time(queue[5m])",
    "absent(gone{job='web'})",
    "absent(queue)",
    "gone offset 15m",
    "new",
    "jump - jump offset 10m",
    "delta(jump[10m])",
    "max_over_time(rate(requests_total{job='web'}[5m])[10m:1m])",
    "sum_over_time(vector(1)[10m:1m])",
    "min_over_time((queue > 5)[10m:30s])",
    "sum(queue)",
    "sum by (job) (queue)",
    "sum without (instance) (queue)",
    "avg by (job) (queue)",
    "min by (job) (queue)",
    "max by (job) (queue)",
    "count by (job) (queue)",
    "group by (job) (queue)",
    "stddev(queue)",
    "stdvar(queue)",
    "quantile(0.7, queue)",
    "topk(2, queue)",
    "bottomk(1, queue)",
    'count_values("value", limit)',
    "queue > 5",
    "queue > bool 5",
    "5 < queue",
    "queue != 7",
    "queue / on (job) group_left () limit",
    "limit - on (job) group_right () queue",
    "sum by (job) (queue) / limit",
    "sum by (job) (queue) / ignoring (code) limit > 0.1",
    "limit and on (job) queue > 10",
    "limit unless on (job) gone",
    "limit or queue",
    "-queue + 2 ^ 3 % 5",
    "queue atan2 on (job) group_left () limit",
    "histogram_quantile(0.9, rate(latency_bucket[5m]))",
    "histogram_quantile(0.99, sum by (le) (rate(latency_bucket[5m])))",
    "histogram_quantile(0.05, sum by (le) (rate(latency_bucket[5m])))",
    'label_replace(queue, "host", "h-$1", "instance", "(.*)")',
    'label_join(queue, "both", "-", "job", "instance")',
    "abs(-queue)",
    "ceil(queue / 3)",
    "floor(queue / 3)",
    "round(queue, 5)",
    "exp(queue / 10)",
    "ln(queue)",
    "log2(queue)",
    "log10(queue)",
    "sqrt(queue)",
    "sgn(queue - 7)",
    "clamp(queue, 5, 10)",
    "clamp_min(queue, 5)",
    "clamp_max(queue, 10)",
    "deg(queue) + rad(queue) + sin(queue) + cos(queue) + tan(queue) + atan(queue) + sinh(queue / 9)",
    "cosh(queue / 9) + tanh(queue / 9)",
    "vector(time() - 5)",
    "timestamp(queue)",
    "vector(scalar(limit{job='web'})) + pi()",
    "sort(queue)",
    "sort_desc(queue)",
    "hour(vector(86400 * 45 + 3600 * 7)) + minute(vector(300)) + year(vector(1))",
    "month(vector(86400 * 45)) + day_of_month(vector(86400 * 45)) + day_of_week(vector(86400 * 3))",
    "day_of_year(vector(86400 * 45)) + days_in_month(vector(86400 * 45))",
    "{__name__=~'lim.*|go.*', job='web'}",
]
NEWER: Final = {
    "first_over_time",
    "mad_over_time",
    "sort_by_label",
    "sort_by_label_desc",
    "double_exponential_smoothing",
}
"""Functions that Debian's Prometheus does not have, or has under another name."""


def evaluated(expr: str, series: Mapping[str, list[Stored]] = SERIES) -> Any:
    return ExpressionCompiler({}).compile(parse(expr))(Context(Database(series, INTERVAL), TIME))


def expression_test(expr: str) -> dict[str, object]:
    """What promtool is to compute: rounded values, which have no name."""
    samples = []
    for element in results(evaluated(expr)):
        inner = InputSeries({**element.labels, "__name__": ""}, ()).selector
        samples.append({"labels": inner or "{}", "value": rounded(element.value)})
    old = expr.replace("double_exponential_smoothing", "holt_winters")
    return {"expr": f"round({old}, {STEP:f})", "eval_time": f"{TIME:g}s", "exp_samples": samples}


def rounded(value: float) -> float:
    """As ``round()`` of Prometheus computes it."""
    return math.floor(value * (1 / STEP) + 0.5) / (1 / STEP) if math.isfinite(value) else value


def test_promtool_computes_the_same(tmp_path: Path) -> None:
    checks = [expression_test(expr) for expr in EXPRESSIONS]
    inputs = [
        {"series": InputSeries({"__name__": name, **labels}, ()).selector, "values": notation(one)}
        for name, stored in SERIES.items()
        for labels, one in stored
    ]
    test = {"interval": f"{INTERVAL:g}s", "input_series": inputs, "promql_expr_test": checks}
    (tmp_path / "t.yml").write_text(as_yaml({"rule_files": [], "evaluation_interval": "1m", "tests": [test]}))
    assert Promtool.find().test([tmp_path / "t.yml"]) == ""


def notation(one: Signal) -> str:
    return InputSeries({}, one.spans(int(TIME / INTERVAL) + 2)).notation


def test_every_function_is_compared() -> None:
    text = " ".join(EXPRESSIONS)
    assert [name for name in SUPPORTED if f"{name}(" not in text and name not in NEWER] == []


@pytest.mark.parametrize(
    ("near", "far"),
    [
        ("queue > 41", "queue > 400"),
        ("queue == 8", "queue == 100"),
        ("queue < 2", "queue < -50"),
        ("limit and on (job) queue > 41", "limit and on (job) queue > 400"),
        ("sum by (job) (queue) > 48", "sum by (job) (queue) > 4000"),
        ("max by (job) (queue > 41)", "max by (job) (queue > 400)"),
        ("rate(requests_total[5m]) > 2", "rate(requests_total[5m]) > 20"),
        ("queue unless on (job) limit > 49.5", "queue{job='web'} unless on (job) limit > 1"),
        ("queue > 60 or queue > 41", "queue > 60 or queue > 400"),
    ],
)
def test_the_distance_grows_with_what_is_missing(near: str, far: str) -> None:
    near_distance, far_distance = least_distance(evaluated(near)), least_distance(evaluated(far))
    assert near_distance <= far_distance
    assert 0 < far_distance < 1000


def test_series_that_never_match_have_the_distance_of_structure() -> None:
    assert least_distance(evaluated("queue and on (instance) limit > 0")) >= 1000
    assert math.isinf(least_distance(evaluated("missing > 1")))


@pytest.mark.parametrize("expr", ["histogram_fraction(0, 1, queue)", "info(queue)"])
def test_what_is_not_known_is_named(expr: str) -> None:
    with pytest.raises(UnsupportedError, match=expr.partition("(")[0]):
        evaluated(expr)
