"""Proxy settings are used or ignored with one warning; they never raise."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.integrations.proxy_address import Proxy

SOMEWHERE = "http://example.org/"


@pytest.mark.parametrize(
    ("value", "proxy"),
    [
        ("http://proxy.example:3128", Proxy("http", "proxy.example", 3128)),
        ("http://proxy.example:3128/", Proxy("http", "proxy.example", 3128)),
        ("proxy.example:3128", Proxy("http", "proxy.example", 3128)),
        ("proxy.example", Proxy("http", "proxy.example", 80)),
        ("HTTP://PROXY.EXAMPLE:3128", Proxy("http", "proxy.example", 3128)),
        ("https://proxy.example", Proxy("https", "proxy.example", 443)),
        ("http://[::1]:3128", Proxy("http", "::1", 3128)),
        ("http://[fe80::1%25eth0]:3128", Proxy("http", "fe80::1%eth0", 3128)),
        ("http://[FE80::1%eth0]:3128", Proxy("http", "fe80::1%eth0", 3128)),
        ("http://h/path?query#fragment", Proxy("http", "h", 80)),
        ("http:///h", Proxy("http", "h", 80)),
        ("//proxy.example:3128", Proxy("http", "proxy.example", 3128)),
        ('"http://proxy.example:3128"', Proxy("http", "proxy.example", 3128)),
        ("' proxy.example:3128 '", Proxy("http", "proxy.example", 3128)),
        ("http://me:p#/?@ss@proxy.example:1", Proxy("http", "proxy.example", 1, "me", "p#/?@ss")),
        ("http://me:p://@proxy.example:1", Proxy("http", "proxy.example", 1, "me", "p://")),
        ("me:pa://ss@proxy.example:1", Proxy("http", "proxy.example", 1, "me", "pa://ss")),
        ("http://me:\udce9@proxy.example:1", Proxy("http", "proxy.example", 1, "me", "\udce9")),
        ("http://10.0.0.1", Proxy("http", "10.0.0.1", 80)),
        ("http://me:p%40ss@proxy.example:1", Proxy("http", "proxy.example", 1, "me", "p@ss")),
        ("me:hunter2@proxy.example:1", Proxy("http", "proxy.example", 1, "me", "hunter2")),
        ("http://me@proxy.example:1", Proxy("http", "proxy.example", 1, "me", "")),
        ("socks5://proxy.example", Proxy("socks5", "proxy.example", 1080)),
        ("socks5h://proxy.example:9050", Proxy("socks5h", "proxy.example", 9050)),
        (" http://proxy.example:1 ", Proxy("http", "proxy.example", 1)),
    ],
)
@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_valid_setting_is_used(name: str, value: str, proxy: Proxy) -> None:
    settings = ProxySettings.read({name: value})
    assert settings.proxy_for(SOMEWHERE) == proxy
    assert settings.problems == ()


@pytest.mark.parametrize(
    "value",
    [
        *(
            "socks://127.0.0.1:1080/",
            "socks4://h:1",
            "ftp://h:1",
            "://",
            "http://",
            "http://[::1",
        ),
        *(
            "http://h:port",
            "http://h:99999",
            "http://h:0",
            "http:h:1",
            "hunter2://h",
            "http://::1:3128",
            '"http://h:1',
            "http://1.2.3.4.5",
            "http://a b",
            "h:1:2",
        ),
        *(
            "http://" + "ä" * 80,
            f"socks5://{'x' * 256}@h",
            "socks5://ä@h",
            "file:///etc/proxy.pac",
            "\x00",
            "http://[a]b",
        ),
        *("http://a..b:1", f"http://{'x' * 64}:1", "http://.:1"),
    ],
)
@pytest.mark.parametrize("name", ["all_proxy", "ALL_PROXY", "http_proxy"])
def test_an_invalid_setting_is_ignored_with_one_warning(
    name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        settings = ProxySettings.read({name: value, "no_proxy": "[::1"})
        assert settings.proxy_for(SOMEWHERE) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert name in record.getMessage()
    assert "no_proxy" in record.getMessage()


@pytest.mark.parametrize(
    "value",
    [
        *("socks://me:hunter2@h:1", "http://me:hunter2@h:port", "http://hunter2@[::1", "hunter2://h"),
        *("socks5://hunter2:ä@h:1", "http:hunter2", "'hunter2"),
    ],
)
def test_no_password_is_shown(value: str, caplog: pytest.LogCaptureFixture) -> None:
    ProxySettings.read({"all_proxy": value})
    assert "all_proxy" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_proxy_shows_its_address_without_its_password() -> None:
    proxy = ProxySettings.read({"http_proxy": "http://me:p%40ss@[::1]:3128"}).proxies["http"]
    assert proxy.address == "http://[::1]:3128"
    assert proxy.url == "http://me:p%40ss@[::1]:3128"
    assert "p@ss" not in repr(proxy)


@pytest.mark.parametrize(
    ("environment", "port"),
    [
        ({"http_proxy": "lower:1", "HTTP_PROXY": "upper:2"}, 1),
        ({"http_proxy": "", "HTTP_PROXY": "upper:2"}, None),
        ({"http_proxy": "   "}, None),
        ({"Http_Proxy": "mixed:3"}, 3),
        ({"http_proxy": "own:1", "all_proxy": "all:2"}, 1),
        ({"https_proxy": "tls:1"}, None),
        ({"HTTP_PROXY": "upper:2", "REQUEST_METHOD": "GET"}, None),
        ({"http_proxy": "lower:1", "REQUEST_METHOD": "GET"}, 1),
        ({"http_proxy": "own:1", "NO_PROXY": "*"}, None),
        ({"http_proxy": "own:1", "no_proxy": "", "NO_PROXY": "*"}, 1),
        ({"http_proxy": "own:1", "no_proxy": "example.org:80"}, None),
        ({"http_proxy": "own:1", "no_proxy": "example.org:81"}, 1),
    ],
)
def test_precedence_of_variables(environment: dict[str, str], port: int | None) -> None:
    proxy = ProxySettings.read(environment).proxy_for(SOMEWHERE)
    assert (proxy.port if proxy else None) == port


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://example.org", 1),
        ("https://example.org", 2),
        ("ws://example.org", 1),
        ("wss://example.org", 2),
        ("ftp://example.org", None),
        ("http://localhost:3000", None),
        ("http://127.0.0.1", None),
        ("ws://[::1]:3000", None),
        ("http://[::1", None),
        ("", None),
    ],
)
def test_the_proxy_of_an_address(url: str, port: int | None) -> None:
    proxy = ProxySettings.read({"http_proxy": "h:1", "https_proxy": "h:2"}).proxy_for(url)
    assert (proxy.port if proxy else None) == port


def test_websockets_can_have_their_own_proxy() -> None:
    settings = ProxySettings.read({"http_proxy": "h:1", "ws_proxy": "h:2", "all_proxy": "h:3"})
    assert settings.proxies["ws"].port == 2
    assert settings.proxy_for("ws://example.org") == settings.proxies["ws"]
    assert settings.proxy_for("wss://example.org") == settings.proxies["all"]


def test_socks_without_its_library_is_ignored(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tallow.monitoring.integrations.proxy_address.find_spec", lambda _name: None)
    settings = ProxySettings.read({"all_proxy": "socks5h://127.0.0.1:9050"})
    assert settings.proxy_for(SOMEWHERE) is None
    assert "needs the Python package httpx-socks" in caplog.text


def test_other_programs_get_the_common_form() -> None:
    environment = {"HTTP_PROXY": "h:1", "all_proxy": "socks://h:2", "no_proxy": "[::1]", "PATH": "/bin"}
    given = ProxySettings.read(environment).for_program(environment)
    assert given == {"http_proxy": "http://h:1", "no_proxy": "[::1]", "PATH": "/bin"}
    environment = {"ALL_PROXY": "socks5://me:p%40ss@h", "https_proxy": "http://h:1"}
    given = ProxySettings.read(environment, socks=None).for_program(environment)
    assert given == {"http_proxy": "socks5h://me:p%40ss@h:1080", "https_proxy": "http://h:1"}


@given(proxy=st.text(), exempt=st.text(), url=st.text())
def test_no_value_raises(proxy: str, exempt: str, url: str) -> None:
    settings = ProxySettings.read({"all_proxy": proxy, "no_proxy": exempt})
    for address in (url, f"http://{url}"):
        assert settings.proxy_for(address) == settings.proxy_for(address)
