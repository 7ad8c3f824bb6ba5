"""Cases of tallow.ops.loss and tallow.ops.ctc."""

from itertools import product

import numpy as np
import pytest

from tallow.ops import ctc, loss
from tallow.testing import Case, checks, draw, given

# Classes


def factors(label, weight, ignore_index):
    counted = label != ignore_index
    weights = np.ones(label.shape) if weight is None else weight[np.where(counted, label, 0)]
    return weights * counted


def picked(x, label):
    axis = min(1, x.ndim - 1)
    safe = np.where(label < 0, 0, label)
    return np.take_along_axis(x, np.expand_dims(safe, axis), axis).reshape(label.shape)


def reduced(losses, factor, reduction):
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / factor.sum()}[reduction]


def nll(x, label, weight, ignore_index, reduction):
    factor = factors(label, weight, ignore_index)
    return reduced(-picked(x, label) * factor, factor, reduction)


def nll_grad(g, label, weight, shape, ignore_index, reduction):
    factor = factors(label, weight, ignore_index)
    share = g * factor / (factor.sum() if reduction == "mean" else 1)
    out = np.zeros(shape)
    for at in np.ndindex(label.shape):
        key = (*at[:1], max(label[at], 0), *at[1:])
        out[key] -= share[at]
    return out


def log_softmax(x):
    return x - np.log(np.exp(x).sum(min(1, x.ndim - 1), keepdims=True))


def cross_entropy(x, label, weight, ignore_index, reduction):
    return nll(log_softmax(x), label, weight, ignore_index, reduction)


def cross_entropy_grad(g, x, label, weight, ignore_index, reduction):
    hit = nll_grad(g, label, weight, x.shape, ignore_index, reduction)
    axis = min(1, x.ndim - 1)
    return hit - np.exp(log_softmax(x)) * hit.sum(axis, keepdims=True)


LABEL, SOME = np.array([0, 3, 2]), np.array([0, -100, 2])
MAPS = np.array([[[0, 2], [1, 1]], [[2, 2], [0, 1]]])
CLASSES = [  # x, label, weight, ignored label
    ((3, 4), LABEL, None, -100),
    ((3, 4), SOME, draw((4,), 0.5, 2), -100),
    ((3, 4), LABEL, None, 2),
    ((2, 3, 2, 2), MAPS, draw((3,), 0.5, 2), 1),
    ((4,), np.array(2), None, -100),
]
REDUCTIONS = ("none", "sum", "mean")


def of_classes(make):
    return [
        make(x, label, weight, {"ignore_index": ignored, "reduction": reduction})
        for x, label, weight, ignored in CLASSES
        for reduction in REDUCTIONS
    ]


def slope(label, how):
    """The shape of a loss's gradient."""
    return label.shape if how["reduction"] == "none" else ()


def smooth_l1(x, y, beta):
    d = np.abs(x - y)
    return np.where(d < beta, d * d / (2 * beta), d - beta / 2)


PAIR = [given((2, 3), (2, 3)), given((2, 3), (3,)), given((), ()), given((0, 2), (0, 2))]
UNIT = [
    given(draw((2, 3), 0.1, 0.9), draw((2, 3), 0, 1)),
    given(draw((), 0.1, 0.9), draw((), 0, 1)),
]

CASES = [
    Case(loss.nll, nll, *of_classes(lambda x, y, w, how: given(x, y, w, **how)), by=("x",),
         tolerance=8),
    Case(loss.nll_grad, nll_grad,
         *of_classes(lambda x, y, w, how: given(slope(y, how), y, w, shape=x, **how)), by=("g",),
         tolerance=8),
    Case(loss.cross_entropy, cross_entropy, *of_classes(lambda x, y, w, how: given(x, y, w, **how)),
         by=("x",), tolerance=8),
    Case(loss.cross_entropy_grad, cross_entropy_grad,
         *of_classes(lambda x, y, w, how: given(slope(y, how), x, y, w, **how)), by=("g", "x"),
         tolerance=8),
    Case(loss.logistic_loss, lambda x, y: np.log(1 + np.exp(x)) - x * y, *PAIR,
         given(np.array([-600.0, 600.0]), np.array([0.0, 1.0])), kinks=(0,), tolerance=4),
    Case(loss.binary_cross_entropy, lambda x, y: -y * np.log(x) - (1 - y) * np.log(1 - x), *UNIT,
         tolerance=4),
    Case(loss.squared_error, lambda x, y: (x - y) ** 2, *PAIR, tolerance=4),
    Case(loss.smooth_l1, smooth_l1, *[given(*e.inputs, beta=0.7) for e in PAIR], tolerance=4),
    Case(loss.kl_divergence, lambda x, y: y * (np.log(y) - x), given((2, 3), draw((2, 3), 0.1, 2)),
         given((), draw((), 0.1, 2)), tolerance=4),
]  # fmt: skip

# Connectionist temporal classification, by going through all alignments


def collapsed(path, blank):
    kept = [label for i, label in enumerate(path) if i == 0 or label != path[i - 1]]
    return [label for label in kept if label != blank]


def likelihood(x, target, blank):
    """The probability of a target under log probabilities (T, C), and that by time and label."""
    share = np.zeros(x.shape)
    for path in product(range(x.shape[1]), repeat=len(x)):
        if collapsed(path, blank) == list(target):
            probability = np.exp(x[np.arange(len(x)), path].sum())
            share[np.arange(len(x)), path] += probability
    return share[0].sum(), share


def ctc_losses(x, targets, input_lengths, target_lengths, blank):
    """The losses, and the shares of the likelihoods."""
    losses, shares = [], np.zeros(x.shape)
    for n, (steps, length) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        total, share = likelihood(x[:steps, n], targets[n, :length], blank)
        losses.append(-np.log(total))
        shares[:steps, n] = share / total if total else 0
    return np.array(losses), shares


TARGETS = np.array([[1, 1], [2, 1], [2, 0]])
LENGTHS = np.array([4, 3, 2]), np.array([2, 2, 1])
SCORES = np.log(np.random.default_rng(0).dirichlet(np.ones(3), (4, 3)))


def forward_variables(x, targets, input_lengths, target_lengths, blank):
    """log of the probability to get to each state by each time: (T, N, 2 S + 1)."""
    out = np.full((*x.shape[:2], 2 * targets.shape[1] + 1), -np.inf)
    for n, length in enumerate(target_lengths):
        states = [blank]
        for label in targets[n, :length]:
            states += [label, blank]
        for t in range(len(x)):
            for s, label in enumerate(states):
                before = [out[t - 1, n, s]] + [out[t - 1, n, s - 1]] * (s > 0)
                if s > 1 and label not in (blank, states[s - 2]):
                    before.append(out[t - 1, n, s - 2])
                start = 0.0 if s < 2 else -np.inf
                out[t, n, s] = (np.logaddexp.reduce(before) if t else start) + x[t, n, label]
    return out


def ctc_reference(x, *rest, blank):
    return ctc_losses(x, *rest, blank)[0], forward_variables(x, *rest, blank)


def ctc_grad(g, x, forward, losses, *rest, blank):
    return -g[:, None] * ctc_losses(x, *rest, blank)[1]


CASES += [
    Case(ctc.ctc, ctc_reference, given(SCORES, TARGETS, *LENGTHS, blank=0), outputs=(0,), orders=1,
         tolerance=20),
    Case(ctc.ctc_grad, ctc_grad,
         given((3,), SCORES, forward_variables(SCORES, TARGETS, *LENGTHS, 0),
               ctc_losses(SCORES, TARGETS, *LENGTHS, 0)[0], TARGETS, *LENGTHS, blank=0),
         by=("g",), tolerance=60),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
