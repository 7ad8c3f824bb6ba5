"""Transforms made of transforms."""

import tallow
from tallow.errors import ArgumentError
from tallowvision.transforms._transform import Transform, probability, sequence_of_transforms


class _Container(Transform):
    def __init__(self, transforms):
        super().__init__()
        self.transforms = sequence_of_transforms(type(self).__name__, transforms)

    def _in_turn(self, transforms, inputs):
        """The inputs, one or several, through transforms one after the other."""
        several = len(inputs) > 1
        for transform in transforms:
            outputs = transform(*inputs)
            inputs = outputs if several else (outputs,)
        return inputs if several else inputs[0]

    def extra_repr(self):
        return "\n".join(f"    {transform}" for transform in self.transforms)


class Compose(_Container):
    """Transforms applied one after the other. They may be any functions.

    >>> import PIL.Image
    >>> from tallowvision import transforms
    >>> prepare = transforms.Compose([
    ...     transforms.Resize(32), transforms.ToTensor(), transforms.Normalize([0.5], [0.5]),
    ... ])
    >>> prepare(PIL.Image.new("L", (64, 128))).shape
    tallow.Size([1, 64, 32])
    """

    def forward(self, *inputs):
        return self._in_turn(self.transforms, inputs)


class RandomApply(_Container):
    """With probability `p`, transforms applied one after the other; else none of them."""

    def __init__(self, transforms, p=0.5):
        super().__init__(transforms)
        self.p = probability("RandomApply", p)

    def forward(self, *inputs):
        transforms = self.transforms if tallow.rand(1) < self.p else ()
        return self._in_turn(transforms, inputs)


class RandomChoice(_Container):
    """One of the transforms, chosen with the weights `p` (equal ones by default)."""

    def __init__(self, transforms, p=None):
        super().__init__(transforms)
        weights = [1] * len(transforms) if p is None else p
        if len(weights) != len(transforms):
            raise ArgumentError(
                f"RandomChoice: expected {len(transforms)} weights p, got {len(weights)}"
            )
        self.p = [weight / sum(weights) for weight in weights]

    def forward(self, *inputs):
        chosen = int(tallow.multinomial(tallow.tensor(self.p), 1))
        return self.transforms[chosen](*inputs)


class RandomOrder(_Container):
    """The transforms applied one after the other in a random order."""

    def forward(self, *inputs):
        order = tallow.randperm(len(self.transforms)).tolist()
        return self._in_turn([self.transforms[i] for i in order], inputs)
