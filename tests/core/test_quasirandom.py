"""Sobol' sequences, point by point PyTorch's."""

import numpy as np
import pytest

import tallow
from tallow.quasirandom import SobolEngine


def test_the_first_points():
    points = SobolEngine(3).draw(4)
    assert points.tolist() == [[0, 0, 0], [0.5] * 3, [0.75, 0.25, 0.25], [0.25, 0.75, 0.75]]


@pytest.mark.parametrize("scramble", [False, True])
@pytest.mark.parametrize("dimension", [1, 2, 17, 1111])
def test_pytorchs_points(dimension, scramble):
    torch = pytest.importorskip("torch")
    ours, theirs = (
        library.quasirandom.SobolEngine(dimension, scramble, seed=5) for library in (tallow, torch)
    )
    for n in (1, 1, 6, 100):
        np.testing.assert_array_equal(ours.draw(n).array, theirs.draw(n).numpy(), strict=True)
    ours.fast_forward(7), theirs.fast_forward(7)
    double = ours.draw(9, dtype=tallow.float64), theirs.draw(9, dtype=torch.float64)
    np.testing.assert_array_equal(double[0].array, double[1].numpy(), strict=True)
    assert repr(ours) == repr(theirs) and ours.num_generated == theirs.num_generated
    ours.reset(), theirs.reset()
    ours.fast_forward(3), theirs.fast_forward(3)
    np.testing.assert_array_equal(ours.draw_base2(0).array, theirs.draw_base2(0).numpy())


def test_it_is_scrambled_by_the_default_generator():
    torch = pytest.importorskip("torch")
    tallow.manual_seed(3), torch.manual_seed(3)
    for _ in range(2):
        ours, theirs = (library.quasirandom.SobolEngine(4, True) for library in (tallow, torch))
        np.testing.assert_array_equal(ours.draw(8).array, theirs.draw(8).numpy())


def test_it_fills_the_cube_evenly():
    points = SobolEngine(2, scramble=True, seed=0).draw_base2(8).array
    cells = np.floor(points * 16).astype(int)
    assert len({tuple(cell) for cell in cells.tolist()}) == 256


def test_out_and_errors():
    out = tallow.empty(0)
    assert SobolEngine(2).draw(3, out=out) is out and out.shape == (3, 2)
    with pytest.raises(ValueError, match="SobolEngine: expected 1 to 1111 dimensions, got 1112"):
        SobolEngine(1112)
    engine = SobolEngine(1)
    engine.draw(3)
    with pytest.raises(ValueError, match=r"a power of 2 points in all, got 3 \+ 2\*\*1 = 5"):
        engine.draw_base2(1)
