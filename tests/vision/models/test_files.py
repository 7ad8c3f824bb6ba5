"""State dicts of torchvision's shapes, from PyTorch's files to models and back, bit for bit."""

import io

import pytest

import tallow
from tallow import nn
from tallowvision import models

torch = pytest.importorskip("torch")

LISTED = """
    efficientnet_b0 googlenet mnasnet0_5 mobilenet_v2 mobilenet_v3_small regnet_y_400mf resnet18
    shufflenet_v2_x0_5 squeezenet1_1
""".split()
SMALL = {
    "densenet": lambda: models.DenseNet(8, (2, 2), 16),
    "vision_transformer": lambda: models.VisionTransformer(32, 8, 2, 2, 32, 64),
    "swin_transformer": lambda: models.SwinTransformer([4, 4], 24, [2, 2], [2, 4], [4, 4]),
}


@pytest.fixture
def undrawn(monkeypatch):
    """Weights stay as they are made, as others take their place."""
    for name in vars(nn.init).copy():
        if name.endswith("_") and not name.startswith("_"):
            monkeypatch.setattr(nn.init, name, lambda tensor, *args, **kwargs: tensor)


def theirs_like(state):
    """A state dict of PyTorch's with the names, shapes and types of one of ours, and metadata."""
    draw = torch.Generator().manual_seed(0)
    made = {}
    for key, tensor in state.items():
        bits = torch.randint(0, 256, (tensor.nbytes,), dtype=torch.uint8, generator=draw)
        made[key] = bits.view(getattr(torch, tensor.dtype.name)).view(tuple(tensor.shape))
    made = type(state)(made)
    made._metadata = dict(state._metadata)
    return made


def passed_on(state, save, load):
    file = io.BytesIO()
    save(state, file)
    file.seek(0)
    return load(file)


@pytest.mark.parametrize("name", [*LISTED, *SMALL])
def test_from_pytorch_and_back(name, undrawn):
    model = SMALL[name]() if name in SMALL else models.get_model(name, weights=None)
    theirs = theirs_like(model.state_dict())
    model.load_state_dict(passed_on(theirs, torch.save, tallow.load))
    back = passed_on(model.state_dict(), tallow.save, torch.load)
    assert list(back) == list(theirs) and back._metadata == theirs._metadata
    for key, tensor in theirs.items():
        assert back[key].dtype == tensor.dtype and back[key].shape == tensor.shape
        assert torch.equal(back[key].view(-1).view(torch.uint8), tensor.view(-1).view(torch.uint8))
