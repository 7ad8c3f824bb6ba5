"""Products of a few rows, as a language model makes them for each token."""

import numpy as np
import pytest

compiled = pytest.importorskip("tallow_kernels._compiled")


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("depth", "columns"), [(1, 1), (7, 3), (64, 6), (769, 50), (300, 2051)])
def test_few_rows(rows, depth, columns):
    rng = np.random.default_rng(rows)
    x, weight, bias = (
        rng.normal(size=shape).astype(np.float32)
        for shape in ((rows, depth), (columns, depth), columns)
    )
    expected = x.astype(np.float64) @ weight.T + bias
    how = {"rtol": 1e-5, "atol": 1e-5 * np.abs(expected).max()}
    np.testing.assert_allclose(compiled.linear(x, weight, bias), expected, **how)
    np.testing.assert_allclose(compiled.linear(x, weight, None), expected - bias, **how)
    np.testing.assert_allclose(compiled.matmul(x, weight.T), expected - bias, **how)
    wide = np.repeat(weight, 2, 1)[:, ::2]  # whose rows are not contiguous
    np.testing.assert_allclose(compiled.linear(x, wide, bias), expected, **how)
