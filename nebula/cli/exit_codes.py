"""What the exit status of the command line means."""

from __future__ import annotations

from enum import IntEnum

from nebula.errors import (
    AmbiguousDecision,
    ContractError,
    DataError,
    DecisionError,
    HintError,
    LockError,
    MissingExtraError,
    NebulaError,
    PluginError,
    PolicyError,
)

__all__ = ["ExitCode", "exit_code"]


class ExitCode(IntEnum):
    """The exit status, for scripts and CI."""

    OK = 0
    """The command did what was asked."""
    INTERNAL = 1
    """A fault of nebula itself, or of its inference engine."""
    USAGE = 2
    """The command line, a data file, a hint or an installed extra is not as expected."""
    REFUSED = 3
    """The data cannot tell which loss is meant, and the policy refuses to guess."""
    NO_LOSS = 4
    """No rule fits, or the data contradict the loss that the rule names."""
    POLICY = 5
    """The policy file cannot be used."""
    TESTS_FAILED = 6
    """A policy's test cases fail, or cover less of it than was asked."""
    FINDINGS = 7
    """A fault found by `policy verify`, `check`, `cache verify` or `audit verify`; a decision that changes, found by
    `policy diff`, `audit replay` or `lock`."""
    TORN = 8
    """An audit log ends in a torn record, and is otherwise as it was written."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C (128 + SIGINT)."""
    BROKEN_PIPE = 141
    """The reader of our output went away (128 + SIGPIPE)."""


_BY_ERROR: tuple[tuple[type[NebulaError], ExitCode], ...] = (
    (PolicyError, ExitCode.POLICY),
    (AmbiguousDecision, ExitCode.REFUSED),
    (DecisionError, ExitCode.NO_LOSS),
    (ContractError, ExitCode.NO_LOSS),
    (LockError, ExitCode.FINDINGS),
    (DataError, ExitCode.USAGE),
    (HintError, ExitCode.USAGE),
    (MissingExtraError, ExitCode.USAGE),
    (PluginError, ExitCode.USAGE),
)


def exit_code(error: NebulaError) -> ExitCode:
    """Return the exit status of an error; `INTERNAL` when it has none of its own."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.INTERNAL)
