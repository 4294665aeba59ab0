"""The components of an overlay: further channels, each with a key of the Secret for alerting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tallow.stack.kubernetes.alertmanager_config import channel_patch
from tallow.stack.kubernetes.heartbeat import EXTERNAL_SWITCH_KEY, PAGERDUTY_KEY, SECRETS, SLACK_KEY
from tallow.stack.kubernetes.objects import HEARTBEAT, Object, manifest


@dataclass(frozen=True, slots=True)
class ChannelComponent:
    """A channel that an overlay can have.

    Attributes:
        name: of the folder.
        key: of the Secret.
        setting: of the heartbeat checker, which reads the file of the key.
        receivers_key: of the receivers in the AlertmanagerConfig; None if only the checker uses the channel.
    """

    name: str
    key: str
    setting: str
    receivers_key: str | None
    description: str


COMPONENTS: Final = (
    ChannelComponent(
        "slack", SLACK_KEY, "SLACK_WEBHOOK_URL_FILE", "slackConfigs", "Slack's incoming webhook"
    ),
    ChannelComponent(
        "pagerduty",
        PAGERDUTY_KEY,
        "PAGERDUTY_ROUTING_KEY_FILE",
        "pagerdutyConfigs",
        "the integration key of PagerDuty's Events API v2",
    ),
    ChannelComponent(
        "external-switch",
        EXTERNAL_SWITCH_KEY,
        "HEARTBEAT_URL_FILE",
        None,
        "the address of a dead man's switch outside of the cluster",
    ),
)


def component_files(component: ChannelComponent) -> dict[str, str]:
    """The files of a component: content by path below ``deploy/kubernetes``."""
    folder = f"components/{component.name}"
    found = {f"{folder}/heartbeat.yaml": manifest(_environment(component))}
    patches: list[Object] = [{"path": "heartbeat.yaml"}]
    if component.receivers_key:
        found[f"{folder}/alertmanager-config.yaml"] = manifest(channel_patch(component.receivers_key))
        target = {"group": "monitoring.coreos.com", "kind": "AlertmanagerConfig", "name": "tallow"}
        patches.append({"path": "alertmanager-config.yaml", "target": target})
    body: Object = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "patches": patches,
    }
    return {f"{folder}/kustomization.yaml": manifest(body), **found}


def _environment(component: ChannelComponent) -> Object:
    variable = {"name": component.setting, "value": f"{SECRETS}/{component.key}"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": HEARTBEAT},
        "spec": {"template": {"spec": {"containers": [{"name": "heartbeat", "env": [variable]}]}}},
    }
