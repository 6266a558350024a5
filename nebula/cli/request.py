"""What `select`, `explain` and `profile` ask of a data file."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nebula.cli.options import columns, key_values, sizes
from nebula.cli.output import say
from nebula.cli.progress import show_progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from nebula.decision.model import Decision
    from nebula.profiling.prediction import PredictionSpec
    from nebula.profiling.sources import Table
    from nebula.profiling.streams.source_facts import SourceCache
    from nebula.profiling.streams.source_profile import Engine, SourceProfile
    from nebula.stability import Stability

__all__ = ["DataRequest"]

_SHOWN_CLASSES = 8


@dataclass(frozen=True)
class DataRequest:
    """A data file, the target in it, and what the user declares about both.

    Attributes:
        file: The data file, a folder, a pattern, or an address of these in a store.
        target: Names of the target columns, comma separated.
        features: Names of the feature columns, comma separated.
        prediction_shape: Shape of the model's output, as typed.
        prediction_space: What the output is.
        hints: Repeated `name=value`.
    """

    file: str
    target: str
    features: str | None = None
    prediction_shape: str | None = None
    prediction_space: str | None = None
    hints: list[str] | None = field(default=None)

    def profile(
        self, checkpoint: Path | None = None, engine: str = "local", known: SourceCache | None = None
    ) -> SourceProfile:
        """Compute the facts, chunk by chunk.

        Args:
            checkpoint: Keeps the progress of a long run, which goes on from there.
            engine: `local`, or `ray` for the workers of a cluster.
            known: Facts of files that have not changed since they were kept.

        Raises:
            DataError: The file or a column cannot be read.
            HintError: A hint is unknown or out of range.
        """
        from nebula.profiling.stores.address import mask
        from nebula.profiling.streams.source_profile import profile_source

        read = _engine(engine)
        with show_progress(f"reading {mask(self.file)}") as advance:
            found = profile_source(
                self.file,
                self._targets(),
                features=columns(self.features),
                prediction=self._prediction(),
                hints=self._declared(),
                checkpoint=checkpoint,
                advance=advance,
                engine=read,
                known=known,
            )
        self._say_codes(found.class_names)
        return found

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
        from nebula.selection import as_policy, decide_profiled
        from nebula.store.location import open_cache

        kept = open_cache(cache)
        loaded = as_policy(policy, key_values(parameters, "--set"))
        parse_hints(self._declared())
        started = time.perf_counter()
        found = self.profile(known=kept.sources)
        return decide_profiled(
            loaded,
            found.profile,
            cache=kept,
            target="hit" if found.was_known else "miss",
            profile_ms=(time.perf_counter() - started) * 1e3,
        )

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

        table = read_table(self.file, self._targets(), columns(self.features))
        self._say_codes(table.class_names)
        return table

    def _targets(self) -> list[str]:
        targets = columns(self.target)
        if not targets:
            raise typer.BadParameter("expected a column name.", param_hint="--target")
        return targets

    def _say_codes(self, names: tuple[str, ...] | None) -> None:
        if names:
            shown = ", ".join(f"{code} = {name}" for code, name in enumerate(names[:_SHOWN_CLASSES]))
            more = len(names) - _SHOWN_CLASSES
            say(f"{self.target}: labels are coded {shown}{f' and {more} more' if more > 0 else ''}")

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


def _engine(name: str) -> Engine | None:
    """Return what reads the files instead of this process; None for this process."""
    if name == "local":
        return None
    if name != "ray":
        raise typer.BadParameter(f"expected local or ray, found {name!r}.", param_hint="--engine")
    from nebula.profiling.streams.ray_engine import gather_on_ray

    return gather_on_ray
