"""What the checks of a stack of containers look at, besides what those of a native stack do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from tallow.stack.doctor.model import NotApplicableError
from tallow.stack.doctor.native.installation import Installation
from tallow.stack.engines.docker import configuration, layout
from tallow.stack.engines.docker.client import docker, docker_json
from tallow.stack.engines.docker.containers import states
from tallow.stack.engines.docker.project import profiles, project, services
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.reload.snapshot import read_values
from tallow.stack.engines.services.definitions import SETTINGS_FILE
from tallow.stack.engines.services.service_state import ServiceState

SERVICE_LABEL = "com.docker.compose.service"
_PROJECT_LABEL = "com.docker.compose.project"


@dataclass(frozen=True)
class DockerInstallation(Installation):
    """A stack of containers.

    Attributes:
        inspected: what ``docker inspect`` prints of the stack's containers; by default it is asked.
    """

    inspected: Sequence[Mapping[str, Any]] | None = None

    @cached_property
    def containers(self) -> Mapping[str, Mapping[str, Any]]:
        """The containers by service.

        Raises:
            NotApplicableError: the engine does not answer, which the check ``docker-engine`` reports.
        """
        found = self._inspect() if self.inspected is None else self.inspected
        return {one["Config"]["Labels"].get(SERVICE_LABEL, ""): one for one in found}

    @property
    def services(self) -> tuple[str, ...]:
        """The services that the stack was started with."""
        return services(profiles(self.home))

    @property
    def is_running(self) -> bool:
        """Whether a container runs."""
        return any(
            one["State"]["Status"] in {"running", "restarting", "paused"} for one in self.containers.values()
        )

    @cached_property
    def states(self) -> Mapping[str, ServiceState]:
        """The state of every service; empty if nothing runs."""
        return states(project(self.home), self.services) if self.is_running else {}

    @property
    def data_folder(self) -> Path:
        """The engine's folder of images and volumes.

        Raises:
            NotApplicableError: it is not on this machine, as with Docker Desktop.
        """
        try:
            folder = Path(docker("info", "--format", "{{.DockerRootDir}}").strip())
        except StackError:
            raise NotApplicableError("the Docker engine does not answer; see: docker-engine") from None
        if not folder.is_dir():
            raise NotApplicableError(f"the engine's folder {folder} is not on this machine")
        return folder

    @property
    def alertmanager_file(self) -> Path:
        """Alertmanager's configuration file on this machine."""
        return self.home.config / "alerting" / "alertmanager.yml"

    def host_path(self, path: str) -> Path:
        """Where a secret that a container's configuration names is on this machine."""
        return layout.container_secrets(self.home) / "alertmanager" / PurePosixPath(path).name

    def wanted_configuration(self) -> Mapping[Path, str]:
        """The content of each configuration file that follows from the settings in use."""
        values = read_values(self.home.secrets / SETTINGS_FILE)
        return configuration.render(self.home, self.options, self.settings, values).configuration

    def _inspect(self) -> Sequence[Mapping[str, Any]]:
        name = project(self.home).name
        try:
            ids = docker("ps", "--all", "--quiet", "--filter", f"label={_PROJECT_LABEL}={name}").split()
            found: Sequence[Mapping[str, Any]] = docker_json("inspect", *ids) if ids else []
        except StackError:
            raise NotApplicableError("the Docker engine does not answer; see: docker-engine") from None
        return found
