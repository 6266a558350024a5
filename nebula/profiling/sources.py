"""Where targets come from: files, and what a training script holds."""

from __future__ import annotations

from nebula.profiling.loaders import Collected, collect, first_input
from nebula.profiling.tables import Table, read_table

__all__ = ["Collected", "Table", "collect", "first_input", "read_table"]
