"""What the parity with torchvision leaves open: sizes, training, states of other forms, errors."""

import numpy as np
import pytest

import tallow
from tallow import nn
from tallowvision import models
from tallowvision.models import optical_flow, video

LEAST = {
    "alexnet": "63 x 63",
    "vgg11": "32 x 32",
    "squeezenet1_0": "21 x 21",
    "squeezenet1_1": "17 x 17",
    "densenet121": "29 x 29",
    "googlenet": "15 x 15",
    "inception_v3": "75 x 75",
    "convnext_tiny": "32 x 32",
    "swin_t": "4 x 4",
}


@pytest.fixture
def blank(monkeypatch):
    """Networks whose weights are not drawn: memory that is not written to costs nothing."""
    for name in vars(nn.init):
        if name.endswith("_") and not name.startswith("_"):
            monkeypatch.setattr(nn.init, name, lambda tensor, *args, **kwargs: tensor)


@pytest.mark.parametrize("name", LEAST)
def test_images_too_small_are_told_the_least_size(name, blank):
    model = models.get_model(name).eval()
    least = int(LEAST[name].split()[0])
    with pytest.raises(RuntimeError, match=f"at least {LEAST[name]}, got {least} x {least - 1}"):
        model(tallow.zeros(1, 3, least, least - 1))


@pytest.mark.parametrize("name", ["squeezenet1_0", "squeezenet1_1", "densenet121", "googlenet"])
def test_the_least_size_is_enough(name):
    least = int(LEAST[name].split()[0])
    options = {"init_weights": False} if name == "googlenet" else {}
    model = models.get_model(name, num_classes=4, **options).eval()
    assert model(tallow.zeros(1, 3, least, least)).shape == (1, 4)


def test_networks_of_one_size_say_which():
    vit = models.VisionTransformer(32, 16, 1, 2, 8, 16, num_classes=4)
    with pytest.raises(RuntimeError, match="expected images of 32 x 32, got 32 x 48; see image_si"):
        vit(tallow.zeros(1, 3, 32, 48))
    maxvit = models.MaxVit((32, 32), 8, 2, [8, 8], [1, 1], 8, 0.0)
    with pytest.raises(RuntimeError, match="expected images of 32 x 32, got 16 x 16"):
        maxvit(tallow.zeros(1, 3, 16, 16))
    block = video.mvit.MSBlockConfig(1, 8, 8, [], [3, 3, 3], [], [1, 2, 2])
    mvit = video.MViT((16, 16), 4, [block, block], False, False, False, False)
    with pytest.raises(RuntimeError, match=r"of 4 x 16 x 16 \(T x H x W\), got 4 x 16 x 8"):
        mvit(tallow.zeros(1, 3, 4, 16, 8))


def test_digits_have_one_size():
    with pytest.raises(RuntimeError, match=r"LeNet: expected images of 8 x 8, got .*1, 1, 4, 8"):
        models.lenet_digits()(tallow.zeros(1, 1, 4, 8))


def test_videos_too_small_are_told_the_least_size(blank):
    with pytest.raises(RuntimeError, match="S3D: .* at least 14 x 224 x 224, got 13 x 224 x 224"):
        video.s3d().eval()(tallow.zeros(1, 3, 13, 224, 224))


def test_images_that_no_flow_can_be_found_between(blank):
    model = optical_flow.raft_small().eval()
    x = tallow.zeros(1, 3, 120, 128)
    with pytest.raises(RuntimeError, match="RAFT: .* at least 128 x 128, got 120 x 128"):
        model(x, x)
    for other in (tallow.zeros(1, 3, 128, 128), tallow.zeros(1, 3, 120, 129)):
        with pytest.raises(ValueError, match="RAFT: .* same size, multiples of 8"):
            model(x, other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: models.SqueezeNet("1_2"), "version '1_0' or '1_1', got '1_2'"),
        (lambda: models.MNASNet(0), "alpha above 0, got 0"),
        (lambda: models.VisionTransformer(30, 16, 1, 1, 8, 8), "multiple of 16, .*, got 30"),
        (lambda: models.ShuffleNetV2([1], [8] * 5), "expected 3 stages_repeats"),
        (lambda: models.MobileNetV2(inverted_residual_setting=[[1, 2]]), "rows of four numbers"),
        (lambda: models.MobileNetV3([], 8), "expected a list of InvertedResidualConfig"),
        (lambda: models.EfficientNet([], 0.2), "expected a list of MBConvConfig"),
        (lambda: models.ConvNeXt([]), "expected a list of CNBlockConfig"),
        (lambda: models.MaxVit((30, 30), 8, 7, [8], [1], 8, 0.0), "halves are multiples of 7"),
        (lambda: video.MViT((8, 8), 4, [], *[False] * 4), "expected a list of MSBlockConfig"),
        (lambda: models.regnet.BlockParams.from_init_params(5, 7, 1, 2, 8), "w_0 a multiple of 8"),
        (lambda: models.resnet18(groups=2), "expected groups 1"),
        (lambda: models.resnet18(replace_stride_with_dilation=[True]), "three booleans"),
        (lambda: models.mobilenetv2.InvertedResidual(8, 8, 3, 1), "stride 1 or 2, got 3"),
        (lambda: models.shufflenetv2.InvertedResidual(8, 16, 1), "as many channels out as in"),
    ],
)
def test_networks_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_dilated_basic_blocks_are_refused():
    with pytest.raises(NotImplementedError, match="expected dilation 1, got 2"):
        models.resnet18(replace_stride_with_dilation=[True, False, False])


def test_auxiliary_classifiers_in_training(blank):
    x = tallow.rand(2, 3, 40, 40)
    found = models.googlenet(num_classes=4).train()(x)
    assert type(found).__name__ == "GoogLeNetOutputs"
    assert [tuple(out.shape) for out in found] == [(2, 4)] * 3
    aux = models.inception.InceptionAux(768, 4).train()
    assert aux(tallow.rand(2, 768, 17, 17)).shape == (2, 4)
    with pytest.raises(RuntimeError, match="Inception3: .* at least 299 x 299, got 40 x 40"):
        models.inception_v3().train()(x)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_states_with_auxiliary_classifiers_load_into_networks_without(name, blank):
    whole = models.get_model(name, num_classes=4)
    alone = models.get_model(name, num_classes=4, aux_logits=False)
    assert len(alone.state_dict()) < len(whole.state_dict())
    alone.load_state_dict(whole.state_dict())
    if name == "googlenet":
        assert isinstance(alone.train()(tallow.rand(2, 3, 15, 15)), tallow.Tensor)


def test_keys_of_published_densenets():
    model = models.DenseNet(4, (2, 2), 8, num_classes=3)
    state = model.state_dict()
    old = {}
    for key, value in state.items():
        for part in ("norm", "conv"):
            for number in ("1", "2"):
                inner = f".{part}{number}."
                key = key.replace(inner, f".{part}.{number}.") if "denselayer" in key else key
        old[key] = value + 1
    assert set(old) != set(state)
    model.load_state_dict(old)
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value, list(old.values())[list(state).index(key)])


def test_keys_of_published_vision_transformers():
    model = models.VisionTransformer(16, 8, 1, 2, 8, 16, num_classes=3)
    old = {
        key.replace("mlp.0", "mlp.linear_1").replace("mlp.3", "mlp.linear_2"): value + 1
        for key, value in model.state_dict().items()
    }
    model.load_state_dict(old)
    name = "encoder.layers.encoder_layer_0.mlp.linear_2.weight"
    np.testing.assert_array_equal(
        model.encoder.layers.encoder_layer_0.mlp[3].weight.detach(), old[name]
    )


def test_the_places_of_a_vision_transformer_at_another_size():
    small = models.VisionTransformer(32, 8, 1, 2, 8, 16, num_classes=3)
    large = models.VisionTransformer(64, 8, 1, 2, 8, 16, num_classes=5)
    state = models.vision_transformer.interpolate_embeddings(
        64, 8, dict(small.state_dict()), reset_heads=True
    )
    incompatible = large.load_state_dict(state, strict=False)
    assert incompatible.missing_keys == ["heads.head.weight", "heads.head.bias"]
    places = large.encoder.pos_embedding.detach()
    old = small.encoder.pos_embedding.detach()
    np.testing.assert_array_equal(places[0, 0], old[0, 0])
    corners = places[0, 1:].reshape(8, 8, 8)[::7, ::7]
    np.testing.assert_allclose(corners, old[0, 1:].reshape(4, 4, 8)[::3, ::3], atol=1e-6)
    with pytest.raises(ValueError, match="expected a square of places, got 15"):
        cut = {"encoder.pos_embedding": tallow.rand(1, 16, 8)}
        models.vision_transformer.interpolate_embeddings(64, 8, cut)


def test_dense_layers_that_are_computed_again():
    plain = models.DenseNet(4, (2, 2), 8, num_classes=3)
    sparing = models.DenseNet(4, (2, 2), 8, num_classes=3, memory_efficient=True)
    sparing.load_state_dict(plain.state_dict())
    x = tallow.rand(2, 3, 32, 32)
    for model in (plain, sparing):
        model.eval()(x).square().sum().backward()
    for (key, p), (_, q) in zip(plain.named_parameters(), sparing.named_parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-4, atol=1e-5, err_msg=key)


def test_blocks_that_begin_as_the_identity():
    for model in (
        models.ResNet(models.resnet.BasicBlock, [1] * 4, zero_init_residual=True),
        video.VideoResNet(
            video.resnet.BasicBlock, [video.resnet.Conv3DSimple] * 4, [1] * 4,
            video.resnet.BasicStem, zero_init_residual=True,
        ),
    ):  # fmt: skip
        block = model.eval().layer1[0]
        shape = (1, 64, 4, 4) if isinstance(model, models.ResNet) else (1, 64, 2, 4, 4)
        x = tallow.rand(shape)
        np.testing.assert_array_equal(block(x).detach(), x)


def test_resnet20_is_that_of_the_paper():
    model = models.resnet20().eval()
    assert sum(parameter.numel() for parameter in model.parameters()) == 269_722
    block = model.layer2[0]
    for norm in (block.bn1, block.bn2):
        nn.init.zeros_(norm.weight)
        nn.init.zeros_(norm.bias)
    x = tallow.rand(1, 16, 8, 8)
    out = block(x).detach()  # the shortcut alone
    np.testing.assert_array_equal(out[:, 8:24], x[:, :, ::2, ::2])
    assert not out[:, :8].any() and not out[:, 24:].any()


def test_a_stem_of_convolutions():
    config = models.vision_transformer.ConvStemConfig
    model = models.VisionTransformer(
        16, 8, 1, 2, 8, 16, num_classes=3,
        conv_stem_configs=[config(4, 3, 2), config(8, 3, 2), config(8, 3, 2)],
    )  # fmt: skip
    assert "conv_proj.conv_bn_relu_2.1.weight" in model.state_dict()
    assert model(tallow.rand(2, 3, 16, 16)).shape == (2, 3)


def test_training_lowers_the_loss():
    tallow.manual_seed(0)
    model = models.resnet20(num_classes=2)
    optimizer = tallow.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    x, y = tallow.rand(8, 3, 16, 16), tallow.tensor([0, 1] * 4)
    x[1::2] += 0.3
    losses = []
    for _ in range(8):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
