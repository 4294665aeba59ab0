"""Read rule files of Prometheus, and PrometheusRule objects, with the line of every rule."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tallow.stack.prove.duration import DurationError, parse_duration

MAX_FILE_BYTES: Final = 20_000_000
SUFFIXES: Final = (".yml", ".yaml", ".rules")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Kind = Literal["alert", "record"]


class RuleFileError(Exception):
    """A rule file cannot be read. The text is one line with file, line and reason.

    Attributes:
        file: empty if no file has rules.
        line: from 1; None if the problem is that of the whole file.
    """

    def __init__(self, file: str, problem: str, line: int | None = None) -> None:
        place = [str(part) for part in (file, line) if part]
        super().__init__(": ".join([":".join(place), problem] if place else [problem]))
        self.file, self.problem, self.line = file, problem, line


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """One rule of a file.

    Attributes:
        file: as it was named on the command line, or below a folder that was.
        line: of the rule, from 1.
        name: of the alert, or of the recorded series.
        for_seconds: None if the rule has no ``for``.
        keep_firing_seconds: None if it has no ``keep_firing_for``.
        group_interval_seconds: between two evaluations; None if the group does not set it.
    """

    file: str
    line: int
    group: str
    kind: Kind
    name: str
    expr: str
    for_seconds: float | None = None
    keep_firing_seconds: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    group_interval_seconds: float | None = None

    @property
    def keep_firing_for(self) -> bool:
        """Whether the alert goes on for a time after its condition has ended."""
        return self.keep_firing_seconds is not None

    @property
    def where(self) -> str:
        """File, line and name, for messages."""
        return f"{self.file}:{self.line}: {self.name}"


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """What was read of some files.

    Attributes:
        problems: one for each file that cannot be read; the rules are those of the others.
    """

    rules: list[LoadedRule]
    problems: list[RuleFileError]


def read_rules(paths: list[Path]) -> RuleFiles:
    """The rules of files, and of the files with a suffix of :data:`SUFFIXES` below folders.

    In a folder, YAML files without ``groups`` are passed over. A file that can be reached in several ways, as
    those of a mounted ConfigMap, is read once.

    Raises:
        RuleFileError: there is no rule file.
    """
    found = RuleFiles([], [])
    seen: set[str] = set()
    for path in paths:
        if path.is_dir():
            for file in sorted(_files_below(path, found.problems), key=_links_last):
                if (real := os.path.realpath(file)) not in seen:
                    seen.add(real)
                    _add(file, found, in_folder=True)
        else:
            _add(path, found, in_folder=False)
    if not found.rules and not found.problems:
        raise RuleFileError("", f"no rules in {', '.join(map(str, paths))}")
    return found


def load_rules(paths: list[Path]) -> list[LoadedRule]:
    """The rules of files and folders, as of :func:`read_rules`.

    Raises:
        RuleFileError: a file cannot be read or is not a rule file, or there is no rule file.
    """
    found = read_rules(paths)
    if found.problems:
        raise found.problems[0]
    return found.rules


def _files_below(folder: Path, problems: list[RuleFileError]) -> Iterator[Path]:
    """The files that may have rules. Links to folders are followed, each once, and none that leads up."""

    def unreadable(error: OSError) -> None:
        problems.append(RuleFileError(str(error.filename), error.strerror or str(error)))

    top = folder.resolve()
    seen = {top, *top.parents}
    for name, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        inside = {one: Path(name, one).resolve() for one in sorted(folders)}
        folders[:] = [one for one, real in inside.items() if real not in seen]
        seen.update(inside.values())
        for file in (Path(name, each) for each in files):
            # Editors mark open files by hidden links that lead nowhere.
            if file.suffix in SUFFIXES and not (file.name.startswith(".") and file.is_symlink()):
                yield file


def _links_last(path: Path) -> tuple[bool, Path]:
    """A key that sorts what can be reached through hidden folders only last."""
    return any(part.startswith("..") and part != ".." for part in path.parts), path


def _add(file: Path, found: RuleFiles, *, in_folder: bool) -> None:
    try:
        text = _read(file)
        if not in_folder or "groups" in text:
            found.rules.extend(parse_rules(text, str(file), required=not in_folder))
    except RuleFileError as error:
        found.problems.append(error)


def _read(path: Path) -> str:
    """The text without a byte order mark, which editors of Windows write."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RuleFileError(str(path), f"larger than {MAX_FILE_BYTES // 1_000_000} MB")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RuleFileError(str(path), error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise RuleFileError(str(path), "not UTF-8 text") from None


def parse_rules(text: str, file: str, *, required: bool = True) -> list[LoadedRule]:
    """The rules of a text.

    Args:
        text: YAML; several documents are read, each with ``groups`` or ``spec.groups``, or a list of such.
        file: for messages.
        required: whether a document without groups is an error.

    Raises:
        RuleFileError: it is not YAML, or not of rules.

    Example:
        >>> text = "groups: [{name: web, rules: [{alert: Down, expr: up == 0}]}]"
        >>> [(rule.name, rule.group, rule.line) for rule in parse_rules(text, "rules.yml")]
        [('Down', 'web', 1)]
    """
    rules: list[LoadedRule] = []
    for document in _documents(text, file) or [None]:
        lists = list(_groups(document))
        if not lists and (required or _is_config_map_of_rules(document)):
            raise RuleFileError(file, _NO_GROUPS if required else _CONFIG_MAP)
        for groups in lists:
            rules += _RuleReader(file).rules(groups)
    return rules


_NO_GROUPS: Final = "no list of groups, as a rule file of Prometheus has"
_CONFIG_MAP: Final = "rules inside a ConfigMap are not read; check the files that it is made of"


def is_plain(text: str) -> bool:
    """Whether a readable text is one document with ``groups`` at the top, as Prometheus reads it."""
    documents = _documents(text, "")
    return len(documents) == 1 and isinstance(_at(documents[0], ("groups",)), SequenceNode)


def _documents(text: str, file: str) -> list[Node | None]:
    try:
        return list(yaml.compose_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = f"{error.problem or error.context}{_RENDER if _TEMPLATE.search(text) else ''}"
        raise RuleFileError(file, f"not YAML: {problem}", line) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise RuleFileError(file, f"not YAML: {' '.join(str(error).split())}") from None


def _groups(document: Node | None) -> Iterator[SequenceNode]:
    """The lists of groups: at the top, in ``spec`` of a PrometheusRule, or in those of a list of objects."""
    for path in (("groups",), ("spec", "groups")):
        node = _at(document, path)
        if isinstance(node, SequenceNode):
            yield node
            return
    items = _at(document, ("items",))
    for item in items.value if isinstance(items, SequenceNode) else ():
        yield from _groups(item)


def _at(node: Node | None, path: tuple[str, ...]) -> Node | None:
    for key in path:
        node = _fields(node).get(key) if isinstance(node, MappingNode) else None
    return node


def _is_config_map_of_rules(document: Node | None) -> bool:
    kind, data = _at(document, ("kind",)), _at(document, ("data",))
    texts = data.value if isinstance(data, MappingNode) else ()
    return (
        isinstance(kind, ScalarNode)
        and kind.value == "ConfigMap"
        and any(isinstance(text, ScalarNode) and _GROUPS.search(text.value) for _, text in texts)
    )


def _fields(node: MappingNode) -> dict[str, Node]:
    return {str(key.value): value for key, value in node.value}


@dataclass(frozen=True, slots=True)
class _RuleReader:
    """Reads the nodes of one file."""

    file: str

    def rules(self, groups: SequenceNode) -> Iterator[LoadedRule]:
        names: set[str] = set()
        for group in groups.value:
            fields = self._mapping(group, "a group")
            name = self._text(fields["name"], "name") if "name" in fields else ""
            if name and name in names:
                raise self._error(group, f"a second group '{name}', which Prometheus does not accept")
            names.add(name)
            interval = self._duration(fields.get("interval"), "interval")
            rules = fields.get("rules")
            if rules is None or _is_null(rules):
                continue
            if not isinstance(rules, SequenceNode):
                raise self._error(rules, f"the rules of group '{name}' are not a list")
            for rule in rules.value:
                read = self._rule(self._mapping(rule, "a rule"), rule, name)
                yield replace(read, group_interval_seconds=interval)

    def _rule(self, fields: Mapping[str, Node], node: Node, group: str) -> LoadedRule:
        kinds: list[Kind] = [kind for kind in _KINDS if kind in fields]
        if len(kinds) != 1:
            raise self._error(node, "a rule needs either 'alert' or 'record'")
        if "expr" not in fields:
            raise self._error(node, "a rule needs 'expr'")
        return LoadedRule(
            self.file,
            node.start_mark.line + 1,
            group,
            kinds[0],
            self._name(fields[kinds[0]], kinds[0]),
            self._text(fields["expr"], "expr"),
            self._duration(fields.get("for"), "for"),
            self._duration(fields.get("keep_firing_for"), "keep_firing_for"),
            self._texts(fields.get("labels"), "labels"),
            self._texts(fields.get("annotations"), "annotations"),
        )

    def _name(self, node: Node, kind: str) -> str:
        name = self._text(node, kind)
        if not name.strip() or _is_null(node):
            raise self._error(node, f"'{kind}' has no name")
        return name

    def _duration(self, node: Node | None, name: str) -> float | None:
        if node is None or _is_null(node):
            return None
        try:
            return parse_duration(self._text(node, name))
        except DurationError as error:
            raise self._error(node, f"'{name}': {error}") from None

    def _texts(self, node: Node | None, name: str) -> dict[str, str]:
        if node is None or _is_null(node):
            return {}
        return {key: self._text(value, key) for key, value in self._mapping(node, name).items()}

    def _mapping(self, node: Node, name: str) -> dict[str, Node]:
        if not isinstance(node, MappingNode):
            raise self._error(node, f"{name} is not a mapping")
        return _fields(node)

    def _text(self, node: Node, name: str) -> str:
        if not isinstance(node, ScalarNode):
            hint = _RENDER if _is_template(node) else ""
            raise self._error(node, f"'{name}' is not a text{hint}")
        return str(node.value)

    def _error(self, node: Node, problem: str) -> RuleFileError:
        return RuleFileError(self.file, problem, node.start_mark.line + 1)


_KINDS: Final[tuple[Kind, ...]] = ("alert", "record")
_RENDER: Final = "; files of templates (Helm, Jinja) have to be rendered first"
_GROUPS: Final = re.compile(r"^groups\s*:", re.MULTILINE)
_TEMPLATE: Final = re.compile(r"\{\{-?\s*(?:if|range|end|include|template|with|\.Values)\b|\{%|\{\{-?\s*\.")


def _is_template(node: Node) -> bool:
    """Whether a node is what YAML makes of ``{{ … }}``: a mapping whose key is a mapping."""
    return isinstance(node, MappingNode) and any(isinstance(key, MappingNode) for key, _ in node.value)


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"
