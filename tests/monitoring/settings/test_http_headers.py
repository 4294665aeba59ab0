"""``LOG_ENDPOINT_HEADERS`` and ``LOG_ENDPOINT_TENANT``: accepted forms, and errors that show no value."""

from __future__ import annotations

import pytest

from tallow.monitoring.settings import BadSettingError, MonitoringSettings
from tallow.monitoring.settings.http_headers import parse_headers
from tallow.monitoring.settings.variable_source import VariableSource

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("X-Team=web", {"X-Team": "web"}),
        ("X-Team: web", {"X-Team": "web"}),
        (" X-Team = web , X-Key = a=b ,", {"X-Team": "web", "X-Key": "a=b"}),
        ("Authorization=Basic%20YWI6Y2Q=", {"Authorization": "Basic YWI6Y2Q="}),
        ("X-List=a%2Cb", {"X-List": "a,b"}),
    ],
)
def test_headers_are_pairs_separated_by_commas(text: str, headers: dict[str, str]) -> None:
    assert parse_headers(text) == headers


BAD_HEADERS = {
    "no value": "X-Team",
    "an empty value": "X-Team=",
    "no name": f"={SECRET}",
    "a name with a space": f"X Team={SECRET}",
    "an encoded line end": f"X-Team={SECRET}%0d%0aX-Other=1",
    "an encoded null": f"X-Team={SECRET}%00",
    "a value outside of ASCII": "X-Team=müller",
    "an encoded character outside of ASCII": "X-Team=%C3%BC",
    "a name twice": f"X-Team={SECRET},x-team=b",
    "the length": f"Content-Length=3,X-Key={SECRET}",
    "the host": f"Host={SECRET}",
    "the batch id": f"X-Batch-ID={SECRET}",
    "no pair": " , ,",
    "a value that is too long": f"X-Team={'a' * 5000}",
    "too many": ",".join(f"X-{number}={SECRET}" for number in range(33)),
}


@pytest.mark.parametrize("text", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_unusable_headers_are_rejected_in_one_line_without_their_value(text: str) -> None:
    with pytest.raises(BadSettingError) as caught:
        MonitoringSettings.load(VariableSource({"LOG_ENDPOINT_HEADERS": text}))
    line = str(caught.value)
    assert line.startswith("LOG_ENDPOINT_HEADERS is ***; accepted: Name=value pairs")
    assert SECRET not in line
    assert "\n" not in line


@pytest.mark.parametrize("text", [".", "..", "a/b", "a|b", "a b", "a:b", "ü", "x" * 151])
def test_a_tenant_that_loki_does_not_accept_is_rejected_in_one_line(text: str) -> None:
    with pytest.raises(BadSettingError) as caught:
        MonitoringSettings.load(VariableSource({"LOG_ENDPOINT_TENANT": text}))
    assert str(caught.value).startswith("LOG_ENDPOINT_TENANT is ***; accepted: 1 to 150 letters")
    assert "\n" not in str(caught.value)


def test_headers_and_tenant_are_masked() -> None:
    values = {"LOG_ENDPOINT_HEADERS": f"X-Key={SECRET}", "LOG_ENDPOINT_TENANT": SECRET}
    settings = MonitoringSettings.load(VariableSource(values))
    assert settings.log_endpoint_tenant is not None
    assert settings.log_endpoint_tenant.get_secret_value() == SECRET
    assert SECRET not in repr(settings)
