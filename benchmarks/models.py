"""Cases of whole networks: steps of training and inference."""

from cases import case, step


def block(nn, inputs, outputs, stride):
    """A residual block of two convolutions: its main path, and its shortcut."""
    main = nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
    )  # fmt: skip
    if inputs == outputs:
        return main, nn.Identity()
    shortcut = [nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)]
    return main, nn.Sequential(*shortcut)


def resnet(torch, start, width, widths, depth, classes):
    """He et al., "Deep residual learning for image recognition", 2015: `depth` blocks a width."""
    nn = torch.nn

    class Residual(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.main, self.shortcut = block(nn, inputs, outputs, stride)

        def forward(self, x):
            return torch.relu(self.main(x) + self.shortcut(x))

    blocks = []
    for outputs in widths:
        for i in range(depth):
            blocks.append(Residual(width, outputs, 2 if i == 0 and width != outputs else 1))
            width = outputs
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)]
    return nn.Sequential(*start, *blocks, *head)


def resnet20(torch):
    nn = torch.nn
    start = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return resnet(torch, start, 16, (16, 32, 64), 3, 10)


def resnet18(torch):
    nn = torch.nn
    start = [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
    ]  # fmt: skip
    return resnet(torch, start, 64, (64, 128, 256, 512), 2, 1000)


@case("ResNet-20, 32 x 32, batch 32: training step")
def resnet20_step(torch):
    torch.manual_seed(0)
    model = resnet20(torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    inputs, labels = torch.randn(32, 3, 32, 32), torch.randint(0, 10, (32,))
    return step(torch, model, torch.nn.CrossEntropyLoss(), optimizer, inputs, labels)


def inference(batch):
    def prepare(torch):
        torch.manual_seed(0)
        model, inputs = resnet18(torch).eval(), torch.randn(batch, 3, 224, 224)

        def run():
            with torch.no_grad():
                model(inputs)

        return run

    return prepare


for batch in (1, 8):
    case(f"ResNet-18, 224 x 224, batch {batch}: inference")(inference(batch))


@case("MNIST example's network, batch 64: training step")
def mnist(torch):
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adadelta(model.parameters())
    inputs, labels = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    return step(torch, model, nn.CrossEntropyLoss(), optimizer, inputs, labels)


@case("MLP 784-512-512-10 with GELU, LayerNorm and AdamW, batch 256: training step")
def mlp(torch):
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(784, 512), nn.LayerNorm(512), nn.GELU(),
        nn.Linear(512, 512), nn.LayerNorm(512), nn.GELU(), nn.Linear(512, 10),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters())
    inputs, labels = torch.randn(256, 784), torch.randint(0, 10, (256,))
    return step(torch, model, nn.CrossEntropyLoss(), optimizer, inputs, labels)


def language_model(kind):
    """Two recurrent layers, 200 wide, over 35 steps of 20 sequences of words from 2,000."""

    def prepare(torch):
        nn = torch.nn
        torch.manual_seed(0)

        class Words(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(2000, 200)
                self.layers = getattr(nn, kind)(200, 200, 2)
                self.head = nn.Linear(200, 2000)

            def forward(self, words):
                states, _ = self.layers(self.embedding(words))
                return self.head(states).reshape(-1, 2000)

        model = Words()
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        inputs, labels = torch.randint(0, 2000, (35, 20)), torch.randint(0, 2000, (700,))
        return step(torch, model, nn.CrossEntropyLoss(), optimizer, inputs, labels)

    return prepare


for kind in ("LSTM", "GRU"):
    case(f"two-layer {kind} language model, 35 x 20: training step")(language_model(kind))


@case("four-layer transformer encoder, 8 x 128 x 128: training step")
def encoder(torch):
    nn = torch.nn
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(128, 4, 512, batch_first=True)
    model = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    inputs = torch.randn(8, 128, 128)
    return step(torch, model, nn.MSELoss(), optimizer, inputs, torch.randn(8, 128, 128))
