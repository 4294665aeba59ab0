"""Start and stop a stack of containers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from tallow.monitoring.lifecycle.private_files import private_folder
from tallow.stack import credentials
from tallow.stack.compose import images
from tallow.stack.engines.docker import configuration, layout
from tallow.stack.engines.docker.client import (
    CHANGE_S,
    DockerCommandError,
    docker,
    require_docker,
)
from tallow.stack.engines.docker.containers import containers
from tallow.stack.engines.docker.project import every_service, project, services, wanted_profiles
from tallow.stack.engines.docker.settings_values import inline_files
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.programs.programs import CHECKOUT
from tallow.stack.engines.reload.candidate import Candidate, validate
from tallow.stack.engines.reload.file_transaction import FOLDER, FileTransaction, make_folder
from tallow.stack.engines.reload.snapshot import target_digests, write_digests
from tallow.stack.engines.services.ports import require_free
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

STOP_S: Final = 40
"""Seconds to wait for a container to end: Tallow lets transfers end first."""

Progress = Callable[[str], None]


def is_running(home: StateDir) -> bool:
    """Whether a container of the stack in ``home`` runs.

    Raises:
        StackError: no daemon answers.
    """
    return any(one.is_running or one.has_failed for one in containers(project(home)).values())


def prepare(home: StateDir, options: StackOptions, progress: Progress) -> Candidate:
    """Check the settings and write every file; start nothing.

    Args:
        home: the stack's folder.
        options: the options of `up`.
        progress: called with a line before something that takes time.

    Returns:
        The settings.

    Raises:
        StackError, StateDirError, BadSettingError: a setting is invalid, or a file cannot be written.
    """
    home.make()
    with locked(home, "up"):
        return _prepare(home, options, progress, running=False)


def start(home: StateDir, options: StackOptions, progress: Progress, *, build: bool = False) -> Candidate:
    """Start every service that does not run. Return before all of them are healthy.

    Args:
        home: the stack's folder.
        options: the options of `up`. A running stack keeps its ports.
        progress: called with a line before something that takes time.
        build: build Tallow's image even if it is there.

    Returns:
        The settings. They take effect also in a running stack.

    Raises:
        StackError, StateDirError, PortTakenError, BadSettingError: the stack cannot be started; one line.
    """
    require_docker()
    home.make()
    with locked(home, "up"):
        running = home.exists() and is_running(home)
        if running and home.options().port_offset != options.port_offset:
            raise StackError(
                f"it runs already, with --port-offset {home.options().port_offset}; "
                "stop it first (tallow down), or start a second one with another --home"
            )
        candidate = _prepare(home, options, progress, running=running)
        started = project(home)
        if not running:
            require_free(published_ports(home))
        _build_image(progress, always=build)
        progress("starting the containers (images that are missing are fetched first)")
        started.compose("up", "--detach", "--no-build", "--remove-orphans", seconds=CHANGE_S)
        return candidate


def stop(home: StateDir) -> None:
    """Stop and remove the containers. The volumes with the data are kept.

    Raises:
        StackError: a container does not stop.
    """
    _down(home)


def remove(home: StateDir) -> None:
    """Stop and remove the containers, and remove the volumes with the data.

    Raises:
        StackError: a container does not stop, or a volume cannot be removed.
    """
    _down(home, "--volumes")


def published_ports(home: StateDir) -> dict[str, int]:
    """The port of each service that publishes one on this host, by service."""
    active = services(project(home).profiles)
    offset = home.options().port_offset
    found = {name: port + offset for name, (_, port) in configuration.PORT_VARIABLES.items()}
    return {name: port for name, port in found.items() if name in active}


def transaction(
    home: StateDir, options: StackOptions, candidate: Candidate
) -> tuple[FileTransaction, Mapping[str, str]]:
    """The change of files that a candidate needs, and the settings that the containers get."""
    values = inline_files(candidate.values)
    files = configuration.render(home, options, candidate.settings, values)
    wanted = {**candidate.files, **files.configuration, **files.secrets}
    change = FileTransaction(wanted, _obsolete(home, wanted), home.run / FOLDER, readable_folders(home))
    return change, values


def readable_folders(home: StateDir) -> tuple[Path, Path]:
    """The folders whose content is mounted into containers."""
    return home.config, layout.container_secrets(home)


def _prepare(home: StateDir, options: StackOptions, progress: Progress, *, running: bool) -> Candidate:
    candidate = validate(home, options, os.environ, progress, running=running)
    credentials.create_missing(home.secrets)
    options = replace(options, profiles=wanted_profiles(tuple(options.profiles), candidate.settings))
    private_folder(layout.container_secrets(home))
    make_folder(home.config / "prometheus" / "targets", home.config)
    change, _ = transaction(home, options, candidate)
    change.prepare()
    change.apply()
    change.close()
    home.write_options(options)
    write_digests(home, target_digests(home, candidate.component_settings, candidate.values))
    return candidate


def _obsolete(home: StateDir, wanted: Mapping[Path, str]) -> list[Path]:
    """Secrets of settings that are not set any more."""
    folders = [layout.container_secrets(home) / name for name in layout.SECRET_FOLDERS]
    return [file for folder in folders for file in folder.glob("*") if file.is_file() and file not in wanted]


def _build_image(progress: Progress, *, always: bool) -> None:
    """Build Tallow's image if it is missing: no registry has it.

    Raises:
        StackError: it cannot be built.
    """
    if not always and docker("images", "--quiet", images.TALLOW).strip():
        return
    if not (CHECKOUT / "Dockerfile").exists():
        raise StackError(
            f"the image {images.TALLOW} is missing; build it in a checkout: docker build -t {images.TALLOW} ."
        )
    progress(f"building the image {images.TALLOW}; this takes some minutes")
    try:
        docker("build", "--quiet", "--tag", images.TALLOW, str(CHECKOUT), seconds=CHANGE_S)
    except DockerCommandError as error:
        raise StackError(f"the image {images.TALLOW} cannot be built: {error}") from None


def _down(home: StateDir, *options: str) -> None:
    if not layout.compose_file(home).exists():
        return
    require_docker()
    with locked(home, "up"):
        every_service(home).compose(
            "down", "--remove-orphans", "--timeout", str(STOP_S), *options, seconds=CHANGE_S
        )
