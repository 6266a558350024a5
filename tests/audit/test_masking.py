"""What is masked stands nowhere in the log, and who knows the value can prove it."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import nebula
from nebula.audit.log import AuditLog
from nebula.audit.masking import check_masks, mask
from nebula.audit.verification import verify_log
from nebula.decision.trace import DecisionTrace
from nebula.errors import NebulaError
from nebula.profiling.model import DataProfile, TargetFacts
from nebula.profiling.vocabulary import facts_of
from tests.audit.samples import decide
from tests.proof.random_profiles import profiles

_LABELS = [f"target.{name}" for name in ("min", "max", "label_min", "label_max")]
_QUANTILES = [f"target.{name}" for name in ("q05", "q25", "median", "q75", "q95")]
SECRETS: dict[str, Any] = {
    "name": (np.arange(40) % 4, ["target.name"]),
    "values": (np.tile([0.731245, 4.5178912, 9.2519], 20), [f"target.{name}" for name in TargetFacts.model_fields]),
    "labels": (np.tile([131, 7777, 9091], 20), ["target.name", "target.unique_values", *_LABELS, *_QUANTILES]),
    "two labels": (np.tile([131, 7777], 20), ["target.name", "target.unique_values", *_LABELS, *_QUANTILES]),
    "not finite": (np.append(np.arange(40) / 7, [np.nan] * 131), ["target.name", "target.nan_count"]),
    "two values": (np.tile([0.731245, 0.91171], 20), [f"target.{name}" for name in TargetFacts.model_fields]),
}

_SHOWN = {
    "values": ("0.731245", "4.5178912", "9.2519"),
    "labels": ("131", "7777", "9091"),
    "two labels": ("131", "7777"),
    "not finite": ("131",),
    "two values": ("0.731245", "0.91171"),
}


@pytest.mark.parametrize("case", SECRETS)
def test_a_masked_value_stands_nowhere_in_the_file(tmp_path: Path, case: str) -> None:
    values, masks = SECRETS[case]
    trace = nebula.select(values, name="salary-of-jones").trace
    plain = AuditLog(tmp_path / "plain.jsonl")
    plain.append(trace)
    log = AuditLog(tmp_path / "log.jsonl", mask=masks)
    log.append(trace)
    secrets = ["salary-of-jones", *_SHOWN.get(case, ())]
    for secret in secrets:
        assert re.search(rf"(?<![\w.]){secret}(?!\d)", plain.path.read_text())
        assert not re.search(rf"(?<![\w.]){secret}(?!\d)", log.path.read_text())
    assert verify_log(log.path).intact
    (entry,) = log.entries()
    assert "target.name" in entry.masked
    assert entry.trace.notes[-1].text.startswith("masked in this record: target.")
    assert entry.trace.spec is not None


@given(profile=profiles())
def test_a_masked_trace_is_a_trace_without_the_facts(profile: DataProfile) -> None:
    try:
        trace = nebula.load_policy("default.yaml").decide(profile).trace
    except NebulaError:
        return
    names = check_masks(["target.unique_values", "target.min", "target.n_classes", "fingerprint"])
    masked, digests = mask(trace, names)
    seen = {**facts_of(profile), "fingerprint": profile.fingerprint}
    known = {name for name, value in seen.items() if value is not None}
    assert set(digests) == set(names) & known
    facts = facts_of(masked.profile)
    assert not [name for name in names if facts.get(name) is not None]
    for rule in masked.rules:
        for comparison in rule.comparisons:
            assert not [name for name in digests if comparison.values.get(name) is not None]
    assert not [edge for edge in masked.boundaries if edge.fact in digests]
    assert DecisionTrace.model_validate_json(masked.to_json()) == masked


def test_without_anything_to_mask_the_trace_is_untouched() -> None:
    trace = decide(name=None).trace
    assert mask(trace, check_masks(["target.name"])) == (trace, {})


def test_the_digest_is_of_name_and_value_and_needs_the_key() -> None:
    trace = nebula.select(np.arange(20), name="age").trace
    _, plain = mask(trace, ("target.name",))
    text = json.dumps(["target.name", "age"], separators=(",", ":")).encode()
    assert plain["target.name"] == f"blake2b:{blake2b(text, digest_size=16).hexdigest()}"
    _, keyed = mask(trace, ("target.name",), b"secret")
    assert keyed["target.name"] == f"blake2b:{blake2b(text, digest_size=16, key=b'secret').hexdigest()}"
    assert keyed != plain
