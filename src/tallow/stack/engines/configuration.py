"""The native stack's configuration files, from the operator's settings and the catalogue."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from tallow.stack import alerts, routing
from tallow.stack.alerts import Links
from tallow.stack.engines.home import Choices, Home, private_folder, write_private
from tallow.stack.engines.services import DASHBOARDS_PORT, HEARTBEAT_PORT, HOST, SERVICES, ports
from tallow.stack.prometheus import Layout, Remote, prometheus_config
from tallow.stack.routing import AlertSettings
from tallow.stack.routing.receivers import SECRET_FILES


class RemoteSettings(BaseSettings):
    """Where samples go besides this machine's Prometheus; nowhere unless set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    remote_write_url: str | None = None
    remote_read_url: str | None = None
    remote_user: str | None = None
    remote_password_file: Path | None = None


def load_settings(folder: Path) -> AlertSettings:
    """The operator's settings, from the environment and ``folder/.env``.

    Raises:
        AlertSettingsError: one of them cannot be used; one line that names it.
    """
    return AlertSettings.load(folder / ".env")


def render(home: Home, choices: Choices) -> dict[Path, str]:
    """Every file, by its place.

    Args:
        home: the stack's folder.
        choices: what `up` was told.

    Raises:
        AlertSettingsError: a setting cannot be used.
    """
    offset, scale, env_folder = choices.port_offset, choices.scale, Path(choices.env_folder)
    settings = load_settings(env_folder)
    known = ports(offset)
    links = Links(
        runbooks=f"http://localhost:{HEARTBEAT_PORT + offset}/runbooks",
        dashboards=f"http://localhost:{DASHBOARDS_PORT + offset}",
    )
    place = home.config / "prometheus"
    files = {
        place / "prometheus.yml": _prometheus(home, known, env_folder, scale),
        place / "rules" / alerts.RULES_PATH.name: alerts.rules_yaml(alerts.CONTRACT, scale, links),
        place / "rules" / alerts.BEYOND_PATH.name: alerts.rules_yaml(alerts.BEYOND, scale, links),
    }
    heartbeat = f"http://{HOST}:{HEARTBEAT_PORT + offset}/heartbeat"
    return files | _alertmanager(home, known, settings, scale, heartbeat)


def stale(files: dict[Path, str]) -> list[Path]:
    """Which of the files are not on disk as they should be."""
    return [
        path for path, content in files.items() if not path.exists() or path.read_text("utf-8") != content
    ]


def write(home: Home, files: dict[Path, str]) -> None:
    """Write the files, for this user alone; secrets of channels that were unset go."""
    private_folder(home.config / "prometheus" / "targets")
    secrets = _channel_secrets(home)
    private_folder(secrets)
    for path, content in files.items():
        write_private(path, content)
    for path in (secrets / name for name in SECRET_FILES):
        if path not in files:
            path.unlink(missing_ok=True)


def _prometheus(home: Home, known: dict[str, int], env_folder: Path, scale: float) -> str:
    place = home.config / "prometheus"
    jobs = tuple(service.job(known[service.name]) for service in SERVICES if service.scraped)
    chosen = RemoteSettings(_env_file=env_folder / ".env")  # type: ignore[call-arg]
    return prometheus_config(
        jobs,
        f"{HOST}:{known['alertmanager']}",
        Layout(home.secrets, place / "rules", place / "targets"),
        remote=Remote(
            chosen.remote_write_url, chosen.remote_read_url, chosen.remote_user, chosen.remote_password_file
        ),
        scale=scale,
    )


def _alertmanager(
    home: Home, known: dict[str, int], settings: AlertSettings, scale: float, heartbeat: str
) -> dict[Path, str]:
    place, secrets = home.config / "alertmanager", _channel_secrets(home)
    config = routing.alertmanager_config(
        settings,
        secrets_dir=secrets,
        template_glob=str(place / "templates" / "*.tmpl"),
        mailbox=f"{HOST}:{known['mailbox']}",
        heartbeat=heartbeat,
        scale=scale,
    )
    return {
        place / "alertmanager.yml": config,
        **{place / "templates" / name: text for name, text in routing.templates().items()},
        **{secrets / name: text for name, text in routing.secret_files(settings).items()},
    }


def _channel_secrets(home: Home) -> Path:
    return home.secrets / "alertmanager"
