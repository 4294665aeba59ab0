"""Capacity of the server under load: rooms, sockets, relay, and probes beside them.

``python -m benchmarks load`` runs everything. The clients are raw sockets with frames that are built
beforehand, because the server shares the machine's cores with them. CPU time of the server is read from its
processes.
"""
