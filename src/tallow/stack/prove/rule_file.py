"""Read rule files of Prometheus, and PrometheusRule objects, with the line of every rule."""

from __future__ import annotations

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
    """A rule file cannot be read. The text is one line with file, line and reason."""


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


def load_rules(paths: list[Path]) -> list[LoadedRule]:
    """The rules of files, and of the files with a suffix of :data:`SUFFIXES` below folders.

    In a folder, YAML files without ``groups`` are passed over.

    Raises:
        RuleFileError: a file cannot be read or is not a rule file, or there is no rule file.
    """
    rules = [rule for path in paths for rule in _rules_below(path)]
    if not rules:
        raise RuleFileError(f"no rules in {', '.join(map(str, paths))}")
    return rules


def _rules_below(path: Path) -> Iterator[LoadedRule]:
    if not path.is_dir():
        yield from parse_rules(_read(path), str(path))
        return
    for file in sorted(path.rglob("*")):
        if file.suffix in SUFFIXES and file.is_file():
            text = _read(file)
            if "groups" in text:
                yield from parse_rules(text, str(file), required=False)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RuleFileError(f"{path}: larger than {MAX_FILE_BYTES // 1_000_000} MB")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RuleFileError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise RuleFileError(f"{path}: not UTF-8 text") from None


def parse_rules(text: str, file: str, *, required: bool = True) -> list[LoadedRule]:
    """The rules of a text.

    Args:
        text: YAML; several documents are read, each with ``groups`` or with ``spec.groups``.
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
        groups = _groups(document)
        if groups is None and required:
            raise RuleFileError(f"{file}: no list of groups, as a rule file of Prometheus has")
        if groups is not None:
            rules += _RuleReader(file).rules(groups)
    return rules


def _documents(text: str, file: str) -> list[Node | None]:
    try:
        return list(yaml.compose_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = f"{error.problem or error.context}{_RENDER if _TEMPLATE.search(text) else ''}"
        raise RuleFileError(f"{file}:{line}: not YAML: {problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise RuleFileError(f"{file}: not YAML: {' '.join(str(error).split())}") from None


def _groups(document: Node | None) -> SequenceNode | None:
    """The list of groups, at the top or in ``spec``."""
    for path in (("groups",), ("spec", "groups")):
        node = document
        for key in path:
            node = _fields(node).get(key) if isinstance(node, MappingNode) else None
        if isinstance(node, SequenceNode):
            return node
    return None


def _fields(node: MappingNode) -> dict[str, Node]:
    return {str(key.value): value for key, value in node.value}


@dataclass(frozen=True, slots=True)
class _RuleReader:
    """Reads the nodes of one file."""

    file: str

    def rules(self, groups: SequenceNode) -> Iterator[LoadedRule]:
        for group in groups.value:
            fields = self._mapping(group, "a group")
            name = self._text(fields["name"], "name") if "name" in fields else ""
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
        return RuleFileError(f"{self.file}:{node.start_mark.line + 1}: {problem}")


_KINDS: Final[tuple[Kind, ...]] = ("alert", "record")
_RENDER: Final = "; files of templates (Helm, Jinja) have to be rendered first"
_TEMPLATE: Final = re.compile(r"\{\{-?\s*(?:if|range|end|include|template|with|\.Values)\b|\{%|\{\{-?\s*\.")


def _is_template(node: Node) -> bool:
    """Whether a node is what YAML makes of ``{{ … }}``: a mapping whose key is a mapping."""
    return isinstance(node, MappingNode) and any(isinstance(key, MappingNode) for key, _ in node.value)


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"
