"""Cases of one operation or a short chain at sizes where arithmetic counts, not overhead."""

from cases import CASES, case


def with_gradients(torch, function, *operands):
    """The function of the operands, and the gradients by all of them from a given one."""
    seed = torch.randn(*function(*operands).shape)

    def run():
        function(*operands).backward(seed)
        for x in operands:
            x.grad = None

    return run


def random(torch, *shape):
    return torch.randn(*shape, requires_grad=True)


# Convolution

CONVOLUTIONS = {  # (N, C, H, K), kernel, stride, groups
    "3 x 3": [((32, 64, 32, 64), 3, 1, 1), ((32, 128, 16, 128), 3, 1, 1),
              ((8, 64, 56, 64), 3, 1, 1), ((64, 16, 28, 32), 3, 1, 1), ((32, 3, 32, 64), 3, 1, 1)],
    "3 x 3, stride 2": [((32, 64, 32, 128), 3, 2, 1), ((8, 64, 56, 128), 3, 2, 1)],
    "1 x 1": [((32, 64, 32, 256), 1, 1, 1), ((8, 256, 28, 128), 1, 1, 1)],
    "3 x 3, depthwise": [((32, 64, 32, 64), 3, 1, 64), ((8, 96, 56, 96), 3, 1, 96)],
    "7 x 7, stride 2": [((8, 3, 224, 64), 7, 2, 1)],
}  # fmt: skip


def convolution(sizes, kernel, stride, groups):
    def prepare(torch):
        images, channels, height, outputs = sizes
        x = random(torch, images, channels, height, height)
        weight = random(torch, outputs, channels // groups, kernel, kernel)
        how = {"stride": stride, "padding": kernel // 2, "groups": groups}
        return with_gradients(
            torch, lambda x, w: torch.nn.functional.conv2d(x, w, **how), x, weight
        )

    return prepare


for kind, examples in CONVOLUTIONS.items():
    for sizes, *how in examples:
        name = "(N, C, H, K) = ({}, {}, {}, {})".format(*sizes)
        CASES[f"conv {kind}, {name}: forward and backward"] = convolution(sizes, *how)


# Matrix products


def product(size):
    def prepare(torch):
        x, y = torch.randn(size, size), torch.randn(size, size)
        return lambda: x @ y

    return prepare


for size in (512, 1024, 2048):
    CASES[f"matmul {size}: forward"] = product(size)


@case("linear with GELU (256, 512) to 2048: forward and backward")
def linear_gelu(torch):
    x, weight, bias = random(torch, 256, 512), random(torch, 2048, 512), random(torch, 2048)
    functional = torch.nn.functional
    return with_gradients(
        torch, lambda x, w, b: functional.gelu(functional.linear(x, w, b)), x, weight, bias
    )


# Attention, softmax, norms, losses, pooling


@case("causal attention (8, 8, 256, 64): forward and backward")
def causal_attention(torch):
    attend = torch.nn.functional.scaled_dot_product_attention
    operands = [random(torch, 8, 8, 256, 64) for _ in range(3)]
    return with_gradients(torch, lambda q, k, v: attend(q, k, v, is_causal=True), *operands)


@case("softmax and layer norm of (4096, 1024): forward and backward")
def softmax_layer_norm(torch):
    x, weight, bias = random(torch, 4096, 1024), random(torch, 1024), random(torch, 1024)
    norm = torch.nn.functional.layer_norm
    return with_gradients(
        torch, lambda x, w, b: norm(x.softmax(-1), (1024,), w, b), x, weight, bias
    )


@case("batch norm and ReLU of (32, 64, 32, 32): forward and backward")
def batch_norm_relu(torch):
    x, weight, bias = random(torch, 32, 64, 32, 32), random(torch, 64), random(torch, 64)
    functional = torch.nn.functional
    return with_gradients(
        torch,
        lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True).relu(),
        x, weight, bias,
    )  # fmt: skip


@case("modules of batch norm and ReLU, (32, 64, 32, 32): forward and backward")
def batch_norm_relu_modules(torch):
    modules = torch.nn.Sequential(torch.nn.BatchNorm2d(64), torch.nn.ReLU(inplace=True))
    return with_gradients(torch, modules, random(torch, 32, 64, 32, 32))


@case("cross entropy (4096, 1000): forward and backward")
def cross_entropy(torch):
    x, label = random(torch, 4096, 1000), torch.randint(0, 1000, (4096,))

    def run():
        torch.nn.functional.cross_entropy(x, label).backward()
        x.grad = None

    return run


@case("max pool 2 of (32, 64, 32, 32): forward and backward")
def max_pool(torch):
    pool = torch.nn.functional.max_pool2d
    return with_gradients(torch, lambda x: pool(x, 2), random(torch, 32, 64, 32, 32))


@case("max pool 3, stride 2 of (8, 64, 112, 112): forward and backward")
def overlapping_max_pool(torch):
    pool = torch.nn.functional.max_pool2d
    x = random(torch, 8, 64, 112, 112)
    return with_gradients(torch, lambda x: pool(x, 3, 2, 1), x)


@case("average pool 2 of (32, 64, 32, 32): forward and backward")
def average_pool(torch):
    pool = torch.nn.functional.avg_pool2d
    return with_gradients(torch, lambda x: pool(x, 2), random(torch, 32, 64, 32, 32))


@case("embedding of (35, 20) rows of (2000, 200): forward and backward")
def embedding(torch):
    index = torch.randint(0, 2000, (35, 20))
    return with_gradients(
        torch,
        lambda weight: torch.nn.functional.embedding(index, weight),
        random(torch, 2000, 200),
    )


# Elementwise chains and reductions of 10 million floats


@case("gelu(x * 1.5 + b) * 0.5 + x of 10 million: forward")
def gelu_chain(torch):
    x, b = torch.randn(10_000_000), torch.randn(10_000_000)
    return lambda: torch.nn.functional.gelu(x * 1.5 + b) * 0.5 + x


@case("dropout and residual of 10 million: forward and backward")
def dropout_residual(torch):
    x, y = random(torch, 10_000_000), random(torch, 10_000_000)
    drop = torch.nn.functional.dropout
    return with_gradients(torch, lambda x, y: drop(x, 0.1) + y, x, y)


@case("sum, mean and maximum of (4096, 2048) along either axis: forward")
def reductions(torch):
    x = torch.randn(4096, 2048)
    return lambda: (x.sum(0), x.sum(1), x.mean(0), x.amax(0), x.amax(1), x.var(1))


# Optimisers: 10 million parameters in 50 tensors


def optimiser(kind, **settings):
    def prepare(torch):
        params = [torch.nn.Parameter(torch.randn(200_000)) for _ in range(50)]
        for p in params:
            p.grad = torch.randn(200_000)
        return getattr(torch.optim, kind)(params, **settings).step

    return prepare


ALGORITHMS = {
    "SGD": {"lr": 0.01, "momentum": 0.9}, "Adam": {}, "AdamW": {}, "Adamax": {}, "NAdam": {},
    "RAdam": {}, "ASGD": {}, "Rprop": {},
}  # fmt: skip

for kind, settings in ALGORITHMS.items():
    CASES[f"{kind} on 10 million parameters in 50 tensors"] = optimiser(kind, **settings)
