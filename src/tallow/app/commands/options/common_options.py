"""Options that ``send`` and ``receive`` share, and what follows from them."""

from __future__ import annotations

import functools
import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tallow.app.commands.interrupts import signals_interrupt
from tallow.app.peer.display.display import Display
from tallow.app.peer.display.json_lines import JsonLines
from tallow.app.peer.display.terminal import Terminal
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.preferences import Preferences

if TYPE_CHECKING:
    from tallow.app.channels.tcp.port_mapping.mapper import RouterSearch

Function = TypeVar("Function", bound=Callable[..., Any])


class IPAddressType(click.ParamType[str]):
    """An IP address of this machine."""

    name = "ADDRESS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address in its shortest form."""
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            self.fail("not an IP address; accepted: 192.0.2.7 or 2001:db8::7", param, ctx)


@dataclass(frozen=True)
class CommonOptions:
    """Options of both commands."""

    relay: bool
    direct: bool
    bind: str | None
    port_mapping: bool
    json: bool
    no_telemetry: bool
    ca: Path | None


def common_options(function: Function) -> Function:
    """Add the options of both commands; the command gets them as ``common``."""

    @functools.wraps(function)
    def wrapped(
        *args: Any,
        relay: bool,
        direct: bool,
        bind: str | None,
        port_mapping: bool,
        json_output: bool,
        no_telemetry: bool,
        ca: Path | None,
        **kwargs: Any,
    ) -> Any:
        _check_paths(relay=relay, direct=direct, bind=bind, port_mapping=port_mapping)
        with signals_interrupt():
            load_faults()
            common = CommonOptions(relay, direct, bind, port_mapping, json_output, no_telemetry, ca)
            return function(*args, common=common, **kwargs)

    options = [
        click.option("--relay", is_flag=True, help="Use Tallow's relay; never connect directly."),
        click.option("--direct", is_flag=True, help="Connect directly; never use a relay."),
        click.option(
            "--bind",
            type=IPAddressType(),
            help="Listen on and dial from this address only, for direct connections over TCP.",
        ),
        click.option(
            "--port-mapping",
            is_flag=True,
            help="Let the router map the port for direct connections over TCP (UPnP) during the transfer.",
        ),
        click.option(
            "--json", "json_output", is_flag=True, help="Print events as JSON, one object per line."
        ),
        click.option(
            "--no-telemetry",
            is_flag=True,
            help="Report no counts and timings (also: DO_NOT_TRACK=1, or the setting telemetry).",
        ),
        click.option(
            "--ca",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Additional trusted certificates, PEM (also: SSL_CERT_FILE).",
        ),
    ]
    result: Any = wrapped
    for option in reversed(options):
        result = option(result)
    return result  # type: ignore[no-any-return]


def _check_paths(*, relay: bool, direct: bool, bind: str | None, port_mapping: bool) -> None:
    others = {"--direct": direct, "--bind": bind is not None, "--port-mapping": port_mapping}
    for name in (name for name, given in others.items() if relay and given):
        raise click.UsageError(f"--relay and {name} exclude each other")
    if port_mapping and find_spec("async_upnp_client") is None:
        raise click.ClickException("--port-mapping needs async-upnp-client: install tallow[port-mapping]")


def transfer_options(
    common: CommonOptions, preferences: Preferences, *features: str | None
) -> TransferOptions:
    """The options of a transfer: the command line comes first, then the environment, then the settings."""
    chosen = "relay" if common.relay else "direct" if common.direct else None
    preference = chosen or preferences["relay_preference"]
    if preference == "relay" and common.port_mapping:
        raise click.UsageError("--port-mapping does nothing: the setting relay_preference is relay")
    used = [*features, "relay_only" if preference == "relay" else None]
    used.append("json_output" if common.json else None)
    return TransferOptions(
        relay=preference,
        tallow_relay=common.relay,
        bind=common.bind,
        router=_router_search(common),
        telemetry=_is_reported(common, preferences),
        features=tuple(feature for feature in used if feature),
        settings=dict(preferences.changes),
    )


def _is_reported(common: CommonOptions, preferences: Preferences) -> bool:
    untracked = os.environ.get("DO_NOT_TRACK", "").strip().lower() not in {"", "0", "false"}
    return preferences.is_on("telemetry") and not common.no_telemetry and not untracked


def _router_search(common: CommonOptions) -> RouterSearch | None:
    if not common.port_mapping:
        return None
    from tallow.app.channels.tcp.port_mapping.mapper import RouterSearch  # of an extra

    return RouterSearch(common.bind)


def make_display(
    common: CommonOptions,
    preferences: Preferences,
    *,
    qr_code: bool = False,
    asks: bool = False,
    names_files: bool = True,
) -> Display:
    """The display of events."""
    if common.json:
        return JsonLines()
    bell = preferences.is_on("notifications")
    return Terminal(
        theme=preferences["theme"], bell=bell, qr_code=qr_code, asks=asks, names_files=names_files
    )


def load_faults() -> None:
    """Install fault switches if the environment asks for them. Otherwise their code is not imported."""
    if os.environ.get("TALLOW_FAULTS") != "1":
        return
    from tallow.app.faults.peer import BadFaultError, install

    try:
        install(os.environ.get("TALLOW_PEER_FAULTS", ""))
    except BadFaultError as error:
        raise click.ClickException(str(error)) from None
