"""The page ``deploy/kubernetes/README.md``: text with tables of what the files contain."""

from __future__ import annotations

from importlib import resources
from string import Template
from typing import Final

from tallow import __version__
from tallow.stack.kubernetes import heartbeat, remote_write, server
from tallow.stack.kubernetes.components import COMPONENTS
from tallow.stack.kubernetes.objects import Object
from tallow.stack.kubernetes.rules import (
    NOT_WITHOUT_NODE_EXPORTER,
    NOTICE,
    SHIPPED_BY_KUBE_PROMETHEUS_STACK,
)
from tallow.stack.kubernetes.settings import RELEASE, SETTING_LIST, Setting

TESTED_VERSIONS: Final = ("1.33", "1.37")
"""The versions of Kubernetes that the proof starts."""
TESTED_OPERATOR: Final = "0.93"


def page() -> str:
    """The text of the page.

    >>> "| `INGRESS_HOST` |" in page()
    True
    """
    text = (resources.files(__package__) / "page.md").read_text(encoding="utf-8")
    return Template(text).substitute(
        version=__version__,
        settings=_settings(),
        workloads="\n".join(_workloads()),
        components=_components(),
        notice=NOTICE,
        left_out=_left_out(),
        without_nodes=" and ".join(sorted(NOT_WITHOUT_NODE_EXPORTER)),
        versions=" and ".join(TESTED_VERSIONS),
        operator=TESTED_OPERATOR,
    )


def _settings() -> str:
    common = {one.name for one in SETTING_LIST}
    rows = [
        *(_row(one, "both") for one in SETTING_LIST),
        _row(RELEASE, "kube-prometheus-stack"),
        *(_row(one, "remote-write") for one in remote_write.SETTING_LIST if one.name not in common),
    ]
    return "\n".join(("| name | value in the file | what it is | overlay |", "|---|---|---|---|", *rows))


def _row(setting: Setting, overlay: str) -> str:
    value = f"`{setting.value}`" if setting.value else ""
    return f"| `{setting.name}` | {value} | {setting.description} | {overlay} |"


def _components() -> str:
    rows = [f"| `../../components/{one.name}` | `{one.key}` | {one.description} |" for one in COMPONENTS]
    return "\n".join(("| component | key | value |", "|---|---|---|", *rows))


def _left_out() -> str:
    rows = [f"| {name} | {instead} |" for name, instead in SHIPPED_BY_KUBE_PROMETHEUS_STACK.items()]
    return "\n".join(("| rule | rules of kube-prometheus-stack |", "|---|---|", *rows))


def _workloads() -> list[str]:
    pods = {"tallow": f"{server.MIN_REPLICAS} to {server.MAX_REPLICAS}", "tallow-heartbeat": "1"}
    scaled = {"tallow": "by CPU", "tallow-heartbeat": "no"}
    found = {one["metadata"]["name"]: one for one in _deployments()}
    return [
        f"| {name} | {pods[name]} | {_amounts(one, 'requests')} | {_amounts(one, 'limits')} | "
        f"one pod may be missing | {scaled[name]} |"
        for name, one in found.items()
    ]


def _deployments() -> list[Object]:
    return [one for one in (*server.objects(), *heartbeat.objects()) if one["kind"] == "Deployment"]


def _amounts(deployment: Object, kind: str) -> str:
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    amounts = container["resources"][kind]
    return f"{amounts['cpu']} CPU, {amounts['memory']}"
