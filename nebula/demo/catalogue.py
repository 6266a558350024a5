"""Which data sets the demonstration runs on, and the metric each is judged by.

Twelve were declared before any of them was trained on. `health_risk` and `usual_visits`, a second
metric on rows that were there already, were added after a first look at results: read them as
illustrations of what a declared metric changes, not as independent evidence.
"""

from __future__ import annotations

from functools import partial

from nebula.demo.datasets import Declaration, read_bundled, read_star98, read_table

__all__ = ["DATASETS"]

_HEALTH = "mdvis lncoins idp lpi fmde physlm disea"
_VISITS = "lncoins idp lpi fmde physlm disea hlthg hlthf hlthp"

DATASETS: tuple[Declaration, ...] = (
    Declaration(
        name="digits",
        column="digit",
        metric="log_loss",
        kind="multiclass",
        n_outputs=10,
        description="8x8 grey images of handwritten digits: which digit",
        source="sklearn.datasets.load_digits",
        read=partial(read_bundled, "load_digits"),
    ),
    Declaration(
        name="wine",
        column="cultivar",
        metric="log_loss",
        kind="multiclass",
        n_outputs=3,
        description="chemical measures of 178 Italian wines: which of three growers",
        source="sklearn.datasets.load_wine",
        read=partial(read_bundled, "load_wine"),
    ),
    Declaration(
        name="breast_cancer",
        column="benign",
        metric="log_loss",
        kind="binary",
        n_outputs=1,
        description="measures of cell nuclei of 569 tumours: benign or malignant",
        source="sklearn.datasets.load_breast_cancer",
        read=partial(read_bundled, "load_breast_cancer"),
    ),
    Declaration(
        name="poor_health",
        column="hlthp",
        metric="balanced_accuracy",
        kind="binary",
        n_outputs=1,
        description="RAND health insurance experiment: who calls their own health poor (1.5 %)",
        source="statsmodels.api.datasets.randhie",
        read=partial(read_table, "randhie", "hlthp", _HEALTH, whole=True),
    ),
    Declaration(
        name="health_risk",
        column="hlthp",
        metric="log_loss",
        kind="binary",
        n_outputs=1,
        description="the same people and question, judged by the probability instead of the answer",
        source="statsmodels.api.datasets.randhie",
        read=partial(read_table, "randhie", "hlthp", _HEALTH, whole=True),
    ),
    Declaration(
        name="star98",
        column="share_above",
        metric="brier",
        kind="number",
        n_outputs=1,
        description="303 Californian school districts: share of pupils above the national median in maths",
        source="statsmodels.api.datasets.star98",
        read=read_star98,
    ),
    Declaration(
        name="doctor_visits",
        column="mdvis",
        metric="poisson_deviance",
        kind="number",
        n_outputs=1,
        description="RAND health insurance experiment: visits to a doctor in a year",
        source="statsmodels.api.datasets.randhie",
        read=partial(read_table, "randhie", "mdvis", _VISITS, whole=True),
    ),
    Declaration(
        name="usual_visits",
        column="mdvis",
        metric="mae",
        kind="number",
        n_outputs=1,
        description="the same visits, judged by the absolute error: what is usual, not what is the mean",
        source="statsmodels.api.datasets.randhie",
        read=partial(read_table, "randhie", "mdvis", _VISITS, whole=True),
    ),
    Declaration(
        name="affairs",
        column="affairs",
        metric="poisson_deviance",
        kind="number",
        n_outputs=1,
        description="Redbook survey 1974 (Fair 1978): yearly rate of extramarital affairs, two thirds zero",
        source="statsmodels.api.datasets.fair",
        read=partial(
            read_table,
            "fair",
            "affairs",
            "rate_marriage age yrs_married children religious educ",
            "occupation occupation_husb",
        ),
    ),
    Declaration(
        name="investment",
        column="invest",
        metric="gamma_deviance",
        kind="number",
        n_outputs=1,
        description="11 US firms, 1935-1954 (Grunfeld 1958): gross investment in million dollars",
        source="statsmodels.api.datasets.grunfeld",
        read=partial(read_table, "grunfeld", "invest", "value capital year", "firm"),
    ),
    Declaration(
        name="card_spending",
        column="AVGEXP",
        metric="mae",
        kind="number",
        n_outputs=1,
        description="72 credit card holders (Greene): average monthly spending",
        source="statsmodels.api.datasets.ccard",
        read=partial(read_table, "ccard", "AVGEXP", "AGE INCOME INCOMESQ OWNRENT"),
    ),
    Declaration(
        name="engel",
        column="foodexp",
        metric="mae",
        kind="number",
        n_outputs=1,
        description="235 Belgian households (Engel 1857): yearly spending on food, by income",
        source="statsmodels.api.datasets.engel",
        read=partial(read_table, "engel", "foodexp", "income"),
    ),
    Declaration(
        name="diabetes",
        column="progression",
        metric="rmse",
        kind="number",
        n_outputs=1,
        description="442 patients (Efron et al. 2004): disease progression, a whole-number score",
        source="sklearn.datasets.load_diabetes",
        read=partial(read_bundled, "load_diabetes"),
    ),
    Declaration(
        name="linnerud",
        column="physiology",
        metric="rmse",
        kind="number",
        n_outputs=3,
        description="20 men in a fitness club: weight, waist and pulse from three exercises",
        source="sklearn.datasets.load_linnerud",
        read=partial(read_bundled, "load_linnerud"),
    ),
)
