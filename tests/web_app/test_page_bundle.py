"""The committed page: built from the committed sources, small, complete and without requests to others."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from support.web_app.headless_page import PROGRAM
from tallow.app.report_schema import PATH as SCHEMA_PATH
from tallow.app.server.endpoints.web_app import BUILD_RECORD, SHARE_PATH, WEB_FOLDER, load_files
from tallow.app.server.endpoints.web_app_headers import TRUSTED_TYPES_POLICY
from tallow.app.wire import REPORTED_METRICS
from tallow.stack.viewer.bundle_hash import built_digest, bundle_record, sources_digest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "web" / "app"
FIRST_LOAD_BYTES = 150_000
OWN_HOSTS = {"www.w3.org"}
"""Names in scripts that are no addresses: the namespace of SVG."""


def test_page_matches_the_committed_sources() -> None:
    assert (WEB_FOLDER / BUILD_RECORD).read_text() == bundle_record(SOURCES, WEB_FOLDER), (
        "run scripts/web-app"
    )


def test_the_engine_for_node_matches_the_committed_sources() -> None:
    assert (PROGRAM.parent / BUILD_RECORD).read_text().strip() == sources_digest(SOURCES), (
        "run scripts/web-app"
    )


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_build_is_reproducible(tmp_path: Path) -> None:
    vite = SOURCES / "node_modules" / ".bin" / "vite"
    if not vite.exists():
        pytest.skip("Node's packages are not here; scripts/web-app brings them")
    built = tmp_path / "web"
    subprocess.run([vite, "build", "--outDir", built], cwd=SOURCES, check=True, capture_output=True)
    assert built_digest(built) == built_digest(WEB_FOLDER)


def named_files(page: str) -> list[str]:
    return [name.removeprefix("/") for name in re.findall(r'(?:src|href)="([^"]+)"', page)]


def test_first_load_is_small() -> None:
    page = (WEB_FOLDER / "index.html").read_text()
    files = [name for name in named_files(page) if name.endswith((".js", ".css"))]
    assert len(files) >= 2
    sizes = [len(gzip.compress((WEB_FOLDER / name).read_bytes())) for name in ["index.html", *files]]
    assert sum(sizes) < FIRST_LOAD_BYTES


def test_page_and_manifest_refer_only_to_existing_files() -> None:
    files = load_files()
    manifest = json.loads((WEB_FOLDER / "manifest.webmanifest").read_text())
    icons = [icon["src"].removeprefix("/") for icon in manifest["icons"]]
    named = named_files((WEB_FOLDER / "index.html").read_text()) + icons
    assert named
    assert set(named) <= files.keys()


def test_manifest_names_the_path_that_the_server_refuses() -> None:
    manifest = json.loads((WEB_FOLDER / "manifest.webmanifest").read_text())
    assert manifest["share_target"]["action"] == SHARE_PATH
    assert manifest["share_target"]["method"] == "POST"
    assert (manifest["id"], manifest["scope"], manifest["start_url"]) == ("/", "/", "/")


def test_service_worker_keeps_every_file_that_the_page_needs() -> None:
    worker = (WEB_FOLDER / "sw.js").read_text()
    kept = set(re.findall(r'"(/[^"]*)"', worker))
    needed = {f"/{name}" for name in load_files() if name.startswith(("assets/", "icon"))}
    assert needed | {"/", "/manifest.webmanifest"} <= kept
    assert "import " not in worker  # a classic script: not every browser runs modules there


def test_no_script_imports_the_first_script_of_a_worker() -> None:
    """WebKit runs such a script again; each message to the worker then has two answers."""
    scripts = {path.name: path.read_text() for path in WEB_FOLDER.glob("assets/*.js")}
    workers = {name for name in scripts if re.match(r"(worker|storageWorker)-", name)}
    assert len(workers) == 2
    names = re.compile(r"""(?:from|import)[ (]*["']\./([^"']+)["']""")
    imported = {name: set(names.findall(text)) for name, text in scripts.items()}
    assert any(imported.values())
    assert {name for name, wanted in imported.items() if wanted & workers} == set()


def test_scripts_name_no_other_host_and_one_policy() -> None:
    scripts = [path.read_text() for path in WEB_FOLDER.rglob("*.js")]
    hosts = {host for script in scripts for host in re.findall(r"(?:https?|wss?)://([\w.-]+)", script)}
    assert hosts <= OWN_HOSTS
    policies = {name for script in scripts for name in re.findall(r"createPolicy\(\s*[`\"'](\w+)", script)}
    assert policies <= {TRUSTED_TYPES_POLICY}


def test_licences_of_all_packages_are_served() -> None:
    packages = json.loads((SOURCES / "package.json").read_text())["dependencies"]
    texts = (WEB_FOLDER / "licenses.txt").read_text()
    assert packages
    for name, version in packages.items():
        assert f"{name} {version}\n" in texts


def test_lock_file_contains_no_registry_address() -> None:
    assert "resolved" not in (SOURCES / "package-lock.json").read_text()


def test_page_knows_every_metric_that_it_may_report() -> None:
    schema = json.loads((ROOT / SCHEMA_PATH).read_text())
    assert schema.keys() == REPORTED_METRICS.keys()
    assert "critical" not in schema["errors_total"]["labels"]["severity"]
