"""Documentation of environment variables: the library's own, and the types that other packages use, too.

``tallow generate`` writes ``docs/settings.md`` from these sections; the help of each command lists the
variables that it reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from pydantic.fields import FieldInfo

from tallow.monitoring.settings.base import Settings, is_secret, variable_names
from tallow.monitoring.settings.field_variables import setting_variables
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings
from tallow.monitoring.settings.variable_source import ENV_FILE_VARIABLE

_HEADER: Final = """\
| variable | default | accepted | what it does |
|---|---|---|---|
"""
_LIBRARY: Final = """\
Read by every application that imports `tallow.monitoring`, when the first part that needs them is used.

Each name can have the prefix `TALLOW_`, and the names with prefix come first, wherever they are set.
`Monitoring(env_prefix="SHOP_")` chooses another prefix for an application.

Other programs use some of the names without prefix. In an application of yours, an unusable value of
`LOG_LEVEL`, `LOG_FORMAT`, `LOG_FILE`, `ENVIRONMENT`, `RELEASE` or `SERVICE_NAME`, such as
`LOG_FORMAT=%(message)s`, is ignored with one warning in the log. Everything else stops the start: a name with
prefix, a secret, a rule of the scrubber, where data is sent, and every variable of Tallow's own programs."""
NOT_SET: Final = "not set"
_FOLDER: Final = "the path of a folder"
_PROXIES: Final = {
    "HTTP": "http:// addresses",
    "HTTPS": "https:// addresses",
    "WS": "ws:// addresses; by default HTTP_PROXY's",
    "WSS": "wss:// addresses; by default HTTPS_PROXY's",
    "ALL": "all other addresses",
}


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable.

    Attributes:
        name: the documented name.
        accepted: the accepted values.
        purpose: what the variable is for.
        default: the value if it is not set.
        secret: whether the value is never shown.
        takes_file: whether ``NAME_FILE`` can name a file with the value.
        aliases: further names that are read.
        prefixed: the names with the library's prefix, which are read first.
    """

    name: str
    accepted: str
    purpose: str
    default: str = NOT_SET
    secret: bool = False
    takes_file: bool = False
    aliases: tuple[str, ...] = ()
    prefixed: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names that are read."""
        return (*self.documented_names, *self._with_files(self.prefixed))

    @property
    def documented_names(self) -> tuple[str, ...]:
        """The names without the library's prefix."""
        return self._with_files((self.name, *self.aliases))

    def _with_files(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return (*names, *(f"{name}_FILE" for name in names)) if self.takes_file else names

    @property
    def row(self) -> str:
        """The row of the table."""
        marks = [
            *(["secret"] if self.secret else []),
            *([f"or `{self.name}_FILE`"] if self.takes_file else []),
            *(f"also `{name}`" for name in (*self.prefixed[:1], *self.aliases)),
        ]
        shown = f"`{self.name}`" + (f" ({', '.join(marks)})" if marks else "")
        return f"| {shown} | {self.default} | {self.accepted} | {self.purpose} |"


@dataclass(frozen=True, slots=True)
class Section:
    """A section of ``docs/settings.md``.

    Attributes:
        title: its heading.
        text: the paragraph before the table.
        variables: the table's rows.
        commands: the ``tallow`` commands that read the variables.
    """

    title: str
    text: str
    variables: tuple[Variable, ...]
    commands: tuple[str, ...] = ()

    @property
    def markdown(self) -> str:
        """The section in Markdown."""
        readers = ", ".join(f"`tallow {name}`" for name in self.commands)
        text = f"{self.text}\n\nRead by: {readers}." if readers else self.text
        rows = "\n".join(variable.row for variable in self.variables)
        return f"## {self.title}\n\n{text.strip()}\n\n{_HEADER}{rows}\n"


def variables_of(settings: type[Settings]) -> tuple[Variable, ...]:
    """Return the variables of a settings class, in the order of its fields."""
    return tuple(_variable(settings, name, field) for name, field in settings.model_fields.items())


def names(sections: Iterable[Section]) -> tuple[str, ...]:
    """Return all names in the sections, without repetition."""
    found = (name for section in sections for variable in section.variables for name in variable.names)
    return tuple(dict.fromkeys(found))


def _variable(settings: type[Settings], name: str, field: FieldInfo) -> Variable:
    first, *aliases = variable_names(name, field)
    variables = setting_variables(name, field, settings.prefix, settings.takes_file(field))
    return Variable(
        first,
        field.description or "",
        field.title or "",
        _default(field.default),
        secret=is_secret(field),
        takes_file=settings.takes_file(field),
        aliases=tuple(aliases),
        prefixed=variables.prefixed_names,
    )


def _default(value: Any) -> str:
    if value is None or value == ():
        return NOT_SET
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


SECTIONS: Final = (
    Section(
        "Library",
        _LIBRARY,
        variables_of(MonitoringSettings),
        ("serve", "viewer", "up", "reload"),
    ),
    Section(
        "Library: environment only",
        "These are not read from `.env`.",
        (
            Variable(
                ENV_FILE_VARIABLE,
                "the path of a file",
                "Settings are read from this file instead of `.env`",
            ),
            Variable(
                "TALLOW_REQUESTED_START",
                "seconds since the Unix epoch",
                "When the last start was requested; set by the stack's supervisor, to distinguish requested "
                "restarts from those after a failure",
            ),
            Variable("TALLOW_COMMIT", "7 to 40 hexadecimal digits", "The commit that `build_info` names"),
            Variable(
                "TALLOW_METRICS_DIR",
                _FOLDER,
                "Workers of one server keep their metrics there; `tallow serve --workers` sets it",
            ),
            Variable(
                "TALLOW_METRICS_STRICT",
                "`1` or `0`",
                "If `1`, a wrong use of a declared metric raises instead of being counted; by default only "
                "under pytest",
            ),
            Variable(
                "PROMETHEUS_MULTIPROC_DIR",
                "see prometheus_client",
                "If set, metrics of `prometheus_client` are read from all processes",
            ),
            Variable("NO_COLOR", "any text", "No colours on a terminal"),
            Variable("TERM", "a terminal type", "No colours on a terminal if it is `dumb`"),
            Variable("PYTEST_CURRENT_TEST", "set by pytest", "Errors of the telemetry itself are raised"),
        ),
        ("serve", "viewer", "up", "reload"),
    ),
    Section(
        "Library: OpenTelemetry",
        "Read only from the environment, by `tallow.monitoring.otel.start()`. The variables of the "
        "OpenTelemetry specification for headers, timeout, compression, certificates, samplers and span "
        "limits apply, too; the official SDK and exporters read them.",
        (
            Variable(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "an http:// or https:// address",
                "Where metrics, logs and spans are sent over OTLP",
            ),
            *(
                Variable(
                    f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT",
                    "an http:// or https:// address with the path",
                    f"Where {signal.lower()} are sent instead",
                )
                for signal in ("METRICS", "LOGS", "TRACES")
            ),
            Variable("OTEL_SDK_DISABLED", "true", "Nothing is sent over OTLP"),
            Variable("OTEL_SERVICE_NAME", "a name", "Name of the service over OTLP; by default SERVICE_NAME"),
            Variable(
                "OTEL_RESOURCE_ATTRIBUTES",
                "pairs such as team=search,zone=a",
                "Further attributes of the service over OTLP; they are scrubbed",
            ),
            Variable(
                "OTEL_METRIC_EXPORT_INTERVAL",
                "milliseconds, at least 10",
                "Time between reports of metrics over OTLP",
                default="`60000`",
            ),
            Variable("OTEL_METRICS_EXPORTER", "none", "No metrics are sent over OTLP"),
            Variable("OTEL_LOGS_EXPORTER", "none", "No logs are sent over OTLP"),
            Variable("OTEL_TRACES_EXPORTER", "none", "No spans are sent over OTLP"),
        ),
    ),
    Section(
        "Network",
        "Read only from the environment, by everything that sends requests, in lower case or capitals. "
        "Loopback is reached directly. An invalid proxy setting is ignored with a warning. "
        "Services of the stack get those of the environment of `tallow up`; `tallow up --restart` takes "
        "others.",
        (
            *(
                Variable(f"{scheme}_PROXY", "the address of a proxy", f"The proxy of {what}")
                for scheme, what in _PROXIES.items()
            ),
            Variable("NO_PROXY", "hosts and networks, separated by commas", "Reached without a proxy"),
            Variable("REQUEST_METHOD", "set for CGI programs", "HTTP_PROXY is a client's header then"),
            Variable(
                "SSL_CERT_FILE",
                "the path of a file, PEM",
                "Certificates of authorities to trust instead of the system's",
            ),
            Variable("SSL_CERT_DIR", _FOLDER, "A folder of such certificates, named by their hashes"),
        ),
        ("serve", "send", "receive", "demo", "up", "reload"),
    ),
)
"""The variables that the library reads."""
