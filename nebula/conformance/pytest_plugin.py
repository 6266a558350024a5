"""Runs the suite on third-party losses: `pytest -p nebula.conformance.pytest_plugin --nebula-losses my_losses`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nebula.conformance.suite import Check

__all__ = ["pytest_addoption", "pytest_collection_modifyitems"]

_OPTION = "--nebula-losses"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names where losses are registered."""
    parser.getgroup("nebula").addoption(
        _OPTION,
        action="append",
        default=[],
        metavar="MODULE",
        help="Import this module and run nebula's conformance suite on every loss that is registered by it, or by "
        "an installed plugin. May be given again.",
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Enrol every registered loss that does not come with nebula."""
    modules: list[str] = config.getoption(_OPTION)
    if not modules:
        return
    for module in modules:
        _import(module)
    items.extend(_LossSuite.from_parent(session, name="nebula-losses", nodeid="nebula-losses").collect())


def _import(module: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        raise pytest.UsageError(f"{_OPTION}: expected a module to import, found {module}: {error}") from error


class _LossSuite(pytest.Collector):
    """The checks of every third-party loss."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield one item a check.

        Raises:
            pytest.UsageError: No loss was registered, so that nothing would be checked.
        """
        from nebula.losses.catalogue import builtin_entries, load_builtin
        from nebula.losses.registry import entries

        load_builtin()
        own = {entry.name for entry in builtin_entries()}
        others = [entry for entry in entries() if entry.name not in own]
        if not others:
            raise pytest.UsageError(f"{_OPTION}: expected a module that registers losses, found none registered.")
        # torch is imported only now that there is something to check
        from nebula.conformance.suite import checks

        for check in checks(others):
            yield _LossItem.from_parent(self, name=check.id, check=check)


class _LossItem(pytest.Item):
    """One property of one loss."""

    def __init__(self, *, check: Check, **options: Any) -> None:
        super().__init__(**options)
        self.check = check

    def runtest(self) -> None:
        """Try to break the property."""
        self.check.run()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Tell what was expected and found, without nebula's own frames."""
        from nebula.conformance.property import Nonconformity

        if isinstance(excinfo.value, Nonconformity):
            return f"{self.check.promise.sentence}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Place the item in the suite."""
        return Path(__file__), None, self.name
