"""Choose the proxy between the SDK and Sentry, as for every other client (`integrations/proxy.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.integrations.proxy_address import SOCKS, Proxy


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
    if proxy.authorization is not None and proxy.scheme not in SOCKS:
        options["proxy_headers"] = {"Proxy-Authorization": proxy.authorization}
    return options
