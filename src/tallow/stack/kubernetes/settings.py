"""The values that an installation changes: one file of settings, and where Kustomize writes each of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tallow.stack.deployment import KUBERNETES
from tallow.stack.kubernetes.alertmanager_config import PLACEHOLDERS
from tallow.stack.kubernetes.objects import (
    HEARTBEAT,
    INGRESS_NAMESPACE,
    MONITORING_NAMESPACE,
    SERVER,
    SETTINGS,
    Object,
)
from tallow.stack.routing.matrix import RECEIVERS


@dataclass(frozen=True, slots=True)
class Target:
    """Where Kustomize writes a value: fields of objects of a kind, or a part of such a field.

    Attributes:
        name: of the object; every object of the kind by default.
        delimiter: divides the field into parts, of which the one with the number ``index`` is replaced.
    """

    kind: str
    fields: tuple[str, ...]
    name: str | None = None
    delimiter: str | None = None
    index: int = 0

    def document(self) -> Object:
        """The target in Kustomize's notation."""
        select = {"kind": self.kind, **({"name": self.name} if self.name else {})}
        options = {"options": {"delimiter": self.delimiter, "index": self.index}} if self.delimiter else {}
        return {"select": select, "fieldPaths": list(self.fields), **options}


@dataclass(frozen=True, slots=True)
class Setting:
    """A line of ``settings.env``: its name, the value that must be replaced, what it is, and its targets.

    Without targets, only the programs read it.
    """

    name: str
    value: str
    description: str
    targets: tuple[Target, ...] = ()


def _host(deployment_name: str) -> str:
    return KUBERNETES.base_urls[deployment_name].removeprefix("https://")


def caller_namespace(number: int, policy: str) -> Target:
    """The namespace of a caller in the first rule for incoming connections of a NetworkPolicy."""
    label = r"kubernetes\.io/metadata\.name"
    field = f"spec.ingress.0.from.{number}.namespaceSelector.matchLabels.{label}"
    return Target("NetworkPolicy", (field,), policy)


def _ingress(name: str) -> Target:
    return Target("Ingress", ("spec.tls.0.hosts.0", "spec.rules.0.host"), name)


def _rule_links(annotation: str) -> Target:
    field = f"spec.groups.*.rules.*.annotations.{annotation}"
    return Target("PrometheusRule", (field,), "tallow", delimiter="/", index=2)


_MAIL_RECEIVERS: Final = tuple(one.name for one in RECEIVERS if "email" in one.channels)


def _mail(field: str, receivers: Iterable[str] = _MAIL_RECEIVERS, *, part: int | None = None) -> Target:
    """A field of the mails of receivers; with ``part``, that part of ``host:port``."""
    paths = tuple(f"spec.receivers.[name={name}].emailConfigs.0.{field}" for name in receivers)
    if part is None:
        return Target("AlertmanagerConfig", paths, "tallow")
    return Target("AlertmanagerConfig", paths, "tallow", delimiter=":", index=part)


def _audience(audience: str) -> Target:
    return _mail(
        "to", (one.name for one in RECEIVERS if one.audience == audience and "email" in one.channels)
    )


_RECIPIENT: Final = str(PLACEHOLDERS.alert_email_default)
SETTING_LIST: Final = (
    Setting("INGRESS_HOST", _host("tallow"), "host name of the application", (_ingress(SERVER),)),
    Setting(
        "HEARTBEAT_HOST",
        _host("heartbeat"),
        "host name of the heartbeat checker, which serves the runbooks",
        (_ingress(HEARTBEAT), _rule_links("runbook_url")),
    ),
    Setting("DASHBOARDS_HOST", _host("dashboards"), "host name of Grafana", (_rule_links("dashboard_url"),)),
    Setting(
        "INGRESS_CLASS",
        "nginx",
        "class of the ingress controller",
        (Target("Ingress", ("spec.ingressClassName",)),),
    ),
    Setting(
        "INGRESS_NAMESPACE",
        INGRESS_NAMESPACE,
        "namespace of the ingress controller",
        (caller_namespace(0, SERVER), caller_namespace(0, HEARTBEAT)),
    ),
    Setting(
        "MONITORING_NAMESPACE",
        MONITORING_NAMESPACE,
        "namespace of Prometheus, Alertmanager and Grafana",
        (caller_namespace(1, SERVER), caller_namespace(1, HEARTBEAT)),
    ),
    Setting(
        "TRUSTED_PROXIES",
        "10.0.0.0/8",
        "addresses of the ingress controller's pods, whose X-Forwarded-For is trusted",
    ),
    Setting("ICE_SERVERS", "", "STUN and TURN servers for peers, separated by commas"),
    Setting("LOG_LEVEL", "info", "lowest level that is written"),
    Setting("ALERT_EMAIL_DEFAULT", _RECIPIENT, "recipients of other alerts", (_audience("default"),)),
    Setting("ALERT_EMAIL_CRITICAL", _RECIPIENT, "recipients of critical alerts", (_audience("critical"),)),
    Setting(
        "ALERT_EMAIL_PERFORMANCE",
        _RECIPIENT,
        "recipients of alerts on performance",
        (_audience("performance"),),
    ),
    Setting("ALERT_EMAIL_SECURITY", _RECIPIENT, "recipients of alerts on security", (_audience("security"),)),
    Setting(
        "ALERT_EMAIL_OPERATIONS",
        _RECIPIENT,
        "recipients of alerts on transfers and connections",
        (_audience("operations"),),
    ),
    Setting("ALERT_EMAIL_DIGEST", _RECIPIENT, "recipients of the daily digest", (_audience("digest"),)),
    Setting(
        "SMTP_HOST",
        str(PLACEHOLDERS.smtp_host),
        "mail server",
        (_mail("smarthost", part=0),),
    ),
    Setting("SMTP_PORT", "587", "port of the mail server", (_mail("smarthost", part=1),)),
    Setting("SMTP_FROM", str(PLACEHOLDERS.smtp_from), "sender of alerts", (_mail("from"),)),
    Setting("SMTP_USER", str(PLACEHOLDERS.smtp_user), "user of the mail server", (_mail("authUsername"),)),
)
"""The settings of every overlay, in the order of ``settings.env``."""

RELEASE: Final = Setting(
    "RELEASE",
    "kube-prometheus-stack",
    "name of the Helm release of kube-prometheus-stack",
    tuple(
        Target(kind, ("metadata.labels.release",), "tallow") for kind in ("PrometheusRule", "ServiceMonitor")
    ),
)
"""Without this label kube-prometheus-stack reads no rule and no ServiceMonitor."""

_NAMESPACE_TARGETS: Final = (
    Target("PrometheusRule", ("spec.groups.*.rules.*.labels.namespace",), "tallow"),
    Target(
        "AlertmanagerConfig",
        ("spec.receivers.[name=heartbeat].webhookConfigs.0.url",),
        "tallow",
        delimiter=".",
        index=1,
    ),
)
"""Fields that contain the namespace and that Kustomize's namespace transformer does not know."""


def settings_env(settings: tuple[Setting, ...]) -> str:
    """The text of ``settings.env``.

    >>> settings_env((Setting("A", "b", "what it is"),))
    '# what it is\\nA=b\\n'
    """
    return "".join(f"# {setting.description}\n{setting.name}={setting.value}\n" for setting in settings)


def replacements(settings: tuple[Setting, ...]) -> list[Object]:
    """Kustomize's replacements: every setting and the namespace, each to its targets."""
    from_settings = [
        {
            "source": {"kind": "ConfigMap", "name": SETTINGS, "fieldPath": f"data.{setting.name}"},
            "targets": [target.document() for target in setting.targets],
        }
        for setting in settings
        if setting.targets
    ]
    namespace = {
        "source": {"kind": "Deployment", "name": SERVER, "fieldPath": "metadata.namespace"},
        "targets": [target.document() for target in _NAMESPACE_TARGETS],
    }
    return [*from_settings, namespace]
