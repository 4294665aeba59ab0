"""Choose the proxy between the SDK and Sentry, as for every other client (`integrations/proxy.py`)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from tallow.monitoring.integrations.proxy import SOCKS, Proxy, ProxySettings


def proxy_for(dsn: str, options: Mapping[str, Any]) -> Proxy | None:
    """Return the proxy to Sentry, or None if there is none or the caller's options name one."""
    if options.get("http_proxy") or options.get("https_proxy"):
        return None
    return ProxySettings.read(socks="socks").proxy_for(dsn)


def proxy_options(proxy: Proxy | None) -> dict[str, Any]:
    """Return options of ``sentry_sdk.init`` that keep the SDK from reading the environment's proxies."""
    if proxy is None:
        return {"http_proxy": "", "https_proxy": ""}
    # urllib3 reads user and password only from the address of a SOCKS proxy.
    address = proxy.url if proxy.scheme in SOCKS else proxy.address
    options: dict[str, Any] = {"http_proxy": address, "https_proxy": address}
    if proxy.user is not None and proxy.scheme not in SOCKS:
        login = b64encode(f"{proxy.user}:{proxy.password}".encode()).decode("ascii")
        options["proxy_headers"] = {"Proxy-Authorization": f"Basic {login}"}
    return options
