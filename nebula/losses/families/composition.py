"""The loss made of other losses, and how its terms are weighed against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from nebula.errors import ContractError
from nebula.losses.contract import Contract
from nebula.losses.params import LossParams
from nebula.losses.registry import LossEntry
from nebula.losses.spec import COMPOSITE

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ENTRIES", "CompositeParams"]


class CompositeParams(LossParams):
    """How the terms of a composite are weighed, beside their own constant or scheduled weights."""

    weighting: Literal[
        "static", "uncertainty", "dwa", "scale", "gradnorm", "pcgrad", "mgda", "imtl_g", "aligned_mtl"
    ] = Field(
        "static",
        description=(
            "`static`: the terms' own weights alone; `uncertainty`: learned variances (Kendall 2018); `dwa`: by the "
            "rate of descent (Liu 2019); `scale`: each divided by its running mean; `gradnorm`: equal gradient norms "
            "(Chen 2018); `pcgrad`, `mgda`, `imtl_g`, `aligned_mtl`: gradients aggregated by torchjd (extra "
            "`multitask`), with `criterion.backward(values, shared)` in place of `loss.backward()`."
        ),
    )
    temperature: Annotated[float, Field(gt=0)] = Field(2.0, description="`dwa`: softness; large is equal weights.")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.99, description="`scale`: memory of the running mean.")
    restoring_force: Annotated[float, Field(ge=0)] = Field(
        1.5, description="`gradnorm`: how strongly tasks that train slowly are favoured (the paper's alpha)."
    )
    weight_rate: Annotated[float, Field(gt=0)] = Field(0.025, description="`gradnorm`: step size of the weights.")


def _build(_params: CompositeParams) -> nn.Module:
    raise ContractError(f"{COMPOSITE}: expected a spec with terms, found none: name them under `compose`.")


ENTRIES = (
    LossEntry(
        name=COMPOSITE,
        family="composition",
        summary="Weighted sum of named losses, with scheduled or learned weights and penalties on the model.",
        formula="Σ_k w_k(t) L_k + Σ penalties; uncertainty: Σ_k w_k (exp(-s_k) L_k + s_k) / 2",
        reference=(
            "Kendall et al. 2018, CVPR, equation 10; Liu et al. 2019, CVPR, equation 7; "
            "Chen et al. 2018, ICML, equations 1 and 2; Yu et al. 2020, NeurIPS (pcgrad); Désidéri 2012 (mgda); "
            "Liu et al. 2021, ICLR (imtl_g); Senushkin et al. 2023, CVPR (aligned_mtl)"
        ),
        limits=(
            "The values of different losses have different units: equal weights are not equal importance. Under Adam, "
            "a common factor on all terms changes nothing. `uncertainty` can turn negative."
        ),
        contracts=(
            Contract(
                prediction_space="raw",
                target_kind="real",
                layout="free",
                axes=(("N", "…"), ("N", "…")),
                target_dtype="float",
                reductions=("mean",),
                couples_samples=True,
                bounded_below=False,
            ),
        ),
        params=CompositeParams,
        build=_build,
        composed=True,
    ),
)
