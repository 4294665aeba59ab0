"""Check TLS certificates before a server starts."""

from __future__ import annotations

import ssl
from pathlib import Path


def certificate_problem(certificate: Path, key: Path) -> str:
    """Return in one line why a certificate and a key cannot be used together; an empty text if they can.

    A key with a passphrase cannot be used, because a service cannot ask for it.
    """
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            return f"{path} cannot be read: {error.strerror}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_passphrase)
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


def _no_passphrase() -> str:
    raise _PassphraseError
