"""The CUDA kernels, run on the processor: each operation's cases, on the stand-in's arrays."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import tallow
from tallow.kernels.cuda import index, registered  # noqa: F401 - the latter registers the kernels
from tallow.testing.checks import Check, device, kernel

FILES = sorted((Path(__file__).parent.parent / "ops").glob("test_*.py"))
CASES = [case for file in FILES for case in runpy.run_path(str(file)).get("CASES", ())]
COMBINING = {  # by `Backend.combine_at`
    "add_at", "add_back", "add_strided", "gathered_back", "index_put", "scatter_add",
    "scatter_extreme", "scatter_prod", "scatter_ties",
}  # fmt: skip
CHECKS = [
    Check(kind, case, ("standin",))
    for case in CASES
    for kind in (kernel, device)
    if "cuda" in case.op.special or (kind is device and case.op.name in COMBINING)
]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_op(check, emulated):
    check()


@pytest.mark.parametrize("limit", [0, 1 << 15])
@pytest.mark.parametrize("width", [1, 3, 40, 300])
def test_what_meets_is_combined(width, limit, emulated, monkeypatch):
    """Indices sorted by a kernel or by CuPy; the same sums each time."""
    monkeypatch.setattr(index, "FEW", limit)
    rng = np.random.default_rng(0)
    places, values = rng.integers(0, 5, 300), rng.normal(0, 1, (300, width))
    expected = np.zeros((5, width))
    np.add.at(expected, places, values)
    rows, g = (tallow.tensor(x).to("standin") for x in (places, values.astype(np.float32)))
    made = []
    for _ in range(2):
        weight = tallow.zeros(5, width).to("standin").requires_grad_()
        tallow.nn.functional.embedding(rows, weight).backward(g)
        made.append(weight.grad.cpu().numpy())
    assert (made[0] == made[1]).all()
    assert made[0] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_an_embedding_s_gradient_takes_no_notice_of_padding(emulated):
    table, rows = tallow.rand(6, 3).requires_grad_(), tallow.tensor([[1, 2, 1], [5, 1, 2]])
    found = []
    for where in ("cpu", "standin"):
        weight = table.detach().to(where).requires_grad_()
        tallow.nn.functional.embedding(rows.to(where), weight, padding_idx=2).sum().backward()
        found.append(weight.grad.tolist())
    assert found[0] == found[1]
