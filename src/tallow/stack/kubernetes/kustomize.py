"""The files of ``deploy/kubernetes``: a base, components for channels, and two overlays."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Final

from tallow import __version__
from tallow.stack.deployment import KUBERNETES
from tallow.stack.kubernetes import heartbeat, monitors, network, remote_write, rules, server
from tallow.stack.kubernetes.alertmanager_config import without_optional_channels
from tallow.stack.kubernetes.components import COMPONENTS, component_files
from tallow.stack.kubernetes.objects import NAMESPACE, SETTINGS, Object, manifest, metadata
from tallow.stack.kubernetes.settings import RELEASE, SETTING_LIST, Setting, replacements, settings_env

FOLDER: Final = PurePosixPath("deploy/kubernetes")
OVERLAYS: Final = ("kube-prometheus-stack", "remote-write")

_API: Final = "kustomize.config.k8s.io/v1beta1"


def files() -> dict[PurePosixPath, str]:
    """What ``tallow generate`` writes for the cluster: content by repository path, without the page.

    >>> FOLDER / "base" / "kustomization.yaml" in files()
    True
    """
    found = {
        **_folder("base", "Kustomization", _base()),
        **_folder("monitoring", "Kustomization", _monitoring()),
        **_loki_data_source(),
        **_kube_prometheus_stack(),
        **_remote_write(),
    }
    for component in COMPONENTS:
        found |= component_files(component)
    return {FOLDER / path: text for path, text in found.items()}


def _base() -> dict[str, str]:
    namespace: Object = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": metadata(
            NAMESPACE, "server", labels={"pod-security.kubernetes.io/enforce": "restricted"}
        ),
    }
    return {
        "namespace.yaml": manifest(namespace),
        "server.yaml": manifest(*server.objects()),
        "heartbeat.yaml": manifest(*heartbeat.objects()),
        "network-policies.yaml": manifest(*network.objects()),
    }


def _monitoring() -> dict[str, str]:
    """What both overlays have: routes of alerts, and dashboards."""
    boards = monitors.dashboard_config_maps()
    return {
        "alertmanager-config.yaml": manifest(without_optional_channels()),
        **{f"dashboard-{uid}.yaml": manifest(board) for uid, board in boards.items()},
    }


def _kube_prometheus_stack() -> dict[str, str]:
    release = {"release": RELEASE.value}
    rule = rules.prometheus_rule(rules.for_kube_prometheus_stack(), KUBERNETES, release)
    return _overlay(
        "kube-prometheus-stack",
        {
            "prometheus-rule.yaml": manifest(rule),
            "service-monitor.yaml": manifest(monitors.server_monitor(release)),
        },
        (*SETTING_LIST, RELEASE),
    )


def _remote_write() -> dict[str, str]:
    groups = rules.for_own_prometheus(server.MIN_REPLICAS)
    return _overlay(
        "remote-write",
        {
            "access.yaml": manifest(*remote_write.access_objects()),
            "alertmanager.yaml": manifest(*remote_write.alertmanager()),
            "network-policies.yaml": manifest(remote_write.heartbeat_policy(), remote_write.server_policy()),
            "prometheus.yaml": manifest(*remote_write.prometheus()),
            "prometheus-rule.yaml": manifest(rules.prometheus_rule(groups, remote_write.DEPLOYMENT, {})),
            "service-monitor.yaml": manifest(monitors.server_monitor({})),
        },
        remote_write.SETTING_LIST,
    )


def _loki_data_source() -> dict[str, str]:
    source = {"loki-data-source.yaml": manifest(monitors.loki_data_source())}
    files = _folder("components/loki", "Component", source)
    path = "components/loki/kustomization.yaml"
    return {**files, path: files[path].replace(_API, "kustomize.config.k8s.io/v1alpha1")}


def _overlay(name: str, contents: dict[str, str], settings: tuple[Setting, ...]) -> dict[str, str]:
    folder = f"overlays/{name}"
    return {
        f"{folder}/settings.env": settings_env(settings),
        **_folder(
            folder,
            "Kustomization",
            contents,
            namespace=NAMESPACE,
            resources=["../../base", "../../monitoring", *contents],
            components=[],
            images=[{"name": "tallow", "newName": "tallow", "newTag": __version__}],
            configMapGenerator=[{"name": SETTINGS, "envs": ["settings.env"]}],
            replacements=replacements(settings),
        ),
    }


def _folder(folder: str, kind: str, contents: dict[str, str], **fields: Any) -> dict[str, str]:
    body = {"apiVersion": _API, "kind": kind, "resources": list(contents), **fields}
    return {
        f"{folder}/kustomization.yaml": manifest({key: value for key, value in body.items() if value}),
        **{f"{folder}/{name}": text for name, text in contents.items()},
    }
