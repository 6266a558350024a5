"""A `*.test.yaml` file → its cases, or every problem with its line and column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from nebula.decision.policy import Policy, load_policy
from nebula.errors import NebulaError, PolicyError, Problem
from nebula.losses.catalogue import load_builtin
from nebula.losses.registry import find, nearest
from nebula.policy.expression.namespace import did_you_mean
from nebula.policy.source_map import Source
from nebula.policy.yaml_reader import MAX_BYTES, read_yaml
from nebula.profiling.model import DataProfile
from nebula.workbench.case_model import CaseEntry, CaseFile, DataEntry, Expectation
from nebula.workbench.given import profile_data, read_facts

__all__ = ["Case", "Suite", "find_files", "read_suite"]

SUFFIX = ".test.yaml"
_MAX_EXTENDS = 4
_BESIDE_DATA = ("data", "hints", "parameters")
_MODELS: dict[str, type[BaseModel]] = {"data": DataEntry, "expect": Expectation, "cases": CaseEntry}


@dataclass(frozen=True)
class Case:
    """One case, ready to run.

    Attributes:
        name: What it shows, unique in its suite.
        file: The file it stands in.
        line: 1-based line there.
        profile: What is given.
        parameters: Values that replace the policy's parameters.
        expect: What must come out.
    """

    name: str
    file: str
    line: int
    profile: DataProfile
    parameters: Mapping[str, Any]
    expect: Expectation


@dataclass(frozen=True)
class Suite:
    """The cases of one file, those it extends put in.

    Attributes:
        file: The test file as the user named it.
        policy: The policy as `load_policy` takes it.
        cases: In order, inherited ones first.
    """

    file: str
    policy: str
    cases: tuple[Case, ...]


def find_files(paths: list[str]) -> list[Path]:
    """Return the test files among paths; folders are searched for `*.test.yaml`, in order of name.

    Raises:
        PolicyError: A path does not exist, or a folder holds no test file.
    """
    found: dict[Path, None] = {}
    for given in paths:
        path = Path(given)
        files = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path] if path.is_file() else []
        if not files:
            what = f"a folder with a *{SUFFIX} file" if path.is_dir() else "a test file or a folder of them"
            raise PolicyError([Problem(given, 0, 0, f"expected {what}, found none.")])
        found.update(dict.fromkeys(files))
    return list(found)


def read_suite(path: Path) -> Suite:
    """Read and check one test file: every name, every fact, every hint, and the policy it is for.

    Args:
        path: The file.

    Returns:
        The suite, its data profiled.

    Raises:
        PolicyError: The file or its policy cannot be used; lists every problem.
    """
    reader = _Reader(path)
    cases = reader.read()
    if reader.problems or reader.policy is None:
        raise PolicyError(list(dict.fromkeys(reader.problems)))
    return Suite(str(path), reader.policy, tuple(cases.values()))


@cache
def _losses_loaded() -> None:
    load_builtin()


@dataclass
class _Reader:
    path: Path
    depth: int = 0
    problems: list[Problem] = field(default_factory=list)
    policy: str | None = None

    def read(self, policy: Policy | None = None) -> dict[str, Case]:
        """Return the cases by name; checked against the extending file's policy when there is one."""
        with self.path.open("rb") as stream:
            self.source, problems = read_yaml(stream.read(MAX_BYTES + 1), str(self.path))
        self.problems.extend(problems)
        file = self._validate()
        if file is None:
            return {}
        beside = self.path.parent / file.policy
        self.policy = str(beside) if beside.is_file() else file.policy
        try:
            self.loaded = policy or load_policy(self.policy)
        except PolicyError as error:
            self.problems.extend(error.problems)
            return {}
        cases = self._inherited(file)
        seen: set[str] = set()
        for index, entry in zip(self.places, file.cases, strict=True):
            if entry.name in seen:
                self._report(("cases", index, "name"), f"expected one case of each name, found `{entry.name}` again.")
            seen.add(entry.name)
            case = self._case(index, entry, cases.get(entry.name))
            if case is not None:
                cases[entry.name] = case
        return cases

    def _report(self, path: tuple[str | int, ...], message: str, *, key: bool = False) -> None:
        self.problems.append(self.source.problem(path, message, key=key))

    def _validate(self) -> CaseFile | None:
        """Return the file, after a fault what of it is sound, so that the rest is checked all the same."""
        data = self.source.data
        self.places = tuple(range(len(data["cases"]))) if _has_cases(data) else ()
        try:
            return CaseFile.model_validate(data)
        except ValidationError as error:
            faults = [item["loc"] for item in error.errors(include_url=False)]
            for item in error.errors(include_url=False):
                self._explain(item)
        if not isinstance(data, dict):
            return None
        top = {location[0] for location in faults} - {"cases"}
        sound = {name: value for name, value in data.items() if name not in top}
        if _has_cases(data):
            faulty = {location[1] for location in faults if location[0] == "cases" and len(location) > 1}
            self.places = tuple(index for index in self.places if index not in faulty)
            sound["cases"] = [data["cases"][index] for index in self.places]
        try:
            return CaseFile.model_validate({"apiVersion": "nebula/v1-test", **sound})
        except ValidationError:
            return None

    def _explain(self, item: Any) -> None:
        path = _within(self.source, item["loc"])
        if item["type"] == "extra_forbidden":
            section = next((part for part in reversed(path[:-1]) if isinstance(part, str)), "")
            known = _MODELS.get(section, CaseFile).model_fields
            names = tuple(declared.alias or name for name, declared in known.items())
            self._report(path, f"unknown key `{path[-1]}`.{did_you_mean(str(path[-1]), names)}", key=True)
        elif item["type"] == "missing":
            self._report(path, f"expected the key `{item['loc'][-1]}`, found none: add it.")
        else:
            choices = str(item.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
            guess = did_you_mean(str(item["input"]), tuple(choices))
            found = "nothing" if item["input"] is None else repr(item["input"])
            said = "a mapping" if item["type"] in ("model_type", "dict_type") else item["msg"]
            self._report(path, f"expected {said.removeprefix('Input should be ')}, found {found[:80]}.{guess}")

    def _inherited(self, file: CaseFile) -> dict[str, Case]:
        cases: dict[str, Case] = {}
        for index, name in enumerate(file.extends):
            other = self.path.parent / name
            if self.depth >= _MAX_EXTENDS or not other.is_file():
                limit = f"expected a test file, at most {_MAX_EXTENDS} deep and without a circle, found `{name}`."
                self._report(("extends", index), limit)
                continue
            reader = _Reader(other, self.depth + 1, self.problems)
            cases.update(reader.read(self.loaded))
        return cases

    def _case(self, index: int, entry: CaseEntry, base: Case | None) -> Case | None:
        path = ("cases", index)
        self._check_expectation((*path, "expect"), entry.expect)
        line = self.source.place(path)[0]
        if entry.given is None:
            if base is None:
                self._report(path, f"expected `given` in case `{entry.name}`: no file it extends has that case.")
                return None
            return Case(entry.name, str(self.path), line, base.profile, base.parameters, entry.expect)
        parameters = entry.given.get("parameters", {})
        self._check_parameters((*path, "given", "parameters"), parameters)
        profile = self._profile((*path, "given"), entry.given)
        if profile is None:
            return None
        return Case(entry.name, str(self.path), line, profile, parameters, entry.expect)

    def _profile(self, path: tuple[str | int, ...], given: dict[str, Any]) -> DataProfile | None:
        if "data" not in given:
            facts = {name: value for name, value in given.items() if name != "parameters"}
            return read_facts(facts, lambda inside, message: self._report((*path, *inside), message, key=True))
        for name in given.keys() - set(_BESIDE_DATA):
            self._report((*path, name), f"expected only hints and parameters beside `data`, found `{name}`.", key=True)
        try:
            data = DataEntry.model_validate(given["data"])
            if (data.file is None) == (data.values is None) or (data.file is None) != (data.target is None):
                self._report((*path, "data"), "expected `file` and `target`, or `values`.")
                return None
            return profile_data(data, self.path.parent, given.get("hints", {}))
        except ValidationError as error:
            for item in error.errors(include_url=False):
                self._explain({**item, "loc": (*path, "data", *item["loc"])})
        except (NebulaError, OSError) as error:
            self._report((*path, "data"), str(error))
        return None

    def _check_parameters(self, path: tuple[str | int, ...], parameters: Any) -> None:
        if not isinstance(parameters, dict):
            self._report(path, "expected parameters by name.")
            return
        known = self.loaded.compiled.parameters
        for name in parameters.keys() - known.keys():
            self._report((*path, name), f"unknown parameter `{name}`.{did_you_mean(name, known)}", key=True)
        try:
            load_policy(self.loaded.compiled.source, parameters=parameters)
        except PolicyError as error:
            if parameters.keys() <= known.keys():
                self._report(path, "; ".join(problem.message for problem in error.problems))

    def _check_expectation(self, path: tuple[str | int, ...], expect: Expectation) -> None:
        if not expect.model_fields_set:
            self._report(path, "expected at least one of loss, rule, not_rule, task, status, link, serve, error.")
        rules = tuple(rule.id for rule in self.loaded.compiled.file.select)
        unwanted = (expect.not_rule,) if isinstance(expect.not_rule, str) else expect.not_rule or ()
        for key, rule in (("rule", expect.rule), *(("not_rule", rule) for rule in unwanted)):
            if rule not in (None, "otherwise", *rules):
                self._report((*path, key), f"unknown select rule `{rule}`.{did_you_mean(str(rule), rules)}")
        _losses_loaded()
        if expect.loss not in (None, "none") and find(str(expect.loss)) is None:
            near = nearest(str(expect.loss))
            guess = f" Did you mean `{near}`?" if near else ""
            self._report((*path, "loss"), f"unknown loss `{expect.loss}`.{guess}")


def _has_cases(data: Any) -> bool:
    return isinstance(data, dict) and isinstance(data.get("cases"), list)


def _within(source: Source, location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Keep the parts of an error's location that are keys of the file."""
    path: tuple[int | str, ...] = ()
    for part in location:
        if (*path, part) in source.places or (*path, part) in source.keys:
            path = (*path, part)
    return path
