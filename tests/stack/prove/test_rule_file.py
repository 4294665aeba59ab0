"""Rule files: what is read of them, and one clear line for what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallow.stack.alerts import RULES, files
from tallow.stack.prove.duration import DurationError, duration_text, parse_duration
from tallow.stack.prove.rule_file import RuleFileError, load_rules, parse_rules, read_rules

RULE_FILE = """\
# a comment
groups:
  - name: web
    interval: 30s
    rules:
      - alert: Down
        expr: up == 0
        for: 1h30m
        keep_firing_for: 5m
        labels: {severity: critical, level: 1}
        annotations:
          summary: |
            {{ $labels.job }} is down
      - record: job:up:sum
        expr: |
          sum by (job) (up)
  - name: empty
    rules:
"""


def test_a_rule_has_its_line_group_and_fields() -> None:
    down, recorded = parse_rules(RULE_FILE, "rules.yml")
    assert (down.line, down.group, down.kind, down.name, down.expr) == (6, "web", "alert", "Down", "up == 0")
    assert (down.for_seconds, down.keep_firing_for) == (5400, True)
    assert down.labels == {"severity": "critical", "level": "1"}
    assert down.annotations == {"summary": "{{ $labels.job }} is down\n"}
    assert (recorded.line, recorded.kind, recorded.for_seconds) == (14, "record", None)
    assert down.where == "rules.yml:6: Down"


def test_a_prometheus_rule_object_and_several_documents() -> None:
    text = "kind: PrometheusRule\nspec:\n  groups:\n  - {name: a, rules: [{alert: A, expr: up}]}\n"
    assert [rule.line for rule in parse_rules(f"{text}---\n{text}", "a.yml")] == [4, 9]


def test_anchors_and_tags_of_yaml_are_read() -> None:
    text = "groups: [{name: a, rules: [&one {alert: A, expr: up, labels: {n: !!str 5}}, *one]}]"
    assert [rule.labels for rule in parse_rules(text, "a.yml")] == [{"n": "5"}, {"n": "5"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rules.yml: no list of groups"),
        ("groups: {}", "rules.yml: no list of groups"),
        ("a: b: c", "rules.yml:1: not YAML: mapping values are not allowed"),
        ("groups:\n- name: a\n  rules:\n  - alert: A\n", "rules.yml:4: a rule needs 'expr'"),
        ("groups:\n- rules:\n  - expr: up\n", "rules.yml:3: a rule needs either 'alert' or 'record'"),
        ("groups:\n- rules:\n  - {alert: A, record: b, expr: up}\n", "rules.yml:3: a rule needs either"),
        (
            "groups:\n- rules: [{alert: A, expr: up, for: soon}]\n",
            "rules.yml:2: 'for': 'soon' is not a duration",
        ),
        ("groups:\n- rules: [{alert: A, expr: [up]}]\n", "rules.yml:2: 'expr' is not a text"),
        ("groups:\n- rules: [up]\n", "rules.yml:2: a rule is not a mapping"),
        ("groups:\n- up\n", "rules.yml:2: a group is not a mapping"),
        ("groups:\n- rules: up\n", "rules.yml:2: the rules of group '' are not a list"),
        ("groups: [{rules: [{alert: A, expr: up, labels: [a]}]}]", "rules.yml:1: labels is not a mapping"),
        ("groups:\n- rules:\n  - {alert: , expr: up}\n", "rules.yml:3: 'alert' has no name"),
        (
            "groups:\n- rules:\n  - alert: {{ .Values.name }}\n    expr: up\n",
            "rules.yml:3: 'alert' is not a text; files of templates (Helm, Jinja) have to be rendered first",
        ),
        (
            "groups:\n{{- if .Values.on }}\n- rules: []\n{{- end }}\n",
            "rules.yml:3: not YAML: could not find expected ':'; files of templates",
        ),
        (
            "groups: [{name: a, rules: []},\n{name: a, rules: []}]",
            "rules.yml:2: a second group 'a', which Prometheus does not accept",
        ),
        ("\x00", "rules.yml: not YAML"),
        ("[" * 5000, "rules.yml"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(text: str, message: str) -> None:
    with pytest.raises(RuleFileError) as error:
        parse_rules(text, "rules.yml")
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_folders_are_searched_and_other_yaml_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "rules.yaml").write_text(RULE_FILE)
    (tmp_path / "values.yml").write_text("replicas: 3\n# groups\n")
    (tmp_path / "notes.txt").write_text("groups")
    assert [rule.name for rule in load_rules([tmp_path])] == ["Down", "job:up:sum"]


def test_a_file_that_is_no_text_or_has_no_rules(tmp_path: Path) -> None:
    (tmp_path / "binary.yml").write_bytes(b"groups\xff")
    with pytest.raises(RuleFileError, match=r"binary\.yml: not UTF-8 text"):
        load_rules([tmp_path / "binary.yml"])
    (tmp_path / "empty.yml").write_text("groups: []")
    with pytest.raises(RuleFileError, match=r"no rules in .*empty\.yml"):
        load_rules([tmp_path / "empty.yml"])


def test_the_other_files_of_a_folder_are_read_beside_one_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(b"groups\xff")
    (tmp_path / "b.yml").write_text("groups:\n- name: a\n  rules:\n  - alert: A\n   expr: up\n")
    (tmp_path / "c.yml").write_text(RULE_FILE)
    (tmp_path / "d.yml").symlink_to("d.yml")
    (tmp_path / "e.yml").symlink_to("nowhere")
    (tmp_path / "map.yml").write_text("kind: ConfigMap\ndata:\n  x.yml: |\n    groups: []\n")
    found = read_rules([tmp_path])
    assert [rule.name for rule in found.rules] == ["Down", "job:up:sum"]
    assert sorted((Path(one.file).name, one.line) for one in found.problems) == [
        ("a.yml", None),
        ("b.yml", 5),
        ("d.yml", None),
        ("e.yml", None),
        ("map.yml", None),
    ]
    assert all("\n" not in str(one) for one in found.problems)


def test_links_are_followed_and_each_file_is_read_once(tmp_path: Path) -> None:
    """A mounted ConfigMap has each file twice, and a link between folders can lead back."""
    folder, data, elsewhere = tmp_path / "rules", tmp_path / "rules" / "..2026_11", tmp_path / "elsewhere"
    data.mkdir(parents=True)
    elsewhere.mkdir()
    (data / "rules.yml").write_text(RULE_FILE)
    (folder / "..data").symlink_to(data.name)
    (folder / "rules.yml").symlink_to("..data/rules.yml")
    (folder / "back").symlink_to("..")
    (folder / ".#rules.yml").symlink_to("somebody@host.1234")
    (elsewhere / "more.yml").write_text("groups: [{name: a, rules: [{alert: More, expr: up == 0}]}]")
    (folder / "linked").symlink_to(elsewhere)
    found = read_rules([folder])
    assert found.problems == []
    places = {(Path(rule.file).relative_to(folder).as_posix(), rule.name) for rule in found.rules}
    assert places == {
        ("rules.yml", "Down"),
        ("rules.yml", "job:up:sum"),
        ("linked/more.yml", "More"),
    }
    assert len(found.rules) == len(places)


def test_files_of_windows_and_of_other_programs_are_read() -> None:
    text = (
        "namespace: a\ngroups:\n- {name: a, partial_response_strategy: warn, rules: [{alert: A, expr: up}]}\n"
    )
    assert [rule.name for rule in parse_rules(text, "thanos.yml")] == ["A"]
    groups = "groups: [{name: a, rules: [{alert: B, expr: up}]}]"
    objects = f"kind: List\nitems:\n- kind: PrometheusRule\n  spec:\n    {groups}"
    assert [(rule.name, rule.line) for rule in parse_rules(objects, "list.yml")] == [("B", 5)]


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_bytes(b"\xef\xbb\xbf" + RULE_FILE.replace("\n", "\r\n").encode())
    assert [(rule.name, rule.line) for rule in load_rules([path])] == [("Down", 6), ("job:up:sum", 14)]


def test_our_own_files_have_all_our_rules() -> None:
    rules = [rule for path, text in files().items() for rule in parse_rules(text, str(path))]
    assert {rule.name for rule in rules} == set(RULES)


@pytest.mark.parametrize(
    ("text", "seconds"), [("5m", 300), ("1w2d", 777_600), ("0", 0), ("0s", 0), ("1y", 31_536_000)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert seconds == 0 or parse_duration(duration_text(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5m1h", "-5m", "5 m", "1.5h", "\u0665m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(DurationError, match="is not a duration"):
        parse_duration(text)
