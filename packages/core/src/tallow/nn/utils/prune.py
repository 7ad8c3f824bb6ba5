"""Pruning: parameters multiplied by a mask, which a hook does before the forward.

A pruned `weight` is kept as the parameter `weight_orig` and the buffer `weight_mask`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from tallow.creation import ones_like, zeros_like
from tallow.errors import ArgumentError, OutOfRangeError, TypeMismatchError, describe
from tallow.nn.utils.convert_parameters import parameters_to_vector
from tallow.nn.utils.weights import hook_on, remove_hook
from tallow.ordering import topk
from tallow.random import rand, rand_like

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured",
    "PruningContainer", "RandomStructured", "RandomUnstructured", "custom_from_mask",
    "global_unstructured", "identity", "is_pruned", "l1_unstructured", "ln_structured",
    "random_structured", "random_unstructured", "remove",
]  # fmt: skip


class BasePruningMethod(ABC):
    """The base of the ways to prune: `compute_mask(t, default_mask)` is what a subclass defines.

    `PRUNING_TYPE` says to what it is applied where something is pruned already: "unstructured" to
    the elements that are left, "structured" to the channels (along `dim`) that are, "global" to
    all.
    """

    PRUNING_TYPE: str
    _tensor_name: str

    @property
    def name(self):
        """The name of the tensor that is pruned."""
        return self._tensor_name

    def __call__(self, module, inputs):
        setattr(module, self.name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t, default_mask):
        """The mask, 0 and 1, for a tensor of scores and the mask that is on it already."""

    def apply_mask(self, module):
        """The pruned tensor of a module."""
        orig = getattr(module, f"{self.name}_orig")
        return getattr(module, f"{self.name}_mask").to(orig.dtype) * orig

    @classmethod
    def apply(cls, module, name, *args, importance_scores=None, **kwargs):
        """Prune a parameter of a module, or prune it further; returns the hook.

        `importance_scores`, of the parameter's shape, take the place of its values.
        """
        method = cls(*args, **kwargs)
        method._tensor_name = name
        tensor = getattr(module, name)
        scores = tensor if importance_scores is None else importance_scores
        _check_scores(scores, tensor)
        found = hook_on(module, BasePruningMethod, name)
        if found is None:
            mask = method.compute_mask(scores, ones_like(tensor))
            delattr(module, name)
            module.register_parameter(f"{name}_orig", tensor)
        else:
            former = found[1]
            container = former if isinstance(former, PruningContainer) else PruningContainer(former)
            container.add_pruning_method(method)
            method = container
            mask = method.compute_mask(scores, getattr(module, f"{name}_mask").clone())
            remove_hook(module, BasePruningMethod, name)
        module.register_buffer(f"{name}_mask", mask)
        method(module, ())
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t, default_mask=None, importance_scores=None):
        """A pruned copy of a tensor."""
        scores = t if importance_scores is None else importance_scores
        _check_scores(scores, t)
        mask = ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, mask)

    def remove(self, module):
        """Make the pruned tensor the parameter: what was pruned is 0 for good."""
        weight = self.apply_mask(module)
        parameter = getattr(module, f"{self.name}_orig")
        for each in (self.name, f"{self.name}_orig", f"{self.name}_mask"):
            delattr(module, each)
        parameter.data = weight.data
        setattr(module, self.name, parameter)


def _check_scores(scores, tensor):
    if scores.shape != tensor.shape:
        raise AssertionError(
            f"prune: expected importance_scores {tuple(tensor.shape)}, got {tuple(scores.shape)}"
        )


class PruningContainer(BasePruningMethod):
    """Several ways to prune one tensor, one after the other."""

    def __init__(self, *methods):
        self._pruning_methods = ()
        if methods:
            self._tensor_name = methods[0]._tensor_name
        for method in methods:
            self.add_pruning_method(method)

    def add_pruning_method(self, method):
        """Prune further by another method, on the same tensor."""
        if not isinstance(method, BasePruningMethod):
            raise TypeMismatchError(
                f"PruningContainer: expected a BasePruningMethod, got {type(method).__name__}"
            )
        if method.name != self.name:
            raise ArgumentError(
                f"PruningContainer: expected a method on {self.name!r}, got one on {method.name!r}"
            )
        self._pruning_methods += (method,)

    def __len__(self):
        return len(self._pruning_methods)

    def __iter__(self):
        return iter(self._pruning_methods)

    def __getitem__(self, idx):
        return self._pruning_methods[idx]

    def compute_mask(self, t, default_mask):
        """The mask of the last method, applied to what is left."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(t.dtype)
        if method.PRUNING_TYPE == "unstructured":
            left = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = _check_dim(t, method.dim)
            others = [d for d in range(t.ndim) if d != dim]
            left = [slice(None)] * t.ndim
            left[dim] = default_mask.sum(others) != 0
            left = tuple(left)
        elif method.PRUNING_TYPE == "global":
            left = ...
        else:
            raise ArgumentError(
                "PruningContainer: expected a PRUNING_TYPE of 'unstructured', 'structured' or "
                f"'global', got {method.PRUNING_TYPE!r}"
            )
        mask[left] = method.compute_mask(t[left], default_mask[left]).to(mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing: the parameter gets a mask of ones."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        return default_mask


class CustomFromMask(BasePruningMethod):
    """Prunes by a given mask."""

    PRUNING_TYPE = "global"

    def __init__(self, mask):
        self.mask = mask

    def compute_mask(self, t, default_mask):
        if self.mask.shape != default_mask.shape:
            raise AssertionError(
                f"CustomFromMask: expected a mask {tuple(default_mask.shape)}, got "
                f"{tuple(self.mask.shape)}"
            )
        return default_mask * self.mask.to(default_mask.dtype)


class _ByAmount(BasePruningMethod):
    """Prunes an amount: an int is a number of elements or channels, a float their fraction."""

    def __init__(self, amount):
        if isinstance(amount, bool) or not isinstance(amount, int | float):
            raise TypeMismatchError(f"prune: expected a number as amount, got {amount!r}")
        if amount < 0 or (isinstance(amount, float) and amount > 1):
            raise ArgumentError(
                f"prune: expected an amount from 0 up, or a float from 0 to 1, got {amount}"
            )
        self.amount = amount

    def _count(self, size):
        """How many of `size` are pruned."""
        count = self.amount if isinstance(self.amount, int) else round(self.amount * size)
        if count > size:
            raise ArgumentError(f"prune: expected an amount of at most {size}, got {count}")
        return count


class _Unstructured(_ByAmount):
    """Prunes elements, those with the lowest (or highest) score."""

    PRUNING_TYPE = "unstructured"
    largest = False

    def compute_mask(self, t, default_mask):
        count = self._count(t.numel())
        mask = default_mask.clone()
        if count:
            found = topk(self._scores(t).reshape(-1), count, largest=self.largest)
            mask.view(-1)[found.indices] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Prunes elements at random."""

    largest = True

    def _scores(self, t):
        return rand_like(t)


class L1Unstructured(_Unstructured):
    """Prunes the elements with the smallest absolute values."""

    def _scores(self, t):
        return t.detach().abs()


class _Structured(_ByAmount):
    """Prunes whole channels along `dim`."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount, dim=-1):
        super().__init__(amount)
        self.dim = dim

    def compute_mask(self, t, default_mask):
        if t.ndim < 2:
            raise ArgumentError(f"prune: expected a tensor with channels, got {describe(t)}")
        dim = _check_dim(t, self.dim)
        count = self._count(t.shape[dim])
        if not count:
            return default_mask
        mask = zeros_like(t)
        kept = [slice(None)] * t.ndim
        kept[dim] = self._kept(t.detach(), dim, count)
        mask[tuple(kept)] = 1
        return mask * default_mask.to(mask.dtype)


class RandomStructured(_Structured):
    """Prunes channels at random."""

    def _kept(self, t, dim, count):
        scores = rand(t.shape[dim])
        return scores > scores.sort().values[count - 1]


class LnStructured(_Structured):
    """Prunes the channels with the smallest n-norms."""

    def __init__(self, amount, n, dim=-1):
        super().__init__(amount, dim)
        self.n = n

    def _kept(self, t, dim, count):
        norms = t.norm(self.n, [d for d in range(t.ndim) if d != dim])
        return topk(norms, t.shape[dim] - count).indices


def _check_dim(t, dim):
    """A dim from 0 up; OutOfRangeError if the tensor does not have it."""
    if not -t.ndim <= dim < t.ndim:
        raise OutOfRangeError(f"prune: expected a dim of {describe(t)}, got {dim}")
    return dim % t.ndim


def identity(module, name):
    """Give a parameter a mask of ones; returns the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module, name, amount):
    """Prune elements at random, a number or a fraction of them; returns the module."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module, name, amount, importance_scores=None):
    """Prune the elements with the smallest absolute values (or scores); returns the module.

    >>> from tallow.nn.utils import prune
    >>> layer = prune.l1_unstructured(tallow.nn.Linear(4, 2), "weight", amount=0.25)
    >>> int((layer.weight == 0).sum()), sorted(layer.state_dict())
    (2, ['bias', 'weight_mask', 'weight_orig'])
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module, name, amount, dim):
    """Prune channels along `dim` at random; returns the module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module, name, amount, n, dim, importance_scores=None):
    """Prune the channels along `dim` with the smallest n-norms; returns the module."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module, name, mask):
    """Prune by a mask of 0 and 1; returns the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters, pruning_method, importance_scores=None, **kwargs):
    """Prune pairs (module, name) by a method that compares the elements of all of them.

    `importance_scores` is a dictionary of scores by such pairs.
    """
    if not isinstance(parameters, Iterable):
        raise TypeMismatchError(
            f"global_unstructured: expected pairs (module, name), got {type(parameters).__name__}"
        )
    parameters = list(parameters)
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeMismatchError(
            "global_unstructured: expected a dict of importance_scores, "
            f"got {type(scores).__name__}"
        )
    tensors = [getattr(module, name) for module, name in parameters]
    masks = [
        getattr(module, f"{name}_mask", ones_like(tensor))
        for (module, name), tensor in zip(parameters, tensors, strict=True)
    ]
    judged = [scores.get(pair, t) for pair, t in zip(parameters, tensors, strict=True)]
    method = pruning_method(**kwargs)
    method._tensor_name = "all"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeMismatchError(
            f"global_unstructured: expected an unstructured method, got {pruning_method.__name__}"
        )
    mask = PruningContainer(method).compute_mask(
        parameters_to_vector(judged), parameters_to_vector(masks)
    )
    start = 0
    for (module, name), tensor in zip(parameters, tensors, strict=True):
        end = start + tensor.numel()
        custom_from_mask(module, name, mask[start:end].view_as(tensor))
        start = end


def is_pruned(module):
    """True if a parameter of the module, or of one in it, is pruned.

    >>> tallow.nn.utils.prune.is_pruned(tallow.nn.Linear(2, 2))
    False
    """
    hooks = [m._hooks.forward_pre for m in module.modules() if m._hooks is not None]
    return any(isinstance(h.call, BasePruningMethod) for each in hooks for h in each.values())


def remove(module, name):
    """Make a pruned tensor the parameter; returns the module. ValueError if it is not pruned."""
    remove_hook(module, BasePruningMethod, name).remove(module)
    return module
