"""Configuration files and rules: whether they are those of this version, and in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tallow.stack.alerts import RULES
from tallow.stack.doctor.model import Check, Problem, listed
from tallow.stack.doctor.native.installation import Installation, with_api
from tallow.stack.engines import configuration
from tallow.stack.engines.reload.acceptance import reload_state
from tallow.stack.engines.services.api import Api


def _configuration(installation: Installation) -> Iterator[Problem]:
    home = installation.home
    for path in configuration.stale(dict(installation.wanted_configuration())):
        state = "is not what this version of Tallow writes" if path.exists() else "is missing"
        yield Problem(
            f"{path.relative_to(home.root)} {state}",
            f"{installation.command('reload')} (it overwrites changes by hand)",
        )


@with_api("prometheus")
def _configuration_loaded(installation: Installation, _: Api) -> Iterator[Problem]:
    for service in ("prometheus", "alertmanager"):
        state = reload_state(service, installation.home)
        if state is not None and not state.successful:
            yield Problem(
                f"{service} has refused its configuration and uses the one before",
                installation.command("reload"),
            )


@with_api("prometheus")
def _rules_loaded(installation: Installation, api: Api) -> Iterator[Problem]:
    with api.reading():
        loaded = [rule for group in api.get("/api/v1/rules")["data"]["groups"] for rule in group["rules"]]
        found = {rule["name"]: rule for rule in loaded if rule["type"] == "alerting"}
        failing = [rule for rule in found.values() if rule["health"] == "err"]
    if missing := sorted(set(RULES) - set(found)):
        yield Problem(
            f"Prometheus does not evaluate rules: {listed(missing)}",
            installation.command("reload"),
        )
    for rule in failing:
        yield _failing(rule, installation)


def _failing(rule: dict[str, Any], installation: Installation) -> Problem:
    return Problem(
        f"the rule {rule['name']} cannot be evaluated: {rule.get('lastError', '')}",
        f"see docs/runbooks/RuleEvaluationFailing.md, and: {installation.command('logs', 'prometheus')}",
    )


CHECKS: Final = (
    Check("configuration", "Rules, routing and scrape jobs are those of this version", _configuration),
    Check(
        "configuration-loaded", "Prometheus and Alertmanager use their configuration", _configuration_loaded
    ),
    Check("rules-loaded", "Prometheus evaluates every rule", _rules_loaded),
)
