"""docs/settings.md and the help of the commands list every environment variable that the source reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallow.app.server.settings import ServerSettings
from tallow.cli import COMMANDS, main, variables
from tallow.cli.variables import PATH, read_by, sections
from tallow.monitoring.integrations.proxy import SCHEMES
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.settings.base import Settings
from tallow.monitoring.variables import Variable, names
from tallow.stack.engines.stack_settings import TokenSettings
from tallow.stack.remote_storage import RemoteStorageSettings
from tallow.stack.routing import AlertSettings

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "tallow"
CLASSES = (MonitoringSettings, ServerSettings, AlertSettings, RemoteStorageSettings, TokenSettings)
LISTED = set(names(sections()))
COMPUTED = {
    "monitoring/integrations/proxy.py": "a variable for each scheme, compared below",
}
"""Modules that look up variables by computed names."""


ENVIRON = {"os.environ", "environ"}
READERS = {f"{owner}.{method}" for owner in ENVIRON for method in ("get", "pop", "setdefault")} | {
    "os.getenv",
    "getenv",
}
"""Functions whose first argument is the name of a variable."""


def read_names(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that name the variables read in a module."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=owner) if ast.unparse(owner) in ENVIRON:
                yield node.slice
            case ast.Compare(comparators=others) if any(ast.unparse(one) in ENVIRON for one in others):
                yield node.left
            case ast.Call(func=function, args=[first, *_]) if ast.unparse(function) in READERS:
                yield first
            case ast.keyword(arg="envvar", value=name):
                yield name


def values_of(expression: ast.expr, tree: ast.Module) -> list[str]:
    """The possible values of an expression: a literal, a module constant, or the callers' arguments."""
    candidates = [expression]
    if isinstance(expression, ast.Name):
        candidates = [*constants(expression.id, tree), *arguments(expression.id, tree)]
    return [
        node.value for node in candidates if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def constants(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    """The expressions assigned to a name of the module."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                yield value


def arguments(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    """The arguments passed to functions of the module for a parameter of that name."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        parameters = [argument.arg for argument in function.args.args]
        if name in parameters:
            for call in ast.walk(tree):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == function.name:
                    yield call.args[parameters.index(name)]


def variables_in(text: str) -> tuple[set[str], list[str]]:
    """The variables that a module reads, and the reads of unknown variables."""
    tree = ast.parse(text)
    found: set[str] = set()
    unclear = []
    for expression in read_names(tree):
        values = values_of(expression, tree)
        found.update(values)
        if not values:
            unclear.append(f"line {expression.lineno}: {ast.unparse(expression)}")
    return found, unclear


MODULES = sorted(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_every_variable_that_a_module_reads_is_listed(module: str) -> None:
    found, unclear = variables_in((SOURCE / module).read_text(encoding="utf-8"))
    assert found <= LISTED, f"list it in a variables.py: {sorted(found - LISTED)}"
    assert (unclear != []) == (module in COMPUTED), f"name the variable by a text or a constant: {unclear}"


def test_every_proxy_setting_is_listed() -> None:
    assert {f"{scheme.upper()}_PROXY" for scheme in (*SCHEMES, "no")} <= LISTED


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os\nos.environ.get('A_B')", {"A_B"}),
        ("import os\nos.environ['A_B']", {"A_B"}),
        ("import os\n'A_B' in os.environ", {"A_B"}),
        ("import os\nos.getenv('A_B', '')", {"A_B"}),
        ("from os import environ\nenviron.get('A_B')", {"A_B"}),
        ("import os\nNAME = 'A_B'\nos.environ.get(NAME)", {"A_B"}),
        ("import os\ndef f(name):\n  return os.environ.get(name)\nf('A_B')\nf('C_D')", {"A_B", "C_D"}),
        ("import click\n@click.option('--x', envvar='A_B')\ndef f(x): ...", {"A_B"}),
    ],
)
def test_each_form_of_a_read_is_found(code: str, expected: set[str]) -> None:
    assert variables_in(code) == (expected, [])


def test_a_read_of_an_unknown_variable_is_reported() -> None:
    assert variables_in("import os\nos.environ.get(x + y)") == (set(), ["line 2: x + y"])


@pytest.mark.parametrize("settings", CLASSES, ids=lambda settings: settings.__name__)
def test_every_setting_is_listed(settings: type[Settings]) -> None:
    assert set(settings.variables()) <= LISTED


def subclasses(settings: type[Settings]) -> Iterator[type[Settings]]:
    for found in settings.__subclasses__():
        yield found
        yield from subclasses(found)


def test_every_class_of_settings_is_checked() -> None:
    ours = {found for found in subclasses(Settings) if found.__module__.startswith("tallow.")}
    assert ours == set(CLASSES)


def test_every_variable_of_the_scripts_is_listed() -> None:
    scripts = [*(ROOT / "scripts").iterdir(), *(ROOT / "monitoring").glob("*.sh")]
    read = {
        name
        for script in scripts
        if script.is_file()
        for name in re.findall(r"\$\{?(TALLOW_[A-Z_]+)", script.read_text(encoding="utf-8"))
    }
    assert read
    assert read <= LISTED


def test_the_committed_page_is_current() -> None:
    assert (ROOT / PATH).read_text(encoding="utf-8") == variables.files()[PATH]


def rows() -> list[Variable]:
    return [variable for section in sections() for variable in section.variables]


@pytest.mark.parametrize("variable", rows(), ids=lambda variable: variable.name)
def test_every_row_is_complete(variable: Variable) -> None:
    assert all((variable.name, variable.default, variable.accepted, variable.purpose))
    assert len(variable.row.split("|")) == 6, "a | in a cell would break the table"
    assert f"`{variable.name}`" in (ROOT / PATH).read_text(encoding="utf-8")


def test_only_known_commands_read_variables() -> None:
    assert {command for section in sections() for command in section.commands} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_names_the_variables_it_reads(command: str) -> None:
    for _ in range(2):
        help_text = CliRunner().invoke(main, [command, "--help"]).output
        shown = help_text.partition("Variables (docs/settings.md):")[2].replace(",", " ").split()
        assert shown == list(read_by(command))


def test_the_help_of_a_subcommand_names_the_variables() -> None:
    assert "TALLOW_HOME" in CliRunner().invoke(main, ["alerts", "test", "--help"]).output
