"""``python -m tallow.stack.heartbeat --port 9095 --folder FOLDER``: the checker, until told to stop."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import uvicorn

from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.integrations.uvicorn_config import uvicorn_config
from tallow.monitoring.settings.errors import BadSettingError
from tallow.stack.alerts.links import Links
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
from tallow.stack.routing.config import MAILBOX


def main() -> int:
    """Parse, build, serve."""
    chosen = _parser().parse_args()
    if chosen.check_settings:
        print(json.dumps(AlertSettings.setting_variables()))
    os.umask(0o077)
    try:
        settings = AlertSettings.load()
        if chosen.check_settings:
            return 0
        read_password(chosen.password_file)
    except (BadSettingError, PasswordFileError) as error:
        sys.exit(str(error))
    ways = channels(settings, chosen.mailbox, chosen.password_file, chosen.pagerduty)
    watch = HeartbeatMonitor(
        (way.name for way in ways), HeartbeatState.read(chosen.folder), scale=chosen.scale
    )
    links = Links(f"http://localhost:{chosen.port}/runbooks", chosen.dashboards)
    status = command_line(StateDir(chosen.home), "status") if chosen.home else "tallow status"
    proxies = tuple(f"Proxy settings: {line}." for line in ProxySettings.read().problems)
    notices = MessageComposer(links, status, chosen.mark, proxies)
    pager = Pager(watch, ways, notices, chosen.folder, chosen.scale)
    url = settings.heartbeat_url
    outside = ExternalSwitch(url.get_secret_value(), pager.faults) if url else None
    config = uvicorn_config(
        create_app(
            pager,
            chosen.password_file,
            outside,
            tuple(chosen.allow_host),
            RunbookPages(chosen.port_offset, chosen.home),
        ),
        host=chosen.host,
        port=chosen.port,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tallow.stack.heartbeat", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9095)
    parser.add_argument("--folder", type=Path, required=True, help="where it keeps what it knows")
    parser.add_argument(
        "--password-file",
        type=Path,
        required=True,
        help=f"the password of user {USER}, for its pages and for the mailbox",
    )
    parser.add_argument("--mailbox", default=MAILBOX, help="HOST:PORT for mail while SMTP_HOST is not set")
    parser.add_argument("--dashboards", default=Links().dashboards, help="where pages link to")
    parser.add_argument("--port-offset", type=int, default=0, help="that of the stack, for its runbooks")
    parser.add_argument(
        "--home", type=Path, help="the stack's folder, for the commands in messages and runbooks"
    )
    parser.add_argument("--pagerduty", help="another Events API address than PagerDuty's own")
    parser.add_argument("--allow-host", action="append", default=[], help="a further name it is reached by")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies its times (drills)")
    parser.add_argument("--mark", default="", help="put before every message (drills)")
    parser.add_argument(
        "--check-settings",
        action="store_true",
        help="check the settings, print the variables that are read as JSON, and exit",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
