"""Ports that the router maps to this machine (UPnP IGD), for ``--port-mapping``."""
