"""What is timed. Each case takes the module, `tallow` or `torch`, and returns what to time."""

CASES = {}


def case(name):
    """Decorator: keep a case under its name."""

    def keep(function):
        CASES[name] = function
        return function

    return keep


# What one operation costs before any arithmetic: small operands

UNARY = {
    "relu": lambda torch, x: torch.relu(x),
    "exp": lambda torch, x: x.exp(),
    "reshape": lambda torch, x: x.reshape(16),
    "transpose": lambda torch, x: x.t(),
    "x[1:3]": lambda torch, x: x[1:3],
    "sum": lambda torch, x: x.sum(),
    "mean over a dim": lambda torch, x: x.mean(1),
    "softmax": lambda torch, x: x.softmax(-1),
}
BINARY = {
    "add": lambda torch, x, y: x + y,
    "mul": lambda torch, x, y: x * y,
    "div": lambda torch, x, y: x / y,
    "matmul": lambda torch, x, y: x @ y,
    "where": lambda torch, x, y: torch.where(x > 0, x, y),
    "cat": lambda torch, x, y: torch.cat([x, y]),
}
SCALAR = {"x * 2": lambda torch, x: x * 2, "x ** 2": lambda torch, x: x**2}


def small(torch, count, requires_grad):
    return [torch.rand(4, 4, requires_grad=requires_grad) for _ in range(count)]


def forward(function, count):
    def prepare(torch):
        operands = small(torch, count, False)
        return lambda: function(torch, *operands)

    return prepare


def forward_recorded(function, count):
    def prepare(torch):
        operands = small(torch, count, True)
        return lambda: function(torch, *operands)

    return prepare


def forward_backward(function, count):
    """The operation and its backward pass, with the gradient of the output given."""

    def prepare(torch):
        operands = small(torch, count, True)
        seed = torch.ones_like(function(torch, *operands))

        def run():
            out = function(torch, *operands)
            out.backward(seed)
            for x in operands:
                x.grad = None

        return run

    return prepare


for count, functions in ((1, UNARY), (2, BINARY), (1, SCALAR)):
    for name, function in functions.items():
        CASES[f"{name}, 4 x 4: forward"] = forward(function, count)
        CASES[f"{name}, 4 x 4: forward, recorded"] = forward_recorded(function, count)
        CASES[f"{name}, 4 x 4: forward and backward"] = forward_backward(function, count)


# Whole steps of training


def step(torch, model, criterion, optimizer, inputs, labels):
    def run():
        loss = criterion(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return run


@case("introduction's network 784-128-64-10, batch 32: training step")
def introduction(torch):
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    inputs, labels = torch.randn(32, 784), torch.randint(0, 10, (32,))
    return step(torch, model, nn.CrossEntropyLoss(), optimizer, inputs, labels)


def digits_network(nn):
    """The network of examples/image_classification for 8 x 8 digits."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.25), nn.Linear(32 * 16, 10),
    )  # fmt: skip


@case("digits' convolutional network, batch 64: training step")
def digits_step(torch):
    torch.manual_seed(0)
    model = digits_network(torch.nn)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    inputs, labels = torch.randn(64, 1, 8, 8), torch.randint(0, 10, (64,))
    return step(torch, model, torch.nn.CrossEntropyLoss(), optimizer, inputs, labels)


@case("digits' convolutional network, batch 64: inference")
def digits_inference(torch):
    torch.manual_seed(0)
    model = digits_network(torch.nn).eval()
    inputs = torch.randn(64, 1, 8, 8)

    def run():
        with torch.no_grad():
            model(inputs)

    return run
