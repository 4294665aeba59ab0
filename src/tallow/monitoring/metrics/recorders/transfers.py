"""Record transfers and their chunks."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from time import time
from typing import Final

from tallow.monitoring.correlation import current_binding, exemplar_id
from tallow.monitoring.metrics import labels
from tallow.monitoring.metrics.family import LARGEST, MAX_LENGTH, Key
from tallow.monitoring.metrics.recorders.base import Recorder
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.transfer_series import HistogramCells, TransferSeries, histogram_cells
from tallow.monitoring.opentelemetry_api import TRACE_API

_modules: Final = sys.modules
"""Without OpenTelemetry in it and without a correlation id, no exemplar is looked for."""

MAX_MIME_TYPES: Final = 256
"""Different MIME types whose series is kept; of others it is derived each time."""


class TransferRecorder(Recorder):
    """Records ``transfers_total`` and the other metrics of transfers."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(registry)
        self._slot = registry.slot
        self._transfer_series = TransferSeries(registry)
        self._bytes: dict[Key, int] = {}
        self._chunks: dict[Key, HistogramCells] = {}
        self._size_cells: dict[str, HistogramCells] = {}
        registry.when_added("transfers", self._prepare)

    def _prepare(self) -> None:
        """Keep the series that are recorded most often."""
        families = self.registry.families
        chunks = families["chunk_transfer_duration_seconds"]
        self._sizes = families["file_size_bytes"]
        self._chunk_edges = chunks.edges
        # Plain dictionaries: the interpreter specialises look-ups in them, and chunks are recorded most
        # often.
        self._bytes = dict(families["bytes_transferred_total"])
        self._chunks = {method: histogram_cells(chunks, first) for method, first in chunks.items()}

    def record_transfer(
        self,
        status: str,
        method: str,
        size_bytes: float,
        duration_s: float,
        mime_type: str | None = None,
        files: Iterable[tuple[float, str | None]] | None = None,
    ) -> None:
        """Record the end of a transfer: outcome, size, duration and, if it succeeded, mean speed.

        Args:
            status: ``success``, ``failed`` or ``cancelled``.
            method: ``p2p`` (the data went directly) or ``relay``.
            size_bytes: payload in bytes.
            duration_s: seconds from the first payload byte to the end.
            mime_type: of the file. Only its top-level type is recorded.
            files: size in bytes and MIME type of each file, if there is not exactly one.

        Example:
            >>> metrics.record_transfer("success", "p2p", 12_000_000, 3.2, "image/png")
            >>> metrics.value("transfers_total", status="success", method="p2p")
            1.0
            >>> metrics.value("transfer_speed_mbps_sum", method="p2p")
            30.0
        """
        try:
            try:
                cells = self._transfer_series[status, method]
            except Exception:  # noqa: BLE001 - values that are not hashable
                cells = self._transfer_series.series_for(status, method)
            transfers, durations, duration_edges, speeds, speed_edges = cells
            row = self._slot.row
            row[transfers] += 1.0
            size, duration = float(size_bytes + 0.0), float(duration_s + 0.0)
            if not (0.0 <= size <= LARGEST and 0.0 <= duration <= LARGEST):
                self.registry.count_overflow("transfer_duration_seconds")
                return
            traced = current_binding() is not None or TRACE_API in _modules
            exemplar = self._exemplar() if traced else None
            # Written out instead of calling observe(): this takes half as long.
            if files is None:
                self._observe_size(mime_type, size, exemplar)
            else:
                self._observe_files(files)
            duration_at, duration_sum = durations[bisect_right(labels.SIZE_EDGES, size)]
            duration_at += bisect_left(duration_edges, duration)
            row[duration_at] += 1.0
            row[duration_sum] += duration
            if exemplar is not None:
                self.registry.exemplars[duration_at] = (exemplar[0], duration, exemplar[1])
            if speeds is not None:
                self._observe_speed(speeds, speed_edges, size, duration, exemplar)
        except Exception:  # noqa: BLE001 - recording never raises into its caller
            self.registry.count_overflow("transfer_duration_seconds")

    def _exemplar(self) -> tuple[str, float] | None:
        """Return the id and the time for the exemplars of one event; None if it gets none."""
        request = exemplar_id()
        return None if request is None else (request, time())

    def _observe_files(self, files: Iterable[tuple[float, str | None]]) -> None:
        for size_bytes, mime_type in files:
            self._observe(self._sizes, labels.file_type(mime_type), size_bytes)

    def _observe_size(self, mime_type: str | None, size: float, exemplar: tuple[str, float] | None) -> None:
        cells = self._size_cells.get(mime_type) if mime_type.__class__ is str else None
        bucket, sum_at = cells or self._size_series(mime_type)
        bucket += bisect_left(self._sizes.edges, size)
        row = self._slot.row
        row[bucket] += 1.0
        row[sum_at] += size
        if exemplar is not None:
            self.registry.exemplars[bucket] = (exemplar[0], size, exemplar[1])

    def _observe_speed(
        self,
        cells: HistogramCells,
        edges: tuple[float, ...],
        size_bytes: float,
        duration_s: float,
        exemplar: tuple[str, float] | None,
    ) -> None:
        if duration_s == 0.0:
            return
        bucket, sum_at = cells
        mbps = size_bytes * 8e-6 / duration_s
        bucket += bisect_left(edges, mbps)
        row = self._slot.row
        row[bucket] += 1.0
        row[sum_at] += mbps
        if exemplar is not None:
            self.registry.exemplars[bucket] = (exemplar[0], mbps, exemplar[1])

    def _size_series(self, mime_type: str | None) -> HistogramCells:
        """Return the cells of a MIME type's series, and keep them for the next call."""
        cells = histogram_cells(self._sizes, self._sizes[labels.file_type(mime_type)])
        if type(mime_type) is str and len(mime_type) <= MAX_LENGTH and len(self._size_cells) < MAX_MIME_TYPES:
            self._size_cells[mime_type] = cells
        return cells

    def record_chunk_transfer(
        self, method: str, direction: str, size_bytes: float, duration_s: float
    ) -> None:
        """Record one chunk of a transfer.

        Args:
            method: ``p2p`` or ``relay``.
            direction: ``sent`` or ``received``.
            size_bytes: payload in bytes.
            duration_s: seconds the chunk took.

        Example:
            >>> metrics.record_chunk_transfer("p2p", "sent", size_bytes=65_536, duration_s=0.004)
            >>> metrics.value("bytes_transferred_total", direction="sent")
            65536.0
        """
        try:
            size = size_bytes + 0.0 if size_bytes.__class__ is int else float(size_bytes + 0.0)
            duration = duration_s if duration_s.__class__ is float else float(duration_s + 0.0)
            if 0.0 <= size <= LARGEST and 0.0 <= duration <= LARGEST:
                counter = self._bytes[direction]
                bucket, sum_at = self._chunks[method]
                bucket += bisect_left(self._chunk_edges, duration)
                row = self._slot.row
                row[counter] += size
                row[bucket] += 1.0
                row[sum_at] += duration
                if current_binding() is not None or TRACE_API in _modules:
                    self._keep_exemplar(bucket, duration)
                return
        except Exception:  # noqa: BLE001, S110 - an unknown label or an impossible number
            pass
        self._add(self._families["bytes_transferred_total"], direction, size_bytes)
        self._observe(self._families["chunk_transfer_duration_seconds"], method, duration_s)

    def _keep_exemplar(self, bucket: int, value: float) -> None:
        exemplar = self._exemplar()
        if exemplar is not None:
            self.registry.exemplars[bucket] = (exemplar[0], value, exemplar[1])

    def transfer_started(self) -> None:
        """Record that the data of a transfer began to flow.

        Example:
            >>> metrics.transfer_started()
            >>> metrics.value("transfers_started_total"), metrics.value("active_transfers")
            (1.0, 1.0)
        """
        self._add(self._families["transfers_started_total"], ())
        self._add(self._families["active_transfers"], ())

    def transfer_finished(self) -> None:
        """Record that a started transfer ended, with any outcome.

        Example:
            >>> metrics.transfer_started()
            >>> metrics.transfer_finished()
            >>> metrics.value("active_transfers")
            0.0
        """
        self._add(self._families["active_transfers"], (), -1)

    def set_queue_depth(self, depth: float) -> None:
        """Set the number of transfers that wait for their data to flow, with both peers present.

        Args:
            depth: number of transfers.

        Example:
            >>> metrics.set_queue_depth(3)
            >>> metrics.value("transfer_queue_depth")
            3.0
        """
        self._set(self._families["transfer_queue_depth"], (), depth)

    def record_retry(self, operation: str, status: str) -> None:
        """Record a second or later attempt.

        Args:
            operation: ``transfer``, ``chunk``, ``connection`` or ``signaling``.
            status: ``success`` or ``failed``, of this attempt.

        Example:
            >>> metrics.record_retry("chunk", "success")
            >>> metrics.value("retry_attempts_total", operation="chunk", status="success")
            1.0
        """
        self._add(self._families["retry_attempts_total"], (operation, status))
