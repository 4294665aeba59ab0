"""The speed and the remaining time of a transfer beside its progress bar."""

from __future__ import annotations

from typing import Final

from rich.progress import ProgressColumn, Task
from rich.text import Text

STALLED_S: Final = 5.0
"""Without progress for so long, a transfer has neither speed nor remaining time."""


class FiguresColumn(ProgressColumn):
    """The field ``figures`` of a task, or that nothing has come since the time in its field ``at``.

    Progress is reported with data only. The figures of the last report would stand still while a transfer
    stalls.
    """

    def render(self, task: Task) -> Text:
        idle = task.get_time() - task.fields["at"]
        if idle < STALLED_S or task.finished:
            return Text(task.fields["figures"])
        return Text(f"no data for {idle:.0f} s")
