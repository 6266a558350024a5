"""Problems as SARIF 2.1.0, the format that code hosts show beside a change.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nebula.errors import Problem
from nebula.policy.codes.catalogue import CODES

__all__ = ["to_sarif"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def to_sarif(problems: Sequence[Problem], *, version: str) -> dict[str, Any]:
    """Return a SARIF log with one run.

    Args:
        problems: Of any number of files.
        version: Version of the tool that found them.

    Returns:
        A document of plain JSON types; columns count Unicode code points from 1.
    """
    codes = sorted({problem.code for problem in problems if problem.code in CODES})
    driver = {"name": "nebula", "semanticVersion": version, "rules": [_rule(code) for code in codes]}
    results = [_result(problem, codes) for problem in problems]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    page = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.meaning},
        "help": {"text": page.mend},
        "defaultConfiguration": {"level": page.severity},
    }


def _result(problem: Problem, codes: Sequence[str]) -> dict[str, Any]:
    message = f"{problem.message} {problem.hint}" if problem.hint else problem.message
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.file)}}
    if problem.line:
        location["region"] = _region(problem)
    result: dict[str, Any] = {
        "level": problem.severity,
        "message": {"text": message},
        "locations": [{"physicalLocation": location}],
    }
    if problem.code in codes:
        result |= {"ruleId": problem.code, "ruleIndex": codes.index(problem.code)}
    return result


def _region(problem: Problem) -> dict[str, int]:
    region = {"startLine": problem.line, "startColumn": max(problem.column, 1)}
    return {**region, "endColumn": problem.end_column} if problem.end_column > problem.column else region


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
