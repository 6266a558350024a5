"""What `select`, `explain` and `profile` ask of a data file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nebula.cli.options import columns, key_values, sizes
from nebula.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from nebula.decision.model import Decision
    from nebula.profiling.model import DataProfile
    from nebula.profiling.prediction import PredictionSpec
    from nebula.profiling.sources import Table
    from nebula.stability import Stability

__all__ = ["DataRequest"]

_SHOWN_CLASSES = 8


@dataclass(frozen=True)
class DataRequest:
    """A data file, the target in it, and what the user declares about both.

    Attributes:
        file: The data file.
        target: Names of the target columns, comma separated.
        features: Names of the feature columns, comma separated.
        prediction_shape: Shape of the model's output, as typed.
        prediction_space: What the output is.
        hints: Repeated `name=value`.
    """

    file: Path
    target: str
    features: str | None = None
    prediction_shape: str | None = None
    prediction_space: str | None = None
    hints: list[str] | None = field(default=None)

    def profile(self) -> DataProfile:
        """Compute the facts.

        Raises:
            DataError: The file or a column cannot be read.
            HintError: A hint is unknown or out of range.
        """
        from nebula.profiling.profiler import profile

        declared = self._declared()
        table = self._table()
        return profile(table.source, self._prediction(), features=table.features, hints=declared)

    def decide(self, policy: str, parameters: list[str] | None, cache: str) -> Decision:
        """Decide by a policy; the policy and the hints are checked before the data are read.

        Args:
            policy: The policy's name.
            parameters: Repeated `name=value`.
            cache: As `nebula.store.location.open_cache` reads it.

        Raises:
            PolicyError: The policy cannot be used.
            NebulaError: Whatever stands in the way of a decision.
        """
        from nebula.profiling.hints import parse_hints
        from nebula.selection import as_policy, decide
        from nebula.store.location import open_cache

        kept = open_cache(cache)
        loaded = as_policy(policy, key_values(parameters, "--set"))
        hints = parse_hints(self._declared())
        table = self._table()
        return decide(loaded, table.source, self._prediction(), hints=hints, features=table.features, cache=kept)

    def resample(
        self, policy: str, parameters: list[str] | None, resamples: int, advance: Callable[[], None]
    ) -> Stability:
        """Decide on resamples of the rows, after the policy and the hints were checked.

        Raises:
            NebulaError: Whatever stands in the way of a decision.
        """
        from nebula.profiling.hints import parse_hints
        from nebula.selection import as_policy
        from nebula.stability import resample

        loaded = as_policy(policy, key_values(parameters, "--set"))
        hints = parse_hints(self._declared())
        table = self._table()
        return resample(
            loaded,
            table.source,
            self._prediction(),
            hints=hints,
            features=table.features,
            resamples=resamples,
            advance=advance,
        )

    def _declared(self) -> dict[str, Any]:
        return key_values(self.hints, "--hint")

    def _table(self) -> Table:
        from nebula.profiling.sources import read_table

        targets = columns(self.target)
        if not targets:
            raise typer.BadParameter("expected a column name.", param_hint="--target")
        table = read_table(self.file, targets, columns(self.features))
        if table.class_names:
            shown = ", ".join(f"{code} = {name}" for code, name in enumerate(table.class_names[:_SHOWN_CLASSES]))
            more = len(table.class_names) - _SHOWN_CLASSES
            say(f"{self.target}: labels are coded {shown}{f' and {more} more' if more > 0 else ''}")
        return table

    def _prediction(self) -> PredictionSpec | None:
        if self.prediction_shape is None:
            if self.prediction_space is not None:
                raise typer.BadParameter("expected --prediction-shape with it.", param_hint="--prediction-space")
            return None
        from nebula.profiling.prediction import PredictionSpec

        return PredictionSpec(
            shape=sizes(self.prediction_shape),
            space=self.prediction_space,  # type: ignore[arg-type]  # checked by PredictionSpec
        )
