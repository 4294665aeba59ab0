"""Imports run one way and have no cycle, for modules and for folders; folders stay small.

Every import counts: at the top of a module, inside functions and under ``TYPE_CHECKING``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"
ALLOWED = {
    "monitoring": {"monitoring"},
    "app": {"app", "monitoring"},
    "stack": {"stack", "monitoring"},
    "cli": {"cli", "app", "stack", "monitoring"},
    "__main__": {"cli"},
}
"""The packages that each package may import."""

MAX_MODULES = 14
"""Modules side by side in a folder, without its ``__init__`` and its sub-packages."""
LARGER_FOLDERS = {
    "tallow.stack.commands": "one module for each subcommand, in the order of `tallow --help`",
}
"""Folders with more modules: the reason."""

MODULES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SRC.rglob("*.py"))
}
PACKAGES = sorted(module for module, path in MODULES.items() if path.name == "__init__.py")

Graph = Mapping[str, set[str]]


def imported_names(tree: ast.AST, package: str) -> Iterator[str]:
    """The dotted names that a module imports; ``package`` is where relative imports start."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def absolute(node: ast.ImportFrom, package: str) -> str:
    """The module of a ``from`` import as an absolute name."""
    if not node.level:
        return node.module or ""
    parent = package.split(".")
    parent = parent[: len(parent) - node.level + 1]
    return ".".join([*parent, *([node.module] if node.module else [])])


def resolve(name: str, modules: Mapping[str, object]) -> str | None:
    """The module that a dotted name belongs to: ``tallow.a.b.thing`` -> ``tallow.a.b``."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def imports(module: str, path: Path) -> set[str]:
    """The modules of this project that a module imports. ``from x import y`` imports the module ``x.y`` if
    there is one, otherwise ``x``."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names = imported_names(ast.parse(path.read_text(encoding="utf-8")), package)
    return {found for name in names if (found := resolve(name, MODULES))} - {module}


IMPORTS: Graph = {module: imports(module, path) for module, path in MODULES.items()}


def cycles(graph: Graph) -> list[list[str]]:
    """The groups of nodes that reach each other (Tarjan's strongly connected components of two or more)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in order:
                visit(target)
            if target in stack:
                lowest[node] = min(lowest[node], lowest[target])
        if lowest[node] == order[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def child_graph(package: str) -> Graph:
    """The imports between the children of a package: its modules and, each as one node, its sub-packages."""
    graph: dict[str, set[str]] = {}
    for module, targets in IMPORTS.items():
        source = child(package, module)
        if source is not None:
            others = {target for name in targets if (target := child(package, name)) is not None}
            graph.setdefault(source, set()).update(others - {source})
    return graph


def child(package: str, module: str) -> str | None:
    """The child of a package that a module is or belongs to; the package's own ``__init__`` is one, too."""
    if module == package:
        return "__init__"
    if not module.startswith(f"{package}."):
        return None
    return module.removeprefix(f"{package}.").partition(".")[0]


def top_package(module: str) -> str:
    """``app`` of ``tallow.app.server``; empty for ``tallow``."""
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_one_way(module: str) -> None:
    allowed = {"", *ALLOWED.get(top_package(module), ())}
    assert [target for target in sorted(IMPORTS[module]) if top_package(target) not in allowed] == []


def test_modules_have_no_import_cycle() -> None:
    assert cycles(IMPORTS) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_folders_have_no_import_cycle(package: str) -> None:
    assert cycles(child_graph(package)) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_folders_are_small(package: str) -> None:
    modules = [name for name in MODULES if name.rpartition(".")[0] == package and name not in PACKAGES]
    assert (len(modules) > MAX_MODULES) == (package in LARGER_FOLDERS), f"{len(modules)} modules"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import tallow.a.b", {"tallow.a.b"}),
        ("from tallow.a import b", {"tallow.a.b"}),
        ("from tallow.a import thing", {"tallow.a"}),
        ("from . import b", {"tallow.a.b"}),
        ("from .b import thing", {"tallow.a.b"}),
        ("from ..c import thing", {"tallow.c"}),
        ("def f():\n    from tallow.a import b", {"tallow.a.b"}),
        ("if TYPE_CHECKING:\n    import tallow.c", {"tallow.c"}),
        ("import tallowed", set()),
    ],
)
def test_each_form_of_an_import_is_counted(source: str, expected: set[str]) -> None:
    modules = {"tallow.a": None, "tallow.a.b": None, "tallow.c": None}
    names = imported_names(ast.parse(source), "tallow.a")
    assert {found for name in names if (found := resolve(name, modules))} == expected


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}, [["b", "c"]]),
        ({"a": {"b"}, "b": {"a"}, "c": {"a", "d"}, "d": {"c"}}, [["a", "b"], ["c", "d"]]),
    ],
)
def test_cycles_are_found(graph: Graph, expected: list[list[str]]) -> None:
    assert cycles(graph) == expected
