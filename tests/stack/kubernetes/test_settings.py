"""The settings of an overlay reach every place that has their value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from support.kubernetes.manifests import OVERLAYS, Object, build, objects, of_kind, overlay_with, parse
from tallow.stack.deployment import KUBERNETES
from tallow.stack.kubernetes.components import COMPONENTS
from tallow.stack.kubernetes.settings import SETTING_LIST

CHANNELS = tuple(one.name for one in COMPONENTS)
CHANGED = {
    "INGRESS_HOST": "send.company.test",
    "HEARTBEAT_HOST": "runbooks.company.test",
    "DASHBOARDS_HOST": "boards.company.test",
    "INGRESS_CLASS": "traefik",
    "INGRESS_NAMESPACE": "edge",
    "MONITORING_NAMESPACE": "observability",
    "TRUSTED_PROXIES": "192.168.0.0/16",
    "SMTP_HOST": "mail.company.test",
    "SMTP_PORT": "465",
    "SMTP_FROM": "tallow@company.test",
    "SMTP_USER": "mailer",
    **{
        f"ALERT_EMAIL_{audience}": f"{audience.lower()}@company.test"
        for audience in ("DEFAULT", "CRITICAL", "PERFORMANCE", "SECURITY", "OPERATIONS", "DIGEST")
    },
}


@pytest.fixture(scope="module", params=OVERLAYS)
def changed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    """The objects of an overlay with other settings."""
    return overlay_with(tmp_path_factory.mktemp("deploy"), request.param, CHANGED, CHANNELS)


def test_every_setting_is_changed() -> None:
    unchanged = {one.name for one in SETTING_LIST} - CHANGED.keys()
    assert unchanged == {"ICE_SERVERS", "LOG_LEVEL"}, "only the programs read these"


def test_no_placeholder_is_left(changed: list[Object]) -> None:
    for one in changed:
        if one["kind"] in ("Prometheus", "ConfigMap"):
            continue  # the address of the remote system; the ConfigMap is the settings and the dashboards
        assert "example.org" not in json.dumps(one), (one["kind"], one["metadata"]["name"])


def test_links_of_alerts_have_the_new_hosts(changed: list[Object]) -> None:
    spec = of_kind("PrometheusRule", changed)["tallow"]["spec"]
    for rule in (rule for group in spec["groups"] for rule in group["rules"]):
        assert rule["annotations"]["runbook_url"] == f"https://runbooks.company.test/runbooks/{rule['alert']}"
        assert rule["annotations"]["dashboard_url"].startswith("https://boards.company.test/d/tallow-")


def test_mail_goes_to_the_audience_of_each_receiver(changed: list[Object]) -> None:
    receivers = of_kind("AlertmanagerConfig", changed)["tallow"]["spec"]["receivers"]
    mails = {one["name"]: one["emailConfigs"][0] for one in receivers if "emailConfigs" in one}
    assert {name: mail["to"].partition("@")[0] for name, mail in mails.items()} == {
        "default": "default",
        "critical-alerts": "critical",
        "performance-alerts": "performance",
        "security-alerts": "security",
        "transfer-alerts": "operations",
        "connection-alerts": "operations",
        "daily-digest": "digest",
    }
    for mail in mails.values():
        assert mail["smarthost"] == "mail.company.test:465"
        assert (mail["from"], mail["authUsername"]) == ("tallow@company.test", "mailer")


def test_ingress_has_host_and_certificate(changed: list[Object]) -> None:
    found = of_kind("Ingress", changed)
    for name, host in (("tallow", "send.company.test"), ("tallow-heartbeat", "runbooks.company.test")):
        spec = found[name]["spec"]
        assert spec["ingressClassName"] == "traefik"
        assert [one["host"] for one in spec["rules"]] == [host]
        assert spec["tls"][0]["hosts"] == [host]
        assert spec["tls"][0]["secretName"]


def test_policies_admit_the_new_namespaces(changed: list[Object]) -> None:
    policies = of_kind("NetworkPolicy", changed)
    for name in ("tallow", "tallow-heartbeat"):
        text = json.dumps(policies[name]["spec"]["ingress"])
        assert '"edge"' in text
        assert '"observability"' in text
    assert '"monitoring"' not in json.dumps(policies)


def test_components_add_channels_to_receivers_and_heartbeat(changed: list[Object]) -> None:
    receivers = of_kind("AlertmanagerConfig", changed)["tallow"]["spec"]["receivers"]
    slack = [one["name"] for one in receivers if "slackConfigs" in one]
    assert slack == ["critical-alerts", "security-alerts"]
    assert [one["name"] for one in receivers if "pagerdutyConfigs" in one] == ["critical-alerts"]
    [container] = of_kind("Deployment", changed)["tallow-heartbeat"]["spec"]["template"]["spec"]["containers"]
    variables = {one["name"]: one.get("value", "") for one in container["env"]}
    for component in COMPONENTS:
        assert variables[component.setting].endswith(f"/{component.key}")
    assert "SMTP_PASSWORD_FILE" in variables


def test_the_release_label_is_that_of_the_installation(tmp_path: Path) -> None:
    found = overlay_with(tmp_path, "kube-prometheus-stack", {"RELEASE": "metrics"}, ("loki",))
    labelled = {one["kind"] for one in found if one["metadata"].get("labels", {}).get("release") == "metrics"}
    assert labelled == {"PrometheusRule", "ServiceMonitor"}
    [source] = yaml.safe_load(
        of_kind("ConfigMap", found)["tallow-loki-data-source"]["data"]["tallow-loki.yaml"]
    )["datasources"]
    assert (source["type"], source.get("isDefault")) == ("loki", None)
    assert source["url"] == KUBERNETES.url("loki")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_another_namespace_reaches_rules_and_routes(overlay: str, tmp_path: Path) -> None:
    overlay_with(tmp_path, overlay, {})
    path = tmp_path / "overlays" / overlay / "kustomization.yaml"
    path.write_text(path.read_text().replace("namespace: tallow\n", "namespace: files\n"))
    found = parse(build(path.parent))
    assert {one["metadata"].get("namespace", "files") for one in found} == {"files"}
    assert of_kind("Namespace", found).keys() == {"files"}
    spec = of_kind("PrometheusRule", found)["tallow"]["spec"]
    assert {r["labels"]["namespace"] for group in spec["groups"] for r in group["rules"]} == {"files"}
    [heartbeat] = [
        one
        for one in of_kind("AlertmanagerConfig", found)["tallow"]["spec"]["receivers"]
        if one["name"] == "heartbeat"
    ]
    assert heartbeat["webhookConfigs"][0]["url"] == "http://tallow-heartbeat.files.svc:9095/heartbeat"


def test_every_object_has_the_namespace_and_the_recommended_labels() -> None:
    for overlay in OVERLAYS:
        for one in objects(overlay):
            if one["kind"] == "ConfigMap" and "tallow-settings" in one["metadata"]["name"]:
                continue
            labels = one["metadata"]["labels"]
            assert {"app.kubernetes.io/name", "app.kubernetes.io/component"} <= labels.keys()
