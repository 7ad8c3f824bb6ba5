"""Time the same source on a GPU with tallow and with PyTorch, in one process, and print a table.

    python benchmarks/cuda.py                    every case
    python benchmarks/cuda.py lstm gpt           the cases whose name contains one of the words
    python benchmarks/cuda.py --device cpu --small    that everything runs, where there is no GPU

A case is a function of the module (`tallow` or `torch`), the device and whether to be small; it
returns what to time. That is called as it is ("eager"), and also captured as a CUDA graph and
replayed. Times are medians of turns, between which the device is
waited for; without PyTorch, or without a GPU in it, tallow is timed alone.
"""

import argparse
import importlib
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from statistics import median
from time import perf_counter

from models import resnet, resnet20

TURN, ROUNDS, WARMUPS = 0.2, 7, 3  # seconds; turns; steps before a capture
CASES: dict[str, Callable] = {}


def case(name):
    def register(function):
        CASES[name] = function
        return function

    return register


@dataclass
class Timed:
    """What to time: a call, and the bytes that it must move."""

    call: Callable
    moved: int = 0


@dataclass
class Result:
    """Seconds by (library, way), ways being "eager" and "captured"."""

    name: str
    moved: int = 0
    seconds: dict = field(default_factory=dict)


# Overheads, products, and what only moves memory


def overhead(name, make):
    @case(f"(a) overhead: {name}")
    def _(torch, device, small):
        x = torch.ones(4, 4, device=device, requires_grad=True)
        return Timed(make(torch, x))


overhead("add", lambda torch, x: lambda: x + x)
overhead("matmul", lambda torch, x: lambda: x @ x)
overhead("forward and backward", lambda torch, x: lambda: (x * x).sum().backward())


def product(name, dtype, precision="highest"):
    @case(f"matrix product, {name}")
    def _(torch, device, small):
        n = 64 if small else 8192
        x, y = (torch.randn(n, n, device=device).to(getattr(torch, dtype)) for _ in range(2))

        def call():
            torch.set_float32_matmul_precision(precision)
            return x @ y

        return Timed(call)


product("float32", "float32")
product("TensorFloat-32", "float32", "high")
product("float16", "float16")
product("bfloat16", "bfloat16")


def pass_over(name, function, passes=2):
    """A function that reads and writes a gigabyte, or less if small."""

    @case(f"(g) {name}")
    def _(torch, device, small):
        rows = 64 if small else 1 << 18
        x = torch.randn(rows, 1024, device=device)
        return Timed(lambda: function(torch, x), passes * prod(x.shape) * 4)


pass_over("copy", lambda torch, x: x.clone())
pass_over("chain of 3", lambda torch, x: (x * 2 + 1).relu(), 6)
pass_over("gelu", lambda torch, x: torch.nn.functional.gelu(x))
pass_over("softmax", lambda torch, x: torch.softmax(x, 1))
pass_over("layer norm", lambda torch, x: torch.nn.functional.layer_norm(x, (1024,)))
pass_over("sum", lambda torch, x: x.sum(), 1)
pass_over("sum of columns", lambda torch, x: x.sum(0), 1)
pass_over("largest of rows", lambda torch, x: x.amax(1), 1)
pass_over("long softmax", lambda torch, x: torch.softmax(x.view(-1, 32 * 1024), 1))


# Training


def step(torch, model, loss_of, optimizer, dtype=None):
    """A step of training, under autocast if `dtype` is given."""

    def call():
        optimizer.zero_grad()
        if dtype is None:
            loss = loss_of(model)
        else:
            with torch.autocast("cuda", dtype=getattr(torch, dtype)):
                loss = loss_of(model)
        loss.backward()
        optimizer.step()

    return Timed(call)


def classes(torch, inputs, labels):
    return lambda model: torch.nn.functional.cross_entropy(model(inputs), labels)


@case("(b) MLP 784-128-64-10, batch 64: training step")
def _(torch, device, small):
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    ).to(device)
    inputs, labels = torch.randn(64, 784).to(device), torch.randint(0, 10, (64,)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return step(torch, model, classes(torch, inputs, labels), optimizer)


def pictures(torch, model, device, batch, size, outputs):
    model = model.to(device)
    inputs = torch.randn(batch, 3, size, size).to(device)
    labels = torch.randint(0, outputs, (batch,)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    return step(torch, model, classes(torch, inputs, labels), optimizer)


@case("(c) ResNet-20, 32 x 32, batch 32: training step")
def _(torch, device, small):
    return pictures(torch, resnet20(torch), device, 2 if small else 32, 32, 10)


def resnet50(torch):
    """Bottlenecks of 1 x 1, 3 x 3 and 1 x 1 convolutions."""
    nn = torch.nn

    class Bottleneck(nn.Module):
        def __init__(self, inputs, width, stride):
            super().__init__()
            self.main = nn.Sequential(
                nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width),
            )  # fmt: skip
            same = inputs == 4 * width and stride == 1
            self.shortcut = nn.Identity() if same else nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )  # fmt: skip

        def forward(self, x):
            return torch.relu(self.main(x) + self.shortcut(x))

    start = [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
    ]  # fmt: skip
    blocks, inputs = [], 64
    for width, depth in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for i in range(depth):
            blocks.append(Bottleneck(inputs, width, 2 if i == 0 and width > 64 else 1))
            inputs = 4 * width
    return resnet(torch, [*start, *blocks], inputs, (), 0, 1000)


@case("(c) ResNet-50, 224 x 224, batch 64: training step")
def _(torch, device, small):
    size, batch = (32, 2) if small else (224, 64)
    return pictures(torch, resnet50(torch), device, batch, size, 1000)


@case("(d) LSTM, 2 layers of 256, 64 sequences of 100: training step")
def _(torch, device, small):
    nn, (length, batch) = torch.nn, (5, 2) if small else (100, 64)
    model = nn.LSTM(128, 256, 2).to(device)
    inputs = torch.randn(length, batch, 128).to(device)
    optimizer = torch.optim.Adam(model.parameters(), capturable=device == "cuda")
    return step(torch, model, lambda model: model(inputs)[0].square().mean(), optimizer)


def gpt2(torch, width, heads, depth, words, length):
    """GPT-2 (Radford et al., 2019) without dropout, its scores' weights those of the embedding."""
    nn, F = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x):
            n, t, _ = x.shape
            parts = self.qkv(self.first(x)).reshape(n, t, 3, heads, width // heads)
            q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(n, t, width))
            return x + self.down(F.gelu(self.up(self.second(x)), approximate="tanh"))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places = nn.Embedding(words, width), nn.Embedding(length, width)
            self.blocks = nn.Sequential(*(Block() for _ in range(depth)))
            self.norm = nn.LayerNorm(width)

        def forward(self, tokens, places):
            x = self.words(tokens) + self.places(places)
            return F.linear(self.norm(self.blocks(x)), self.words.weight)

    return Model()


@case("(e) GPT-2 small, bfloat16, 8 x 1024 tokens: training step")
def _(torch, device, small):
    width, heads, depth, words, length, batch = (
        (32, 2, 2, 100, 16, 2) if small else (768, 12, 12, 50257, 1024, 8)
    )
    model = gpt2(torch, width, heads, depth, words, length).to(device)
    tokens = torch.randint(0, words, (batch, length + 1)).to(device)
    inputs, targets = tokens[:, :-1], tokens[:, 1:].reshape(-1)
    places = torch.arange(length).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, capturable=device == "cuda")

    def loss_of(model):
        scores = model(inputs, places)
        return torch.nn.functional.cross_entropy(scores.reshape(-1, words), targets)

    return step(torch, model, loss_of, optimizer, "bfloat16" if device == "cuda" else None)


# Kernels of tallow's own, beside PyTorch's libraries


def both_ways(name, make, passes):
    """A layer forward and backward, on 256 MiB or less if small, and how often memory is passed."""

    @case(f"(k) {name}: forward and backward")
    def _(torch, device, small):
        layer, shape = make(torch, 8 if small else 1024)
        layer = layer.to(device)
        x = torch.randn(*shape).to(device).requires_grad_()
        g = torch.randn(*shape).to(device)
        return Timed(lambda: layer(x).backward(g), passes * 4 * prod(shape))


def few_channels(torch, n):
    return torch.nn.BatchNorm2d(8), (n // 4, 8, 64 if n > 8 else 4, 512 if n > 8 else 4)


both_ways("batch norm of 8 channels", few_channels, 8)
both_ways(
    "batch norm and ReLU",
    lambda torch, n: (
        torch.nn.Sequential(torch.nn.BatchNorm2d(256), torch.nn.ReLU()), (n // 8, 256, 32, 64)
    ), 8,
)  # fmt: skip
both_ways("layer norm", lambda torch, n: (torch.nn.LayerNorm(1024), (64 * n, 1024)), 8)


@case("(k) embedding of 32,768 tokens, a quarter of them one word: forward and backward")
def _(torch, device, small):
    words, width, tokens = (50, 8, 64) if small else (50257, 768, 32768)
    layer = torch.nn.Embedding(words, width).to(device)
    index = torch.randint(0, words, (tokens,))
    index[: tokens // 4] = 0
    index, g = index.to(device), torch.randn(tokens, width).to(device)

    def call():
        layer.weight.grad = None
        layer(index).backward(g)

    return Timed(call)


def convolution(dtype, exact=False, channels=256, size=56, stride=1):
    shape = f"32 x {channels} x {size} x {size}, stride {stride}, {dtype}{', exact' * exact}"

    @case(f"(h) convolution without cuDNN in tallow, {shape}: all three passes")
    def _(torch, device, small):
        images, inputs, side = (2, 8, 8) if small else (32, channels, size)
        kind = getattr(torch, dtype)
        x = torch.randn(images, inputs, side, side).to(device, kind).requires_grad_()
        weight = torch.randn(inputs, inputs, 3, 3).to(device, kind).requires_grad_()
        g = torch.randn(images, inputs, side // stride, side // stride).to(device, kind)
        own = torch.__name__ == "tallow"

        def call():
            with torch.backends.cudnn.flags(enabled=not own, allow_tf32=not exact):
                torch.nn.functional.conv2d(x, weight, padding=1, stride=stride).backward(g)

        return Timed(call)


convolution("float32", exact=True)
convolution("float32")
convolution("float16")
convolution("bfloat16")
convolution("bfloat16", channels=64)
convolution("bfloat16", channels=512, size=7)
convolution("bfloat16", stride=2)


def attention(dtype, dropout=0.0, width=64, groups=16):
    """16 heads of queries, `groups` of keys and values."""
    more = f", {groups} heads of keys" * (groups < 16) + f", dropout {dropout}" * (dropout > 0)

    @case(f"(i) causal attention, 4 x 16 x 2048 x {width}, {dtype}{more}: forward and backward")
    def _(torch, device, small):
        batch, length = (1, 16) if small else (4, 2048)
        kind = getattr(torch, dtype)
        shapes = [(batch, heads, length, width) for heads in (16, groups, groups, 16)]
        q, k, v, g = (torch.randn(*shape).to(device, kind) for shape in shapes)
        for x in (q, k, v):
            x.requires_grad_()
        attend = torch.nn.functional.scaled_dot_product_attention
        how = {"is_causal": True, "dropout_p": dropout, "enable_gqa": groups < 16}
        return Timed(lambda: attend(q, k, v, **how).backward(g))


attention("float32")
attention("bfloat16")
attention("bfloat16", dropout=0.1)
attention("bfloat16", width=128)
attention("bfloat16", width=128, groups=4)


@case("(j) Poisson numbers of rate 5, 16M")
def _(torch, device, small):
    rates = torch.full((100 if small else 1 << 24,), 5.0, device=device)
    return Timed(lambda: torch.poisson(rates), 2 * 4 * rates.numel())


@case("(f) Adam, 100M parameters: step")
def _(torch, device, small):
    shapes = [(64, 64)] * 4 if small else [(1024, 1024)] * 95
    params = [torch.nn.Parameter(torch.randn(*shape).to(device)) for shape in shapes]
    for p in params:
        p.grad = torch.randn(*p.shape).to(device)
    on_device = device == "cuda"
    optimizer = torch.optim.Adam(params, fused=on_device, capturable=on_device)
    moved = 7 * 4 * sum(prod(shape) for shape in shapes)  # 4 are read, 3 written
    return Timed(optimizer.step, moved)


# Timing


def captured(torch, call):
    """The call as a CUDA graph: a function that replays it."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARMUPS):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def turn(call, wait, calls):
    """Seconds of one call among several, after the device is done with them."""
    wait()
    start = perf_counter()
    for _ in range(calls):
        call()
    wait()
    return (perf_counter() - start) / calls


def timed(sides, wait):
    """The median seconds of each side's call, taken in turns."""
    calls = {}
    for key, call in sides.items():
        for _ in range(WARMUPS):
            call()
        calls[key] = max(1, round(TURN / max(turn(call, wait[key[0]], 1), 1e-7)))
    times = {key: [] for key in sides}
    for _ in range(ROUNDS):
        for key, call in sides.items():
            times[key].append(turn(call, wait[key[0]], calls[key]))
    return {key: median(values) for key, values in times.items()}


def measured(name, libraries, device, small):
    """A case with all libraries, eagerly and captured."""
    result, sides, wait = Result(name), {}, {}
    for library, torch in libraries.items():
        torch.manual_seed(0)
        made = CASES[name](torch, device, small)
        result.moved = made.moved
        wait[library] = torch.cuda.synchronize if device == "cuda" else lambda: None
        sides[library, "eager"] = made.call
        if device == "cuda":
            sides[library, "captured"] = captured(torch, made.call)
    result.seconds = timed(sides, wait)
    return result


# The table


def shown(seconds):
    return f"{seconds * 1e3:.4g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.4g} µs"


def row(result):
    """A line of the table: times, gigabytes a second, and how many times as fast as PyTorch."""
    cells = [result.name]
    for way in ("eager", "captured"):
        for library in ("tallow", "torch"):
            seconds = result.seconds.get((library, way))
            rate = f", {result.moved / seconds / 1e9:.0f} GB/s" if seconds and result.moved else ""
            cells.append("" if seconds is None else shown(seconds) + rate)
    theirs = result.seconds.get(("torch", "eager"))
    for way in ("eager", "captured"):
        ours = result.seconds.get(("tallow", way))
        cells.append(f"{theirs / ours:.2f}" if theirs and ours else "")
    return f"| {' | '.join(cells)} |"


HEAD = """\
| case | tallow | PyTorch | tallow, captured | PyTorch, captured | as fast, eager | captured |
|---|---:|---:|---:|---:|---:|---:|"""


def about(libraries, device):
    """What was measured on, in a line."""
    parts = [f"Python {platform.python_version()}"]
    for name, library in libraries.items():
        parts.append(f"{name} {library.__version__}")
    if device == "cuda":
        cupy = importlib.import_module("cupy")
        driver = cupy.cuda.runtime.driverGetVersion()
        parts += [
            f"CuPy {cupy.__version__}",
            f"driver for CUDA {driver // 1000}.{driver % 1000 // 10}",
        ]
        parts.append(libraries["tallow"].cuda.get_device_name())
        cudnn = libraries["tallow"].backends.cudnn.version()
        parts.append(f"cuDNN {cudnn}" if cudnn else "without cuDNN")
    return ", ".join(parts)


def found(device):
    """The libraries that can be timed on a device."""
    libraries = {}
    for name in ("tallow", "torch"):
        try:
            library = importlib.import_module(name)
        except ImportError:
            continue
        if device != "cuda" or library.cuda.is_available():
            libraries[name] = library
    return libraries


def arguments(given=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("words", nargs="*", help="only the cases with one of these in their name")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="sizes that show only that it runs")
    return parser.parse_args(given)


def main(given=None):
    options = arguments(given)
    libraries = found(options.device)
    if "tallow" not in libraries:
        raise SystemExit(f"{options.device}: expected a device that tallow can use, got none")
    print(about(libraries, options.device), HEAD, sep="\n\n")
    for name in CASES:
        if not options.words or any(word.lower() in name.lower() for word in options.words):
            result = measured(name, libraries, options.device, options.small)
            print(row(result), flush=True)


if __name__ == "__main__":
    main()
