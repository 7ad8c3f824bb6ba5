"""What the networks are held against torchvision's by: cases, and weights that both generate.

Used by tools/goldens/vision_models.py, which records what torchvision gives, and by the tests.
"""

import math
import zlib

import numpy as np

CASES = {  # name: (the network, the shape of the input, what of the network is called)
    "alexnet": ("models.alexnet(num_classes=10)", (1, 3, 64, 64), "features"),
    "vgg": ("models.vgg11_bn(num_classes=10)", (1, 3, 32, 32), "features"),
    "resnet": ("models.resnet18(num_classes=10)", (2, 3, 40, 33), ""),
    "resnext": ("models.resnext50_32x4d(num_classes=10)", (1, 3, 33, 33), ""),
    "resnet_dilated": (
        "models.ResNet(models.resnet.Bottleneck, [1, 1, 2, 1], num_classes=10, "
        "replace_stride_with_dilation=[False, True, True])",
        (1, 3, 40, 40),
        "",
    ),
    "densenet": ("models.DenseNet(8, (2, 3, 2, 2), 16, num_classes=10)", (1, 3, 40, 40), ""),
    "googlenet": ("models.googlenet(num_classes=10, init_weights=False)", (1, 3, 40, 40), ""),
    "googlenet_shifted": (
        "models.googlenet(num_classes=10, init_weights=False, transform_input=True)",
        (1, 3, 32, 32),
        "",
    ),
    "inception": ("models.inception_v3(num_classes=10, init_weights=False)", (1, 3, 80, 80), ""),
    "squeezenet1_0": ("models.squeezenet1_0(num_classes=10)", (1, 3, 40, 40), ""),
    "squeezenet1_1": ("models.squeezenet1_1(num_classes=10)", (1, 3, 40, 40), ""),
    "mobilenet_v2": ("models.mobilenet_v2(num_classes=10)", (1, 3, 40, 40), ""),
    "mobilenet_v3_small": ("models.mobilenet_v3_small(num_classes=10)", (1, 3, 40, 40), ""),
    "mobilenet_v3_dilated": (
        "models.mobilenet_v3_large(num_classes=10, dilated=True, reduced_tail=True)",
        (1, 3, 40, 40),
        "",
    ),
    "shufflenet": ("models.shufflenet_v2_x0_5(num_classes=10)", (1, 3, 40, 40), ""),
    "mnasnet": ("models.mnasnet0_5(num_classes=10)", (1, 3, 40, 40), ""),
    "efficientnet_b0": ("models.efficientnet_b0(num_classes=10)", (1, 3, 40, 40), ""),
    "efficientnet_v2": (
        "models.EfficientNet([models.efficientnet.FusedMBConvConfig(1, 3, 1, 24, 24, 2), "
        "models.efficientnet.FusedMBConvConfig(4, 3, 2, 24, 48, 2), "
        "models.efficientnet.MBConvConfig(4, 3, 2, 48, 64, 2)], 0.2, num_classes=10)",
        (1, 3, 40, 40),
        "",
    ),
    "regnet_y": ("models.regnet_y_400mf(num_classes=10)", (1, 3, 40, 40), ""),
    "regnet_x": ("models.regnet_x_400mf(num_classes=10)", (1, 3, 40, 40), ""),
    "convnext": (
        "models.ConvNeXt([models.convnext.CNBlockConfig(24, 32, 2), "
        "models.convnext.CNBlockConfig(32, None, 2)], num_classes=10)",
        (1, 3, 40, 40),
        "",
    ),
    "vit": (
        "models.VisionTransformer(32, 8, 2, 4, 32, 64, num_classes=10, representation_size=16)",
        (2, 3, 32, 32),
        "",
    ),
    "swin": (
        "models.SwinTransformer([4, 4], 24, [2, 2], [2, 4], [4, 4], num_classes=10)",
        (2, 3, 44, 36),
        "",
    ),
    "swin_v2": (
        "models.SwinTransformer([4, 4], 24, [2, 2], [2, 4], [4, 4], num_classes=10, "
        "block=models.swin_transformer.SwinTransformerBlockV2, "
        "downsample_layer=models.swin_transformer.PatchMergingV2)",
        (2, 3, 44, 36),
        "",
    ),
    "maxvit": (
        "models.MaxVit((32, 32), 16, 2, [16, 32], [2, 1], 8, 0.2, num_classes=10)",
        (2, 3, 32, 32),
        "",
    ),
    "raft_large": ("optical_flow.raft_large()", (2, 1, 3, 128, 136), ""),
    "raft_small": ("optical_flow.raft_small()", (2, 1, 3, 128, 136), ""),
    "r3d": (
        "video.VideoResNet(video.resnet.BasicBlock, [video.resnet.Conv3DSimple] * 4, "
        "[1, 1, 1, 1], video.resnet.BasicStem, num_classes=10)",
        (1, 3, 4, 20, 20),
        "",
    ),
    "mc3": (
        "video.VideoResNet(video.resnet.Bottleneck, [video.resnet.Conv3DSimple] + "
        "[video.resnet.Conv3DNoTemporal] * 3, [1, 1, 1, 1], video.resnet.BasicStem, "
        "num_classes=10)",
        (1, 3, 4, 20, 20),
        "",
    ),
    "r2plus1d": (
        "video.VideoResNet(video.resnet.BasicBlock, [video.resnet.Conv2Plus1D] * 4, "
        "[1, 1, 1, 1], video.resnet.R2Plus1dStem, num_classes=10)",
        (1, 3, 4, 20, 20),
        "",
    ),
    "s3d": ("video.s3d(num_classes=10)", (1, 3, 14, 64, 64), "features"),
    "mvit_v1": (
        "video.MViT((16, 16), 4, [video.mvit.MSBlockConfig(1, 16, 32, [], [3, 3, 3], [], "
        "[1, 2, 2]), video.mvit.MSBlockConfig(2, 32, 32, [3, 3, 3], [3, 3, 3], [1, 2, 2], "
        "[1, 1, 1])], residual_pool=False, residual_with_cls_embed=False, rel_pos_embed=False, "
        "proj_after_attn=False, num_classes=10)",
        (2, 3, 4, 16, 16),
        "",
    ),
    "mvit_v2": (
        "video.MViT((16, 16), 4, [video.mvit.MSBlockConfig(1, 16, 32, [3, 3, 3], [3, 3, 3], "
        "[1, 1, 1], [1, 2, 2]), video.mvit.MSBlockConfig(2, 32, 32, [3, 3, 3], [3, 3, 3], "
        "[1, 2, 2], [1, 1, 1])], residual_pool=True, residual_with_cls_embed=False, "
        "rel_pos_embed=True, proj_after_attn=True, num_classes=10)",
        (2, 3, 4, 16, 16),
        "",
    ),
    "swin3d": (
        "video.SwinTransformer3d([2, 4, 4], 24, [2, 2], [2, 4], [4, 4, 4], num_classes=10)",
        (2, 3, 13, 36, 30),
        "",
    ),
}
SEEDED = """
    densenet squeezenet1_1 mobilenet_v2 mobilenet_v3_small shufflenet mnasnet efficientnet_v2
    regnet_x convnext vit swin swin_v2 maxvit mvit_v1 mvit_v2 swin3d
    raft_small
""".split()  # cases whose initial weights are held against torchvision's: small networks
COUNT = 1 << 20
BASE = np.tile(np.random.default_rng(9).standard_normal(COUNT, dtype=np.float32), 2)


def values(key, shape):
    """Numbers that depend on a key of a state dict and the shape alone, scaled for their part."""
    start, size = zlib.crc32(key.encode()) % COUNT, math.prod(shape)
    drawn = BASE[start : start + COUNT]
    drawn = (drawn[:size] if size <= COUNT else np.resize(drawn, size)).reshape(shape)
    if len(shape) > 1:
        return drawn * math.sqrt(1.5 / math.prod(shape[1:]))
    if key.endswith(("running_var", "weight")):
        return 1 + 0.1 * np.abs(drawn)
    return 0.1 * drawn


def fill(model, from_numpy, prefix=""):
    """Put `values` into what of a network is learnt, and into the statistics of its norms."""
    fixed = ("num_batches_tracked", "relative_position_index", "relative_coords_table")
    for key, tensor in model.state_dict(prefix=prefix).items():
        if not key.endswith(fixed):
            tensor.copy_(from_numpy(values(key, tuple(tensor.shape))))
    return model


def picture(shape):
    return values("input", (*shape, 1))[..., 0] * math.sqrt(math.prod(shape[1:]) / 1.5)


def build(name, models):
    """The network of a case."""
    names = {"models": models, "video": models.video, "optical_flow": models.optical_flow}
    return eval(CASES[name][0], names)


def evaluate(name, torch, models):
    """The output for a case, flat, and some of the gradient of its squares by the input."""
    _, shape, part = CASES[name]
    model = build(name, models).eval().get_submodule(part)
    with torch.no_grad():
        fill(model, torch.from_numpy, f"{part}." if part else "")
    x = torch.from_numpy(picture(shape)).requires_grad_()
    out = model(x[0], x[1], num_flow_updates=2)[-1] if name.startswith("raft") else model(x)
    ((out / out.detach().abs().max()) ** 2).sum().backward()
    flat, gradient = (t.detach().numpy().reshape(-1) for t in (out, x.grad))
    return flat[:1000], gradient[:: max(1, len(gradient) // 500)]


def drawn(name, torch, models):
    """The mean of every parameter that a case begins with, drawn after seed 3."""
    torch.manual_seed(3)
    model = build(name, models)
    means = [parameter.detach().double().mean().item() for parameter in model.parameters()]
    return np.float32(means)


def signature(model):
    """The number of parameters, and a digest of the keys and shapes of the state."""
    lines = [f"{key} {tuple(tensor.shape)}" for key, tensor in model.state_dict().items()]
    count = sum(parameter.numel() for parameter in model.parameters())
    return [count, zlib.crc32("\n".join(lines).encode())]
