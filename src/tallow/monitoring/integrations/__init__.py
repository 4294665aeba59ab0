"""Integrations with other libraries: HTTP clients, proxies, databases and caches."""
