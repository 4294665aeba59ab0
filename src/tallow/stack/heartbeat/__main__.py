"""Run the heartbeat checker until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from tallow.monitoring.http.uvicorn_records import limit_connection_records, log_refused_connection
from tallow.monitoring.integrations.http_server.limits import ConnectionLimits
from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.integrations.uvicorn_config import run_server, uvicorn_config
from tallow.monitoring.settings.errors import BadSettingError
from tallow.stack.alerts.links import Links
from tallow.stack.deployment import NATIVE
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.heartbeat.app import create_app
from tallow.stack.heartbeat.channels import channels
from tallow.stack.heartbeat.external_switch import ExternalSwitch
from tallow.stack.heartbeat.message import MessageComposer
from tallow.stack.heartbeat.monitor import HeartbeatMonitor
from tallow.stack.heartbeat.pager import Pager
from tallow.stack.heartbeat.runbook_pages import RunbookPages
from tallow.stack.heartbeat.state import HeartbeatState
from tallow.stack.password_file import PasswordFileError, read_password
from tallow.stack.prometheus import USER
from tallow.stack.routing import AlertSettings
from tallow.stack.viewer.guard import HEALTH_PATH


def main() -> int:
    """Parse the arguments, build the application and serve it."""
    options = _parser().parse_args()
    if options.check_settings:
        print(json.dumps(AlertSettings.setting_variables()))
    os.umask(0o077)
    try:
        settings = AlertSettings.load()
        if options.check_settings:
            return 0
        read_password(options.password_file)
    except (BadSettingError, PasswordFileError) as error:
        sys.exit(str(error))
    enabled = channels(settings, options.mailbox, options.password_file, options.pagerduty)
    monitor = HeartbeatMonitor(
        (channel.name for channel in enabled), HeartbeatState.read(options.folder), scale=options.scale
    )
    links = Links(f"{options.url or f'http://localhost:{options.port}'}/runbooks", options.dashboards)
    status = command_line(StateDir(options.home), "status") if options.home else "tallow status"
    proxies = tuple(f"Proxy settings: {line}." for line in ProxySettings.read().problems)
    composer = MessageComposer(links, status, options.mark, proxies)
    pager = Pager(monitor, enabled, composer, options.folder, options.scale)
    url = settings.heartbeat_url
    external_switch = ExternalSwitch(url.get_secret_value(), pager.faults) if url else None
    limit_connection_records()
    config = uvicorn_config(
        create_app(
            pager,
            options.password_file,
            external_switch,
            tuple(options.allow_host),
            RunbookPages(options.port_offset, options.home),
        ),
        ConnectionLimits(operational_paths=frozenset({HEALTH_PATH}), on_refusal=log_refused_connection),
        host=options.host,
        port=options.port,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
    return run_server(config)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tallow.stack.heartbeat", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9095)
    parser.add_argument("--folder", type=Path, required=True, help="the folder of its state")
    parser.add_argument(
        "--password-file",
        type=Path,
        required=True,
        help=f"the file with the password of user {USER}, for its pages and for the mailbox",
    )
    parser.add_argument(
        "--mailbox",
        default=NATIVE.hosts["mailbox"],
        help="HOST:PORT for mail while SMTP_HOST is not set",
    )
    parser.add_argument(
        "--dashboards", default=Links().dashboards, help="the address of the dashboards, for links"
    )
    parser.add_argument(
        "--port-offset", type=int, default=0, help="the port offset of the stack, for the runbooks"
    )
    parser.add_argument(
        "--home", type=Path, help="the stack's folder, for the commands in messages and runbooks"
    )
    parser.add_argument("--url", help="the address of its pages, for links; by default on localhost")
    parser.add_argument("--pagerduty", help="the address of another Events API than PagerDuty's")
    parser.add_argument("--allow-host", action="append", default=[], help="a further accepted host name")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies all durations (drills)")
    parser.add_argument("--mark", default="", help="a prefix of every summary (drills)")
    parser.add_argument(
        "--check-settings",
        action="store_true",
        help="check the settings, print the variables that are read as JSON, and exit",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
