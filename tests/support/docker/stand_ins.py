"""Images under the official names, for an engine without a registry.

Prometheus, Alertmanager, node-exporter and coturn are Debian's programs; Mailpit, Loki, Promtail and the
Collector are built from Go modules: the same programs, at the paths and under the users of the official
Dockerfiles. cAdvisor is its library with a small program around it. Grafana is a stub: it is not published as
a Go module.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from support.docker.engine import ROOT, DockerEngine
from support.docker.image_archive import ImageArchive, with_busybox
from support.programs import go_modules
from support.programs.debian import environment, program
from support.programs.go_programs import go_program
from support.programs.otel_collector import otel_collector
from support.programs.own_programs import cadvisor_program
from tallow.stack.compose import images
from tallow.stack.engines.programs.programs import tools_folder

_NOBODY: Final = 65534
_PYTHON_IMAGE: Final = """\
FROM debian-with-python:bookworm
RUN ln -s /usr/bin/python3 /usr/local/bin/python \\
    && python3 -m zipfile -e /usr/share/python-wheels/pip-*.whl /usr/local/lib/python3.11/dist-packages
"""
_SERVE: Final = """\
#!/bin/sh
# The first process of a container ignores SIGTERM unless it handles it.
trap 'exit 0' TERM
httpd -f -p %d -h /www -c /www/httpd.conf &
wait
"""
_COTURN: Final = """\
#!/bin/bash
if [ "${1:0:1}" == '-' ]; then set -- turnserver "$@"; fi
exec $(eval "echo $@")
"""
_NET_BIND_SERVICE: Final = 10
_CHECK_READY: Final = """\
#!/bin/sh
# Debian's promtool has no `check ready` yet.
password=$(cat /etc/prometheus/secrets/monitoring_password)
login=$(printf 'tallow:%s' "$password" | base64 -w 0)
wget -q -O /dev/null --header "Authorization: Basic $login" http://localhost:9090/-/ready
"""
_LEFT_OUT: Final = frozenset(
    {"test", "tests", "__pycache__", "idlelib", "tkinter", "turtledemo", "lib2to3", "site-packages"}
)


def load_prometheus(engine: DockerEngine) -> None:
    image = _busybox(["USER 65534", "WORKDIR /prometheus", 'ENTRYPOINT ["/bin/prometheus"]', "EXPOSE 9090"])
    _debian(image, "/bin/prometheus", "prometheus")
    image.text("/bin/promtool", _CHECK_READY, 0o755)
    image.folder("/etc/prometheus")
    image.folder("/prometheus", _NOBODY)
    image.load(engine, images.PROMETHEUS)


def load_alertmanager(engine: DockerEngine) -> None:
    server = program("prometheus-alertmanager")
    templates = server.parents[1] / "share" / "prometheus" / "alertmanager"
    # Debian's program reads its templates from its working directory; the official one contains them.
    image = _busybox(
        ["USER 65534", f"WORKDIR {'/assets'}", 'ENTRYPOINT ["/bin/alertmanager"]', "EXPOSE 9093"]
    )
    image.program("/bin/alertmanager", server, environment(server))
    _debian(image, "/bin/amtool", "amtool")
    image.tree(templates, "/assets")
    image.folder("/etc/alertmanager")
    image.folder("/alertmanager", _NOBODY)
    image.load(engine, images.ALERTMANAGER)


def load_node_exporter(engine: DockerEngine) -> None:
    image = _busybox(["USER 65534", 'ENTRYPOINT ["/bin/node_exporter"]', "EXPOSE 9100"])
    _debian(image, "/bin/node_exporter", "prometheus-node-exporter")
    image.load(engine, images.NODE_EXPORTER)


def load_mailpit(engine: DockerEngine) -> None:
    image = _busybox(['ENTRYPOINT ["/mailpit"]', "EXPOSE 1025 8025"])
    version = images.MAILPIT.rpartition(":")[2]
    image.program("/mailpit", go_program("github.com/axllent/mailpit", version))
    image.load(engine, images.MAILPIT)


def load_cadvisor(engine: DockerEngine) -> None:
    image = _busybox(['ENTRYPOINT ["/usr/bin/cadvisor", "-logtostderr"]', "EXPOSE 8080"])
    image.program("/usr/bin/cadvisor", cadvisor_program())
    image.load(engine, images.CADVISOR)


def load_cadvisor_stub(engine: DockerEngine) -> None:
    """A stub for short tests: it answers the health check and has no metric."""
    image = _busybox(['ENTRYPOINT ["/start.sh"]', "EXPOSE 8080"])
    image.text("/start.sh", _SERVE % 8080, 0o755)
    image.text("/www/httpd.conf", ".prom:text/plain\nI:index.prom\n")
    image.text("/www/healthz", "ok\n")
    image.text("/www/metrics/index.prom", "# TYPE cadvisor_version_info gauge\ncadvisor_version_info 1\n")
    image.load(engine, images.CADVISOR)


def load_loki(engine: DockerEngine) -> None:
    """Loki, in an image without a shell, as the official one is."""
    image = ImageArchive(["USER 10001", 'ENTRYPOINT ["/usr/bin/loki"]', "EXPOSE 3100"])
    image.file("/usr/bin/loki", go_modules.go_program(go_modules.LOKI), 0o755)
    image.folder("/loki", 10001)
    image.load(engine, images.LOKI)


def load_collector(engine: DockerEngine) -> None:
    image = ImageArchive(["USER 10001", 'ENTRYPOINT ["/otelcol-contrib"]', "EXPOSE 4318 13133"])
    image.file("/otelcol-contrib", otel_collector(), 0o755)
    image.load(engine, images.COLLECTOR)


def load_coturn(engine: DockerEngine) -> None:
    """Debian's coturn, whose file carries the capability to bind low ports, as the official one's does."""
    image = _busybox(["USER nobody:nogroup", 'ENTRYPOINT ["docker-entrypoint.sh"]', "EXPOSE 3478"])
    server = program("turnserver")
    image.program("/usr/bin/turnserver", server, environment(server), capability=_NET_BIND_SERVICE)
    image.program("/bin/bash", Path("/bin/bash"))
    image.text("/usr/bin/docker-entrypoint.sh", _COTURN, 0o755)
    image.text("/etc/group", "root:x:0:\nnogroup:x:65534:\n")
    image.load(engine, images.COTURN)


def load_promtail(engine: DockerEngine) -> None:
    """Promtail, with the Bash of the official image, which is Debian's."""
    image = _busybox(['ENTRYPOINT ["/usr/bin/promtail"]', "EXPOSE 9080"])
    image.program("/bin/bash", Path("/bin/bash"))
    image.file("/usr/bin/promtail", go_modules.go_program(go_modules.PROMTAIL), 0o755)
    image.load(engine, images.PROMTAIL)


def load_grafana(engine: DockerEngine) -> None:
    """A stub that answers the health check and has metrics; it shows nothing."""
    image = _busybox(
        ["USER 472", "ENV PATH=/usr/share/grafana/bin:/bin", 'ENTRYPOINT ["/run.sh"]', "EXPOSE 3000"]
    )
    image.text("/run.sh", _SERVE % 3001, 0o755)
    # `grafana cli admin reset-admin-password --password-from-stdin` keeps what it reads.
    image.text("/usr/share/grafana/bin/grafana", "#!/bin/sh\ncat > /var/lib/grafana/password\n", 0o755)
    image.text("/www/httpd.conf", ".prom:text/plain\nI:index.prom\n")
    image.text("/www/api/health", '{"database": "ok"}\n')
    image.text("/www/metrics/index.prom", "# TYPE grafana_build_info gauge\ngrafana_build_info 1\n")
    for folder in ("/etc/grafana/provisioning/datasources", "/etc/grafana/provisioning/dashboards"):
        image.folder(folder)
    image.text("/etc/grafana/grafana.ini", "")
    image.folder("/var/lib/grafana", 472)
    image.load(engine, images.GRAFANA)


def load_tallow(engine: DockerEngine, tag: str = images.TALLOW, checkout: Path = ROOT) -> None:
    """Tallow and its requirements as they are here, at the paths of the Dockerfile, which is not run."""
    image = _busybox(
        [
            "USER 10001:10001",
            "WORKDIR /var/lib/tallow",
            "ENV PATH=/opt/tallow/bin:/bin",
            "ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp",
            'ENTRYPOINT ["tallow"]',
            'CMD ["serve","--host","0.0.0.0","--port","3000","--data-dir","/var/lib/tallow"]',
        ]
    )
    _add_python(image)
    packages = sysconfig.get_path("purelib").replace(sys.prefix, "/opt/tallow")
    for source in _requirements(("image.txt",)):
        image.file(f"{packages}/{source[0]}", source[1], 0o644)
        if ".so" in source[1].name:
            image.libraries(source[1])
    image.tree(checkout / "src" / "tallow", f"{packages}/tallow")
    image.tree(checkout / "docs" / "runbooks", f"{packages}/tallow/stack/heartbeat/runbooks")
    start = "#!/opt/tallow/bin/python\nimport sys\nfrom tallow.cli import main\nsys.exit(main())\n"
    image.text("/opt/tallow/bin/tallow", start, 0o755)
    for folder in ("/var/lib/tallow", "/var/lib/log-shipper", "/var/log/tallow"):
        image.folder(folder, 10001, 0o700)
    image.load(engine, tag)


def load_python_base(engine: DockerEngine, folder: Path) -> None:
    """Debian with its Python under the name of the official image of Python, which is Debian as well.

    The Python is older than that of the official image. The archive is made once: it takes a minute.
    """
    archive = tools_folder() / "debian-with-python.tar"
    if not archive.exists():
        draft = folder / archive.name
        options = ("--variant=minbase", "--include=python3-venv,ca-certificates", "bookworm")
        command = [str(program("mmdebstrap")), *options, str(draft)]
        subprocess.run(command, check=True, capture_output=True, timeout=900)
        shutil.move(draft, archive)
    engine.docker("import", str(archive), "debian-with-python:bookworm")
    context = folder / "python"
    context.mkdir()
    (context / "Dockerfile").write_text(_PYTHON_IMAGE)
    engine.docker("build", "--tag", python_image(), str(context))


def python_image() -> str:
    """The base image that the Dockerfile names."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    return re.search(r"^ARG PYTHON_IMAGE=(\S+)$", text, re.MULTILINE)[1]  # type: ignore[index]


def fetch_wheels() -> None:
    """Put the wheels for the base's Python into ``wheels/``, where they are not there."""
    if not list((ROOT / "wheels").glob("cryptography-*.whl")):
        environment = os.environ | {"WEBRTC": "1"}
        subprocess.run([ROOT / "scripts" / "wheels", "3.11.2"], env=environment, check=True, timeout=900)


def _add_python(image: ImageArchive) -> None:
    """The Python of this environment, with an environment of its own in ``/opt/tallow``."""
    base = Path(sys.base_prefix)
    interpreter = Path(sys.executable).resolve()
    image.program(str(interpreter), interpreter)
    library = Path(sysconfig.get_path("stdlib"))
    image.tree(
        library, str(library), lambda path: path.name not in _LEFT_OUT and not path.name.endswith(".a")
    )
    for extension in (library / "lib-dynload").glob("*.so"):
        image.libraries(extension)
    image.text("/opt/tallow/pyvenv.cfg", f"home = {base / 'bin'}\nversion = {sys.version.split()[0]}\n")
    image.link("/opt/tallow/bin/python", str(interpreter))
    image.folder("/etc/ssl/certs")


def _requirements(files: Iterable[str]) -> list[tuple[str, Path]]:
    """The files of the installed requirements: path in site-packages, and where they are."""
    found = []
    for file in files:
        for line in (ROOT / "requirements" / file).read_text().splitlines():
            if line[:1].isalpha():
                requirement = Requirement(line.rstrip("\\ "))
                if requirement.marker is None or requirement.marker.evaluate():
                    found += _files(requirement.name)
    return found


def _files(name: str) -> list[tuple[str, Path]]:
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return []
    paths = [(str(file), Path(str(file.locate()))) for file in files if not str(file).startswith("..")]
    return [(name, path) for name, path in paths if path.is_file()]


def _debian(image: ImageArchive, path: str, name: str) -> None:
    found = program(name)
    image.program(path, found, environment(found))


def _busybox(changes: Iterable[str]) -> ImageArchive:
    return with_busybox(busybox(), changes)


@cache
def busybox() -> Path:
    """A static BusyBox."""
    return program("busybox")
