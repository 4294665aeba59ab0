"""``tallow open``: open a page of the stack in the browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import webbrowser
from typing import Final

import click

from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.engines.services.definitions import SERVICES
from tallow.stack.engines.services.links import base_url
from tallow.stack.engines.state.state_dir import StateDir

OPENER_TIMEOUT_S: Final = 5.0
"""Seconds in which the desktop's opener may fail; some run as long as the browser does."""

_PAGES = {service.name: service for service in SERVICES if service.page_path}


@click.command("open")
@click.argument("service", default="tallow", type=click.Choice(list(_PAGES)))
@home_option
def command(service: str, home: StateDir) -> None:
    """Print the address of SERVICE's page, and open it in the browser where there is one."""
    address = f"{base_url(service, require_stack(home).options().port_offset)}{_PAGES[service].page_path}"
    click.echo(address)
    if not open_in_browser(address):
        click.echo("no browser could be started here; open the address yourself", err=True)


def open_in_browser(address: str) -> bool:
    """Open an address in the browser of ``BROWSER``, otherwise in that of the desktop.

    Text browsers are not started: they would use this terminal.

    Returns:
        Whether a browser was started.
    """
    if os.environ.get("BROWSER"):
        return webbrowser.open(address)
    opener = _desktop_opener()
    if opener is None:
        return False
    try:
        process = subprocess.Popen(
            [opener, address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return process.wait(OPENER_TIMEOUT_S) == 0
    except subprocess.TimeoutExpired:
        return True
    except OSError:
        return False


def _desktop_opener() -> str | None:
    """The program that opens an address in the desktop's browser; None without a desktop."""
    if sys.platform == "darwin":
        return shutil.which("open")
    has_desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return shutil.which("xdg-open") if has_desktop else None
