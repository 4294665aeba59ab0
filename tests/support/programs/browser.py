"""Debian's chromium, driven by playwright, without background requests to other hosts."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from support.programs.debian import environment, program

INSECURE_HOST = "tallow.test"
"""A name of this machine whose pages are no secure context over http, unlike those of loopback addresses."""

FLAGS = (
    "--no-sandbox",  # tests may run as root
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1",
)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(args=list(FLAGS), **launch_options())
        try:
            yield browser
        finally:
            browser.close()


def launch_profile(browser: Browser, folder: Path) -> BrowserContext:
    """Another browser with a profile on disk, as a person has; it can install apps. The caller closes it."""
    options = launch_options()
    home = folder / "home"  # what an installed app writes for the desktop
    home.mkdir(parents=True)
    options["env"] = {name: value for name, value in options["env"].items() if not name.startswith("XDG_")}
    options["env"]["HOME"] = str(home)
    return browser.browser_type.launch_persistent_context(
        folder / "profile", args=list(FLAGS), accept_downloads=True, **options
    )


def launch_options() -> dict[str, Any]:
    """The program and its environment, for playwright's ``launch``."""
    path = program("chromium")
    inside = (
        path.parents[1] / "lib" / "chromium" / "chromium"
    )  # skips the wrapper script, which only looks in /usr
    return {"executable_path": inside if inside.exists() else path, "env": _environment(path)}


def place_command(folder: Path) -> Path:
    """Write a command ``chromium`` into a folder, which starts the program in its environment."""
    options = launch_options()
    libraries = shlex.quote(str(options["env"].get("LD_LIBRARY_PATH", "")))
    program = shlex.quote(str(options["executable_path"]))
    command = folder / "chromium"
    command.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {program} "$@"\n')
    command.chmod(0o755)
    return command


def _environment(path: Path) -> dict[str, str | float | bool]:
    """The program's environment plus PulseAudio's private library folder, which chromium needs."""
    given = environment(path)
    private = [str(found) for found in path.parents[1].glob("lib/*/pulseaudio")]
    return {**given, "LD_LIBRARY_PATH": ":".join(filter(None, (given.get("LD_LIBRARY_PATH"), *private)))}
