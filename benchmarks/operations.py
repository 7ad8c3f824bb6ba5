"""Single operations on one thread beside PyTorch: forward alone, then forward and backward.

    python benchmarks/operations.py                       every operation
    python benchmarks/operations.py topk cumsum           those whose names contain a word
    python benchmarks/operations.py --write docs/performance.md

The two take turns, and each turn's time is that of its thread alone, whatever else runs on the
machine; reported are the medians. Operands are float32 of 256 x 1024 unless the name says else.
"""

import argparse
import warnings
from pathlib import Path
from statistics import median
from time import thread_time

import numpy as np
import torch
from run import duration, where_measured, write

import tallow

BEGIN = "<!-- begin: benchmarks/operations.py -->"
RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


X, Y, ROWS = normal(256, 1024), normal(256, 1024), RNG.integers(0, 256, 512)
POSITIVE, UNIT = np.abs(X) + 0.1, RNG.random(X.shape).astype(np.float32) * 0.98 + 0.01
CLASSES, PLACES = RNG.integers(0, 1024, 256), RNG.integers(0, 1024, X.shape)
WHOLE = RNG.integers(0, 1000, X.shape)
SQUARE = normal(128, 128)
SQUARE = SQUARE @ SQUARE.T / 128 + np.eye(128, dtype=np.float32)
IMAGES, POINTS = normal(4, 64, 32, 32), normal(128, 64)

CASES = {}  # what is timed, a function of the module and its tensors; and the operands


def case(name, function, *operands):
    CASES[name] = function, operands


def methods(names, *operands, **arguments):
    for name in names.split():
        case(name, lambda lib, *xs, name=name: getattr(lib, name)(*xs, **arguments), *operands)


def functional(names, *operands, **arguments):
    def call(lib, *xs, name):
        return getattr(lib.nn.functional, name)(*xs, **arguments)

    for name in names.split():
        case(name, lambda lib, *xs, name=name: call(lib, *xs, name=name), *operands)


def along(names, first=False):
    """Along each of the two dims; of several results the first."""
    for name in names.split():
        for dim in (1, 0):

            def call(lib, x, name=name, dim=dim):
                found = getattr(lib, name)(x, dim=dim)
                return found[0] if first else found

            case(f"{name}, dim {dim}", call, X)


# Elementwise

methods("exp expm1 sin cos tan tanh sigmoid erf abs neg sign floor round square asinh", X)
methods("log log1p sqrt rsqrt reciprocal lgamma digamma", POSITIVE)
methods("asin acos atanh erfinv logit", UNIT)
functional("relu leaky_relu elu selu gelu silu mish softplus hardtanh hardswish softsign glu", X)
methods("add sub mul div pow atan2 fmod remainder maximum hypot logaddexp", POSITIVE, UNIT)
case("clamp", lambda lib, x: x.clamp(-1, 1), X)
case("lerp", lambda lib, x, y: lib.lerp(x, y, 0.3), X, Y)
case("addcmul", lambda lib, x, y: lib.addcmul(x, x, y, value=0.5), X, Y)
case("where", lambda lib, x, mask: lib.where(mask, x, x * 2), X, X > 0)
case("masked_fill", lambda lib, x, mask: x.masked_fill(mask, 0.0), X, X > 0)

# Reductions, running ones, order

along("sum mean var amax logsumexp prod norm softmax log_softmax cumsum cumprod")
along("median sort cummax", first=True)
along("argmax argsort")
methods("sum mean std norm prod max median", X)
case("topk, 10 of 1024", lambda lib, x: lib.topk(x, 10)[0], X)
case("topk, 300 of 1024", lambda lib, x: lib.topk(x, 300)[0], X)
case("kthvalue", lambda lib, x: lib.kthvalue(x, 50)[0], X)
case("sort, int64", lambda lib, x: lib.sort(x)[0], WHOLE)
case("unique", lambda lib, x: lib.unique(x), WHOLE)
case("bincount", lambda lib, x: lib.bincount(x), WHOLE.reshape(-1))
case("histc", lambda lib, x: lib.histc(x.detach(), 100, -3, 3), X)
case("searchsorted", lambda lib, x, y: lib.searchsorted(x, y), np.sort(X[0]), Y)

# Elements at places, and in another order

case("gather", lambda lib, x, i: lib.gather(x, 1, i), X, PLACES)
case("scatter_add", lambda lib, x, y, i: lib.scatter_add(x, 1, i, y), X, Y, PLACES)
case("index_select", lambda lib, x, i: x.index_select(0, i), X, ROWS)
case("index_add", lambda lib, x, y, i: x.index_add(0, i, y), X, normal(512, 1024), ROWS)
case("x[rows]", lambda lib, x, i: x[i], X, ROWS)
case("x[rows, columns]", lambda lib, x, i: x[i, i], X, ROWS)
case("x[mask]", lambda lib, x, mask: x[mask], X, X > 0)
case("nonzero", lambda lib, mask: lib.nonzero(mask), X > 0)
methods("tril triu t trace", X[:, :256])
case("flip", lambda lib, x: x.flip(1), X)
case("roll", lambda lib, x: lib.roll(x, 3, 1), X)
case("t().contiguous()", lambda lib, x: x.t().contiguous(), X)
case("cat", lambda lib, x, y: lib.cat([x, y], 1), X, Y)
case("stack", lambda lib, x, y: lib.stack([x, y], 1), X, Y)
case("repeat", lambda lib, x: x.repeat(2, 1), X)
case("repeat_interleave", lambda lib, x: x.repeat_interleave(2, 1), X)
case("pad", lambda lib, x: lib.nn.functional.pad(x, (1, 1)), X)
case("unfold, 4 every 2", lambda lib, x: x.unfold(1, 4, 2).contiguous(), X)
case("one_hot", lambda lib, i: lib.nn.functional.one_hot(i, 256), ROWS)
functional("embedding", ROWS, X)
functional("embedding_bag", ROWS.reshape(64, 8), X)

# Products, distances, losses

case("x @ vector", lambda lib, x, y: x @ y[0], X, Y)
case("outer", lambda lib, x, y: lib.outer(x[0], y[0]), X, Y)
case("kron, 16 x 16", lambda lib, x: lib.kron(x, x), normal(16, 16))
case("bmm, 16 of 16 x 1024 x 16", lambda lib, x, y: lib.bmm(x, y), normal(16, 16, 1024),
     normal(16, 1024, 16))  # fmt: skip
case("bmm, 64 of 32 x 32 x 32", lambda lib, x, y: lib.bmm(x, y), normal(64, 32, 32),
     normal(64, 32, 32))  # fmt: skip
case("einsum, bij,bjk->bik", lambda lib, x, y: lib.einsum("bij,bjk->bik", x, y),
     normal(8, 64, 64), normal(8, 64, 64))  # fmt: skip
methods("cdist", POINTS, normal(128, 64))
case("cdist, p = 1", lambda lib, x, y: lib.cdist(x, y, p=1.0), POINTS, normal(128, 64))
functional("cosine_similarity mse_loss l1_loss smooth_l1_loss huber_loss", X, Y)
functional("normalize", X)
functional("binary_cross_entropy_with_logits kl_div", X, UNIT)
functional("binary_cross_entropy", UNIT, UNIT[::-1].copy())
functional("nll_loss cross_entropy", X, CLASSES)
functional("triplet_margin_loss", X, Y, UNIT)

# Layers

functional("layer_norm rms_norm", X, normalized_shape=(1024,))
functional("group_norm", IMAGES, num_groups=8)
functional("adaptive_avg_pool2d adaptive_max_pool2d", IMAGES, output_size=7)
functional("avg_pool2d max_pool2d", IMAGES, kernel_size=2)
functional("pixel_shuffle", IMAGES, upscale_factor=2)
case("F.unfold, 3 x 3", lambda lib, x: lib.nn.functional.unfold(x, 3), IMAGES)
case("F.fold, 3 x 3", lambda lib, x: lib.nn.functional.fold(x, 32, 3, padding=1),
     normal(4, 144, 1024))  # fmt: skip
functional("interpolate", IMAGES, scale_factor=2)

# Transforms and decompositions

case("rfft", lambda lib, x: lib.fft.rfft(x).abs(), X)
case("fft2", lambda lib, x: lib.fft.fft2(x).real, X)
case("irfft, 400 points", lambda lib, x: lib.fft.irfft(lib.complex(x, x), 400), normal(300, 201))
for name in "inv det svdvals eigh cholesky qr solve pinv slogdet".split():

    def factorize(lib, *xs, name=name):
        found = getattr(lib.linalg, name)(*xs)
        return found[-1] if isinstance(found, tuple) else found

    case(f"linalg.{name}, 128 x 128", factorize, *[SQUARE] * (2 if name == "solve" else 1))

# Random numbers

case("multinomial", lambda lib, x: lib.multinomial(x, 8, True), UNIT)
case("randperm", lambda lib, x: lib.randperm(100_000), X)


def call(lib, function, operands, backward):
    """What is timed: the function, and with `backward` the gradients of a sum."""
    tensors = [lib.from_numpy(np.array(x)) for x in operands]
    if not backward:

        def forward():
            with lib.no_grad():
                function(lib, *tensors)

        return forward
    leaves = [x.requires_grad_() for x in tensors if x.dtype == lib.float32]
    if not leaves or not function(lib, *tensors).requires_grad:
        return None
    seed = lib.ones_like(function(lib, *tensors).detach())

    def both():
        for x in leaves:
            x.grad = None
        function(lib, *tensors).backward(seed)

    return both


def compare(ours, theirs, seconds=0.04, fewest=7, most=101):
    """The medians of both in seconds of one call, taking turns."""
    times, sides, spent = ([], []), (ours, theirs), 0.0
    for function in sides:
        function()
    while len(times[0]) < fewest or (spent < seconds and len(times[0]) < most):
        for function, found in zip(sides, times, strict=True):
            start = thread_time()
            function()
            found.append(thread_time() - start)
            spent += found[-1]
    return tuple(map(median, times))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("words", nargs="*", default=[""], help="parts of the names of operations")
    parser.add_argument("--write", type=Path, help="a page to put the table into")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    tallow.set_num_threads(1)
    torch.set_num_threads(1)
    lines = [
        "| operation | tallow | PyTorch | ratio | with gradients | PyTorch | ratio |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, (function, operands) in CASES.items():
        if not any(word in name for word in options.words):
            continue
        row = f"| {name} |"
        for backward in (False, True):
            pair = [call(lib, function, operands, backward) for lib in (tallow, torch)]
            if None in pair:
                row += " | | |"
                continue
            ours, theirs = compare(*pair)
            row += f" {duration(ours)} | {duration(theirs)} | {theirs / ours:.2f} |"
        lines.append(row)
        print(row, flush=True)
    if options.write:
        write(options.write, "\n".join([where_measured(), "", *lines]), BEGIN)


if __name__ == "__main__":
    main()
