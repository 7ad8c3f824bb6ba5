"""Feature pyramids: maps of several sizes that all know what the coarsest does."""

from collections import OrderedDict

from tallow import nn
from tallow.errors import ArgumentError, TypeMismatchError
from tallow.nn import functional as F
from tallowvision.ops.misc import Conv2dNormActivation


class ExtraFPNBlock(nn.Module):
    """The base of blocks that add maps to a pyramid.

    Called with the pyramid's maps, those that it was made of, and the names; it returns the maps
    and the names.
    """


class FeaturePyramidNetwork(nn.Module):
    """A pyramid of maps with `out_channels` each, of a dict of maps, finest first.

    `in_channels_list` are the channels of these. Lin et al., "Feature pyramid networks for object
    detection" (2017).
    """

    _version = 2

    def __init__(self, in_channels_list, out_channels, extra_blocks=None, norm_layer=None):
        super().__init__()
        self.inner_blocks = nn.ModuleList()
        self.layer_blocks = nn.ModuleList()
        if not all(in_channels_list):
            raise ArgumentError(
                f"FeaturePyramidNetwork: expected channels above 0, got {in_channels_list}"
            )
        options = {"norm_layer": norm_layer, "activation_layer": None}
        for in_channels in in_channels_list:
            self.inner_blocks.append(
                Conv2dNormActivation(in_channels, out_channels, 1, padding=0, **options)
            )
            self.layer_blocks.append(Conv2dNormActivation(out_channels, out_channels, 3, **options))
        initialize_convolutions(self)
        if not isinstance(extra_blocks, ExtraFPNBlock | None):
            raise TypeMismatchError(
                "FeaturePyramidNetwork: expected extra_blocks to be an ExtraFPNBlock, got "
                f"{type(extra_blocks).__name__}"
            )
        self.extra_blocks = extra_blocks

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if (local_metadata.get("version") or 1) < 2:  # convolutions were not in blocks of their own
            for i in range(len(self.inner_blocks)):
                for name in ("inner_blocks", "layer_blocks"):
                    for kind in ("weight", "bias"):
                        old = f"{prefix}{name}.{i}.{kind}"
                        if old in state_dict:
                            state_dict[f"{prefix}{name}.{i}.0.{kind}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def forward(self, x):
        names, maps = list(x), list(x.values())
        results, coarser = [], None
        for i in reversed(range(len(maps))):
            inner = self.inner_blocks[i](maps[i])
            if coarser is not None:
                inner = inner + F.interpolate(coarser, size=inner.shape[-2:], mode="nearest")
            results.insert(0, self.layer_blocks[i](inner))
            coarser = inner
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, maps, names)
        return OrderedDict(zip(names, results, strict=True))


def initialize_convolutions(module):
    """Draw the weights of the convolutions in a module uniformly; their biases are 0."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_uniform_(part.weight, a=1)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


class LastLevelMaxPool(ExtraFPNBlock):
    """One more map, every second pixel of the coarsest."""

    def forward(self, x, y, names):
        return [*x, F.max_pool2d(x[-1], 1, 2, 0)], [*names, "pool"]


class LastLevelP6P7(ExtraFPNBlock):
    """Two more maps, by convolutions of stride 2 (RetinaNet)."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        initialize_convolutions(self)
        self.use_P5 = in_channels == out_channels

    def forward(self, p, c, names):
        p6 = self.p6(p[-1] if self.use_P5 else c[-1])
        return [*p, p6, self.p7(F.relu(p6))], [*names, "p6", "p7"]
