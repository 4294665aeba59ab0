"""The monitoring services of the Compose file."""

from __future__ import annotations

from typing import Final

from tallow.stack.compose import health, images
from tallow.stack.compose.service import CONFIG, SCRATCH, SECRETS, Service, hardened, mount, published, secret
from tallow.stack.prometheus import (
    FLUSH_S,
    PASSWORD_FILE,
    RESEND_S,
    RETENTION_SIZE,
    RETENTION_TIME,
    SNAPSHOT_EVERY,
)

WEB_CONFIG: Final = "web.yml"
MAILBOX_USERS: Final = "mailbox_users"
NOBODY: Final = "65534:65534"


def prometheus() -> Service:
    """Metrics and rules. It alone is in networks of both the application and the monitoring.

    Its folder of secrets has the password of remote storage if one is set.
    """
    origin, secrets = "http://localhost:${PROMETHEUS_PORT:-9090}", "/etc/prometheus/secrets"
    return hardened(
        images.PROMETHEUS,
        user=NOBODY,
        memory="2g",
        networks=["monitoring", "scrape"],
        ports=[published("PROMETHEUS_PORT", 9090)],
        command=[
            "--config.file=/etc/prometheus/config/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            f"--storage.tsdb.retention.time={RETENTION_TIME}",
            f"--storage.tsdb.retention.size={RETENTION_SIZE}",
            f"--web.external-url={origin}",
            f"--web.config.file={secrets}/{WEB_CONFIG}",
            f"--web.cors.origin={origin}",
            f"--rules.alert.resend-delay={RESEND_S}s",
            f"--storage.remote.flush-deadline={FLUSH_S}s",
            "--enable-feature=exemplar-storage",
            "--log.format=json",
        ],
        volumes=[
            mount(f"{CONFIG}/prometheus", "/etc/prometheus/config"),
            mount(f"{CONFIG}/alerting", "/etc/prometheus/rules"),
            mount(f"{CONFIG}/prometheus/targets", "/etc/prometheus/targets"),
            mount(f"{SECRETS}/prometheus", secrets),
            "prometheus-data:/prometheus",
        ],
        stop_grace_period="1m",
        health=health.PROMETHEUS,
    )


def alertmanager() -> Service:
    """Routes alerts. Its folder of secrets has a file for each channel that is set."""
    return hardened(
        images.ALERTMANAGER,
        user=NOBODY,
        memory="256m",
        networks=["monitoring"],
        ports=[published("ALERTMANAGER_PORT", 9093)],
        command=[
            "--config.file=/etc/alertmanager/config/alertmanager.yml",
            "--storage.path=/alertmanager",
            "--web.external-url=http://localhost:${ALERTMANAGER_PORT:-9093}",
            f"--web.config.file=/etc/alertmanager/secrets/{WEB_CONFIG}",
            "--cluster.listen-address=",
            f"--data.maintenance-interval={SNAPSHOT_EVERY}",
            "--log.format=json",
        ],
        volumes=[
            mount(f"{CONFIG}/alerting", "/etc/alertmanager/config"),
            mount(f"{CONFIG}/alerting/templates", "/etc/alertmanager/templates"),
            mount(f"{SECRETS}/alertmanager", "/etc/alertmanager/secrets"),
            "alertmanager-data:/alertmanager",
        ],
        health=health.ALERTMANAGER,
    )


def node_exporter() -> Service:
    """Metrics of the host.

    It sees the host's processes and, read-only, its files: that is what it measures.
    """
    return hardened(
        images.NODE_EXPORTER,
        user=NOBODY,
        memory="128m",
        networks=["monitoring"],
        ports=[published("NODE_EXPORTER_PORT", 9100)],
        pid="host",
        command=[
            "--path.rootfs=/host",
            f"--web.config.file=/run/secrets/{WEB_CONFIG}",
            "--no-collector.systemd",
            "--log.format=json",
        ],
        secrets=[secret(WEB_CONFIG)],
        volumes=["/:/host:ro,rslave"],
        health=health.NODE_EXPORTER,
    )


def cadvisor() -> Service:
    """Metrics of the containers, from their control groups.

    It runs as root, without capabilities, since other users cannot read all of them. It gets no socket of the
    engine: a socket that is mounted read-only still takes commands. Its series therefore have the container's
    id, not its name.
    """
    return hardened(
        images.CADVISOR,
        user="0:0",
        memory="512m",
        networks=["monitoring"],
        ports=[published("CADVISOR_PORT", 8080)],
        command=[
            "--housekeeping_interval=15s",
            "--store_container_labels=false",
            "--disable_root_cgroup_stats=false",
        ],
        volumes=["/sys:/sys:ro", "/:/rootfs:ro,rslave"],
        tmpfs=[SCRATCH],
        health=health.CADVISOR,
    )


def grafana() -> Service:
    """Dashboards, with no anonymous access and no connection to its maker."""
    return hardened(
        images.GRAFANA,
        user="472:472",
        memory="512m",
        networks=["monitoring", "logs"],
        ports=[published("GRAFANA_PORT", 3001)],
        environment={
            "GF_SERVER_ROOT_URL": "http://localhost:${GRAFANA_PORT:-3001}/",
            "GF_LOG_MODE": "console",
            "GF_LOG_CONSOLE_FORMAT": "json",
        },
        secrets=[secret(PASSWORD_FILE)],
        volumes=[
            mount(f"{CONFIG}/grafana/grafana.ini", "/etc/grafana/grafana.ini"),
            mount(
                f"{CONFIG}/grafana/grafana-datasources.yml",
                "/etc/grafana/provisioning/datasources/tallow.yml",
            ),
            mount(
                f"{CONFIG}/grafana/grafana-dashboards.yml",
                "/etc/grafana/provisioning/dashboards/tallow.yml",
            ),
            mount(f"{CONFIG}/grafana", "/etc/grafana/dashboards"),
            "grafana-data:/var/lib/grafana",
        ],
        tmpfs=["/tmp:size=64m,mode=1777,noexec,nosuid,nodev"],  # noqa: S108 - a mount inside a container
        health=health.GRAFANA,
    )


def mailbox() -> Service:
    """Mailpit, which keeps mail while no mail server is set.

    Its pages ask for the password. Its SMTP port, which only the monitoring reaches, does not: Mailpit lists
    the ways to log in in random order, and Alertmanager refuses PLAIN, where it comes first, without TLS.

    Its volume is mounted over a folder that every user of the image may write to: the image has no other one,
    and its own user is root.
    """
    return hardened(
        images.MAILPIT,
        profiles=["mailbox"],
        user=NOBODY,
        memory="256m",
        networks=["monitoring"],
        ports=[published("MAILBOX_PORT", 8025)],
        environment={
            "MP_DATABASE": "/var/tmp/mailpit.db",  # noqa: S108 - a volume
            "MP_MAX_MESSAGES": "5000",
            "MP_UI_AUTH_FILE": f"/run/secrets/{MAILBOX_USERS}",
            "MP_DISABLE_VERSION_CHECK": "true",
            "MP_BLOCK_REMOTE_CSS_AND_FONTS": "true",
            "MP_QUIET": "true",
        },
        secrets=[secret(MAILBOX_USERS)],
        volumes=["mailbox-data:/var/tmp"],
        tmpfs=[SCRATCH],
        health=health.MAILPIT,
    )
