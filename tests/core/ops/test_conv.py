"""Cases of tallow.ops.conv, against loops over places and windows."""

from itertools import product

import numpy as np
import pytest

from tallow.ops import conv as ops
from tallow.testing import Case, checks, given


def windows(size, kernel, stride, padding, dilation):
    """Output, kernel and input place of each element of each window within the input."""
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    counts = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes]
    for out in product(*map(range, counts)):
        for place in product(*map(range, kernel)):
            steps = zip(out, place, stride, padding, dilation, strict=True)
            source = tuple(o * s - p + k * d for o, k, s, p, d in steps)
            if all(0 <= i < n for i, n in zip(source, size, strict=True)):
                yield out, place, source


def counted(size, kernel, stride, padding, dilation):
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes)


def grouped(groups, inputs, outputs):
    """The input channels and output channels of each group, as slices."""
    for group in range(groups):
        yield (
            slice(group * inputs // groups, (group + 1) * inputs // groups),
            slice(group * outputs // groups, (group + 1) * outputs // groups),
        )


def conv(x, weight, bias, stride, padding, dilation, groups):
    kernel, how = weight.shape[2:], (stride, padding, dilation)
    out = np.zeros((len(x), len(weight), *counted(x.shape[2:], kernel, *how)))
    for o, k, i in windows(x.shape[2:], kernel, *how):
        for enter, leave in grouped(groups, x.shape[1], len(weight)):
            out[(slice(None), leave, *o)] += (
                x[(slice(None), enter, *i)] @ weight[(leave, slice(None), *k)].T
            )
    return out if bias is None else out + bias.reshape(-1, *(1,) * len(kernel))


def conv_grad_weight(g, x, kernel, stride, padding, dilation, groups):
    total = np.zeros((g.shape[1], x.shape[1] // groups, *kernel))
    for o, k, i in windows(x.shape[2:], kernel, stride, padding, dilation):
        for enter, leave in grouped(groups, x.shape[1], g.shape[1]):
            total[(leave, slice(None), *k)] += (
                g[(slice(None), leave, *o)].T @ x[(slice(None), enter, *i)]
            )
    return total


def conv_grad_input(g, weight, size, stride, padding, dilation, groups):
    out = np.zeros((len(g), weight.shape[1] * groups, *size))
    for o, k, i in windows(size, weight.shape[2:], stride, padding, dilation):
        for enter, leave in grouped(groups, out.shape[1], len(weight)):
            out[(slice(None), enter, *i)] += (
                g[(slice(None), leave, *o)] @ weight[(leave, slice(None), *k)]
            )
    return out


def unfold(x, kernel, stride, padding, dilation):
    count = counted(x.shape[2:], kernel, stride, padding, dilation)
    out = np.zeros((len(x), x.shape[1], *kernel, *count), x.dtype)
    for o, k, i in windows(x.shape[2:], kernel, stride, padding, dilation):
        out[(slice(None), slice(None), *k, *o)] = x[(slice(None), slice(None), *i)]
    return out.reshape(len(x), x.shape[1] * int(np.prod(kernel)), int(np.prod(count)))


def fold(columns, size, kernel, stride, padding, dilation):
    count = counted(size, kernel, stride, padding, dilation)
    channels = columns.shape[1] // int(np.prod(kernel))
    parts = columns.reshape(len(columns), channels, *kernel, *count)
    out = np.zeros((len(columns), channels, *size), columns.dtype)
    for o, k, i in windows(size, kernel, stride, padding, dilation):
        out[(slice(None), slice(None), *i)] += parts[(slice(None), slice(None), *k, *o)]
    return out


def how(stride, padding, dilation, groups=1):
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


# x, weight, and how: the examples of all three passes
PASSES = [
    ((2, 3, 7), (4, 3, 3), how((2,), (1,), (2,))),
    ((2, 4, 5, 6), (6, 2, 3, 2), how((1, 2), (1, 0), (1, 1), 2)),
    ((2, 3, 6, 6), (3, 1, 3, 3), how((1, 1), (1, 1), (1, 1), 3)),
    ((2, 2, 6, 6), (3, 2, 3, 3), how((1, 1), (1, 1), (1, 1))),
    ((1, 2, 4, 3, 5), (3, 2, 2, 2, 3), how((2, 1, 1), (0, 1, 2), (1, 1, 2))),
    ((0, 2, 4), (3, 2, 2), how((1,), (0,), (1,))),
]


def passes(make):
    return [make(x, w, how) for x, w, how in PASSES]


def output(x, w, how):
    return (x[0], w[0], *counted(x[2:], w[2:], how["stride"], how["padding"], how["dilation"]))


COLUMNS = [
    {"kernel": (2, 3), "stride": (1, 2), "padding": (1, 0), "dilation": (2, 1)},
    {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1)},
]


def columns_of(how):
    """The shape of the columns that fold into (2, 3, 5, 6)."""
    return (2, 3 * int(np.prod(how["kernel"])), int(np.prod(counted((5, 6), **how))))


CASES = [
    Case(ops.conv, conv, *passes(lambda x, w, how: given(x, w, (w[0],), **how)),
         *passes(lambda x, w, how: given(x, w, None, **how)), tolerance=20),
    Case(ops.conv_grad_weight, conv_grad_weight,
         *passes(lambda x, w, how: given(output(x, w, how), x, kernel=w[2:], **how)), tolerance=20),
    Case(ops.conv_grad_input, conv_grad_input,
         *passes(lambda x, w, how: given(output(x, w, how), w, size=x[2:], **how)), tolerance=20),
    Case(ops.unfold, unfold, *[given((2, 3, 5, 6), **how) for how in COLUMNS]),
    Case(ops.fold, fold, *[given(columns_of(how), size=(5, 6), **how) for how in COLUMNS],
         tolerance=4),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
