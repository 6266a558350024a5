"""How an entry names its module without importing torch."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from torch import nn

__all__ = ["torch_module"]


def torch_module(family: str, class_name: str, /, **fixed: Any) -> Callable[[Any], nn.Module]:
    """Return a builder that passes a loss's validated parameters to a class as keywords.

    The class is imported when the first loss is built. The names are written in nebula's own code,
    never read from a policy.

    Args:
        family: Module of `nebula.losses.modules`.
        class_name: Class in it.
        **fixed: Further keywords, for a class that serves several losses.
    """

    def build(params: Any) -> nn.Module:
        module = import_module(f"nebula.losses.modules.{family}")
        return cast("nn.Module", getattr(module, class_name)(**params.model_dump(), **fixed))

    return build
