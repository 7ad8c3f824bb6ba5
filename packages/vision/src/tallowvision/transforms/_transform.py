"""`Transform`, the base of the transforms: which parts of a sample change, and by what numbers."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np
import PIL.Image

import tallow
from tallow.errors import ArgumentError, NotSupportedError, TypeMismatchError
from tallow.nn import Module
from tallowvision import tv_tensors
from tallowvision.transforms import _tree
from tallowvision.transforms.functional._registry import find

_PICTURES = (tallow.Tensor, PIL.Image.Image)


class Transform(Module):
    """The base of the transforms. A subclass defines `transform`, and `make_params` if it draws.

    Called with a sample, or with its parts as several arguments, a transform changes all pictures
    and targets in it alike, and leaves all else. A sample is any tree of dicts, lists and tuples.
    A plain tensor counts as an image if it is the first one and there is no other picture.

    >>> import tallow
    >>> from tallowvision import transforms
    >>> class Brighter(transforms.Transform):
    ...     def make_params(self, flat_inputs):
    ...         return {"by": 1 + tallow.rand(1).item()}
    ...
    ...     def transform(self, inpt, params):
    ...         return inpt * params["by"]
    >>> sample = {"image": tallow.ones(1, 2, 2), "label": 3}
    >>> changed = Brighter()(sample)
    >>> bool((changed["image"] >= 1).all()), changed["label"]
    (True, 3)
    """

    _transformed_types: tuple = (tallow.Tensor, PIL.Image.Image)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raises if the sample has parts that the transform cannot do."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What is drawn anew for each sample, the same for all its parts."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One picture or target of the sample, changed."""
        raise NotSupportedError(
            f"{type(self).__name__}: expected a subclass to define transform(), got none"
        )

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        if isinstance(sample, self._transformed_types) and self._is_chosen(sample):
            self.check_inputs([sample])
            applies = self._applies()
            return self.transform(sample, self.make_params([sample])) if applies else sample
        leaves, rebuild = _tree.flatten(sample)
        self.check_inputs(leaves)
        if not self._applies():
            return sample
        chosen = self._chosen(leaves)
        params = self.make_params([leaves[i] for i in chosen])
        for i in chosen:
            leaves[i] = self.transform(leaves[i], params)
        return rebuild(leaves)

    def _is_chosen(self, sample):
        """True for one picture or target, which is to change: there is no tree to walk."""
        return isinstance(sample, _PICTURES) and type(self)._chosen is Transform._chosen

    def _applies(self):
        """Draws whether a transform with a probability is applied."""
        return True

    def _chosen(self, leaves):
        """The positions of the leaves to transform."""
        picture = tv_tensors.Image, tv_tensors.Video, PIL.Image.Image
        plain_is_image = not any(isinstance(leaf, picture) for leaf in leaves)
        chosen = []
        for i, leaf in enumerate(leaves):
            if not isinstance(leaf, self._transformed_types):
                continue
            if tv_tensors.is_pure_tensor(leaf):
                if not plain_is_image:
                    continue
                plain_is_image = False
            chosen.append(i)
        return chosen

    def _call_kernel(self, functional, inpt, *args, **kwargs):
        """The functional's kernel for the input; targets that it has none for stay as they are."""
        return find(functional, type(inpt), passthrough=True)(inpt, *args, **kwargs)

    def extra_repr(self) -> str:
        plain = bool | int | float | str | tuple | list | Enum
        return ", ".join(
            f"{name}={value}"
            for name, value in self.__dict__.items()
            if not name.startswith("_") and name != "training" and isinstance(value, plain)
        )


class RandomTransform(Transform):
    """The base of transforms that are applied with probability `p`."""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = probability(type(self).__name__, p)

    def _applies(self):
        return tallow.rand(1).item() < np.float32(self.p)  # as a tensor of floats is compared


def probability(name, p):
    """`p`, if it is one."""
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(f"{name}: expected p from 0 to 1, got {p}")
    return p


def draw(low, high):
    """A uniform number in [low, high)."""
    return tallow.empty(1).uniform_(low, high).item()


def sequence_of_transforms(name, transforms):
    """The transforms, if they are a sequence with at least one in it."""
    if not isinstance(transforms, Sequence | tallow.nn.ModuleList):
        raise TypeMismatchError(
            f"{name}: expected a sequence of transforms, got {type(transforms).__name__}"
        )
    if not len(transforms):
        raise ArgumentError(f"{name}: expected at least one transform, got none")
    return transforms
