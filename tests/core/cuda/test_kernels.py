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
def test_what_meets_is_combined_in_its_order(limit, emulated, monkeypatch):
    """By search or by sorting; numbers of which a sum in another order is another."""
    monkeypatch.setattr(index, "FEW", limit)
    rng = np.random.default_rng(0)
    places, values = rng.integers(0, 5, 300), rng.normal(0, 1, 300).astype(np.float32)
    expected = np.zeros(5, np.float32)
    np.add.at(expected, places, values)
    sums = tallow.zeros(5).to("standin")
    sums.index_put_(
        (tallow.tensor(places).to("standin"),), tallow.tensor(values).to("standin"), True
    )
    assert sums.cpu().numpy() == pytest.approx(expected, rel=1e-5)
    if limit:
        assert (sums.cpu().numpy() == expected).all()


def test_an_embedding_s_gradient_takes_no_notice_of_padding(emulated):
    table, rows = tallow.rand(6, 3).requires_grad_(), tallow.tensor([[1, 2, 1], [5, 1, 2]])
    found = []
    for where in ("cpu", "standin"):
        weight = table.detach().to(where).requires_grad_()
        tallow.nn.functional.embedding(rows.to(where), weight, padding_idx=2).sum().backward()
        found.append(weight.grad.tolist())
    assert found[0] == found[1]
