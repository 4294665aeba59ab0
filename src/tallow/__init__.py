"""Tallow: end-to-end encrypted, post-quantum, peer-to-peer file transfer, and its observability.

``tallow.monitoring`` is the library an application imports, ``tallow.app`` the application under
observation, ``tallow.stack`` monitoring as code. Imports run one way: cli -> app, stack -> monitoring.
"""

__version__ = "0.1.0"
