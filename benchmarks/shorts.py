"""Cases in bfloat16: products, and networks under autocast or altogether in it."""

from cases import case, step
from models import resnet18
from networks import vit_b_16


@case("matmul (1024, 1024), bfloat16")
def product(torch):
    torch.manual_seed(0)
    x, y = (torch.randn(1024, 1024).bfloat16() for _ in range(2))
    return lambda: x @ y


@case("linear (512, 1024) to 1024, bfloat16: forward and backward")
def linear(torch):
    torch.manual_seed(0)
    layer, x = torch.nn.Linear(1024, 1024).bfloat16(), torch.randn(512, 1024).bfloat16()
    g = torch.ones_like(layer(x.requires_grad_()))

    def run():
        layer(x).backward(g)
        x.grad = None
        layer.zero_grad()

    return run


def under_autocast(torch, model):
    """The model with its forward pass under autocast, and its result in float32."""

    def forward(x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return model(x).float()

    return forward


@case("four-layer transformer encoder, 8 x 128 x 128, autocast: training step")
def encoder(torch):
    nn = torch.nn
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(128, 4, 512, batch_first=True)
    model = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.randn(8, 128, 128), torch.randn(8, 128, 128)
    return step(torch, under_autocast(torch, model), nn.MSELoss(), optimizer, x, y)


@case("ResNet-18, 224 x 224, batch 8, autocast: training step")
def resnet(torch):
    torch.manual_seed(0)
    model = resnet18(torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, labels = torch.randn(8, 3, 224, 224), torch.randint(0, 1000, (8,))
    loss = torch.nn.CrossEntropyLoss()
    return step(torch, under_autocast(torch, model), loss, optimizer, x, labels)


@case("ViT-B/16, 224 x 224, batch 1, bfloat16: inference")
def vit(torch):
    torch.manual_seed(0)
    model, x = vit_b_16(torch).eval().bfloat16(), torch.randn(1, 3, 224, 224).bfloat16()

    def run():
        with torch.no_grad():
            model(x)

    return run
