"""Cases of larger networks for pictures, written as tallowvision's and torchvision's are."""

from cases import case, step
from models import resnet18

MOBILE = (  # kernel, wide channels, channels, squeeze and excitation, hardswish, stride
    (3, 16, 16, True, False, 2), (3, 72, 24, False, False, 2), (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2), (5, 240, 40, True, True, 1), (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1), (5, 144, 48, True, True, 1), (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1), (5, 576, 96, True, True, 1),
)  # fmt: skip


def residual(nn, body):
    """A module that gives x + body(x)."""

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = body

        def forward(self, x):
            return x + self.body(x)

    return Residual()


def unit(nn, before, after, kernel, stride=1, groups=1, act=None):
    """Convolution, batch norm and an activation."""
    conv = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), *([act] if act else []))


def mobilenet_v3_small(torch):
    nn = torch.nn

    class Weighted(nn.Module):
        """Channels weighted by what their means say."""

        def __init__(self, channels):
            super().__init__()
            squeezed = max(8, int(channels / 4 + 4) // 8 * 8)
            self.layers = nn.Sequential(
                nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, squeezed, 1), nn.ReLU(),
                nn.Conv2d(squeezed, channels, 1), nn.Hardsigmoid(),
            )  # fmt: skip

        def forward(self, x):
            return x * self.layers(x)

    layers, before = [unit(nn, 3, 16, 3, 2, act=nn.Hardswish(inplace=True))], 16
    for kernel, wide, after, weighted, hard, stride in MOBILE:
        act = nn.Hardswish(inplace=True) if hard else nn.ReLU(inplace=True)
        body = [] if wide == before else [unit(nn, before, wide, 1, act=act)]
        body.append(unit(nn, wide, wide, kernel, stride, groups=wide, act=act))
        body += [Weighted(wide)] if weighted else []
        body = nn.Sequential(*body, unit(nn, wide, after, 1))
        same = stride == 1 and before == after
        layers.append(residual(nn, body) if same else body)
        before = after
    return nn.Sequential(
        *layers, unit(nn, 96, 576, 1, act=nn.Hardswish(inplace=True)), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(576, 1024), nn.Hardswish(inplace=True), nn.Dropout(0.2),
        nn.Linear(1024, 1000),
    )  # fmt: skip


def vit_b_16(torch, width=768, size=224, patch=16):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attention = nn.MultiheadAttention(width, 12, batch_first=True)
            self.mlp = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )

        def forward(self, x):
            y = self.first(x)
            x = x + self.attention(y, y, y, need_weights=False)[0]
            return x + self.mlp(self.second(x))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.cut = nn.Conv2d(3, width, patch, stride=patch)
            self.token = nn.Parameter(torch.zeros(1, 1, width))
            self.places = nn.Parameter(torch.randn(1, (size // patch) ** 2 + 1, width) * 0.02)
            self.blocks = nn.Sequential(*(Block() for _ in range(12)))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, 1000)

        def forward(self, x):
            x = self.cut(x).flatten(2).transpose(1, 2)
            x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
            return self.head(self.norm(self.blocks(x))[:, 0])

    return Transformer()


def forward(build, batch):
    def prepare(torch):
        torch.manual_seed(0)
        model = build(torch).eval()
        inputs = torch.randn(batch, 3, 224, 224)

        def run():
            with torch.no_grad():
                model(inputs)

        return run

    return prepare


for name, build in {"MobileNet v3 small": mobilenet_v3_small, "ViT-B/16": vit_b_16}.items():
    for batch in (1, 8):
        case(f"{name}, 224 x 224, batch {batch}: inference")(forward(build, batch))


@case("ResNet-18, 224 x 224, batch 8: training step")
def resnet18_step(torch):
    torch.manual_seed(0)
    model = resnet18(torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    inputs, labels = torch.randn(8, 3, 224, 224), torch.randint(0, 1000, (8,))
    return step(torch, model, torch.nn.CrossEntropyLoss(), optimizer, inputs, labels)
