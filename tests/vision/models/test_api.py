"""The registry of models and the weights: named, listed, downloaded, checked."""

import copy
import hashlib
import pickle
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import PIL.Image
import pytest

import tallow
from tallow import hub, nn
from tallowvision import models
from tallowvision.models import _api
from tallowvision.transforms import _presets


class Toy(nn.Module):
    """A network of one layer."""

    def __init__(self, width, num_classes=3, bias=True):
        super().__init__()
        self.fc = nn.Linear(width, num_classes, bias=bias)

    def forward(self, x):
        return self.fc(x)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder, and the address at which a server of this machine offers its files."""
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.setattr(hub, "_chosen", str(tmp_path / "hub"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def state():
    return {"fc.weight": tallow.rand(3, 2), "fc.bias": tallow.rand(3)}


@pytest.fixture
def toy(monkeypatch):
    """A function of the address of the weights that gives a builder and the enum."""

    def make(url, **kwargs):
        entry = {
            "url": url,
            "transforms": ["ImageClassification", {"crop_size": 8}],
            "categories": ["a", "b", "c"],
            "num_params": 9,
            "min_size": [1, 1],
        }
        table = {"Toy_Weights": {"FIRST": entry, "SECOND": entry, "DEFAULT": "SECOND"}}
        with monkeypatch.context() as patched:
            patched.setattr(_api, "_tables", lambda: table)
            builder, enum = _api.variant("Toy", Toy, 2, **kwargs)
        monkeypatch.setattr(sys.modules[__name__], "Toy_Weights", enum, raising=False)
        return builder, enum

    yield make
    _api.BUILTIN_MODELS.pop("toy", None)


def write(folder, state):
    """A file of weights named after its digest, as publishers do; its name."""
    path = folder / "toy.pth"
    tallow.save(state, path)
    name = f"toy-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth"
    path.rename(folder / name)
    return name


def test_weights_are_downloaded_once_and_checked(served, state, toy):
    folder, address = served
    name = write(folder, state)
    builder, enum = toy(f"{address}/{name}")
    model = builder(weights="DEFAULT", progress=False)
    np.testing.assert_array_equal(model.fc.weight.detach(), state["fc.weight"])
    (folder / name).unlink()
    builder(weights=enum.FIRST)  # of the copy that is here


def test_another_file_than_published_is_refused(served, state, toy):
    folder, address = served
    write(folder, state)
    [path] = folder.iterdir()
    path.rename(folder / "toy-01234567.pth")
    builder, _ = toy(f"{address}/toy-01234567.pth")
    with pytest.raises(RuntimeError, match="expected a SHA-256 that begins with 01234567"):
        builder(weights="FIRST", progress=False)


def test_weights_of_the_package(tmp_path, monkeypatch, state, toy):
    monkeypatch.setattr(_api, "FOLDER", tmp_path)
    tallow.save({key: value.half() for key, value in state.items()}, tmp_path / "toy.safetensors")
    builder, _ = toy("package:toy.safetensors")
    model = builder(weights="FIRST")
    assert model.fc.weight.dtype == tallow.float32
    np.testing.assert_array_equal(model.fc.weight.detach(), state["fc.weight"].half().float())


def test_what_weights_ask_of_the_network(tmp_path, monkeypatch, state, toy):
    monkeypatch.setattr(_api, "FOLDER", tmp_path)
    tallow.save({"fc.weight": state["fc.weight"]}, tmp_path / "toy.safetensors")
    builder, _ = toy("package:toy.safetensors", with_weights={"bias": False})
    assert builder(weights="FIRST").fc.bias is None
    assert builder().fc.bias is not None
    with pytest.raises(ValueError, match="num_classes: expected 3, .*Toy_Weights.FIRST.*, got 4"):
        builder(weights="FIRST", num_classes=4)
    assert builder(num_classes=4).fc.out_features == 4


def test_pretrained_as_it_was_before_weights(tmp_path, monkeypatch, state, toy):
    monkeypatch.setattr(_api, "FOLDER", tmp_path)
    tallow.save(state, tmp_path / "toy.safetensors")
    builder, _ = toy("package:toy.safetensors")
    for model in (builder(pretrained=True), builder(True)):
        np.testing.assert_array_equal(model.fc.weight.detach(), state["fc.weight"])
    for model in (builder(pretrained=False), builder(False), builder(None)):
        assert not np.array_equal(model.fc.weight.detach(), state["fc.weight"])


def test_members_of_an_enum(toy):
    _, enum = toy("https://example.org/toy-00000000.pth")
    assert enum.DEFAULT is enum.SECOND and list(enum) == [enum.FIRST, enum.SECOND]
    assert repr(enum.DEFAULT) == "Toy_Weights.SECOND"
    assert enum.verify("FIRST") is enum.verify("Toy_Weights.FIRST") is enum.FIRST
    assert enum.verify(None) is None
    assert pickle.loads(pickle.dumps(enum.FIRST)) is copy.deepcopy(enum.FIRST) is enum.FIRST
    assert enum.FIRST.meta["min_size"] == (1, 1)
    with pytest.raises(ValueError, match="expected one of Toy_Weights's FIRST, .*, got 'THIRD'"):
        enum.verify("THIRD")
    with pytest.raises(TypeError, match="expected Toy_Weights or None, got ResNet18_Weights"):
        enum.verify(models.ResNet18_Weights.DEFAULT)


def test_published_weights():
    weights = models.get_weight("ResNet50_Weights.DEFAULT")
    assert weights is models.ResNet50_Weights.IMAGENET1K_V2
    assert weights.url == "https://download.pytorch.org/models/resnet50-11ad3fa6.pth"
    assert len(weights.meta["categories"]) == 1000
    assert weights.meta["categories"][0] == "tench"
    assert weights.meta["_metrics"]["ImageNet-1K"]["acc@1"] == 80.858
    assert models.video.R3D_18_Weights.DEFAULT.meta["categories"][0] == "abseiling"
    with pytest.raises(ValueError, match="got 'ResNet50_Weights.V9'"):
        models.get_weight("ResNet50_Weights.V9")
    with pytest.raises(ValueError, match="get_weight: expected a name like"):
        models.get_weight("ResNet50")


def test_every_published_entry_can_be_made():
    for name in models.list_models(models) + models.list_models(models.video):
        for weights in models.get_model_weights(name):
            assert weights.url.startswith(("https://download.pytorch.org/models/", "package:"))
            weights.transforms()


def test_names_are_listed_without_their_modules():
    code = (
        "import sys; from tallowvision import models; names = models.list_models();"
        "assert 'resnet18' in names and 'r3d_18' in names, names;"
        "assert 'tallowvision.models.resnet' not in sys.modules;"
        "models.get_model('resnet18');"
        "import tallowvision.models.alexnet, tallowvision.models.video.s3d;"
        "assert callable(models.alexnet) and callable(models.video.s3d)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_lists():
    everything = models.list_models()
    assert everything == sorted(everything)
    of_videos = models.list_models(models.video)
    assert "s3d" in of_videos and "resnet18" not in of_videos
    assert set(of_videos).isdisjoint(models.list_models(models))
    assert models.list_models(include=["vit_b*", "alexnet"]) == ["alexnet", "vit_b_16", "vit_b_32"]
    assert models.list_models(include="vit_*", exclude=["*_16", "*_32"]) == ["vit_h_14"]
    for name in everything:
        if name in dir(models):
            assert getattr(models, name) is models.get_model_builder(name)


def test_builders_by_name():
    assert models.get_model_builder("ResNet20") is models.resnet20
    assert isinstance(models.get_model("resnet20", num_classes=4), models.CifarResNet)
    assert models.get_model_weights(models.resnet18) is models.ResNet18_Weights
    assert pickle.loads(pickle.dumps(models.vgg11)) is models.vgg11
    with pytest.raises(ValueError, match="got 'resnet19'; did you mean resnet"):
        models.get_model("resnet19")
    with pytest.raises(ValueError, match="expected a new name, got 'resnet18'"):
        models.register_model("resnet18")(Toy)
    with pytest.raises(ValueError, match="`weights` is annotated"):
        models.get_model_weights(lambda weights=None: None)


def test_names_that_are_not_there():
    with pytest.raises(AttributeError, match="'tallowvision.models' has no attribute 'resnet19'"):
        _ = models.resnet19
    assert "resnet18" in models.__all__ and "ResNet18_Weights" in models.__all__


@pytest.mark.parametrize("size", [(40, 60), (90, 30)])
def test_inputs_of_classification(size):
    preset = models.ResNet18_Weights.DEFAULT.transforms()
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    picture = preset(PIL.Image.fromarray(pixels))
    batch = preset(tallow.from_numpy(pixels).permute(2, 0, 1)[None])
    assert picture.shape == (3, 224, 224) and batch.shape == (1, 3, 224, 224)
    np.testing.assert_allclose(picture, batch[0], atol=0.02)  # Pillow rounds otherwise
    mean, std = (np.reshape(x, (3, 1, 1)) for x in (preset.mean, preset.std))
    values = picture.numpy() * std + mean
    assert values.min() >= -1e-6 and values.max() <= 1 + 1e-6
    assert "resize_size=[256]" in repr(preset)


def test_inputs_of_videos_detection_segmentation_and_flow():
    frames = tallow.randint(0, 256, (2, 4, 3, 20, 30), dtype=tallow.uint8)
    preset = _presets.VideoClassification(crop_size=(8, 8), resize_size=(10, 12))
    assert preset(frames).shape == (2, 3, 4, 8, 8) and preset(frames[0]).shape == (3, 4, 8, 8)
    np.testing.assert_array_equal(preset(frames)[1], preset(frames[1]))
    image = frames[0, 0]
    np.testing.assert_allclose(_presets.ObjectDetection()(image), image.float() / 255)
    masks = _presets.SemanticSegmentation(resize_size=10)
    assert masks(image).shape == (3, 10, 15)
    assert _presets.SemanticSegmentation(resize_size=None)(image).shape == (3, 20, 30)
    first, second = _presets.OpticalFlow()(image, frames[0, 1])
    np.testing.assert_allclose(first, image.float() / 127.5 - 1, atol=1e-6)
    assert second.shape == first.shape
