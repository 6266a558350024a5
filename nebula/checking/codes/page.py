"""What a code's page holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["PREAMBLE", "CheckPage"]

PREAMBLE = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n\ntorch.manual_seed(0)\n"
"""What every example begins with."""


@dataclass(frozen=True)
class CheckPage:
    """One kind of finding, explained.

    Attributes:
        code: Its stable name.
        title: What is wrong, in a few words.
        meaning: What it means and why it matters.
        mend: What to do.
        bad: Python that sets `loss`, `prediction`, `target` (and `extra`, a dict of further tensors) so
            that it is found; the imports are left out.
        good: The same, mended.
        severity: The gravest it can be; weaker evidence lowers it.
    """

    code: str
    title: str
    meaning: str
    mend: str
    bad: str
    good: str
    severity: Literal["error", "warning", "note"] = "error"
