"""HTTP clients with real proxies, exempt hosts and failing proxies."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from support.http_proxy import HOST, proxying
from tallow.monitoring.integrations import http_client
from tallow.monitoring.integrations.proxy_address import ProxyConnectionError
from tallow.monitoring.integrations.request_errors import describe_error, describe_response, failed_proxy

pytestmark = pytest.mark.slow

Get = Callable[..., httpx.Response]
URL = f"http://{HOST}/hello"
TLS_URL = f"https://{HOST}/hello"


def _sync(url: str, timeout: float = 20, direct: bool = False, **transport: ssl.SSLContext) -> httpx.Response:
    with http_client.client(
        timeout=timeout,
        direct=direct,
        follow_redirects=True,
        transport=transport,  # type: ignore[arg-type]
    ) as http:
        return http.get(url)


def _async(
    url: str, timeout: float = 20, direct: bool = False, **transport: ssl.SSLContext
) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with http_client.async_client(
            timeout=timeout,
            direct=direct,
            follow_redirects=True,
            transport=transport,  # type: ignore[arg-type]
        ) as http:
            return await http.get(url)

    return asyncio.run(ask())


@pytest.fixture(params=[_sync, _async], ids=["sync", "async"])
def get(request: pytest.FixtureRequest) -> Get:
    found: Get = request.param
    return found


NONSENSE = [
    {"all_proxy": "socks://127.0.0.1:1080/"},
    {"ALL_PROXY": "socks://127.0.0.1:1080/"},
    {"NO_PROXY": "[::1]"},
    {"no_proxy": "fe80::/10"},
    {"no_proxy": "localhost,127.0.0.0/8,[::1],fe80::%eth0/10,*.local"},
    {"http_proxy": "", "HTTPS_PROXY": " "},
    {"http_proxy": "http://me:hunter2@[::1"},
    {"http_proxy": "http://127.0.0.1:99999"},
    {"SSL_CERT_FILE": "/nowhere/at.all"},
    {"SSL_CERT_FILE": "/dev/null"},
    {"SSL_CERT_DIR": "/nowhere/at/all"},
]


@pytest.mark.parametrize("environment", NONSENSE, ids=str)
def test_no_environment_prevents_a_request(
    get: Get, origin: int, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert get(f"http://127.0.0.1:{origin}/").status_code == 200


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("form", ["http://{}", "{}", "http://me:hunter2@{}/"])
def test_a_proxy_is_used(
    get: Get, origin: int, name: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = "me:hunter2" if "@" in form else None
    with proxying(origin, login=login) as proxy:
        monkeypatch.setenv(name, form.format(f"127.0.0.1:{proxy.port}"))
        assert get(URL).text == "/hello"
    assert proxy.requests == [f"GET {URL} HTTP/1.1"]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_is_used(get: Get, origin: int, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxying(origin) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{proxy.port}")
        assert get(URL).text == "/hello"
    assert proxy.requests == [f"{HOST}:80"]


def test_tls_uses_a_tunnel(get: Get, tls_origin: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    port, certificate = tls_origin
    trust = ssl.create_default_context(cafile=certificate)
    trust.check_hostname = False  # the certificate is that of 127.0.0.1
    with proxying(port) as proxy:
        monkeypatch.setenv("https_proxy", proxy.address)
        assert get(TLS_URL, verify=trust).text == "/hello"
    assert proxy.requests == [f"CONNECT {HOST}:443 HTTP/1.1"]


def test_loopback_exemptions_and_direct_clients_use_no_proxy(
    get: Get, origin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying(origin, "bad gateway") as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        assert get(f"http://127.0.0.1:{origin}/").status_code == 200
        assert get(f"http://localhost:{origin}/").status_code == 200
        with pytest.raises(httpx.ConnectError):
            get(URL, direct=True)
        monkeypatch.setenv("no_proxy", HOST)
        with pytest.raises(httpx.ConnectError) as failed:
            get(URL)
    assert describe_error(failed.value) == "cannot be reached"
    assert proxy.requests == []


def test_the_proxy_of_a_redirect_is_chosen_again(
    get: Get, origin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying(origin) as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        monkeypatch.setenv("no_proxy", "other.test")
        with pytest.raises(httpx.ConnectError) as failed:
            get(f"http://{HOST}/away")
    assert failed_proxy(failed.value) is None
    assert len(proxy.requests) == 1


def test_the_environment_is_read_when_a_client_is_created(
    get: Get, origin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying(origin) as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        assert get(URL).status_code == 200
        monkeypatch.delenv("http_proxy")
        with pytest.raises(httpx.ConnectError):
            get(URL)


@pytest.mark.parametrize("url", [URL, TLS_URL])
def test_a_proxy_that_requires_authentication_is_named_without_password(
    get: Get, origin: int, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying(origin, login="me:right") as proxy:
        monkeypatch.setenv("all_proxy", f"http://me:hunter2@127.0.0.1:{proxy.port}")
        with pytest.raises(httpx.ProxyError) as failed:
            get(url)
    described = describe_error(failed.value)
    assert described == str(failed.value) == f"the proxy {proxy.address} answers 407"
    assert isinstance(failed.value.__cause__, ProxyConnectionError)


def test_a_proxy_that_cannot_reach_the_server_is_named(
    get: Get, origin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying(origin, "bad gateway") as proxy:
        monkeypatch.setenv("all_proxy", proxy.address)
        with pytest.raises(httpx.ProxyError) as failed:
            get(TLS_URL)
        assert describe_error(failed.value) == f"the proxy {proxy.address} answers 502"
        assert describe_response(get(URL)) == f"answers 502 through the proxy {proxy.address}"


def test_a_direct_response_names_no_proxy(get: Get, origin: int) -> None:
    assert describe_response(get(f"http://127.0.0.1:{origin}/502")) == "answers 502"


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
def test_an_unreachable_proxy_is_named(get: Get, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", f"{scheme}://me:hunter2@127.0.0.1:1")
    for url in (URL, TLS_URL):
        with pytest.raises(httpx.ConnectError) as failed:
            get(url)
        assert describe_error(failed.value) == f"the proxy {scheme}://127.0.0.1:1 cannot be reached"


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
def test_a_proxy_that_hangs_is_named(
    get: Get, origin: int, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying(origin, "hangs") as proxy:
        monkeypatch.setenv("all_proxy", f"{scheme}://127.0.0.1:{proxy.port}")
        for url in (URL, TLS_URL):
            with pytest.raises(httpx.TimeoutException) as failed:
                get(url, timeout=0.2)
            expected = f"no answer in time through the proxy {scheme}://127.0.0.1:{proxy.port}"
            assert describe_error(failed.value) == expected


def test_a_socks_proxy_that_fails_is_named(get: Get, origin: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxying(1) as proxy:  # no server: the proxy closes the connection
        monkeypatch.setenv("all_proxy", f"socks5://127.0.0.1:{proxy.port}")
        with pytest.raises(httpx.TransportError) as failed:
            get(URL)
    assert f"the proxy socks5://127.0.0.1:{proxy.port}" in describe_error(failed.value)


def test_an_untrusted_certificate_is_reported_with_the_proxy(
    get: Get, tls_origin: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a company's inspecting proxy."""
    with proxying(tls_origin[0]) as proxy:
        monkeypatch.setenv("https_proxy", proxy.address)
        with pytest.raises(httpx.ConnectError) as failed:
            get(TLS_URL)
    assert describe_error(failed.value) == (
        f"the certificate shown through the proxy {proxy.address} is not trusted"
    )


def test_authorities_of_the_environment_are_trusted(
    get: Get, tls_origin: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, certificate = tls_origin
    with pytest.raises(httpx.ConnectError) as failed:
        get(f"https://127.0.0.1:{port}/")
    assert describe_error(failed.value) == "its certificate is not trusted"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert get(f"https://127.0.0.1:{port}/").status_code == 200


@pytest.mark.parametrize(
    ("error", "described"),
    [
        (httpx.InvalidURL("http://secret"), "the address is invalid"),
        (httpx.UnsupportedProtocol("secret"), "the address is invalid"),
        (httpx.ReadTimeout("secret"), "does not answer in time"),
        (httpx.RemoteProtocolError("secret"), "the connection broke"),
        (httpx.TooManyRedirects("secret"), "its response is invalid"),
        (RuntimeError("secret"), "failed unexpectedly (RuntimeError)"),
    ],
)
def test_descriptions_of_errors_do_not_quote_them(error: Exception, described: str) -> None:
    assert describe_error(error) == described


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "http://", "nothing", "http://a..b/", f"http://{'x' * 64}/"]
)
def test_an_invalid_address_raises_an_error_of_httpx(get: Get, url: str) -> None:
    with pytest.raises(httpx.RequestError):
        get(url)
