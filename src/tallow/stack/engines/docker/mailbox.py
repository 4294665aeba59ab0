"""Read the messages that Mailpit stored, as those of the native engine's mailbox are read."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tallow.stack import credentials
from tallow.stack.engines.docker.configuration import PORT_VARIABLES
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.definitions import HOST
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.mailbox.reader import Mail, parse_message
from tallow.stack.prometheus import USER

LIMIT: Final = 1000
"""Of the newest messages; older ones are not read."""


class MailpitReader:
    """Reads messages of the stack in ``home``; each message's content is fetched once.

    Raises:
        OSError: the password cannot be read.
    """

    def __init__(self, home: StateDir) -> None:
        port = PORT_VARIABLES["mailbox"][1] + home.options().port_offset
        self._api = Api("mailbox", f"http://{HOST}:{port}", (USER, credentials.password(home.secrets)))
        self._content: dict[str, bytes] = {}

    def messages(self) -> list[Mail]:
        """The messages, oldest first.

        Raises:
            StackError: Mailpit does not answer, or something else answers on its port.
        """
        with self._api.reading():
            listed = self._api.get("/api/v1/messages", limit=str(LIMIT))["messages"]
            entries = [(str(one["ID"]), datetime.fromisoformat(one["Created"])) for one in reversed(listed)]
        return [
            parse_message(number, key, at, content)
            for number, (key, at) in enumerate(entries, start=1)
            if (content := self._fetch(key)) is not None
        ]

    def _fetch(self, key: str) -> bytes | None:
        """A message as it was received; None if it was deleted meanwhile."""
        if key not in self._content:
            try:
                self._content[key] = self._api.text(f"/api/v1/message/{key}/raw").encode()
            except StackError:
                return None
        return self._content[key]
