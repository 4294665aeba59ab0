"""The public functions and classes of the definitions have examples, and the examples run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

PACKAGES = ("alerts", "dashboards", "routing", "lint")
MODULES = [
    *("tallow.stack.durations", "tallow.stack.panel_ids", "tallow.stack.clients.matchers"),
    *(f"tallow.stack.{package}" for package in PACKAGES),
    *(
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages(
            importlib.import_module(f"tallow.stack.{package}").__path__, f"tallow.stack.{package}."
        )
    ),
]


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_function_and_class_has_an_example(package: str) -> None:
    module = importlib.import_module(f"tallow.stack.{package}")
    public = {name: getattr(module, name) for name in module.__all__}
    assert [
        name
        for name, value in public.items()
        if (inspect.isclass(value) or inspect.isroutine(value)) and ">>>" not in (inspect.getdoc(value) or "")
    ] == []
