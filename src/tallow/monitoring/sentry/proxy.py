"""The proxy between the SDK and Sentry, decided as for every other client (`integrations/proxy.py`)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from tallow.monitoring.integrations.proxy import SOCKS, Proxy, ProxySettings


def proxy_for(dsn: str, options: Mapping[str, Any]) -> Proxy | None:
    """The proxy to Sentry; None where there is none, or where the caller's options of the SDK name one."""
    if options.get("http_proxy") or options.get("https_proxy"):
        return None
    return ProxySettings.read(socks="socks").proxy_for(dsn)


def proxy_options(proxy: Proxy | None) -> dict[str, Any]:
    """Options of ``sentry_sdk.init``; with them the SDK does not read the environment's proxies itself."""
    if proxy is None:
        return {"http_proxy": "", "https_proxy": ""}
    # urllib3 takes user and password from the address of a SOCKS proxy only.
    address = proxy.url if proxy.scheme in SOCKS else proxy.address
    options: dict[str, Any] = {"http_proxy": address, "https_proxy": address}
    if proxy.user is not None and proxy.scheme not in SOCKS:
        login = b64encode(f"{proxy.user}:{proxy.password}".encode()).decode("ascii")
        options["proxy_headers"] = {"Proxy-Authorization": f"Basic {login}"}
    return options
