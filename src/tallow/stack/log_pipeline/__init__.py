"""Log pipeline: the configuration of Loki and of the shippers that read Tallow's log file.

The OpenTelemetry Collector is the default shipper. Promtail (end of life: March 2026) and Alloy are
alternatives. Each shipper sends a line unchanged, with :data:`LABELS` as index labels and :data:`METADATA` as
structured metadata, as the library's own push does. One LogQL query therefore finds the lines of all of them.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from tallow.stack.log_pipeline import alloy, collector, loki, promtail
from tallow.stack.log_pipeline.fields import LABELS, LOG_FOLDER, METADATA

__all__ = ["LABELS", "LOG_FOLDER", "METADATA", "files"]

_FOLDER = PurePosixPath("monitoring")


def files() -> dict[PurePosixPath, str]:
    """What ``tallow generate`` writes for the log pipeline: content by repository path.

    >>> [str(path) for path in files()][0]
    'monitoring/loki/loki.yml'
    """
    return {
        _FOLDER / "loki" / "loki.yml": loki.loki_config(),
        _FOLDER / "collector" / "collector.yml": collector.collector_config(),
        _FOLDER / "promtail" / "promtail.yml": promtail.promtail_config(),
        _FOLDER / "alloy" / "tallow.alloy": alloy.alloy_config(),
    }
