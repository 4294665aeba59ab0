"""Targets that are not scraped, or that have vanished from the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import MINUTE


@dataclass(frozen=True, slots=True)
class Target:
    """A target that must be scraped, by its labels ``job`` and ``instance``; without an instance, any target
    of the job.

    Example:
        >>> Target("tallow", "127.0.0.1:3000").job
        'tallow'
    """

    job: str
    instance: str | None = None


STACK_TARGETS: Final = (Target("alertmanager"), Target("node-exporter"), Target("prometheus"))
"""The stack's own jobs: what the committed rule file expects wherever it is installed."""


def target_missing(
    expected: Iterable[Target] = STACK_TARGETS,
    *,
    desired_replicas: str | None = None,
    failing_jobs: bool = True,
) -> Rule:
    """The rule that fires when a target is not scraped, for as long as that lasts.

    A target that vanished has no series from which it could be told apart from one that never existed: the
    rule contains the list of those that must be there.

    Args:
        expected: the targets of the deployment.
        desired_replicas: in a cluster, a PromQL expression of the number of Tallow's instances that are
            wanted, as ``kube_deployment_spec_replicas{deployment="tallow"}``. Pods come and go under changing
            addresses, and fewer pods after a scale-down are no fault.
        failing_jobs: whether the failing scrapes of every other job are reported. In a Prometheus that
            scrapes more than Tallow's stack they are not Tallow's.

    Example:
        >>> 'absent(up{job="tallow",instance="b:3000"})' in target_missing([Target("tallow", "b:3000")]).expr
        True
    """
    failing = 'min by (job, instance) (last_over_time(up{job!="tallow"}[$hold])) == 0'
    arms = [failing] if failing_jobs else []
    arms += sorted({_absent(target) for target in expected})
    if desired_replicas:
        arms.append(f'count by (job) (up{{job="tallow"}}) < on () group_left () max({desired_replicas})')
    return Rule(
        name="TargetMissing",
        expr="\nor\n".join(arms),
        for_seconds=10 * MINUTE,
        windows={"hold": 1 * MINUTE},
        startup_grace=0,
        severity="warning",
        category="monitoring",
        summary="{{ $labels.job }} {{ with $labels.instance }}on {{ . }} {{ end }}is not monitored",
        description="""
{{ if eq $value 0.0 }}The scrape of {{ $labels.instance }} (job {{ $labels.job }}) fails.
{{ else if $labels.instance }}Prometheus no longer has the target {{ $labels.instance }} of job
{{ $labels.job }}.
{{ else if eq $labels.job "tallow" }}Prometheus has {{ $value }} targets of job tallow, fewer than the
replicas that are wanted.
{{ else }}Prometheus has no target of job {{ $labels.job }}.{{ end }}
The alert lasts until the target is back or is taken off the list (`tallow reload`).
""",
        panel=Panel("tallow-overview"),
        on_absent="A listed target without an up series fires. Tallow's own failing scrape is ServiceDown's.",
        absence_is_fault=True,
    )


def _absent(target: Target) -> str:
    instance = f',instance="{_escaped(target.instance)}"' if target.instance else ""
    return f'absent(up{{job="{_escaped(target.job)}"{instance}}})'


def _escaped(value: str) -> str:
    """A label value inside a quoted string; ``$`` is the mark of the rule's own names."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("$", "$$")


TARGET_MISSING = target_missing()
