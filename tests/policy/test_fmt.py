"""Canonical form: nothing changes but the form, comments stay, twice is once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.errors import PolicyError
from nebula.policy.formatting import format_policy
from nebula.policy.loader import load, loads
from nebula.policy.resolved_text import origins, resolved_text
from tests.cli.runner import call
from tests.policy.random_policies import Sample, samples
from tests.policy.samples import policy
from tests.project.tree import ROOT

SHIPPED = sorted((ROOT / "policies").glob("*.yaml"))

UNTIDY = """\
# head
name: t    # the name

# above api
apiVersion: nebula/v1


version: 1.0.0
select:   # rules
# about a
- when:   target.n > 1   # cond
  # about id
  id: a
  because: >
       long
       text

  use:
       params: {delta: 2}
       # the loss
       loss: HuberLoss
    # trailing
# about b
-
   # inner
   id: b
   use: { serve: mean,   loss: L1Loss }
   when:
      all:
      - target.n > 1
      # second
      - any: [true, 'target.name == "# no comment"']
   because:
     b
     and more
definitions:
    x: |
      target.n
        > 1


      or target.n < 0
    y: true
parameters: {a: {high: 1, value: 0.5}}
otherwise:
   error: none
# end
"""
TIDY = """\
# head

# above api
apiVersion: nebula/v1
name: t    # the name

version: 1.0.0
parameters: {a: {value: 0.5, high: 1}}
definitions:
  x: |
    target.n
      > 1


    or target.n < 0
  y: true
select:  # rules
  # about a
  # about id
  - id: a
    when: target.n > 1   # cond

    use:
      # the loss
      loss: HuberLoss
      params: {delta: 2}
    because: >
         long
         text
    # trailing
  # about b
  # inner
  - id: b
    when:
      all:
        - target.n > 1
        # second
        - any: [true, 'target.name == "# no comment"']
    use: {loss: L1Loss, serve: mean}
    because:
      b
      and more
otherwise:
  error: none
# end
"""


def test_an_untidy_policy_becomes_tidy() -> None:
    assert format_policy(UNTIDY) == TIDY
    assert format_policy(TIDY) == TIDY
    assert loads(TIDY).digest == loads(UNTIDY).digest


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_policies_are_in_canonical_form(path: Path) -> None:
    assert format_policy(path.read_text(encoding="utf-8")) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
@pytest.mark.parametrize("flow", [None, False], ids=["flow", "block"])
def test_a_shipped_policy_written_otherwise_keeps_its_digest(path: Path, flow: bool | None, tmp_path: Path) -> None:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    formatted = format_policy(yaml.safe_dump(data, default_flow_style=flow, sort_keys=True, width=70))
    assert format_policy(formatted) == formatted
    (tmp_path / path.name).write_text(formatted, encoding="utf-8")
    assert load(tmp_path / path.name).digest == load(path).digest


@settings(max_examples=60)
@given(samples(), st.booleans(), st.integers(2, 8))
def test_random_policies(sample: Sample, flow: bool, indent: int) -> None:
    text = yaml.safe_dump(
        yaml.safe_load(sample.text()), sort_keys=True, indent=indent, default_flow_style=None if flow else False
    )
    comments = [f"# c{number}" for number in range(len(text.splitlines()))]
    shuffled = "\n".join(
        f"{line}  {comment}" if line.endswith(":") else line
        for line, comment in zip(text.splitlines(), comments, strict=True)
    )
    formatted = format_policy(shuffled)
    assert format_policy(formatted) == formatted
    assert loads(formatted).digest == loads(text).digest
    assert sorted(c for c in comments if f"{c}\n" in shuffled) == sorted(c for c in comments if f"{c}\n" in formatted)


@given(st.lists(st.sampled_from(UNTIDY.splitlines()), max_size=40), st.integers(0, 3))
def test_any_text_is_formatted_or_refused_but_never_changed(lines: list[str], indent: int) -> None:
    text = "\n".join(" " * (indent * (number % 2)) + line for number, line in enumerate(lines))
    try:
        formatted = format_policy(text)
    except PolicyError:
        return
    assert yaml.safe_load(formatted) == yaml.safe_load(text)
    assert format_policy(formatted) == formatted


@pytest.mark.parametrize(
    "text",
    ["", "[a]", "{a: 1}", "a: [", "? a\n: 1\n", "a: &x 1\nb: *x\n", "a: 1\na: 2\n", "a: !!str 1\n"],
    ids=["empty", "list", "flow", "broken", "question", "alias", "duplicate", "tag"],
)
def test_what_cannot_be_formatted_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        format_policy(text)


def test_windows_lines_become_plain_ones() -> None:
    assert format_policy(UNTIDY.replace("\n", "\r\n")) == TIDY


def test_the_command_rewrites_only_without_check(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(UNTIDY, encoding="utf-8")
    done = call("policy", "fmt", path, "--check")
    assert (done.exit_code, done.stdout) == (5, f"{path}: would be formatted\n")
    assert path.read_text(encoding="utf-8") == UNTIDY
    assert call("policy", "fmt", path).exit_code == 0
    assert path.read_text(encoding="utf-8") == TIDY
    assert call("policy", "fmt", path, "--check").exit_code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["p.yaml"]
    assert call("policy", "fmt", tmp_path / "none.yaml").exit_code == 2


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_resolved_policy_loads_and_is_the_same(path: Path) -> None:
    assert loads(resolved_text(str(path))).digest == load(path).digest


def test_shipped_bases_are_told_by_their_names_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("strict.yaml", str(ROOT / "policies" / "strict.yaml")):
        shown = call("policy", "show", "--resolved", name).stdout
        assert "# default.yaml:" in shown
        assert str(ROOT) not in shown
    Path("default.yaml").write_text(policy("true"), encoding="utf-8")
    assert origins(str(tmp_path / "default.yaml"))["select", "r0"] == f"{tmp_path / 'default.yaml'}:5"


def test_a_resolved_policy_tells_where_each_entry_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(policy("true", "target.n > p", parameters={"p": 1, "q": 2}), encoding="utf-8")
    child = (
        "apiVersion: nebula/v1\nname: child\nversion: 1.0.0\nextends: [base.yaml]\nparameters: {q: 5}\ndisable: [r0]\n"
    )
    Path("child.yaml").write_text(child, encoding="utf-8")
    found = origins("child.yaml")
    assert [found["parameters", name] for name in "pq"] == ["base.yaml:5", "child.yaml:5"]
    lines = call("policy", "show", "--resolved", "child.yaml").stdout.splitlines()
    assert lines[lines.index("  q: 5") - 1] == "  # child.yaml:5"
    assert lines[lines.index("  - id: r1") - 1] == f"  # {found['select', 'r1']}"
    assert "  - id: r0" not in lines
    assert call("policy", "show", "--resolved", "child.yaml", "--set", "q=1").exit_code == 2
