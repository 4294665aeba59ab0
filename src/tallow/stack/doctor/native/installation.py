"""What the checks of a native stack look at: its folder, its settings, and the machine."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tallow.monitoring.settings.errors import BadSettingError
from tallow.stack.doctor.model import NotApplicableError, Problem
from tallow.stack.doctor.native.machine import Listener, is_clock_synchronised, listeners
from tallow.stack.engines import configuration
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.errors import NotRunningError
from tallow.stack.engines.reload.snapshot import running_settings
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.service_state import ServiceState, service_states
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files


@dataclass(frozen=True)
class Installation:
    """A native stack.

    Attributes:
        home: its folder.
        public_url: the address under which users reach Tallow; None if it was not given.
        now: seconds since the epoch.
        disk_usage: total, used and free bytes of a path's file system.
        listeners: the sockets on which the stack's processes listen.
        is_clock_synchronised: whether the kernel's clock is synchronised; None if it does not tell.
    """

    home: StateDir
    public_url: str | None = None
    now: Callable[[], float] = time.time
    disk_usage: Callable[[Path], Any] = shutil.disk_usage
    listeners: Callable[[StateDir], list[Listener]] = listeners
    is_clock_synchronised: Callable[[], bool | None] = is_clock_synchronised

    @cached_property
    def options(self) -> StackOptions:
        """The options of `up`."""
        return self.home.options()

    @cached_property
    def settings(self) -> StackSettings:
        """The settings that the running stack uses.

        Raises:
            NotApplicableError: they cannot be read, which the check ``settings`` reports.
        """
        try:
            return running_settings(self.home)
        except BadSettingError:
            raise NotApplicableError("the settings cannot be read; see: settings") from None

    @cached_property
    def alertmanager_config(self) -> Any:
        """The content of ``alertmanager.yml``.

        Raises:
            NotApplicableError: it cannot be read, which the check ``configuration`` reports.
        """
        return self._yaml(self.alertmanager_file)

    @property
    def is_running(self) -> bool:
        """Whether the stack was started and not stopped."""
        return state_files.supervisor_pid(self.home) is not None

    @cached_property
    def states(self) -> Mapping[str, ServiceState]:
        """The state of every service; empty if nothing runs."""
        return service_states(self.home) if self.is_running else {}

    @property
    def data_folder(self) -> Path:
        """The folder whose disk the services fill."""
        return self.home.data

    @property
    def alertmanager_file(self) -> Path:
        """Alertmanager's configuration file on this machine."""
        return self.home.config / "alertmanager" / "alertmanager.yml"

    def host_path(self, path: str) -> Path:
        """Where a file that a configuration names is on this machine."""
        return Path(path)

    def wanted_configuration(self) -> Mapping[Path, str]:
        """The content of each configuration file that follows from the settings in use."""
        return configuration.render(self.home, self.options, self.settings)

    def api(self, service: str) -> Api:
        """The API of a service.

        Raises:
            NotApplicableError: the service does not run or answer, which the check ``services`` reports, or
                there is no password.
        """
        if not self.states:
            raise NotApplicableError("nothing runs; see: services")
        if not self.states[service].is_healthy:
            raise NotApplicableError(f"{service} does not answer; see: services")
        try:
            return Api.of(service, self.home)
        except OSError:
            raise NotApplicableError("the monitoring password cannot be read; see: secrets") from None

    def command(self, *arguments: str) -> str:
        """A `tallow` command about this stack, to be copied."""
        return command_line(self.home, *arguments)

    def _yaml(self, path: Path) -> Any:
        try:
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeError, yaml.YAMLError):
            found = None
        if not isinstance(found, dict):
            raise NotApplicableError(f"{path.name} cannot be read; see: configuration")
        return found


Find = Callable[[Installation], Iterator[Problem]]


def with_api(service: str) -> Callable[[Callable[[Installation, Api], Iterator[Problem]]], Find]:
    """Decorator of a check that asks a service: it is called with the installation and the API.

    The check is skipped while the service does not answer: the check ``services`` reports that.
    """

    def decorate(find: Callable[[Installation, Api], Iterator[Problem]]) -> Find:
        @functools.wraps(find)
        def wrapped(installation: Installation) -> Iterator[Problem]:
            try:
                yield from find(installation, installation.api(service))
            except NotRunningError:
                raise NotApplicableError(f"{service} does not answer; see: services") from None

        return wrapped

    return decorate
