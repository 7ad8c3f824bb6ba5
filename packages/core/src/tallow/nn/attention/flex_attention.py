"""Attention whose scores and masks are functions of positions, written as elementwise code.

A `score_mod(score, batch, head, query, key)` gives another score, a `mask_mod(batch, head, query,
key)` says which keys a query sees. They are called once, on tensors of positions that broadcast to
(B, H, L, S).
"""

from math import sqrt
from typing import NamedTuple

from tallow.creation import arange, ones, tensor
from tallow.dtypes import bool_
from tallow.errors import ShapeError, describe
from tallow.math import where
from tallow.reductions import logsumexp
from tallow.tensor import Tensor

__all__ = [
    "AuxOutput", "AuxRequest", "BlockMask", "and_masks", "create_block_mask", "create_mask",
    "flex_attention", "noop_mask", "or_masks",
]  # fmt: skip

_DEFAULT_SPARSE_BLOCK_SIZE = 128  # as in PyTorch; masks are whole here


def _positions(sizes, device):
    """Batch, head, query and key numbers, each along its own dim of four."""
    found = []
    for axis, size in enumerate(sizes):
        shape = [1] * 4
        shape[axis] = -1
        found.append(arange(size, device=device).reshape(*shape))
    return found


def create_mask(mod_fn, B, H, Q_LEN, KV_LEN, device=None):
    """The bool mask (B, H, Q_LEN, KV_LEN) of a mask_mod. B or H None: one for all.

    >>> from tallow.nn.attention.flex_attention import create_mask
    >>> create_mask(lambda b, h, query, key: query >= key, None, None, 2, 2)[0, 0].tolist()
    [[True, False], [True, True]]
    """
    sizes = (B or 1, H or 1, Q_LEN, KV_LEN)
    found = mod_fn(*_positions(sizes, device))
    return (found & ones(*sizes, dtype=bool_, device=device)).expand(*sizes)


class AuxRequest(NamedTuple):
    """What `flex_attention` is to give beside its result."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What was asked for, each (B, H, L): log(sum(exp(scores))), and the largest scores."""

    lse: Tensor | None
    max_scores: Tensor | None


class BlockMask:
    """A mask for `flex_attention`: `mask_mod`, and the `mask` (B, H, Q_LEN, KV_LEN) it gives."""

    def __init__(self, mask, mask_mod):
        self.mask = mask
        self.mask_mod = mask_mod

    @property
    def shape(self):
        return self.mask.shape

    def sparsity(self):
        """The percentage of the keys that are hidden."""
        return 100 * (1 - self.mask.float().mean().item())

    def to(self, device):
        """The mask on another device."""
        return BlockMask(self.mask.to(device), self.mask_mod)

    def __repr__(self):
        return f"BlockMask(shape={tuple(self.shape)}, sparsity={self.sparsity():.2f}%)"


def create_block_mask(mask_mod, B, H, Q_LEN, KV_LEN, device=None, BLOCK_SIZE=128, _compile=False):
    """The `BlockMask` of a mask_mod. PyTorch skips hidden blocks: here no work is skipped."""
    return BlockMask(create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device), mask_mod)


def and_masks(*mask_mods):
    """A mask_mod that sees what all of them see."""

    def both(*positions):
        seen = tensor(True)
        for mod in mask_mods:
            seen = seen & mod(*positions)
        return seen

    return both


def or_masks(*mask_mods):
    """A mask_mod that sees what any of them sees."""

    def either(*positions):
        seen = tensor(False)
        for mod in mask_mods:
            seen = seen | mod(*positions)
        return seen

    return either


def noop_mask(batch, head, token_q, token_kv):
    """A mask_mod that sees everything."""
    return tensor(True, device=batch.device)


def flex_attention(
    query, key, value, score_mod=None, block_mask=None, scale=None, enable_gqa=False,
    return_lse=False, kernel_options=None, *, return_aux=None,
):  # fmt: skip
    """softmax(score_mod(query @ key.T * scale)) @ value: (B, H, L, E), (B, H, S, E), (B, H, S, V).

    `block_mask` hides keys; a query that sees none gets zeros. `return_lse` also gives the
    logarithm (B, H, L) of the sum of exp(scores), `return_aux` what an `AuxRequest` asks for.

    >>> from tallow.nn.attention.flex_attention import flex_attention
    >>> x = tallow.randn(1, 2, 4, 8)
    >>> flex_attention(x, x, x, lambda score, b, h, query, key: score - (query - key).abs()).shape
    tallow.Size([1, 2, 4, 8])
    """
    if query.ndim != 4 or key.ndim != 4 or query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            "flex_attention: expected query (B, H, L, E) and key (B, H, S, E), got "
            f"{describe(query)} and {describe(key)}"
        )
    if enable_gqa and query.shape[1] != key.shape[1]:
        times = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(times, 1), value.repeat_interleave(times, 1)
    scale = 1 / sqrt(query.shape[-1]) if scale is None else scale
    scores = query @ key.transpose(-1, -2) * scale
    if score_mod is not None:
        scores = score_mod(scores, *_positions(scores.shape, query.device))
    if block_mask is not None:
        length, keys = scores.shape[-2:]
        scores = scores.masked_fill(~block_mask.mask[..., :length, :keys], float("-inf"))
    total = logsumexp(scores, -1, keepdim=True)
    hidden = total == float("-inf")
    out = (scores - where(hidden, 0.0, total)).exp() @ value
    if return_aux is not None:
        lse = total.squeeze(-1) if return_aux.lse else None
        return out, AuxOutput(lse, scores.amax(-1) if return_aux.max_scores else None)
    return (out, total.squeeze(-1)) if return_lse else out
