"""Cases of tallow.ops.attention."""

import numpy as np
import pytest

from tallow.ops import attention as ops
from tallow.ops.dropout import keep_by_position
from tallow.testing import Case, bools, checks, draw, given


def attention(q, k, v, bias, keep, scale, causal):
    scores = np.einsum("...le,...se->...ls", q, k) * scale
    if bias is not None:
        scores = np.where(bias, scores, -np.inf) if bias.dtype == bool else scores + bias
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    weights = np.exp(scores)
    weights = np.nan_to_num(weights / weights.sum(-1, keepdims=True))
    return np.einsum("...ls,...sv->...lv", weights if keep is None else weights * keep, v), weights


def attend(q, k, v, bias, keep, scale, causal):
    out, _ = attention(q, k, v, bias, keep, scale, causal)
    scores = np.einsum("...le,...se->...ls", q, k) * scale
    if bias is not None:
        scores = np.where(bias, scores, -np.inf) if bias.dtype == bool else scores + bias
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    total = np.exp(scores).sum(-1, keepdims=True)
    return out, np.where(total == 0, np.inf, np.log(np.where(total == 0, 1, total)))


def attend_grad(g, q, k, v, bias, keep, out, level, scale, causal):
    _, weights = attention(q, k, v, bias, None, scale, causal)
    factors = 1 if keep is None else keep
    by_weights = g @ v.swapaxes(-1, -2) * factors
    by_scores = weights * (by_weights - (weights * by_weights).sum(-1, keepdims=True)) * scale
    by_v = (weights * factors).swapaxes(-1, -2) @ g
    return by_scores @ k, by_scores.swapaxes(-1, -2) @ q, by_v


def factors(q, k, move, drops):
    p, seed, offset = drops
    if move is not None:
        offset, seed = offset + int(move[0]), int(move[1])
    batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    shape = (*batch, q.shape[-2], k.shape[-2])
    like = np.zeros(())
    keep = keep_by_position(like, None, shape=shape, p=p, seed=seed, offset=offset)
    return keep / (1 - p)


def attend_dropping(q, k, v, bias, move, scale, causal, drops):
    return attend(q, k, v, bias, factors(q, k, move, drops), scale, causal)


def attend_dropping_grad(g, q, k, v, bias, move, out, level, scale, causal, drops):
    return attend_grad(g, q, k, v, bias, factors(q, k, move, drops), out, level, scale, causal)


DROPS = (0.3, 5, 12)
HIDDEN = np.array([[True, False, True], [False, False, False]])

CASES = [
    Case(
        ops.attention, attention,
        given((2, 3), (4, 3), (4, 2), None, None, scale=0.5, causal=False),
        given((2, 2, 3), (2, 3, 3), (2, 3, 2), bools((2, 1, 3)), None, scale=1.0, causal=False),
        given((2, 3), (3, 3), (3, 2), HIDDEN, None, scale=1.0, causal=False),
        given((2, 1, 3, 2), (2, 2, 3, 2), (2, 2, 3, 4), (3, 3), draw((2, 2, 3, 3), 0, 2),
              scale=0.7, causal=False),
        given((4, 3), (3, 3), (3, 3), None, None, scale=0.5, causal=True),
        given((0, 3), (2, 3), (2, 2), None, None, scale=0.5, causal=False),
        by=("q", "k", "v", "bias"), tolerance=10,
    ),
    Case(
        ops.attend, attend,
        given((2, 3), (4, 3), (4, 2), None, None, scale=0.5, causal=False),
        given((2, 2, 3), (2, 3, 3), (2, 3, 2), bools((2, 1, 3)), None, scale=1.0, causal=False),
        given((2, 3), (3, 3), (3, 2), HIDDEN, None, scale=1.0, causal=False),
        given((2, 1, 3, 2), (2, 2, 3, 2), (2, 2, 3, 4), (3, 3), draw((2, 2, 3, 3), 0, 2),
              scale=0.7, causal=False),
        given((4, 3), (3, 3), (3, 3), None, None, scale=0.5, causal=True),
        given((0, 3), (2, 3), (2, 2), None, None, scale=0.5, causal=False),
        by=("q", "k", "v"), outputs=(0,), whole=(1,), tolerance=10,
    ),
    Case(
        ops.attend_grad, attend_grad,
        given((2, 2), (2, 3), (4, 3), (4, 2), None, None, None, None, scale=0.5, causal=False),
        given((2, 2, 2), (2, 2, 3), (2, 3, 3), (2, 3, 2), bools((2, 1, 3)), draw((2, 2, 3), 0, 2),
              None, None, scale=1.0, causal=False),
        given((4, 3), (4, 3), (3, 3), (3, 3), None, None, None, None, scale=0.5, causal=True),
        by=("g", "q", "k", "v"), tolerance=10,
    ),
    Case(
        ops.attend_dropping, attend_dropping,
        given((2, 3), (7, 3), (7, 2), None, None, scale=0.5, causal=False, drops=DROPS),
        given((2, 2, 3), (2, 3, 3), (2, 3, 2), bools((2, 1, 3)), None, scale=1.0, causal=False,
              drops=DROPS),
        given((2, 1, 3, 2), (2, 2, 3, 2), (2, 2, 3, 4), (3, 3), None, scale=0.7, causal=False,
              drops=DROPS),
        given((4, 3), (3, 3), (3, 3), None, np.array([8, 3]), scale=0.5, causal=True, drops=DROPS),
        by=("q", "k", "v"), outputs=(0,), whole=(1,), tolerance=10,
    ),
    Case(
        ops.attend_dropping_grad, attend_dropping_grad,
        given((2, 2), (2, 3), (7, 3), (7, 2), None, None, None, None, scale=0.5, causal=False,
              drops=DROPS),
        given((2, 2, 2), (2, 2, 3), (2, 3, 3), (2, 3, 2), bools((2, 1, 3)), None, None, None,
              scale=1.0, causal=True, drops=DROPS),
        by=("g", "q", "k", "v"), tolerance=10,
    ),
]  # fmt: skip


@pytest.mark.parametrize("check", checks(CASES), ids=str)
def test_op(check):
    check()
