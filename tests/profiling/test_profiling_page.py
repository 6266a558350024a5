"""docs/profiling.md shows the stored figures; `python -m tests.profiling.test_profiling_page` writes them anew."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.project.tree import ROOT

PAGE = ROOT / "docs" / "profiling.md"
RESULT = ROOT / "benchmarks" / "results" / "profiling.json"
_FOUND = re.compile(r"(?<=<!-- found -->\n).*?(?=<!-- end -->)", re.DOTALL)
_LARGE = ("normal, float32", "1000 classes, int64", "(1e6, 20) of 0 and 1, float32")
_SMALL = ("normal, float32, 1e3", "10 classes, int64, 1e3")
_WHOLE = "profile and decide, with trace"


def found(result: dict[str, Any]) -> str:
    """What was aimed at, and what came, with each miss marked."""
    times = {(row["target"], row["what"]): row for row in result["rows"]}

    def reads(what: str, *targets: str) -> list[float]:
        return [times[target, what]["cpu_reads"] for target in targets]

    def over_profile(what: str) -> list[float]:
        return [times[target, what]["cpu_profiles"] for target in _LARGE]

    small = [times[target, _WHOLE] for target in _SMALL]
    over = [
        row["cpu_ms"] / times[target, "type_of_target"]["cpu_ms"] for target, row in zip(_SMALL, small, strict=True)
    ]
    prints = [over_profile("fingerprint, xxh3_128")[place] for place in range(len(_LARGE))]
    portable = reads("fingerprint, portable", _LARGE[0]) + reads("fingerprint, portable, fast", _LARGE[0])
    rows = [
        (
            "profile: 1e7 float32; 1e7 int64 of 1000 classes; (1e6, 20) of 0 and 1, reads",
            (12, 7, 10),
            reads("profile", *_LARGE),
        ),
        ("with kernels, in the same order", (3, 3, 3), reads("profile, fast", *_LARGE)),
        ("`xxh3_128`, in the same order", (1.3,) * 3, reads("fingerprint, xxh3_128", *_LARGE)),
        ("portable fingerprint of float32, plain and by kernel", (9, 3), portable),
        ("fingerprint over the profile", (0.2,) * 3, prints),
        ("profile and decide, 1,000 floats and labels, over `type_of_target`", (3, 3), over),
        ("the same, in milliseconds", (1, 1), [row["cpu_ms"] for row in small]),
    ]
    least = [
        ("`type_of_target` over the profile", (1,) * 3, over_profile("type_of_target")),
        ("pandas `describe` and `nunique` over the profile", (40,) * 3, over_profile("pandas describe + nunique")),
    ]
    lines = [
        _line(what, "at most", aims, came, [n > aim for n, aim in zip(came, aims, strict=True)])
        for what, aims, came in rows
    ]
    lines += [
        _line(what, "at least", aims, came, [n < aim for n, aim in zip(came, aims, strict=True)])
        for what, aims, came in least
    ]
    machine = result["machine"]
    return (
        f"Load of the machine {machine['load_before']:.1f} before and {machine['load_after']:.1f} after, on "
        f"{machine['cores']} cores; ratios are by processor time.\n\n"
        "| what | aim | found |\n|---|---:|---:|\n" + "".join(lines)
    )


def _line(what: str, bound: str, aims: tuple[float, ...], came: list[float], missed: list[bool]) -> str:
    asked = f"{aims[0]:g}" if len(set(aims)) == 1 else ", ".join(f"{aim:g}" for aim in aims)
    shown = "; ".join(f"{n:.2g}{': missed' if miss else ''}" for n, miss in zip(came, missed, strict=True))
    return f"| {what} | {bound} {asked} | {shown} |\n"


def rendered(text: str) -> str:
    """The page with the figures of the stored benchmark."""
    return _FOUND.sub(lambda _: found(json.loads(RESULT.read_text(encoding="utf-8"))), text)


def test_the_figures_are_those_of_the_stored_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert _FOUND.search(text)
    assert rendered(text) == text, "run `python -m tests.profiling.test_profiling_page`"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
