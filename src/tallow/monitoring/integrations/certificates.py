"""Certificates for TLS, looked at before a server starts."""

from __future__ import annotations

import ssl
from pathlib import Path


def certificate_problem(certificate: Path, key: Path) -> str:
    """Why a certificate and its key cannot be used together, in one line; empty if they can.

    A key with a passphrase cannot be used: a service has nobody to ask for it.
    """
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            return f"{path} cannot be read: {error.strerror}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_nobody_to_ask)
    except _PassphraseError:
        return f"the key {key} has a passphrase; accepted: a key without one"
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"the key {key} does not belong to the certificate {certificate}"
        return f"{certificate} and {key} cannot be used: accepted are a certificate and its key in PEM"
    except (OSError, ValueError) as error:
        return f"{certificate} and {key} cannot be used: {error}"
    return ""


class _PassphraseError(Exception):
    """A key asks for a passphrase."""


def _nobody_to_ask() -> str:
    raise _PassphraseError
