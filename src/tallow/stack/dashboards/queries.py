"""The panels' queries by name; the linter checks their metrics, labels and values against the catalogue."""

from __future__ import annotations

from tallow.monitoring.catalog import METRICS, canonical
from tallow.stack.dashboards.promql import (
    RATE_INTERVAL,
    gauge,
    increase,
    mean,
    per_minute,
    quantile,
    rate,
    share,
)
from tallow.stack.thresholds import OBSERVER_ROUTES


def label_values(metric: str, label: str) -> tuple[str, ...]:
    """The values of a closed label, which name the series of a panel."""
    [found] = [found for found in METRICS[metric].labels if found.name == label]
    return found.values


_COMPLETED = 'status=~"success|failed"'
_SUCCESS = 'status="success"'
_BY_RELAY = 'method="relay"'
_BY_TURN = 'type="relay"'
_FAILED = 'status="failed"'
_USER_ROUTES = f'route!~"{OBSERVER_ROUTES}"'

# Transfers
TRANSFER_SUCCESS = share(
    increase("transfers_total", _SUCCESS), increase("transfers_total", _COMPLETED), idle=1
)
TRANSFERS_BY_STATUS = per_minute("transfers_total", by=("status",))
TRANSFERS_BY_METHOD = f"{increase('transfers_total', by=('method',))} > 0"
TRANSFER_FAILURE = share(rate("transfers_total", _FAILED), rate("transfers_total", _COMPLETED), idle=0)
TRANSFERS_FAILED = per_minute("transfers_total", _FAILED)
SPEED_MEAN = mean("transfer_speed_mbps")
SPEED_BUCKETS = increase("transfer_speed_mbps_bucket", by=("le",), window=RATE_INTERVAL)
SPEED_P50 = quantile(0.5, "transfer_speed_mbps", by=("method",))
SPEED_P95 = quantile(0.95, "transfer_speed_mbps", by=("method",))
DURATION_P95 = quantile(0.95, "transfer_duration_seconds", _SUCCESS, by=("size_category",))
CHUNK_P95 = quantile(0.95, "chunk_transfer_duration_seconds")
CHUNK_P99 = quantile(0.99, "chunk_transfer_duration_seconds")
QUEUE_DEPTH = gauge("transfer_queue_depth", by=("instance",))
RETRIES = per_minute("retry_attempts_total", by=("operation", "status"))
BYTES_RATE = rate("bytes_transferred_total", by=("direction",))
BYTES_RECEIVED_24H = increase("bytes_transferred_total", 'direction="received"', window="24h")


def file_sizes(above: int | None, upto: int | None) -> str:
    """Files of the time range larger than the bucket edge ``above`` and at most ``upto`` bytes."""
    within = _files(upto)
    return within if above is None else f"clamp_min({within} - {_files(above)}, 0)"


def _files(upto: int | None) -> str:
    edge = "+Inf" if upto is None else canonical(upto)
    return increase("file_size_bytes_bucket", f'le="{edge}"')


# Connections
ACTIVE_CONNECTIONS = gauge("active_connections")
CONNECTED_DEVICES = gauge("device_connections")
CONNECTIONS_BY_TYPE = f"{increase('webrtc_connections_total', _SUCCESS, by=('type',))} > 0"
# A transfer by relay that has no TURN pair went through Tallow's own relay.
CONNECTIONS_BY_SERVER_RELAY = (
    f"clamp_min({increase('transfers_total', _BY_RELAY)} "
    f"- {increase('webrtc_connections_total', _SUCCESS, _BY_TURN)}, 0)"
)
CONNECTION_FAILURE = share(
    rate("webrtc_connections_total", _FAILED), rate("webrtc_connections_total"), idle=0
)
CONNECTIONS_FAILED = per_minute("webrtc_connections_total", _FAILED)
CONNECTION_P95 = quantile(0.95, "connection_establishment_seconds")
CONNECTION_P99 = quantile(0.99, "connection_establishment_seconds")

# Cryptography
PQC_FAILURE = share(rate("pqc_operations_total", _FAILED), rate("pqc_operations_total"), idle=0)
KEY_EXCHANGE_FAILURE = share(
    rate("pqc_key_exchanges_total", _FAILED), rate("pqc_key_exchanges_total"), idle=0
)
PQC_FAILED = per_minute("pqc_operations_total", _FAILED)
PQC_P95 = quantile(0.95, "pqc_duration_seconds", by=("operation",))
ENCRYPTION_P95 = quantile(0.95, "encryption_duration_seconds", by=("algorithm",))

# Errors
ERRORS_BY_SEVERITY = rate("errors_total", by=("severity",))
ERRORS_BY_TYPE = rate("errors_total", by=("type",))
SEVERITY_SHARES = f"{increase('errors_total', by=('severity',))} > 0"
API_ERRORS = f"{increase('api_errors_total', by=('endpoint', 'status_code'))} > 0"
RECENT_ERRORS = f"{increase('errors_total', by=('type', 'severity'), window='15m')} > 0"
ERROR_CHANGE = (
    f"{per_minute('errors_total', window='15m')} - {per_minute('errors_total', window='15m', ago='1h')}"
)
CRITICAL_ERRORS_1H = increase("errors_total", 'severity="critical"', window="1h")
ERROR_RECOVERY = share(increase("error_recoveries_total"), increase("errors_total"), idle=1)

# Server
HTTP_P50 = quantile(0.5, "http_request_duration_seconds", _USER_ROUTES)
HTTP_P95 = quantile(0.95, "http_request_duration_seconds", _USER_ROUTES)
HTTP_P99 = quantile(0.99, "http_request_duration_seconds", _USER_ROUTES)
REQUEST_SIZE_P95 = quantile(0.95, "http_request_size_bytes", _USER_ROUTES)
RESPONSE_SIZE_P95 = quantile(0.95, "http_response_size_bytes", _USER_ROUTES)
DB_P50 = quantile(0.5, "db_operation_duration_seconds")
DB_P95 = quantile(0.95, "db_operation_duration_seconds")
DB_P99 = quantile(0.99, "db_operation_duration_seconds")
CACHE_HITS = share(
    increase("cache_hits_total"),
    f"({increase('cache_hits_total')} + {increase('cache_misses_total')})",
    idle=1,
)
LOOP_LAG_P95 = quantile(0.95, "event_loop_lag_seconds")
LOOP_LAG_P99 = quantile(0.99, "event_loop_lag_seconds")
GC_SHARE = rate("gc_duration_seconds_sum", by=("generation",))
CPU = f"{rate('process_cpu_seconds_total', by=('instance',))} / ({gauge('workers', by=('instance',))} > 0)"
RESIDENT = gauge("process_resident_memory_bytes", by=("instance",))
HEAP = gauge("process_heap_bytes", by=("instance",))
BANDWIDTH = gauge("bandwidth_utilization_mbps", by=("direction",))

# Variables and annotations
JOBS = "label_values(tallow_build_info, job)"
INSTANCES = 'label_values(tallow_build_info{job=~"$job"}, instance)'


def alerts(severity: str) -> str:
    """Firing alerts of a severity, including those without an instance."""
    return f'ALERTS{{alertstate="firing", severity="{severity}", job=~"$job", instance=~"$instance|"}}'
