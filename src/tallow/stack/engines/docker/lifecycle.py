"""Start and stop a stack of containers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tallow.monitoring.lifecycle.private_files import private_folder
from tallow.stack import credentials
from tallow.stack.compose import coturn, images
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
from tallow.stack.engines.reload.snapshot import (
    read_digests,
    running_settings,
    target_digests,
    write_digests,
)
from tallow.stack.engines.services.ports import require_free
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

STOP_S: Final = 40
"""Seconds to wait for a container to end: Tallow lets transfers end first."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Started:
    """What `up` did.

    Attributes:
        candidate: the settings as they are now.
        is_pending: whether the stack ran already, with other settings or files of another version.
    """

    candidate: Candidate
    is_pending: bool = False


def is_running(home: StateDir) -> bool:
    """Whether a container of the stack in ``home`` runs.

    Raises:
        StackError: no daemon answers.
    """
    return any(one.is_running or one.has_failed for one in containers(project(home)).values())


def _is_known_to_run(home: StateDir) -> bool:
    try:
        return is_running(home)
    except StackError:  # no daemon answers; files can be written without one
        return False


def prepare(home: StateDir, options: StackOptions, progress: Progress) -> Candidate:
    """Check the settings and write every file; start nothing.

    Args:
        home: the stack's folder.
        options: the options of `up`.
        progress: called with a line before something that takes time.

    Returns:
        The settings.

    Raises:
        StackError, StateDirError, BadSettingError: a setting is invalid, a file cannot be written, or the
            stack runs already.
    """
    home.make()
    with locked(home, "up"):
        if home.exists() and _is_known_to_run(home):
            raise StackError("it runs already; to use changed settings: tallow reload")
        return _prepare(home, options, progress, running=False)


def start(home: StateDir, options: StackOptions, progress: Progress) -> Started:
    """Start every service that does not run. Return before all of them are healthy.

    Args:
        home: the stack's folder.
        options: the options of `up`. A running stack takes over the profiles only.
        progress: called with a line before something that takes time.

    Raises:
        StackError, StateDirError, PortTakenError, BadSettingError: the stack cannot be started; one line.
    """
    require_docker()
    home.make()
    with locked(home, "up"):
        if home.exists() and is_running(home):
            _require_same_ports(home, options)
            candidate = validate(home, home.options(), os.environ, progress, running=True)
            chosen = wanted_profiles(tuple(options.profiles), running_settings(home))
            changed = replace(home.options(), profiles=chosen)
            is_pending = has_pending_changes(home, changed, candidate)
            home.write_options(changed)
        else:
            candidate, is_pending = _prepare(home, options, progress, running=False), False
            require_free(published_ports(home))
            build_image(home, progress)
        _start(home, progress)
        return Started(candidate, is_pending)


def restart(home: StateDir, options: StackOptions, progress: Progress) -> Started:
    """Build Tallow's image and make every container anew, with the present code, images and settings.

    A running stack keeps its folder of ``.env`` and the variables of the environment that it was started in.
    Settings are checked, and the image is built, before anything stops.

    Raises:
        StackError, StateDirError, BadSettingError: it cannot be restarted; one line.
    """
    require_docker()
    home.make()
    with locked(home, "up"):
        running = home.exists() and is_running(home)
        if running:
            _require_same_ports(home, options)
            options = replace(home.options(), profiles=options.profiles)
        validate(home, options, os.environ, progress, running=running)
        build_image(home, progress, always=True)
        candidate = _prepare(home, options, progress, running=running)
        if not running:
            require_free(published_ports(home))
        _start(home, progress, "--force-recreate")
        return Started(candidate)


def has_pending_changes(home: StateDir, options: StackOptions, candidate: Candidate) -> bool:
    """Whether a reload with some options would change a file or restart a service.

    Raises:
        BadSettingError: the containers cannot use a setting; one line.
    """
    profiles = wanted_profiles(tuple(options.profiles), candidate.settings)
    change, _ = transaction(home, replace(options, profiles=profiles), candidate)
    wanted = target_digests(home, candidate.component_settings, candidate.values)
    return bool(change.paths or read_digests(home).changed_services(wanted))


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
    """The change of files that a candidate needs, and the settings that the containers get.

    Raises:
        BadSettingError: a file of a setting cannot be read, or coturn cannot use its address; one line.
    """
    values = inline_files(candidate.values)
    if coturn.PROFILE in options.profiles:
        coturn.require_address(values)
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


def build_image(home: StateDir, progress: Progress, *, always: bool = False) -> None:
    """Build Tallow's image if it is missing: no registry has it. One that TALLOW_IMAGE names is not built.

    Args:
        home: the stack's folder.
        progress: called with a line before something that takes time.
        always: build it also if it is there.

    Raises:
        StackError: it cannot be built.
    """
    chosen = configuration.operator_variables(home)
    if "TALLOW_IMAGE" in chosen or (not always and has_image()):
        return
    if not (CHECKOUT / "Dockerfile").exists():
        raise StackError(
            f"the image {images.TALLOW} is missing; build it in a checkout: docker build -t {images.TALLOW} ."
        )
    progress(f"building the image {images.TALLOW}; this takes some minutes")
    webrtc = f"WEBRTC={chosen.get('TALLOW_WEBRTC', '0')}"
    command = ("build", "--quiet", "--tag", images.TALLOW, "--build-arg", webrtc, str(CHECKOUT))
    try:
        docker(*command, seconds=CHANGE_S)
    except DockerCommandError as error:
        raise StackError(f"the image {images.TALLOW} cannot be built: {error}") from None


def has_image() -> bool:
    """Whether the engine has the image of this version of Tallow."""
    return bool(docker("images", "--quiet", images.TALLOW).strip())


def _start(home: StateDir, progress: Progress, *options: str) -> None:
    progress("starting the containers (images that are missing are fetched first)")
    start_containers(home, *options)


def start_containers(home: StateDir, *options: str) -> None:
    """Have the containers of the stack's profiles run, and no others.

    Args:
        home: the stack's folder.
        options: further options of `docker compose up`.

    Raises:
        StackError: a container cannot be made or removed.
    """
    used = project(home)
    used.compose("up", "--detach", "--no-build", "--remove-orphans", *options, seconds=CHANGE_S)
    # Compose leaves a service alone whose profile is not active any more.
    if surplus := sorted({*containers(used)} - {*services(used.profiles)}):
        every_service(home).compose("rm", "--stop", "--force", *surplus, seconds=CHANGE_S)


def _require_same_ports(home: StateDir, options: StackOptions) -> None:
    used = home.options().port_offset
    if used != options.port_offset:
        raise StackError(
            f"it runs already, with --port-offset {used}; "
            "stop it first (tallow down), or start a second one with another --home"
        )


def _down(home: StateDir, *options: str) -> None:
    if not layout.compose_file(home).exists():
        return
    require_docker()
    with locked(home, "up"):
        every_service(home).compose(
            "down", "--remove-orphans", "--timeout", str(STOP_S), *options, seconds=CHANGE_S
        )
