"""``python -m tallow.stack.mailbox``: run the mailbox server."""

from __future__ import annotations

import sys

from tallow.stack.mailbox.server import main

if __name__ == "__main__":
    sys.exit(main())
