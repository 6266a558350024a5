"""The errors of nebula, all in one tree.

    NebulaError
    ├── DataError              the target, prediction or file cannot be profiled
    ├── HintError              a declaration is unknown, or contradicts the data
    ├── PolicyError            a policy cannot be used; carries every problem found
    ├── DecisionError          no loss can be named
    │   ├── NoRuleFits             no rule fired and the policy's `otherwise` says so
    │   └── AmbiguousDecision      the data cannot tell and the policy refuses to guess
    ├── ContractError          a loss was given what it is not defined for
    ├── DriftError             batches no longer fit the decision, and the policy says to stop
    ├── EngineError            the inference engine failed or disagreed with its twin
    ├── PluginError            an installed package's losses or facts cannot be used
    ├── FactError              a registered fact could not be measured
    └── MissingExtraError      an optional dependency is not installed

Every message has one shape: what was expected, what was found, where, what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "AmbiguousDecision",
    "ContractError",
    "DataError",
    "DecisionError",
    "DriftError",
    "EngineError",
    "FactError",
    "HintError",
    "LockError",
    "MissingExtraError",
    "NebulaError",
    "NoRuleFits",
    "PluginError",
    "PolicyError",
    "Problem",
]


class NebulaError(Exception):
    """Base of every error that nebula raises on purpose."""


class DataError(NebulaError, ValueError):
    """The target, the prediction or a data file cannot be profiled."""


class HintError(NebulaError, ValueError):
    """A declared hint is unknown, out of range, or contradicts the data."""


@dataclass(frozen=True, order=True)
class Problem:
    """One fault in a policy file.

    Attributes:
        file: The file as the user named it.
        line: 1-based line, 0 when the fault has no place in the file.
        column: 1-based column, 0 when the fault has no place in the file.
        message: What was expected, what was found, what to do.
        code: Stable name of the kind of fault, e.g. `NEB-P052`; `nebula explain-code` explains it.
        hint: One more sentence on what to do, or empty.
        severity: An `error` keeps the policy from loading; a `warning` is probably not meant.
        end_column: 1-based column after the last character at fault, on the same line; 0 when unknown.
    """

    file: str
    line: int
    column: int
    message: str
    code: str = ""
    hint: str = ""
    severity: Literal["error", "warning"] = "error"
    end_column: int = 0

    def __str__(self) -> str:
        """Return `file:line:column: message`, or `file: message` for a fault without a place."""
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.file}{place}: {self.message}"


class PolicyError(NebulaError, ValueError):
    """A policy cannot be used.

    Attributes:
        problems: Every fault found, in file order.
    """

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        """Keep all problems; the message lists them one a line."""
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[PolicyError], tuple[tuple[Problem, ...]]]:
        """Survive pickling between processes with the problems intact."""
        return type(self), (self.problems,)


class DecisionError(NebulaError):
    """No loss can be named for this data under this policy."""


class NoRuleFits(DecisionError):  # noqa: N818 - reads as the sentence it is
    """No rule fired and the policy's `otherwise` is an error."""


class AmbiguousDecision(DecisionError):  # noqa: N818 - reads as the sentence it is
    """The data cannot tell which loss is meant and the policy refuses to guess."""


class ContractError(NebulaError, ValueError):
    """A loss was given a prediction or a target that it is not defined for."""


class DriftError(NebulaError):
    """Batches no longer fit the decision that is in force, and `on_drift` says to stop."""


class LockError(NebulaError):
    """A decision is not the one that the lockfile pins."""


class EngineError(NebulaError, RuntimeError):
    """The inference engine failed, or two engines disagreed."""


class PluginError(NebulaError):
    """An installed package announces losses or facts that cannot be used.

    Args:
        distribution: Name of the installed distribution.
        group: Group of the entry point.
        point: The entry point as it is declared.
        problem: What went wrong.
    """

    def __init__(self, distribution: str, group: str, point: str, problem: object) -> None:
        """Name who is to blame and how to go on without it."""
        kind = f"{type(problem).__name__}: " if isinstance(problem, Exception) else ""
        self.distribution, self.group, self.point, self.problem = distribution, group, point, f"{kind}{problem}"
        super().__init__(
            f"plugin `{distribution}`: expected its entry point `{point}` in `{group}` to load, found {self.problem}. "
            "Mend or uninstall it, or go on without plugins: `nebula.use_plugins(False)`, `nebula --no-plugins`."
        )

    def __reduce__(self) -> tuple[type[PluginError], tuple[str, str, str, str]]:
        """Survive pickling between processes."""
        return type(self), (self.distribution, self.group, self.point, self.problem)


class FactError(NebulaError):
    """The function of a registered fact failed, or returned what the fact does not admit.

    Args:
        fact: Its dotted name.
        origin: The module that its function is from.
        problem: What went wrong.
    """

    def __init__(self, fact: str, origin: str, problem: object) -> None:
        """Name who is to blame and how to go on without it."""
        told = f"{type(problem).__name__}: {problem}" if isinstance(problem, Exception) else str(problem)
        self.fact, self.origin, self.problem = fact, origin, told
        super().__init__(
            f"fact `{fact}` of `{origin}`: expected a value, or None where it is unknown, found {told}. Mend it, or "
            f'take it out: `nebula.profiling.custom.unregister_fact("{fact.partition(".")[2]}")`.'
        )

    def __reduce__(self) -> tuple[type[FactError], tuple[str, str, str]]:
        """Survive pickling between processes."""
        return type(self), (self.fact, self.origin, self.problem)


class MissingExtraError(NebulaError, ImportError):
    """An optional dependency is missing.

    Args:
        package: The import name that failed.
        extra: The extra of `nebula-selector` that brings it.
        purpose: What it is needed for, as a noun phrase.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        """Compose the one clear sentence with the command that mends it."""
        self.package, self.extra, self.purpose = package, extra, purpose
        super().__init__(
            f"{purpose} needs the package `{package}`, which is not installed: "
            f"run `pip install 'nebula-selector[{extra}]'`."
        )

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, str]]:
        """Survive pickling between processes."""
        return type(self), (self.package, self.extra, self.purpose)
