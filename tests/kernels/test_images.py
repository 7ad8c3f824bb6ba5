"""Compiled resampling and reading at places against the generic bodies, computed in float64."""

import inspect

import numpy as np
import pytest

import tallow
from tallow.kernels.cpu import REASON, compiled
from tallow.ops import resample, sample, taps

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")


@pytest.fixture(params=[1, 2])
def threads(request):
    before = compiled.get_threads()
    compiled.set_threads(request.param)
    yield
    compiled.set_threads(before)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def of_kernel(op, *arrays, **params):
    """What the kernel that is registered for the CPU gives."""
    return op.op.special["cpu"](*arrays, **params)


def assert_near(got, expected, tolerance=1e-5):
    assert got is not NotImplemented
    assert got.dtype == np.float32 and got.shape == expected.shape
    finite = expected[np.isfinite(expected)]
    size = np.abs(finite).max(initial=0)
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * size)


def tables(size, count):
    return [
        taps.nearest(size, count, None, False),
        taps.linear(size, count, None, False),
        taps.linear(size, count, None, True),
        taps.cubic(size, count, None, False),
        taps.smoothed(size, count, None, False, "linear"),
    ]


def check_resampled(x, axes, chosen):
    how = {"axes": axes, "taps": tuple(chosen)}
    expected = inspect.unwrap(resample.resample)(np, x.astype(np.float64), **how)
    assert_near(of_kernel(resample.resample, x, **how), expected)


@pytest.mark.parametrize("sizes", [(7, 5, 9, 18), (40, 70, 13, 16), (6, 9, 17, 40)], ids=str)
@pytest.mark.parametrize("kind", range(5))
def test_images_are_resampled(sizes, kind, threads):
    height, width, high, wide = sizes
    x = normal(2, 3, height, width)
    down, across = tables(height, high)[kind], tables(width, wide)[kind]
    check_resampled(x, (2, 3), (down, across))
    check_resampled(x, (2,), (down,))
    check_resampled(x, (3,), (across,))
    check_resampled(normal(2, 3, high, wide), (2, 3), (down.transposed, across.transposed))
    check_resampled(x.swapaxes(0, 1)[:, ::-1], (2, 3), (down, across))


def test_volumes_and_sequences_are_resampled(threads):
    x = normal(2, 3, 5, 7, 6)
    chosen = tables(5, 8)[1], tables(7, 3)[3], tables(6, 20)[1]
    check_resampled(x, (2, 3, 4), chosen)
    check_resampled(x, (2, 4), chosen[::2])
    check_resampled(normal(1, 300, 50), (2,), (tables(50, 333)[1],))


def test_large_images_are_resampled(threads):
    check_resampled(normal(1, 2, 700, 900), (2, 3), (tables(700, 1100)[1], tables(900, 1003)[1]))
    check_resampled(normal(1, 1, 1300, 901), (2, 3), (tables(1300, 90)[4], tables(901, 77)[4]))


def test_resampling_passes_on_what_is_not_finite():
    x = normal(1, 1, 9, 9)
    x[0, 0, 2, 3], x[0, 0, 5, 5], x[0, 0, 8, 8] = np.nan, np.inf, -0.0
    for table in (tables(9, 9)[0], tables(9, 20)[1]):
        check_resampled(x, (2, 3), (table, table))
    (nearest, *_) = tables(9, 9)
    got = of_kernel(resample.resample, x, axes=(2, 3), taps=(nearest, nearest))
    np.testing.assert_array_equal(np.signbit(got), np.signbit(x))


def test_resampling_declines_what_it_does_not_do():
    table = tables(5, 8)[1]
    for x in (normal(2, 5).astype(np.float64), normal(0, 5), normal(5)):
        how = {"axes": (x.ndim - 1,), "taps": (table,)}
        assert of_kernel(resample.resample, x, **how) is NotImplemented
    how = {"axes": (1,), "taps": (table,)}
    assert of_kernel(resample.resample, normal(3, 6), **how) is NotImplemented
    wide = taps.window_means(400, 2)
    how = {"axes": (1,), "taps": (wide,)}
    assert of_kernel(resample.resample, normal(3, 400), **how) is NotImplemented


# Reading at places

MODES = ["nearest", "linear", "cubic"]
PADDINGS = ["zeros", "border", "reflection"]


def rule(g, x, grid, needs, **how):
    """The gradients by the rule as it is written."""
    written = sample.grid_sample.op.joint.written
    return written(g, x, grid, needs, how["mode"], how["padding"], how["align_corners"])


def check_sampled(x, grid, tolerance=2e-5, **how):
    wide = [part.astype(np.float64) for part in (x, grid)]
    expected = inspect.unwrap(sample.grid_sample)(np, *wide, **how)
    assert_near(of_kernel(sample.grid_sample, x, grid, **how), expected, tolerance)
    g = normal(*expected.shape, seed=1)
    by_x, by_grid = rule(g.astype(np.float64), *wide, (True, True), **how)
    mode, padding = MODES.index(how["mode"]), PADDINGS.index(how["padding"])
    plain = mode, padding, how["align_corners"]
    got_x, got_grid = compiled.grid_sample_grad(g, x, grid, True, True, *plain)
    assert_near(got_x, by_x, tolerance)
    assert_near(got_grid, by_grid, 10 * tolerance)
    for needs in ((True, False), (False, True)):
        parts = compiled.grid_sample_grad(g, x, grid, *needs, *plain)
        for part, whole, needed in zip(parts, (got_x, got_grid), needs, strict=True):
            assert part is None or needed
            if needed:
                np.testing.assert_array_equal(part, whole)


def places(*shape, seed=2):
    """Places in and out of the image; each well within its pixel, or between two of them."""
    return np.random.default_rng(seed).uniform(-1.7, 1.7, shape).astype(np.float32)


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("mode", MODES)
def test_images_are_read_at_places(mode, padding, align_corners, threads):
    how = {"mode": mode, "padding": padding, "align_corners": align_corners}
    check_sampled(normal(2, 3, 6, 5), places(2, 7, 9, 2), **how)
    check_sampled(normal(1, 9, 31, 1), places(1, 1, 16, 2), **how)
    check_sampled(normal(3, 1, 1, 40), places(3, 40, 41, 2), **how)
    if mode != "cubic":
        check_sampled(normal(2, 3, 4, 6, 5), places(2, 3, 7, 3, 3), **how)


@pytest.mark.parametrize("mode", MODES)
def test_reading_at_places_takes_views(mode, threads):
    x, grid = normal(5, 2, 6, 7).transpose(1, 0, 3, 2), places(3, 2, 8, 2).swapaxes(0, 1)[:, ::2]
    check_sampled(x, grid, mode=mode, padding="zeros", align_corners=False)


def test_corners_are_read_exactly():
    x = normal(1, 2, 4, 6)
    corners = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32)[None, None]
    for mode in MODES:
        for padding in PADDINGS:
            how = {"mode": mode, "padding": padding, "align_corners": True}
            got = of_kernel(sample.grid_sample, x, corners, **how)
            np.testing.assert_array_equal(got[0, :, 0], x[0][:, [0, 0, -1, -1], [0, -1, 0, -1]])


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("mode", MODES)
def test_places_that_are_not_finite(mode, padding):
    """They do not read outside of the image, and give what the generic body gives."""
    x, grid = normal(1, 1, 5, 4), places(1, 1, 24, 2)
    x[0, 0, 0, 0] = np.inf
    grid[0, 0, :5] = [[np.nan, 0], [0, np.inf], [-np.inf, 0], [1e30, -1e30], [3e9, 0.1]]
    how = {"mode": mode, "padding": padding, "align_corners": False}
    with np.errstate(all="ignore"):
        expected = inspect.unwrap(sample.grid_sample)(np, x, grid, **how)
    got = of_kernel(sample.grid_sample, x, grid, **how)
    known = np.isfinite(expected)
    np.testing.assert_allclose(got[known], expected[known], rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(np.isnan(got[..., :1]), np.isnan(expected[..., :1]))
    compiled.grid_sample_grad(got, x, grid, True, True, MODES.index(mode),
                              PADDINGS.index(padding), False)  # fmt: skip


def test_neighbours_of_the_edge_do_not_count(threads):
    """Two elements are read together, also where only one of them counts."""
    x = normal(2, 3, 6, 150)
    x[..., 1], x[..., -2] = np.inf, np.nan
    edges = np.array([[-1, -0.5], [1, -0.5]], np.float32)  # half of row 1's outermost elements
    grid = np.tile(edges, (2, 90, 1))[:, None]
    how = {"mode": "linear", "padding": "zeros", "align_corners": False}
    check_sampled(x, grid, **how)
    got = of_kernel(sample.grid_sample, x, grid, **how)
    np.testing.assert_allclose(got[:, :, 0, :2], x[:, :, 1, [0, -1]] / 2, rtol=1e-6)


@pytest.mark.parametrize("axes", [2, 3])
def test_the_nearest_element_is_read_as_it_is(axes, threads):
    x = normal(1, 2, *[5] * axes)
    x[0, 0] = -0.0
    x[0, 1, 0] = np.nan
    grid = places(1, *[6] * axes, axes)
    how = {"mode": "nearest", "padding": "border", "align_corners": False}
    got = of_kernel(sample.grid_sample, x, grid, **how)
    expected = inspect.unwrap(sample.grid_sample)(np, x, grid, **how)
    np.testing.assert_array_equal(got, expected)
    assert np.signbit(got[0, 0]).all()


def test_reading_at_places_declines_what_it_does_not_do():
    how = {"mode": "linear", "padding": "zeros", "align_corners": False}
    x, grid = normal(1, 1, 5, 4), places(1, 2, 3, 2)
    for pair in (
        (x.astype(np.float64), grid), (x[:0], grid[:0]), (x[:, :0], grid),
        (x, np.repeat(grid, 2, axis=0)), (x[:, :, None], grid[:, None]),
    ):  # fmt: skip
        assert of_kernel(sample.grid_sample, *pair, **how) is NotImplemented
    assert compiled.grid_sample_grad(x, x, grid, True, True, 1, 0, False) is NotImplemented


def test_gradients_of_gradients_go_by_the_rule():
    x = tallow.tensor(normal(1, 2, 5, 4), requires_grad=True)
    grid = tallow.tensor(places(1, 2, 3, 2), requires_grad=True)
    out = tallow.nn.functional.grid_sample(x, grid, align_corners=False)
    by_x, by_grid = tallow.autograd.grad((out * out).sum(), [x, grid], create_graph=True)
    (by_x.square().sum() + by_grid.square().sum()).backward()
    assert x.grad.isfinite().all() and grid.grad.abs().sum() > 0
