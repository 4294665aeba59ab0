"""The wheel is complete, and usable as a library with only its required dependencies."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
LOCKED = dict(
    re.findall(r"^([\w.-]+)==([^ ;\\]+)", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE)
)

USE = """\
import asyncio, importlib.util, sys
import httpx
from tallow.monitoring import instrument
from tallow.monitoring.logging import logger
from tallow.monitoring.metrics import record_transfer

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})

async def main():
    observed = instrument(app) or app
    record_transfer("success", "p2p", 5_000_000, 1.5)
    logger.info("Transfer done", file_size=5_000_000)
    transport = httpx.ASGITransport(observed, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/files")).text == "fine"
        assert (await client.get("/api/health/liveness")).status_code == 200
        scraped = await client.get("/metrics")
        assert scraped.status_code == 200, scraped.status_code
        print(scraped.text)

asyncio.run(main())
for extra in ("click", "starlette", "uvicorn", "rich", "yaml", "sqlalchemy", "sentry_sdk"):
    assert importlib.util.find_spec(extra) is None, extra
assert not [name for name in sys.modules if name.startswith(("tallow.app", "tallow.stack"))]
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as for a release, without network access: hatchling is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel and its locked required dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for distribution in dependencies(wheel):
        for file in distribution.files or ():
            if not str(file).startswith(".."):  # programs
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return folder / "bin" / "python"


def dependencies(wheel: Path) -> list[importlib.metadata.Distribution]:
    """The transitive requirements of the wheel without extras, from this locked environment."""
    with zipfile.ZipFile(wheel) as archive:
        (place,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(place).decode()
    waiting = re.findall(r"^Requires-Dist: (.+)$", metadata, re.MULTILINE)
    found: dict[str, importlib.metadata.Distribution] = {}
    while waiting:
        requirement = Requirement(waiting.pop())
        wanted = canonicalize_name(requirement.name)
        if wanted in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found[wanted] = importlib.metadata.distribution(wanted)
        waiting += found[wanted].requires or []
    return list(found.values())


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python isolated from this checkout and from this environment's packages."""
    command = [str(python), "-I", *arguments]
    return subprocess.run(command, cwd=python.parent, capture_output=True, text=True, check=False, timeout=60)


def test_the_library_needs_only_its_required_dependencies(python: Path) -> None:
    done = run(python, "-c", USE)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r'^app_http_request_duration_seconds_count\{method="GET".* 1(\.0)?$', done.stdout, re.MULTILINE
    )
    assert 'app_transfers_total{status="success",method="p2p"} 1.0' in done.stdout


def test_the_environment_has_the_locked_versions(wheel: Path) -> None:
    used = {canonicalize_name(one.name): one.version for one in dependencies(wheel)}
    assert {"httpx", "orjson", "psutil"} <= set(used)
    assert used == {name: LOCKED[name] for name in used}


def test_without_extras_the_command_says_what_to_install(python: Path) -> None:
    done = run(python, "-m", "tallow", "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "tallow: the command line is not installed; install tallow[app] or tallow[stack]\n"


def test_every_file_of_the_package_is_in_the_wheel(names: set[str]) -> None:
    source = ROOT / "src"
    kept = {
        path.relative_to(source).as_posix()
        for path in (source / "tallow").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert kept <= names
    # A missing file of these would only be noticed after an installation.
    for pattern in (
        r"tallow/py\.typed",
        r"tallow/stack/viewer/static/index\.html",
        r"tallow/stack/viewer/static/assets/index-[\w-]+\.js",
        r"tallow/stack/viewer/pages/login\.html",
        r"tallow/stack/heartbeat/style\.css",
        r"tallow/stack/routing/templates/\w+\.tmpl",
    ):
        assert any(re.fullmatch(pattern, name) for name in names), pattern


def test_the_served_runbooks_are_in_the_wheel(names: set[str]) -> None:
    pages = {path.name for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert pages
    assert {f"tallow/stack/heartbeat/runbooks/{name}" for name in pages} <= names


def test_nothing_else_is_in_the_wheel(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names} == {"tallow", f"tallow-{version(names)}.dist-info"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".env"))]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def version(names: set[str]) -> str:
    return next(found[1] for name in names if (found := re.match(r"tallow-(.+)\.dist-info/", name)))
