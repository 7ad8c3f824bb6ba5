"""Functions on the parameters of a model, and on sequences of different lengths."""

from tallow.nn.functional.normalization import standardize
from tallow.nn.modules.fused import in_turn, norm_add_relu
from tallow.nn.utils import parametrizations, parametrize, rnn, stateless
from tallow.nn.utils.clip_grad import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from tallow.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from tallow.nn.utils.fusion import (
    fuse_conv_bn_eval,
    fuse_conv_bn_weights,
    fuse_linear_bn_eval,
    fuse_linear_bn_weights,
)
from tallow.nn.utils.init import skip_init
from tallow.nn.utils.memory_format import (
    convert_conv2d_weight_memory_format,
    convert_conv3d_weight_memory_format,
)
from tallow.nn.utils.spectral_norm import remove_spectral_norm, spectral_norm
from tallow.nn.utils.weight_norm import remove_weight_norm, weight_norm

__all__ = [
    "clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_",
    "convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format",
    "fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights",
    "get_total_norm", "in_turn", "norm_add_relu", "parameters_to_vector", "parametrizations",
    "parametrize", "remove_spectral_norm", "remove_weight_norm", "rnn", "skip_init",
    "spectral_norm", "standardize", "stateless", "vector_to_parameters", "weight_norm",
]  # fmt: skip
