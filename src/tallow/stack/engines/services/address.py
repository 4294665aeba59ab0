"""The address of the Tallow server of a running stack."""

from __future__ import annotations

from tallow.stack.engines.state.state_dir import StateDir


def server_url(home: StateDir) -> str | None:
    """The address of the server, such as ``http://127.0.0.1:13000`` with ``--port-offset 10000``.

    Returns:
        The address; None if no stack runs in ``home``.

    Raises:
        StateDirError: the folder's ``stack.json`` cannot be read.
        OSError: the folder cannot be read, such as another user's.
    """
    if not home.exists():
        return None
    if home.options().engine == "docker":
        from tallow.stack.engines.services.definitions import HOST, ports
        from tallow.stack.engines.services.ports import is_taken

        port = ports(home.options().port_offset)["tallow"]
        return f"http://{HOST}:{port}" if is_taken(port) else None
    # Imported here to save time: `tallow send` calls this at every start, mostly without a stack.
    from tallow.stack.engines.services.definitions import HOST, ports
    from tallow.stack.engines.supervisor.state_files import supervisor_pid

    if supervisor_pid(home) is None:
        return None
    return f"http://{HOST}:{ports(home.options().port_offset)['tallow']}"
