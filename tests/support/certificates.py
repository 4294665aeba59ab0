"""A self-signed certificate, which no system authority trusts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def self_signed(
    folder: Path,
    *,
    valid_from: timedelta = timedelta(minutes=-5),
    valid_to: timedelta = timedelta(hours=1),
    organization: str | None = None,
) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, in PEM files.

    Args:
        valid_from: from now.
        valid_to: from now.
        organization: of the subject; Kubernetes takes it as the group of a client.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = {x509.NameOID.COMMON_NAME: "tallow test", x509.NameOID.ORGANIZATION_NAME: organization}
    name = x509.Name([x509.NameAttribute(kind, value) for kind, value in subject.items() if value])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + valid_from)
        .not_valid_after(now + valid_to)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return folder / "cert.pem", folder / "key.pem"
