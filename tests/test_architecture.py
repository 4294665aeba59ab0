"""Arrows run one way: cli -> {app, stack} -> monitoring. No cycles."""

from __future__ import annotations

import ast
import graphlib
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
MODULES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path
    for path in SRC.rglob("*.py")
}


def resolve(name: str) -> str | None:
    """The module of ours that an imported dotted name leads to: ``tallow.a.b.thing`` -> ``tallow.a.b``."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or None


def imports(module: str, path: Path, *, top_level_only: bool = False) -> set[str]:
    """Modules of ours that a file imports, relative imports resolved."""
    tree = ast.parse(path.read_text())
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
                base = f"{parent}.{base}".rstrip(".")
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return {target for name in found if (target := resolve(name)) and name.startswith("tallow")} - {module}


def room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


@pytest.mark.parametrize("module", sorted(MODULES))
def test_arrows_run_one_way(module: str) -> None:
    here = room(module)
    if here is None:
        return
    for target in imports(module, MODULES[module]):
        there = room(target)
        assert there is None or there in ALLOWED[here], f"{module} imports {target}"


def test_no_cycles() -> None:
    graph = {module: imports(module, path, top_level_only=True) for module, path in MODULES.items()}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, naming the circle
