"""YAML as plain values whose mappings know their line."""

from __future__ import annotations

from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TRUE: Final = frozenset({"true", "yes", "on"})


class NotYamlError(Exception):
    """A text is not YAML. The message is one line, without the name of the file."""


class Mapping(dict[str, Any]):
    """A mapping of a document.

    Attributes:
        line: of its first key, from 1.
    """

    line: int = 1


def load(text: str) -> Any:
    """The first document: mappings, lists, texts, booleans, None. Numbers stay texts.

    Raises:
        NotYamlError: it is not YAML.

    Example:
        >>> found = load("a: 1\\nb: [{c: true}]")
        >>> found, found["b"][0].line
        ({'a': '1', 'b': [{'c': True}]}, 2)
    """
    try:
        node = next(iter(yaml.compose_all(text, Loader=_Loader)), None)
        return None if node is None else _value(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise NotYamlError(f"{line}: not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise NotYamlError(f"1: not YAML: {' '.join(str(error).split())}") from None


def _value(node: Node) -> Any:
    if isinstance(node, MappingNode):
        found = Mapping({str(key.value): _value(value) for key, value in node.value})
        found.line = node.start_mark.line + 1
        return found
    if isinstance(node, SequenceNode):
        return [_value(child) for child in node.value]
    assert isinstance(node, ScalarNode)
    if node.tag == "tag:yaml.org,2002:null":
        return None
    if node.tag == "tag:yaml.org,2002:bool":
        return node.value.lower() in _TRUE
    return str(node.value)
