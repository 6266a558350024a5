"""When the compiled kernels of the extra `fast` do the reading, and what happens without them.

Loading them costs about a second, and several the first time on a machine, so only a target of
`LEAST` values or more asks for them. Facts do not depend on them, but for rounding of the moments.
"""

from __future__ import annotations

import os
import warnings
from functools import cache
from types import ModuleType
from typing import Literal

__all__ = ["ENVIRONMENT", "LEAST", "load_kernel", "read_least"]

Kernel = Literal["floats", "codes", "tables", "digest"]

ENVIRONMENT = "NEBULA_FAST_FROM"
LEAST = 100_000_000


def load_kernel(kernel: Kernel, size: int) -> ModuleType | None:
    """Return the module of a kernel where it is worth its loading.

    Args:
        kernel: Name of the module in `compiled`.
        size: Values to be read.

    Returns:
        None for a small target, without numba, or where it cannot compile; the last is warned of.
    """
    return _load(kernel) if size >= read_least() else None


def read_least() -> int:
    """Return the number of values from which kernels are asked for: `NEBULA_FAST_FROM`, else `LEAST`."""
    asked = os.environ.get(ENVIRONMENT, "")
    return int(asked) if asked.isdecimal() else LEAST


@cache
def _load(kernel: str) -> ModuleType | None:
    try:
        from numba.core.config import DISABLE_JIT

        return None if DISABLE_JIT else _import(kernel)
    except ImportError:
        return None
    except Exception as problem:
        warnings.warn(
            f"nebula: the kernel {kernel!r} could not be compiled ({type(problem).__name__}: {problem}); "
            f"profiles are as before, only slower.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None


def _import(kernel: str) -> ModuleType:
    if kernel == "floats":
        from nebula.profiling.compiled import floats

        return floats
    if kernel == "codes":
        from nebula.profiling.compiled import codes

        return codes
    if kernel == "tables":
        from nebula.profiling.compiled import tables

        return tables
    from nebula.profiling.compiled import digest

    return digest
