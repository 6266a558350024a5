"""A decided object in a training loop: compiled, in half precision, transformed, copied to processes and threads."""

from __future__ import annotations

import io
import multiprocessing
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import grad, vmap

from nebula import Nebula, PredictionSpec
from nebula.errors import ContractError

REGRESSION = torch.randn(400, generator=torch.Generator().manual_seed(3))


def classes(n: int = 32, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 10, generator=generator), torch.randint(0, 10, (n,), generator=generator)


def decided(**options: Any) -> Nebula:
    return Nebula(**options).fit(torch.arange(200) % 10, prediction=PredictionSpec(shape=(None, 10)))


@pytest.fixture
def compiler() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.set_stance("default")
    torch.compiler.reset()


class Step(nn.Module):
    def __init__(self, criterion: nn.Module, layer: nn.Module | None = None) -> None:
        super().__init__()
        self.layer, self.criterion = layer or nn.Linear(10, 10), criterion

    def forward(self, inputs: Tensor, target: Tensor) -> Tensor:
        loss: Tensor = self.criterion(self.layer(inputs), target)
        return loss


KINDS: dict[str, Any] = {
    "direct": lambda: (decided(), *classes()),
    "unguarded": lambda: (decided(guard=False), *classes()),
    "criterion": lambda: (decided().loss_function, *classes()),
    "weights": lambda: (decided(hints={"weights": "balanced"}), *classes()),
    "values": lambda: (
        Nebula().fit(REGRESSION, prediction=PredictionSpec(shape=(None,))),
        torch.zeros(8),
        torch.ones(8),
    ),
    "steps": lambda: (
        Nebula().fit(REGRESSION.double(), prediction=PredictionSpec(shape=(None, 1))),
        torch.zeros(8, 1),
        torch.ones(8).double(),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("compiler")
def test_one_graph_and_one_compilation(kind: str) -> None:
    """Also past the guard's looks, which happen outside the graph only."""
    criterion, prediction, target = KINDS[kind]()
    compiled = torch.compile(criterion, fullgraph=True, backend="eager")
    expected = criterion(prediction, target)
    torch.testing.assert_close(compiled(prediction, target), expected)
    torch.compiler.set_stance("fail_on_recompile")
    for _ in range(150):
        criterion(prediction, target)
        torch.testing.assert_close(compiled(prediction, target), expected)


@pytest.mark.usefixtures("compiler")
def test_inside_a_compiled_step() -> None:
    inputs, target = classes()
    found = []
    for loss in (decided(), nn.CrossEntropyLoss()):
        torch.manual_seed(0)
        model = nn.Linear(10, 10)
        compiled = torch.compile(Step(loss, model), fullgraph=True, backend="aot_eager")
        compiled(inputs, target).backward()
        torch.compiler.set_stance("fail_on_recompile")
        for _ in range(3):
            compiled(inputs, target).backward()
        torch.compiler.set_stance("default")
        found.append(model.weight.grad)
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_and_returned_in_float32(dtype: torch.dtype) -> None:
    criterion, (prediction, target) = decided(), classes()
    half = prediction.to(dtype).requires_grad_()
    loss = criterion(half, target)
    assert loss.dtype is torch.float32
    torch.testing.assert_close(loss, nn.CrossEntropyLoss()(half.float(), target))
    loss.backward()
    assert half.grad is not None
    assert half.grad.dtype is dtype


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["direct", "values", "steps"])
def test_under_autocast(kind: str, dtype: torch.dtype) -> None:
    criterion, prediction, target = KINDS[kind]()
    layer = nn.Linear(prediction.shape[-1], prediction.shape[-1])
    with torch.autocast("cpu", dtype=dtype):
        output = layer(prediction)
        assert output.dtype is dtype
        loss = criterion(output, target)
    assert loss.dtype is torch.float32
    torch.testing.assert_close(loss, criterion(output.float(), target))
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_by_function_transforms(kind: str) -> None:
    criterion, prediction, target = KINDS[kind]()
    leaf = prediction.clone().requires_grad_()
    criterion(leaf, target).backward()
    torch.testing.assert_close(grad(criterion)(prediction, target), leaf.grad)


def test_a_gradient_per_row() -> None:
    criterion, (prediction, target) = decided(), classes()
    rows = vmap(grad(lambda z, y: criterion(z[None], y[None])))(prediction, target)
    leaf = prediction.clone().requires_grad_()
    criterion(leaf, target).backward()
    torch.testing.assert_close(rows.mean(0), leaf.grad.sum(0))  # type: ignore[union-attr]
    for _ in range(70):
        vmap(lambda z, y: criterion(z[None], y[None]))(prediction, target)


def test_in_inference_mode() -> None:
    criterion = decided()
    prediction, target = classes()
    criterion(prediction, target)
    with torch.inference_mode():
        made = target + 0
        for _ in range(70):
            torch.testing.assert_close(criterion(prediction, made), nn.CrossEntropyLoss()(prediction, target))


@pytest.mark.parametrize("strict", [False, True])
def test_export(strict: bool) -> None:
    module = Step(decided().loss_function or nn.Identity())
    inputs, target = classes()
    program = torch.export.export(module, (inputs, target), strict=strict)
    torch.testing.assert_close(program.module()(inputs, target), module(inputs, target))
    held = io.BytesIO()
    torch.export.save(program, held)
    held.seek(0)
    torch.testing.assert_close(torch.export.load(held).module()(inputs, target), module(inputs, target))


def test_hooks_on_the_object_run() -> None:
    criterion, seen = decided(), []
    criterion.register_forward_hook(lambda *_: seen.append(1))
    for _ in range(3):
        criterion(*classes())
    assert len(seen) == 3


def test_refusals_are_those_of_the_first_call() -> None:
    criterion, (prediction, target) = decided(), classes()
    for _ in range(3):
        criterion(prediction, target)
    for wrong in ((prediction[:, :1], target), (prediction[0], target[0]), (prediction, target.int())):
        with pytest.raises(ContractError):
            criterion(*wrong)
    values = Nebula().fit(REGRESSION, prediction=PredictionSpec(shape=(None,)))
    for _ in range(3):
        values(torch.zeros(8), torch.ones(8))
    with pytest.raises(ContractError):
        values(torch.zeros(8), torch.ones(8, 1))


def run(criterion: Nebula, queue: Any) -> None:
    torch.set_num_threads(1)
    queue.put([float(criterion(*classes(seed=seed))) for seed in range(70)])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_in_other_processes(method: str) -> None:
    criterion = decided()
    criterion(*classes())
    context: Any = multiprocessing.get_context(method)
    queue = context.SimpleQueue()
    process = context.Process(target=run, args=(criterion, queue))
    process.start()
    found = queue.get()
    process.join()
    assert found == pytest.approx([float(nn.CrossEntropyLoss()(*classes(seed=seed))) for seed in range(70)])


def test_in_threads() -> None:
    criterion, wrong = decided(), []
    expected = [float(nn.CrossEntropyLoss()(*classes(seed=seed))) for seed in range(20)]

    def work() -> None:
        for _ in range(30):
            found = [float(criterion(*classes(seed=seed))) for seed in range(20)]
            if found != pytest.approx(expected):
                wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert criterion.drift_events == ()


def test_threads_that_come_first_make_one_decision() -> None:
    criterion = Nebula()
    prediction, target = classes(200)
    threads = [threading.Thread(target=criterion, args=(prediction, target)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(criterion.decisions) == 1
