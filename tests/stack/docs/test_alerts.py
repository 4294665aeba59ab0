"""Runbooks: a page for each alert, with the same headings, and commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from tallow.cli import main
from tallow.stack.alerts import GROUPS, RULES
from tallow.stack.docs import alerts
from tallow.stack.lint import check_expression

ROOT = Path(__file__).parents[3]
PAGES = {path.stem: path.read_text("utf-8") for path in (ROOT / alerts.RUNBOOKS).glob("*.md")}
HEADINGS = [
    "What it means",
    "What users notice",
    "Confirm",
    "Fix",
    "Escalate",
    "Drill",
]
each_page = pytest.mark.parametrize("name", PAGES)


def commands(page: str) -> list[str]:
    """Every `tallow …` command of a page, in blocks and in running text."""
    blocks = [
        line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()
    ]
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    inline = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    return [text for text in (*blocks, *inline) if text.startswith("tallow ")]


def queries(page: str) -> list[str]:
    return [words[2] for words in map(shlex.split, commands(page)) if words[1] == "query"]


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert set(PAGES) == set(RULES)


@pytest.mark.parametrize("path", alerts.files(), ids=str)
def test_committed_page_is_current(path: Path) -> None:
    assert (ROOT / path).read_text("utf-8") == alerts.files()[path]  # type: ignore[index]


@each_page
def test_a_page_has_the_same_headings(name: str) -> None:
    assert re.findall(r"^## (.+)$", PAGES[name], re.MULTILINE) == HEADINGS
    assert PAGES[name].startswith(f"# {name}\n")


@each_page
def test_no_section_is_empty(name: str) -> None:
    for text in re.split(r"^## .+$", PAGES[name], flags=re.MULTILINE)[1:]:
        assert len(text.split()) >= 1
    assert len(PAGES[name].split()) > 150


@each_page
def test_queries_parse_and_use_known_names(name: str) -> None:
    assert queries(PAGES[name]), "no query to paste"
    for query in queries(PAGES[name]):
        found = check_expression(query, where=name)
        # Queries for people may read levels and unguarded ratios; only names are checked.
        wrong = [problem for problem in found if problem.rule.startswith(("catalog/", "promql/syntax"))]
        assert [str(problem) for problem in wrong if "use the metric name" not in problem.message] == []


@each_page
def test_metrics_in_running_text_exist(name: str) -> None:
    for metric in set(re.findall(r"`(tallow_\w+)`", PAGES[name])) - set(GROUPS):
        assert check_expression(f"count({metric})", where=name) == []


@each_page
def test_commands_exist_with_their_options(name: str) -> None:
    found = commands(PAGES[name])
    assert found
    for text in found:
        words = shlex.split(text)[1:]
        context = click.Context(main, info_name="tallow")
        command = main.get_command(context, words[0])
        assert command is not None, text
        while isinstance(command, click.Group) and len(words) > 1 and command.get_command(context, words[1]):
            command = command.get_command(context, words[1])
            words = words[1:]
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        named = {word for word in words[1:] if word.startswith("-") and not word.lstrip("-")[:1].isdigit()}
        assert named <= known, text


@each_page
def test_page_has_the_command_of_its_drill(name: str) -> None:
    assert f"```sh\ntallow drill {name}\n```\n\nThe injected fault: " in PAGES[name]


@each_page
def test_alerts_named_on_a_page_exist(name: str) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", PAGES[name], flags=re.DOTALL)
    shaped = re.findall(
        r"\b(?:Service|High|Low|Slow|No|Critical|Transfer|Connection|Disk|Restart|Target|Label|"
        r"Telemetry|Client|Rule|Scrape)[A-Z]\w+\b",
        prose,
    )
    assert set(shaped) <= set(RULES)
