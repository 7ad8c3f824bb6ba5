"""Rounding errors of the compiled kernels beside PyTorch's, against float64.

    python benchmarks/errors.py                     print the table
    python benchmarks/errors.py --write docs/kernels.md

Each case runs in float32 with tallow and with PyTorch, and in float64 with PyTorch. An error is the
root mean square, and the largest, difference from float64, as parts of the largest element.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from run import write

import tallow

RNG = np.random.default_rng(0)


def randn(*shape):
    return RNG.standard_normal(shape)


def conv(lib, x, w, b, **how):
    return lib.nn.functional.conv2d(x, w, b, padding=w.shape[-1] // 2, **how)


def precise_conv(precision):
    """`conv`, gradients included, computed by tallow in another way."""

    def run(lib, x, w, b):
        tallow.backends.cpu.set_conv_precision(precision)
        return conv(lib, x, w, b)

    return run


def strided(lib, x, w, b):
    return conv(lib, x, w, b, stride=2)


def depthwise(lib, x, w, b):
    return conv(lib, x, w, b, groups=len(w))


def conv3d(lib, x, w, b):
    return lib.nn.functional.conv3d(x, w, b, padding=1)


def precise_product(precision):
    """The product in a precision, of which PyTorch makes use on some processors."""

    def run(lib, x, y):
        lib.set_float32_matmul_precision(precision if x.dtype is lib.float32 else "highest")
        return x @ y

    return run


def layer_norm(lib, x, w, b):
    return lib.nn.functional.layer_norm(x, x.shape[-1:], w, b)


def group_norm(lib, x, w, b):
    return lib.nn.functional.group_norm(x, 4, w, b)


def rms_norm(lib, x, w):
    return lib.nn.functional.rms_norm(x, x.shape[-1:], w)


def batch_norm(lib, x, w, b):
    return lib.nn.functional.batch_norm(x, None, None, w, b, training=True)


def attention(lib, q, k, v):
    return lib.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def recurrent(kind):
    def run(lib, x, states, *weights):
        layer = getattr(lib.nn, kind)(64, 64).to(x.dtype)
        with lib.no_grad():
            for p, weight in zip(layer.parameters(), weights, strict=True):
                p.copy_(weight)
        return layer(x, tuple(states) if kind == "LSTM" else states[0])[0]

    return run


def dropped_attention(lib, q, k, v):
    lib.manual_seed(0)
    return lib.nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=0.1)


LABELS, TARGETS = RNG.integers(0, 1000, 512), RNG.integers(1, 33, (4, 30))


def cross_entropy(lib, x):
    return lib.nn.functional.cross_entropy(x, lib.tensor(LABELS), reduction="none")


def ctc(lib, x):
    lengths = lib.full((4,), 200), lib.full((4,), 30)
    scores, targets = x.log_softmax(-1), lib.tensor(TARGETS)
    return lib.nn.functional.ctc_loss(scores, targets, *lengths, reduction="none")


def gates(count):
    """Weights and biases of a recurrent layer with so many gates."""
    sizes = (64 * count, 64), (64 * count, 64), (64 * count,), (64 * count,)
    return [randn(*size) / 8 for size in sizes]


IMAGES, SQUARE = randn(8, 64, 32, 32), (randn(64, 64, 3, 3), randn(64))

CASES = {
    "matmul, 512": (lambda lib, x, y: x @ y, randn(512, 512), randn(512, 512)),
    'matmul, 512, "medium"': (precise_product("medium"), randn(512, 512), randn(512, 512)),
    "conv 3 x 3, 64 to 64 (fast)": (conv, IMAGES, *SQUARE),
    "conv 3 x 3, 64 to 64 (near-exact)": (precise_conv("near-exact"), IMAGES, *SQUARE),
    "conv 3 x 3, 64 to 64 (exact)": (precise_conv("exact"), IMAGES, *SQUARE),
    "conv 3 x 3, stride 2": (strided, IMAGES, *SQUARE),
    "conv 3 x 3, depthwise": (depthwise, IMAGES, randn(64, 1, 3, 3), randn(64)),
    "conv 1 x 1, 64 to 64": (conv, IMAGES, randn(64, 64, 1, 1), randn(64)),
    "conv 3 x 3 x 3, 16 to 16": (
        conv3d, randn(2, 16, 8, 16, 16), randn(16, 16, 3, 3, 3), randn(16),
    ),
    "conv 3 x 3, 3 to 64": (conv, randn(8, 3, 32, 32), randn(64, 3, 3, 3), randn(64)),
    "batch norm": (batch_norm, randn(16, 32, 16, 16) + 3, randn(32), randn(32)),
    "group norm": (group_norm, randn(16, 32, 16, 16) + 3, randn(32), randn(32)),
    "RMS norm": (rms_norm, randn(512, 768) + 3, randn(768)),
    "layer norm": (layer_norm, randn(512, 768) + 3, randn(768), randn(768)),
    "softmax": (lambda lib, x: x.softmax(-1), randn(512, 1000) * 4),
    "log_softmax": (lambda lib, x: x.log_softmax(-1), randn(512, 1000) * 4),
    "gelu": (lambda lib, x: lib.nn.functional.gelu(x), randn(100_000) * 3),
    "silu": (lambda lib, x: lib.nn.functional.silu(x), randn(100_000) * 3),
    "hardswish": (lambda lib, x: lib.nn.functional.hardswish(x), randn(100_000) * 3),
    "tanh": (lambda lib, x: x.tanh(), randn(100_000) * 3),
    "sigmoid": (lambda lib, x: x.sigmoid(), randn(100_000) * 3),
    "exp": (lambda lib, x: x.exp(), randn(100_000) * 3),
    "causal attention": (attention, *(randn(4, 8, n, 64) for n in (256, 256, 256))),
    "attention with dropout": (dropped_attention, *(randn(4, 8, n, 64) for n in (128, 128, 128))),
    "LSTM": (recurrent("LSTM"), randn(50, 16, 64), randn(2, 1, 16, 64), *gates(4)),
    "GRU": (recurrent("GRU"), randn(50, 16, 64), randn(1, 1, 16, 64), *gates(3)),
    "cross entropy": (cross_entropy, randn(512, 1000) * 4),
    "CTC loss": (ctc, randn(200, 4, 33) * 2),
    "sum of columns": (lambda lib, x: x.sum(0), randn(4096, 512)),
    "sum of rows": (lambda lib, x: x.sum(1), randn(512, 4096)),
    "mean of all": (lambda lib, x: x.mean().reshape(1), randn(1_000_000) + 1),
    "average pool 3 x 3": (lambda lib, x: lib.nn.functional.avg_pool2d(x, 3, 2), IMAGES),
    'matmul, 512, "high"': (precise_product("high"), randn(512, 512), randn(512, 512)),
}  # fmt: skip


def results(lib, function, operands, dtype):
    """The result and the gradients by all operands, as NumPy arrays."""
    tensors = [lib.tensor(x, dtype=dtype).requires_grad_() for x in operands]
    out = function(lib, *tensors)
    seed = lib.tensor(np.random.default_rng(1).standard_normal(out.shape), dtype=dtype)
    out.backward(seed)
    grads = [x.grad for x in tensors if x.grad is not None]
    lib.set_float32_matmul_precision("highest")
    tallow.backends.cpu.set_conv_precision("fast")
    return [x.detach().numpy().astype(np.float64) for x in (out, *grads)]


def error(got, exact):
    """Root mean square and largest difference, as parts of the largest element."""
    difference = np.abs(got - exact) / np.abs(exact).max()
    return np.sqrt(np.mean(difference**2)), difference.max()


def table():
    lines = [
        "| case | tallow: mean square | PyTorch | tallow: largest | PyTorch |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, (function, *operands) in CASES.items():
        exact = results(torch, function, operands, torch.float64)
        mine = results(tallow, function, operands, tallow.float32)
        theirs = results(torch, function, operands, torch.float32)
        for part, label in ((slice(1), ""), (slice(1, None), ", gradients")):
            ours = [error(*pair) for pair in zip(mine[part], exact[part], strict=True)]
            others = [error(*pair) for pair in zip(theirs[part], exact[part], strict=True)]
            if ours:
                (a, b), (c, d) = np.max(ours, axis=0), np.max(others, axis=0)
                lines.append(f"| {name}{label} | {a:.1e} | {c:.1e} | {b:.1e} | {d:.1e} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, help="a page to put the table into")
    options = parser.parse_args()
    info = tallow.backends.cpu.info()
    text = f"Instruction set {info.get('instruction_set', 'none')}; PyTorch {torch.__version__}."
    text += f"\n\n{table()}"
    print(text)
    if options.write:
        write(options.write, text)


if __name__ == "__main__":
    main()
