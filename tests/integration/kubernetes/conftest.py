"""The clusters that several modules use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.kubernetes.manifests import OVERLAYS
from support.kubernetes.reconciled import Reconciled, running_reconciled


@pytest.fixture(scope="session", params=OVERLAYS)
def reconciled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reconciled]:
    """The operator with each overlay in turn, each in another version of Kubernetes."""
    with running_reconciled(tmp_path_factory.mktemp("operator"), request.param) as found:
        yield found
