"""Quantiles of classic histograms."""

from __future__ import annotations

import math
from itertools import accumulate

import promql_parser as ast

from tallow.stack.prove.witnesses.evaluation.model import Compiler, Context, Evaluate, as_number, as_vector
from tallow.stack.prove.witnesses.evaluation.vector import Element, Vector, key, results, without

Buckets = list[tuple[float, float]]


def compile_quantile(node: ast.Call, compiler: Compiler) -> Evaluate:
    """``histogram_quantile()``."""
    share_of, vector_of = map(compiler.compile, node.args)

    def evaluate(context: Context) -> Vector:
        share, vector = as_number(share_of(context)), as_vector(vector_of(context))
        groups: dict[frozenset[tuple[str, str]], tuple[Vector, Buckets]] = {}
        for element in results(vector) or vector:
            edge = _edge(element.labels.get("le", ""))
            if edge is not None:
                labels = without(element.labels, ("le", "__name__"))
                elements, buckets = groups.setdefault(key(labels), ([], []))
                elements.append(Element(labels, 0.0, element.distance, element.slack))
                buckets.append((edge, element.value))
        return [
            Element(
                elements[0].labels,
                bucket_quantile(share, buckets),
                min(one.distance for one in elements),
                max(one.slack for one in elements),
            )
            for elements, buckets in groups.values()
        ]

    return evaluate


def _edge(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def bucket_quantile(share: float, buckets: Buckets) -> float:
    """A quantile, interpolated in its bucket.

    Source: ``bucketQuantile`` in Prometheus's ``promql/quantile.go``.

    Example:
        >>> bucket_quantile(0.5, [(1.0, 0.0), (2.0, 10.0), (math.inf, 10.0)])
        1.5
    """
    ordered = sorted(buckets)
    if len(ordered) < 2 or not math.isinf(ordered[-1][0]) or math.isnan(share):
        return math.nan
    if share < 0 or share > 1:
        return math.copysign(math.inf, share - 0.5)
    counts = list(accumulate((count for _, count in ordered), max))
    return _interpolated(share * counts[-1], ordered, counts) if counts[-1] > 0 else math.nan


def _interpolated(rank: float, ordered: Buckets, counts: list[float]) -> float:
    """The value of a rank, on a straight line through its bucket."""
    index = next(index for index, count in enumerate(counts) if count >= rank)
    if index == len(counts) - 1:
        return ordered[-2][0]
    end = ordered[index][0]
    if index == 0 and end <= 0:
        return end
    start, below = (ordered[index - 1][0], counts[index - 1]) if index else (0.0, 0.0)
    inside = counts[index] - below
    return start + (end - start) * (rank - below) / inside if inside else end
