"""Readiness checks: each service is asked over its own protocol."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from typing import Final

import httpx

from tallow.monitoring.integrations.http_client import client
from tallow.stack import credentials
from tallow.stack.engines.services.definitions import HOST, SERVICES, Service, ports
from tallow.stack.engines.services.http_errors import describe
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor.state_files import SMTP
from tallow.stack.prometheus import USER

TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """The result of a readiness check.

    Attributes:
        healthy: whether the service is ready.
        why: what is wrong, in a few words; empty if nothing is.
    """

    healthy: bool
    why: str = ""


def probe_all(home: StateDir) -> dict[str, Health]:
    """Check every service of the stack in ``home``, in the order in which they start."""
    port_of = ports(home.options().port_offset)
    return {service.name: probe(service, port_of[service.name], home) for service in SERVICES}


def probe(service: Service, port: int, home: StateDir) -> Health:
    """Check one service. Never raises.

    Args:
        service: the service.
        port: the port that it listens on.
        home: the stack's folder, for the monitoring password.
    """
    if service.ready == SMTP:
        return _probe_smtp(port)
    try:
        auth = (USER, credentials.password(home.secrets)) if service.access == "password" else None
        with client(direct=True, timeout=TIMEOUT_S) as http:
            response = http.get(f"http://{HOST}:{port}{service.ready}", auth=auth)
    except (httpx.HTTPError, OSError) as error:
        return Health(False, describe(error, TIMEOUT_S))
    if response.is_success:
        return Health(True)
    return Health(False, f"answers {response.status_code}")


def _probe_smtp(port: int) -> Health:
    try:
        with smtplib.SMTP(HOST, port, timeout=TIMEOUT_S, local_hostname="localhost") as smtp:
            smtp.noop()
    except (OSError, smtplib.SMTPException) as error:
        return Health(False, describe(error, TIMEOUT_S))
    return Health(True)
