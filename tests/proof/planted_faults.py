"""Policies with one fault each."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from tests.policy.samples import HEAD


class Planted(NamedTuple):
    """A faulty policy and what must be found in it."""

    text: str
    kind: str
    rule: str | None
    others: tuple[str, ...] = ()


def written(*rules: tuple[str, str, str], **sections: Any) -> str:
    """A policy of (id, condition, loss)."""
    select = [{"id": i, "when": when, "use": {"loss": loss}, "because": "b"} for i, when, loss in rules]
    return yaml.safe_dump({**HEAD, **sections, "select": select}, sort_keys=False, width=10_000)


REST = ("rest", "true", "MSELoss")

PLANTED = {
    "shadowed by one": Planted(
        written(
            ("whole", "target.is_integer_valued", "L1Loss"), ("flags", "target.is_multi_hot", "BCEWithLogitsLoss"), REST
        ),
        "shadowed",
        "flags",
        ("whole",),
    ),
    "shadowed by two together": Planted(
        written(
            ("low", "target.min < 0", "L1Loss"),
            ("high", "target.min >= 0", "HuberLoss"),
            ("seen", "known(target.min)", "SmoothL1Loss"),
            REST,
        ),
        "shadowed",
        "seen",
        ("low", "high"),
    ),
    "shadowed derive rule": Planted(
        written(
            ("all", 'task == "a"', "MSELoss"),
            REST,
            derive=[
                {"id": "one", "when": "target.is_multi_hot", "set": {"task": "a"}},
                {"id": "two", "when": "target.is_one_hot", "set": {"task": "b"}},
            ],
        ),
        "shadowed",
        "two",
        ("one",),
    ),
    "gap": Planted(written(("low", "target.mean < 1", "L1Loss"), ("high", "target.mean > 1", "MSELoss")), "gap", None),
    "contract: counts below 0": Planted(
        written(("counts", "target.is_integer_valued", "PoissonNLLLoss"), REST), "values", "counts"
    ),
    "contract: shares above 1": Planted(
        written(
            ("shares", "target.min >= 0 and target.max <= 200 and target.n_unique > 50", "BCEWithLogitsLoss"), REST
        ),
        "values",
        "shares",
    ),
    "contract: labels that are fractions": Planted(
        written(("classes", "known(relation.class_axis)", "CrossEntropyLoss"), REST), "values", "classes"
    ),
    "contradictory range": Planted(
        written(("never", "target.q75 < target.q25 - 1", "L1Loss"), REST), "contradictory", "never"
    ),
    "contradiction across comparisons": Planted(
        written(("never", "target.is_one_hot and target.max > 2", "L1Loss"), REST), "contradictory", "never"
    ),
    "comparison out of range": Planted(
        written(("some", "target.class_balance > 2 or target.mean > 1", "L1Loss"), REST), "never true", "some"
    ),
}
