"""How a command shows the events of its transfer."""

from tallow.app.peer.display.json_lines import JsonLines
from tallow.app.peer.display.terminal import Terminal

Display = JsonLines | Terminal
