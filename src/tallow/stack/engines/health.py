"""Whether a service can work, asked the way its users would."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass

import httpx

from tallow.monitoring.integrations.http_client import client
from tallow.stack import credentials
from tallow.stack.engines.http_errors import describe
from tallow.stack.engines.services import HOST, Service
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor.state_files import SMTP
from tallow.stack.prometheus import USER

TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """An answer; ``why`` says in a few words what is wrong."""

    healthy: bool
    why: str = ""


def probe(service: Service, port: int, home: StateDir) -> Health:
    """Ask a service for its readiness; never raises."""
    if service.ready == SMTP:
        return _smtp(port)
    try:
        auth = (USER, credentials.password(home.secrets)) if service.access == "password" else None
        with client(direct=True, timeout=TIMEOUT_S) as http:
            answer = http.get(f"http://{HOST}:{port}{service.ready}", auth=auth)
    except (httpx.HTTPError, OSError) as error:
        return Health(False, describe(error, TIMEOUT_S))
    if answer.is_success:
        return Health(True)
    return Health(False, f"answers {answer.status_code}")


def _smtp(port: int) -> Health:
    try:
        with smtplib.SMTP(HOST, port, timeout=TIMEOUT_S, local_hostname="localhost") as smtp:
            smtp.noop()
    except (OSError, smtplib.SMTPException) as error:
        return Health(False, describe(error, TIMEOUT_S))
    return Health(True)
