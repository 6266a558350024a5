"""`nebula audit` finds decisions, tells what is wrong with a log by its exit status, and writes pages."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nebula.audit.log import AuditLog
from nebula.audit.query import Query, parse_time
from nebula.cli.exit_codes import ExitCode
from nebula.decision.policy import Policy
from nebula.decision.trace import DecisionTrace
from nebula.policy.loader import loads
from nebula.profiling.model import DataProfile
from tests.audit.samples import SMALL, TEXT, decide, written
from tests.cli.runner import call


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Four decisions: two by rule `few`, one by `counts`, one by `otherwise` of another policy."""
    kept = written(tmp_path / "log.jsonl", 2)
    kept.append(decide(20, name="visits").trace, SMALL)
    other = Policy(loads(TEXT.replace("name: small", "name: other")))
    late = other.decide(DataProfile()).trace.model_copy(update={"time": "2999-01-01T00:00:00+00:00"})
    kept.append(late, other)
    return kept.path


def listed(log: Path, *options: object) -> list[int]:
    done = call("audit", "list", log, "--json", *options)
    assert done.exit_code == ExitCode.OK
    return [entry["record"] for entry in json.loads(done.stdout)]


def test_filters_find_what_they_name(log: Path) -> None:
    assert listed(log) == [1, 2, 3, 4]
    assert listed(log, "--rule", "few") == [1, 2]
    assert listed(log, "--rule", "otherwise") == [4]
    assert listed(log, "--loss", "PoissonNLLLoss") == [3]
    assert listed(log, "--data", "visits") == [3]
    assert listed(log, "--data", f"{2:032x}") == [2]
    assert listed(log, "--data", f"test:{2:032x}"[:37]) == [2]
    assert listed(log, "--policy", "small") == [1, 2, 3]
    assert listed(log, "--policy", SMALL.digest[:20]) == [1, 2, 3]
    assert listed(log, "--policy", SMALL.digest.partition(":")[2][:8], "--rule", "few") == [1, 2]
    assert listed(log, "--since", "2500-01-01") == [4]
    assert listed(log, "--until", "2500-01-01T00:00Z", "--loss", "MSELoss") == [1, 2]
    assert listed(log, "--status", "decided", "--rule", "none") == []
    assert "no such decision" in call("audit", "list", log, "--rule", "none").stderr


@pytest.mark.parametrize(("option", "value"), [("--since", "yesterday"), ("--until", "13"), ("--status", "sure")])
def test_a_filter_out_of_range_is_a_usage_error(log: Path, option: str, value: str) -> None:
    done = call("audit", "list", log, option, value)
    assert done.exit_code == ExitCode.USAGE
    assert "expected" in done.stderr


def test_a_time_that_is_none_is_in_no_range(log: Path) -> None:
    (entry,) = [entry for entry in AuditLog(log).entries() if entry.seq == 4]
    odd = entry._replace(trace=entry.trace.model_copy(update={"time": "once"}))
    assert not Query(since=parse_time("2000-01-01")).matches(odd)
    assert Query().matches(odd)


def test_the_table_names_record_and_rule(log: Path) -> None:
    head, *rows = call("audit", "list", log).stdout.splitlines()
    assert head.split()[:2] == ["record", "id"]
    assert [row.split()[0] for row in rows] == ["1", "2", "3", "4"]
    assert "otherwise" in rows[3]


def test_the_table_tells_policies_of_one_name_apart_and_keeps_the_order_of_writing(tmp_path: Path) -> None:
    kept = written(tmp_path / "log.jsonl", 1)
    other = Policy(loads(TEXT.replace("MSELoss", "HuberLoss")))
    earlier = other.decide(DataProfile()).trace.model_copy(update={"time": "1999-01-01T00:00:00+00:00"})
    kept.append(earlier, other)
    rows = call("audit", "list", kept.path).stdout.splitlines()[1:]
    named = [SMALL.digest, other.digest]
    assert [row.split()[-1] for row in rows] == [digest.partition(":")[2][:8] for digest in named]
    assert [row.split()[0] for row in rows] == ["1", "2"]
    assert call("audit", "verify", kept.path).exit_code == ExitCode.OK


def test_show_finds_one_decision(log: Path) -> None:
    traces = list(AuditLog(log).read())
    for asked, number in (("last", 4), ("2", 2), (traces[2].id, 3), (traces[2].id[:12], 3)):
        done = call("audit", "show", log, asked, "--json")
        assert DecisionTrace.model_validate_json(done.stdout) == traces[number - 1]
    assert call("audit", "show", log, "3").stdout.startswith(f"record 3, {log}:3, decided ")
    for nothing in ("99", "zz", ""):
        done = call("audit", "show", log, nothing)
        assert done.exit_code == ExitCode.USAGE
        assert "expected `last`" in " ".join(done.stderr.replace("│", " ").split())


def test_show_tells_what_is_masked(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl", 1, mask=["target.name"])
    assert "masked: target.name, blake2b:" in call("audit", "show", log.path).stdout


def test_verify_tells_edits_from_torn_ends_by_its_status(log: Path) -> None:
    whole = log.read_bytes()
    intact = call("audit", "verify", log)
    assert intact.exit_code == ExitCode.OK
    head = intact.stdout.splitlines()[-1].removeprefix("head ")
    assert call("audit", "verify", log, "--expect", head).exit_code == ExitCode.OK
    log.write_bytes(whole[:-700])
    torn = call("audit", "verify", log)
    assert torn.exit_code == ExitCode.TORN
    assert f"{log}:4: torn: the log ends in" in torn.stdout
    assert call("audit", "verify", log, "--expect", head).exit_code == ExitCode.FINDINGS
    log.write_bytes(whole.replace(b'"visits"', b'"visitz"'))
    changed = call("audit", "verify", log, "--json")
    assert changed.exit_code == ExitCode.FINDINGS
    assert [finding["record"] for finding in json.loads(changed.stdout)["findings"]] == [3]


@pytest.mark.parametrize("text", ["3", "x:0123456789", "3:012", "0:0123456789"])
def test_an_expected_head_has_a_form(log: Path, text: str) -> None:
    done = call("audit", "verify", log, "--expect", text)
    assert done.exit_code == ExitCode.USAGE
    assert "NUMBER:HASH" in done.stderr


def test_replay_tells_what_came_out_otherwise(log: Path) -> None:
    assert call("audit", "replay", log).stdout == "4 decisions replayed: 4 same\n"
    assert call("audit", "replay", log, "2").stdout == "1 decision replayed: 1 same\n"
    assert call("audit", "replay", log, "--rule", "few").stdout == "2 decisions replayed: 2 same\n"
    assert {one["outcome"] for one in json.loads(call("audit", "replay", log, "--json").stdout)} == {"same"}
    trace = decide(2).trace
    trace = trace.model_copy(update={"because": "Another reason.", "versions": {**trace.versions, "torch": "1.0"}})
    AuditLog(log).append(trace, SMALL)
    done = call("audit", "replay", log)
    assert done.exit_code == ExitCode.FINDINGS
    assert "differs: record 5, MSELoss\n" in done.stdout
    assert '  because: "Another reason." -> "Few values."\n' in done.stdout
    assert "  torch: 1.0 then, " in done.stdout
    assert "5 decisions replayed: 4 same, 1 differs\nchanged since: torch 1.0 -> " in done.stdout


def test_export_writes_a_page(log: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert call("audit", "export", log, "3", "-o", page).stdout == f"written: {page}\n"
    assert page.read_text(encoding="utf-8") == call("audit", "export", log, "3").stdout
    assert "PoissonNLLLoss for visits" in page.read_text(encoding="utf-8")
    assert call("audit", "export", log, "-o", tmp_path / "none" / "x.html").exit_code == ExitCode.USAGE


def test_replay_names_no_new_loss_where_nothing_was_decided(log: Path) -> None:
    for stored in log.with_name("log.policies").iterdir():
        stored.unlink()
    done = call("audit", "replay", log, "1")
    assert done.exit_code == ExitCode.FINDINGS
    assert done.stdout.splitlines()[0] == "no policy: record 1, MSELoss"
    assert "policy small 1.0.0, " in done.stdout
    assert "is not stored beside the log" in done.stdout


@pytest.mark.parametrize("command", ["list", "show", "verify", "replay", "export"])
def test_a_log_that_is_not_there_is_a_usage_error(tmp_path: Path, command: str) -> None:
    done = call("audit", command, tmp_path / "none.jsonl")
    assert done.exit_code == ExitCode.USAGE
    assert "found no such file" in done.stderr


def test_unreadable_lines_are_told_aside(log: Path) -> None:
    log.write_bytes(log.read_bytes() + b"nonsense\n")
    done = call("audit", "list", log, "--json")
    assert len(json.loads(done.stdout)) == 4
    assert f"{log}:5: expected a decision trace" in done.stderr


def test_digits_name_a_record_and_no_id(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log.jsonl")
    log.append(decide(3).trace.model_copy(update={"id": "99" + "0" * 30}), SMALL)
    assert call("audit", "show", log.path, "99").exit_code == ExitCode.USAGE
    assert call("audit", "show", log.path, "99000000").exit_code == ExitCode.OK


def test_a_file_that_is_no_log_is_told_once(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("y\n" * 400)
    done = call("audit", "list", table)
    assert done.exit_code == ExitCode.USAGE
    assert "expected an audit log, found 400 lines and no decision among them" in done.stderr
    assert len(done.stderr.splitlines()) < 10


def test_many_broken_lines_are_counted(log: Path) -> None:
    log.write_bytes(log.read_bytes() + b"no record\n" * 30)
    done = call("audit", "list", log)
    assert done.exit_code == ExitCode.OK
    assert "25 more lines give no decision" in done.stderr


def test_a_pipe_is_no_log(tmp_path: Path) -> None:
    """Nor is a device: a writer looks for the end, which `/dev/full` does not have."""
    os.mkfifo(tmp_path / "log.jsonl")
    with pytest.raises(OSError, match="found a device or a pipe"):
        AuditLog(tmp_path / "log.jsonl").append(decide(3).trace)


def test_a_page_that_cannot_be_written_is_named(log: Path, tmp_path: Path) -> None:
    page = tmp_path / "nowhere" / "page.html"
    done = call("audit", "export", log, "1", "--out", page)
    assert done.exit_code == ExitCode.USAGE
    assert f"{page}: No such file or directory" in done.stderr
