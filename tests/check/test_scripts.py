"""A script is read and never run; only what its text shows is reported."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.checking.source.reader import LOSS_FUNCTIONS, check_source, read_script
from nebula.checking.subject import FUNCTIONS
from nebula.errors import DataError

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
NET = (
    "class Net(nn.Module):\n"
    "    def __init__(self):\n"
    "        super().__init__()\n"
    "        self.fc = nn.Linear(3, 4)\n"
    "        self.last = {last}\n"
    "    def forward(self, x):\n"
    "        x = self.fc(x)\n"
    "        return {result}\n"
    "model = Net().to('cpu')\n"
)

METHOD = (
    "class T:\n    def __init__(self):\n        self.c = nn.BCEWithLogitsLoss()\n"
    "    def step(self, x, y):\n        return self.c(x.sigmoid(), y)"
)

WRONG = {
    "softmax in the call": ("F.cross_entropy(F.softmax(x, dim=1), y)", "NEB-C040"),
    "softmax method": ("nn.CrossEntropyLoss()(x.softmax(1), y)", "NEB-C040"),
    "through a name": ("p = torch.softmax(x, 1)\nloss = F.cross_entropy(p, y)", "NEB-C040"),
    "in the model": (
        NET.format(last="nn.Softmax(1)", result="self.last(x)") + "F.cross_entropy(model(x), y)",
        "NEB-C040",
    ),
    "in a sequence": ("m = nn.Sequential(nn.Linear(2, 3), nn.Softmax(1))\nF.cross_entropy(m(x), y)", "NEB-C040"),
    "sigmoid twice": ("c = nn.BCEWithLogitsLoss()\nc(torch.sigmoid(x), y)", "NEB-C045"),
    "sigmoid twice in a method": (
        METHOD,
        "NEB-C045",
    ),
    "one output": ("m = nn.Linear(3, 1)\nc = nn.CrossEntropyLoss()\nc(m(x), y)", "NEB-C014"),
    "softmax into likelihood": ("F.nll_loss(x.softmax(1), y)", "NEB-C041"),
    "no log_softmax": ("m = nn.Linear(3, 4)\nF.nll_loss(m(x), y)", "NEB-C042"),
    "no log_softmax, divergence": ("m = nn.Linear(3, 4)\nF.kl_div(m(x), y, reduction='sum')", "NEB-C042"),
    "no sigmoid": ("m = nn.Linear(3, 1)\nc = nn.BCELoss()\nc(m(x).squeeze(1), y)", "NEB-C044"),
    "mean by default": ("c = nn.KLDivLoss()", "NEB-C047"),
    "mean by name": ("F.kl_div(a.log_softmax(1), b, reduction='mean')", "NEB-C047"),
    "exchanged": ("F.cross_entropy(labels, logits)", "NEB-C018"),
    "exchanged keywords": ("F.cross_entropy(input=target, target=output)", "NEB-C018"),
    "exp of a rate": ("F.poisson_nll_loss(F.softplus(x), y)", "NEB-C051"),
    "standard deviation": ("F.gaussian_nll_loss(mean, y, std)", "NEB-C053"),
}

RIGHT = {
    "logits": "m = nn.Linear(3, 4)\nF.cross_entropy(m(x), y)",
    "log_softmax": "F.nll_loss(F.log_softmax(x, dim=1), y)",
    "log of softmax": "F.nll_loss(torch.softmax(x, 1).log(), y)",
    "sigmoid": "m = nn.Linear(3, 1)\nc = nn.BCELoss()\nc(m(x).sigmoid(), y)",
    "one logit": "m = nn.Linear(3, 1)\nc = nn.BCEWithLogitsLoss()\nc(m(x), y)",
    "softmax for reading only": "p = x.softmax(1)\nprint(p)\nF.cross_entropy(x, y)",
    "another name later": "p = x.softmax(1)\np = x\nF.cross_entropy(p, y)",
    "softmax in a branch": "p = x\nif test:\n    p = x.softmax(1)\nF.cross_entropy(p, y)",
    "softmax of an argument's name": "p = x.softmax(1)\ndef f(p, y):\n    return F.cross_entropy(p, y)",
    "attention inside": NET.format(last="nn.Softmax(1)", result="self.fc(self.last(x))")
    + "F.cross_entropy(model(x), y)",
    "two ways out": NET.format(last="nn.Softmax(1)", result="x if self.training else self.last(x)")
    + "F.cross_entropy(model(x), y)",
    "batchmean": "c = nn.KLDivLoss(reduction='batchmean')",
    "unknown options": "c = nn.KLDivLoss(**options)",
    "symmetric": "F.mse_loss(target, output)",
    "someone else's": "from other import cross_entropy\ncross_entropy(x.softmax(1), y)",
    "rate": "F.poisson_nll_loss(F.softplus(x), y, log_input=False)",
    "variance": "F.gaussian_nll_loss(mean, y, var)",
    "an augmented name": "p = x.softmax(1)\np += 1\nF.cross_entropy(p, y)",
    "a loop's name": "p = x.softmax(1)\nfor p in batches:\n    F.cross_entropy(p, y)",
}


@pytest.mark.parametrize(("source", "code"), WRONG.values(), ids=WRONG)
def test_what_the_text_shows_is_found(source: str, code: str) -> None:
    assert [problem.code for problem in check_source(HEAD + source + "\n")] == [code]


@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT)
def test_what_the_text_does_not_show_is_not_reported(source: str) -> None:
    assert check_source(HEAD + source + "\n") == ()


def test_a_script_is_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    script = tmp_path / "train.py"
    script.write_text(f"open({str(trace)!r}, 'w').write('run')\nimport no_such_module\n{HEAD}c = nn.KLDivLoss()\n")
    assert [problem.code for problem in read_script(script)] == ["NEB-C047"]
    assert not trace.exists()


def test_the_place_is_exact() -> None:
    (problem,) = check_source(HEAD + "é = 1; F.cross_entropy(x.softmax(1), y)\n")
    assert (problem.line, problem.column, problem.end_column) == (4, 24, 36)


@pytest.mark.parametrize("text", ["def", "x = (", "\0", "(" * 5000, "-" * 100_000 + "1"], ids=str)
def test_what_is_no_python_is_told(text: str) -> None:
    with pytest.raises(DataError, match="expected"):
        check_source(text)


@given(st.text(max_size=60))
def test_any_text_gives_problems_or_a_data_error(text: str) -> None:
    with contextlib.suppress(DataError):
        assert isinstance(check_source(text), tuple)


def test_the_functions_are_those_that_a_batch_is_checked_by() -> None:
    assert {name: FUNCTIONS[name] for name in LOSS_FUNCTIONS} == LOSS_FUNCTIONS


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).resolve().parents[2].glob("nebula/losses/*.py")), ids=lambda p: p.stem
)
def test_our_own_modules_have_no_fault(path: Path) -> None:
    assert read_script(path) == ()
