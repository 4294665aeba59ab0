"""The user's settings: a private file with their values, and the number of changes to report."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tallow.app.peer import user_files

MAX_COUNTED_CHANGES: Final = 10


@dataclass(frozen=True, slots=True)
class Preference:
    """One setting: its accepted values, the default first, and its help text."""

    values: tuple[str, ...]
    help: str


PREFERENCES: Final[Mapping[str, Preference]] = {
    "relay_preference": Preference(
        ("auto", "relay", "direct"),
        "auto: directly if possible, else over a relay; relay: only over a relay, so that the other side "
        "does not learn this machine's address; direct: never over a relay",
    ),
    "telemetry": Preference(("on", "off"), "whether counts and timings of transfers are reported"),
    "notifications": Preference(("off", "on"), "whether the terminal's bell rings when a transfer ends"),
    "theme": Preference(("auto", "light", "dark", "plain"), "colours of the terminal; plain: none"),
    "keep_metadata": Preference(("off", "on"), "whether pictures are sent with their metadata"),
}


class UnknownPreferenceError(Exception):
    """A setting or value does not exist; the text names the accepted ones."""


@dataclass
class Preferences:
    """Settings that differ from their defaults. Made by :meth:`load`.

    Attributes:
        changes: changes by setting that are not reported yet.
    """

    values: dict[str, str] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Preferences:
        """Load the user's settings. Invalid values are ignored."""
        found = user_files.read_json(_file())
        chosen, changes = found.get("settings"), found.get("changes")
        loaded = cls()
        for name, preference in PREFERENCES.items():
            with suppress(AttributeError, TypeError):
                value: Any = chosen.get(name)  # type: ignore[union-attr]
                if value in preference.values:
                    loaded.values[name] = value
            with suppress(AttributeError, TypeError):
                times: Any = changes.get(name, 0)  # type: ignore[union-attr]
                if type(times) is int and times > 0:
                    loaded.changes[name] = min(times, MAX_COUNTED_CHANGES)
        return loaded

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, PREFERENCES[name].values[0])

    def is_on(self, name: str) -> bool:
        """Whether an on/off setting is on."""
        return self[name] == "on"

    def change(self, name: str, value: str | None) -> None:
        """Set a value (None: the default) and save.

        Raises:
            UnknownPreferenceError: there is no such setting or value.
            OSError: the file cannot be written.
        """
        preference = PREFERENCES.get(name)
        if preference is None:
            raise UnknownPreferenceError(f"unknown setting; accepted: {', '.join(PREFERENCES)}")
        value = preference.values[0] if value is None else value
        if value not in preference.values:
            raise UnknownPreferenceError(f"{name}: unknown value; accepted: {', '.join(preference.values)}")
        if value == self[name]:
            return
        self.values[name] = value
        self.changes[name] = min(self.changes.get(name, 0) + 1, MAX_COUNTED_CHANGES)
        self._save()

    def forget_changes(self, changes: Mapping[str, int]) -> None:
        """Subtract changes that were reported."""
        left = {name: times - changes.get(name, 0) for name, times in self.changes.items()}
        self.changes = {name: times for name, times in left.items() if times > 0}
        with suppress(OSError):
            self._save()

    def _save(self) -> None:
        user_files.write_json(_file(), {"settings": self.values, "changes": self.changes})


def _file() -> Path:
    return user_files.config_folder() / "settings.json"
