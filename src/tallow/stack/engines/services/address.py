"""The address of the Tallow server that a running stack has."""

from __future__ import annotations

from tallow.stack.engines.state.state_dir import StateDir


def server_url(home: StateDir) -> str | None:
    """The server's address, such as ``http://127.0.0.1:13000`` with ``--port-offset 10000``.

    Returns:
        None: no stack runs in ``home``.

    Raises:
        HomeError: the folder's ``stack.json`` cannot be read.
        OSError: the folder belongs to another user.
    """
    if not home.exists():
        return None
    # Imported here: `tallow send` asks on every start, and most machines that send have no stack.
    from tallow.stack.engines.services.definitions import HOST, ports
    from tallow.stack.engines.supervisor.state_files import supervisor_pid

    if supervisor_pid(home) is None:
        return None
    return f"http://{HOST}:{ports(home.options().port_offset)['tallow']}"
