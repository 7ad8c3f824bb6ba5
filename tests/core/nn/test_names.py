"""Which names of PyTorch's torch.nn, torch.nn.functional and torch.nn.init are here."""

import inspect

import pytest

import tallow

# The public names of PyTorch 2.13, the most used first.
NAMES = {
    "nn": """
        AdaptiveAvgPool1d AdaptiveAvgPool2d AvgPool2d BatchNorm1d BatchNorm2d BatchNorm3d
        BCELoss BCEWithLogitsLoss Conv1d Conv2d Conv3d ConvTranspose2d CosineSimilarity
        CrossEntropyLoss CTCLoss DataParallel Dropout ELU Embedding Flatten GELU GroupNorm GRU
        Hardswish Identity InstanceNorm2d KLDivLoss L1Loss LayerNorm LeakyReLU Linear LSTM
        MaxPool1d MaxPool2d Module ModuleDict ModuleList MSELoss MultiheadAttention NLLLoss
        Parameter ParameterList PixelShuffle PReLU ReflectionPad2d ReLU RMSNorm RNN Sequential
        Sigmoid SiLU SmoothL1Loss Softmax Softplus Tanh Transformer TransformerDecoder
        TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer Upsample
        AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AlphaDropout AvgPool1d AvgPool3d
        Bilinear Buffer CELU ConstantPad1d ConstantPad2d ConstantPad3d ConvTranspose1d
        ConvTranspose3d CosineEmbeddingLoss Dropout1d Dropout2d Dropout3d EmbeddingBag Fold
        GaussianNLLLoss GLU GRUCell Hardshrink Hardsigmoid Hardtanh HingeEmbeddingLoss HuberLoss
        InstanceNorm1d InstanceNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyConv2d LazyLinear
        LocalResponseNorm LogSigmoid LogSoftmax LSTMCell MarginRankingLoss MaxPool3d MaxUnpool2d
        Mish PairwiseDistance ParameterDict PixelUnshuffle PoissonNLLLoss ReflectionPad1d ReLU6
        ReplicationPad1d ReplicationPad2d RNNBase RNNCell SELU Softmin Softshrink Softsign
        SyncBatchNorm Tanhshrink Threshold TripletMarginLoss Unflatten Unfold
        UninitializedParameter ZeroPad2d AdaptiveLogSoftmaxWithLoss AdaptiveMaxPool3d
        ChannelShuffle CircularPad1d CircularPad2d CircularPad3d Container CrossMapLRN2d
        FeatureAlphaDropout FractionalMaxPool2d FractionalMaxPool3d LazyBatchNorm3d LazyConv1d
        LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d
        LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d LinearCrossEntropyLoss
        LinearCrossEntropyOptions LPPool1d LPPool2d LPPool3d MaxUnpool1d MaxUnpool3d
        MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss2d ReflectionPad3d
        ReplicationPad3d RNNCellBase RReLU SoftMarginLoss Softmax2d
        TripletMarginWithDistanceLoss UninitializedBuffer UpsamplingBilinear2d
        UpsamplingNearest2d ZeroPad1d ZeroPad3d
    """,
    "nn.functional": """
        adaptive_avg_pool2d affine_grid avg_pool2d batch_norm binary_cross_entropy
        binary_cross_entropy_with_logits conv1d conv2d conv3d conv_transpose1d conv_transpose2d
        cosine_similarity cross_entropy dropout elu embedding gelu grid_sample group_norm
        interpolate kl_div l1_loss layer_norm leaky_relu linear log_softmax max_pool2d mse_loss
        nll_loss normalize one_hot pad pixel_shuffle relu rms_norm scaled_dot_product_attention
        sigmoid silu smooth_l1_loss softmax softplus tanh unfold adaptive_max_pool2d
        alpha_dropout avg_pool1d avg_pool3d bilinear celu conv_transpose3d cosine_embedding_loss
        ctc_loss dropout2d dropout3d elu_ embedding_bag fold gaussian_nll_loss glu grouped_mm
        gumbel_softmax hardshrink hardsigmoid hardswish hardtanh hinge_embedding_loss huber_loss
        instance_norm leaky_relu_ local_response_norm logsigmoid margin_ranking_loss max_pool1d
        max_pool3d mish multi_head_attention_forward pairwise_distance pixel_unshuffle
        poisson_nll_loss prelu relu6 relu_ selu softmin softshrink softsign tanhshrink threshold
        triplet_margin_loss adaptive_avg_pool1d adaptive_avg_pool3d adaptive_max_pool1d
        adaptive_max_pool3d celu_ channel_shuffle conv_tbc dropout1d feature_alpha_dropout
        fractional_max_pool2d fractional_max_pool3d hardtanh_ linear_cross_entropy lp_pool1d
        lp_pool2d lp_pool3d max_unpool1d max_unpool2d max_unpool3d multi_margin_loss
        multilabel_margin_loss multilabel_soft_margin_loss native_channel_shuffle pdist rrelu
        rrelu_ scaled_grouped_mm scaled_mm selu_ soft_margin_loss threshold_
        triplet_margin_with_distance_loss upsample upsample_bilinear upsample_nearest
    """,
    "nn.init": """
        constant_ kaiming_normal_ kaiming_uniform_ normal_ ones_ orthogonal_ trunc_normal_
        uniform_ xavier_normal_ xavier_uniform_ zeros_ calculate_gain dirac_ eye_ sparse_
        constant dirac eye kaiming_normal kaiming_uniform normal orthogonal sparse uniform
        xavier_normal xavier_uniform
    """,
}

LEFT_OUT = {
    "nn": {
        "Container": "deprecated by PyTorch",
        "LinearCrossEntropyOptions": "chunks of a product that is not cut into chunks here",
        "NLLLoss2d": "deprecated by PyTorch; NLLLoss",
    },
    "nn.functional": {
        "scaled_grouped_mm": "needs float8 and float4 tensors",
        "scaled_mm": "needs float8 and float4 tensors",
    },
    "nn.init": {},
}
EVERY = [(place, name) for place, names in NAMES.items() for name in names.split()]
HERE = [(place, name) for place, name in EVERY if name not in LEFT_OUT[place]]


def found(module, place):
    for part in place.split("."):
        module = getattr(module, part)
    return module


@pytest.mark.parametrize("place", NAMES)
def test_every_name_is_here_or_left_out(place):
    missing = {n for n in NAMES[place].split() if not hasattr(found(tallow, place), n)}
    assert missing == set(LEFT_OUT[place])


def test_nothing_more_is_public():
    """What `from tallow.nn.functional import *` gives are PyTorch's names."""
    torch = pytest.importorskip("torch")
    extra = {n for n in vars(tallow.nn.functional) if not n.startswith("_")}
    extra -= {n for n in extra if inspect.ismodule(getattr(tallow.nn.functional, n))}
    assert sorted(n for n in extra if not hasattr(torch.nn.functional, n)) == []


def parameters(function):
    """Names, kinds and defaults; None where they are not told (built-ins, and *args alone)."""
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:
        return None
    kinds = [p.kind for p in found if p.name != "self"]
    if kinds[:2] == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
        return None
    return [
        (p.name, p.kind, getattr(p.default, "__name__", p.default))
        for p in found
        if p.name not in ("self", "args", "kwargs")
    ]


@pytest.mark.parametrize("place, name", HERE, ids=lambda x: x)
def test_signatures(place, name):
    torch = pytest.importorskip("torch")
    ours, theirs = (getattr(found(module, place), name) for module in (tallow, torch))
    if not isinstance(theirs, type):
        assert parameters(theirs) in (None, parameters(ours))
        return
    if issubclass(theirs, torch.Tensor):
        ours, theirs = ours.__new__, theirs.__new__
        assert parameters(ours) == parameters(theirs)
        return
    assert parameters(theirs.__init__) in (None, parameters(ours.__init__))
    assert issubclass(ours, tallow.nn.Module)
    if theirs.forward is not torch.nn.Module.forward:
        assert parameters(theirs.forward) in (None, parameters(ours.forward))
