"""Compiled connectionist temporal classification against the generic bodies, in float64."""

import numpy as np
import pytest

from tallow.kernels.cpu import REASON, compiled
from tallow.ops import ctc

pytestmark = pytest.mark.skipif(compiled is None, reason=f"no compiled kernels: {REASON}")

RNG = np.random.default_rng(0)


def operands(times, classes, input_lengths, target_lengths, longest=None, blank=0):
    batch, longest = len(input_lengths), longest or max(target_lengths)
    scores = RNG.standard_normal((times, batch, classes)) * 2
    scores -= np.log(np.exp(scores).sum(-1, keepdims=True))
    targets = RNG.integers(0, classes - 1, (batch, longest))
    targets += targets >= blank
    lengths = np.array(input_lengths), np.array(target_lengths)
    return scores.astype(np.float32), targets, *lengths


CASES = [
    dict(times=1, classes=2, input_lengths=[1], target_lengths=[1]),
    dict(times=9, classes=3, input_lengths=[9, 7, 1], target_lengths=[4, 0, 1]),
    dict(times=30, classes=5, input_lengths=[30, 12, 0, 0], target_lengths=[9, 3, 2, 0], blank=4),
    dict(times=120, classes=40, input_lengths=[120, 100], target_lengths=[35, 17], longest=50),
    dict(times=5, classes=4, input_lengths=[5, 2], target_lengths=[5, 3], blank=2),  # too long
    dict(times=4, classes=3, input_lengths=[4], target_lengths=[0], longest=1),
]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_ctc(case, threads):
    x, *others = operands(**case)
    blank = case.get("blank", 0)
    before = compiled.get_threads()
    try:
        compiled.set_threads(threads)
        losses, forward = compiled.ctc(x, *others, blank=blank)
        wide = x.astype(np.float64)
        with np.errstate(all="ignore"):
            expected, expected_forward = ctc.ctc.__wrapped__(np, wide, *others, blank=blank)
        np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-4)
        for n, (end, labels) in enumerate(zip(*others[1:], strict=True)):
            np.testing.assert_allclose(
                forward[:end, n, : 2 * labels + 1], expected_forward[:end, n, : 2 * labels + 1],
                rtol=1e-4, atol=1e-4,
            )  # fmt: skip
        g = RNG.standard_normal(len(losses)).astype(np.float32)
        got = compiled.ctc_grad(g, x, forward, losses, *others, blank=blank)
        with np.errstate(all="ignore"):
            slopes = ctc.ctc_grad.__wrapped__(
                np, g.astype(np.float64), wide, expected_forward, expected, *others, blank=blank
            )
        np.testing.assert_allclose(got, slopes, rtol=1e-3, atol=1e-4)
    finally:
        compiled.set_threads(before)


def test_what_is_declined():
    x, targets, *lengths = operands(6, 3, [6, 5], [2, 3])
    assert compiled.ctc(x.astype(np.float64), targets, *lengths, blank=0) is NotImplemented
    assert compiled.ctc(x, targets + 3, *lengths, blank=0) is NotImplemented
    assert compiled.ctc(x, targets, lengths[0] + 1, lengths[1], blank=0) is NotImplemented
    assert compiled.ctc(x, targets, *lengths, blank=3) is NotImplemented
    assert compiled.ctc(x, targets[:1], *lengths, blank=0) is NotImplemented
