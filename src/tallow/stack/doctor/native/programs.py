"""Versions: of the programs that run, and of Tallow itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tallow.stack.doctor.model import Check, Problem
from tallow.stack.doctor.native.installation import Installation
from tallow.stack.engines.native import upgrade
from tallow.stack.engines.programs.programs import PROGRAMS, find
from tallow.stack.engines.programs.versions import Version, parse
from tallow.stack.engines.supervisor import state_files

OLDEST: Final[Mapping[str, Version]] = {
    "prometheus": (2, 42),
    "alertmanager": (0, 25),
    "node_exporter": (1, 5),
}
"""The oldest version of each program with which everything works; docs/stack.md lists features that need a
newer one."""


def _programs(installation: Installation) -> Iterator[Problem]:
    release = state_files.read_plan(installation.home).release
    running = release.programs if release else {}
    for name, oldest in OLDEST.items():
        text = running.get(name, "")
        version = parse(text) or _installed(name)
        wanted = ".".join(map(str, oldest))
        if version is None:
            yield Problem(f"{name} was not found on this machine", f"install {name} {wanted} or later")
        elif version < oldest:
            found = ".".join(map(str, version))
            yield Problem(
                f"{name} {found} is too old: rules, routes or options need {wanted}",
                f"install {name} {wanted} or later, then: {installation.command('up', '--restart')}",
            )


def _installed(name: str) -> Version | None:
    program = find(PROGRAMS[name])
    return program.version() if program else None


def _release(installation: Installation) -> Iterator[Problem]:
    for line in upgrade.outdated_code(installation.home):
        yield Problem(line, installation.command("up", "--restart"), "warning")


CHECKS: Final = (
    Check("programs", "Prometheus, Alertmanager and node_exporter are recent enough", _programs),
    Check("release", "The running code is the installed code", _release),
)
