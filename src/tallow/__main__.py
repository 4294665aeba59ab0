"""``python -m tallow``: the same as ``tallow``."""

from __future__ import annotations

from tallow.cli import main

if __name__ == "__main__":
    main(prog_name="tallow")
