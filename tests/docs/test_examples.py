"""Every public name of the library is documented with an example, and every example runs."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import tallow.monitoring
from tallow.monitoring.metrics import Counter, Metrics, Registered
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import current_settings

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(tallow.monitoring.__path__, "tallow.monitoring.")
)
PACKAGES = [
    name
    for name in ("tallow.monitoring", *MODULES)
    if hasattr(importlib.import_module(name), "__path__")
    and hasattr(importlib.import_module(name), "__all__")
]
OPTIONS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL


def public_names() -> list[tuple[str, str]]:
    return [(package, name) for package in PACKAGES for name in importlib.import_module(package).__all__]


def documentation(module: ModuleType, name: str) -> str:
    """The docstring of a class or function, or the string that follows the assignment of any other name."""
    value = getattr(module, name)
    if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
        return inspect.getdoc(value) or ""
    texts = (_text_after(node, following, name) for node, following in _statements(module))
    return next(filter(None, texts), "")


def _text_after(node: ast.stmt, following: ast.stmt | None, name: str) -> str:
    if isinstance(node, ast.ImportFrom) and name in {alias.asname or alias.name for alias in node.names}:
        return documentation(importlib.import_module(node.module or ""), name)
    if name not in _assigned(node) or not isinstance(following, ast.Expr):
        return ""
    return inspect.cleandoc(ast.literal_eval(following.value))


def _statements(module: ModuleType) -> Iterator[tuple[ast.stmt, ast.stmt | None]]:
    body = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body
    return zip(body, [*body[1:], None], strict=True)


def _assigned(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def parameters(value: Any) -> list[str]:
    """The parameters a caller passes: those of ``__init__`` for a class that defines one."""
    if inspect.isclass(value):
        value = vars(value).get("__init__")
    if not inspect.isroutine(value):
        return []
    return [name for name in inspect.signature(value).parameters if name != "self"]


def run(test: doctest.DocTest) -> str:
    report: list[str] = []
    doctest.DocTestRunner(optionflags=OPTIONS, verbose=False).run(test, out=report.append)
    return "".join(report)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Names that examples may use without an import; an empty current folder and default settings."""
    monkeypatch.chdir(tmp_path)
    current_settings.cache_clear()
    own = Registry()
    yield {"metrics": Metrics(Registry()), "registry": own, "Counter": Counter, "Registered": Registered}
    current_settings.cache_clear()


@pytest.mark.parametrize(("package", "name"), public_names())
def test_a_public_name_has_an_example(package: str, name: str) -> None:
    assert ">>> " in documentation(importlib.import_module(package), name)


@pytest.mark.parametrize(("package", "name"), public_names())
def test_a_public_name_documents_its_parameters(package: str, name: str) -> None:
    module = importlib.import_module(package)
    text = documentation(module, name)
    assert [each for each in parameters(getattr(module, name)) if each not in text] == []


@pytest.mark.parametrize(("package", "name"), public_names())
def test_the_example_of_a_public_name_runs(package: str, name: str, names: dict[str, Any]) -> None:
    module = importlib.import_module(package)
    known = {**vars(module), **names}
    test = doctest.DocTestParser().get_doctest(documentation(module, name), known, name, package, 0)
    assert run(test) == ""


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str, names: dict[str, Any]) -> None:
    module = importlib.import_module(name)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, globs={**vars(module), **names}):
        test.globs["metrics"] = Metrics(Registry())
        assert run(test) == ""


def test_a_wrong_example_fails() -> None:
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3", {}, "wrong", None, 0)
    assert "Got:\n    2" in run(test)


def test_the_text_after_an_assignment_documents_it() -> None:
    assert documentation(tallow.monitoring.metrics, "REGISTRY").startswith("The process's own registry")
