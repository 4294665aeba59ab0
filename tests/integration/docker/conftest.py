"""The engine that the Compose proofs share: its images take minutes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.docker import stand_ins
from support.docker.engine import ROOT, DockerEngine, docker_engine
from tallow.stack.compose import images


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    """An engine with Tallow's image, built from its Dockerfile, and with those of every profile."""
    folder = tmp_path_factory.mktemp("docker")
    with docker_engine(folder / "engine") as started:
        stand_ins.load_python_base(started, folder)
        stand_ins.fetch_wheels()
        started.docker("build", "--tag", images.TALLOW, str(ROOT), timeout=1800)
        for load in (
            stand_ins.load_prometheus,
            stand_ins.load_alertmanager,
            stand_ins.load_node_exporter,
            stand_ins.load_cadvisor,
            stand_ins.load_grafana,
            stand_ins.load_mailpit,
            stand_ins.load_loki,
            stand_ins.load_collector,
        ):
            load(started)
        yield started
