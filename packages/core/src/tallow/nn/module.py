"""`Module`, the base of every layer and model: state, and a forward that uses it."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

from tallow.autograd.modes import no_grad
from tallow.creation import empty_like
from tallow.dtypes import bfloat16, float16, float32, float64
from tallow.errors import ArgumentError, TypeMismatchError
from tallow.layout import DIMS
from tallow.nn import hooks, loading, members
from tallow.nn.hooked import Hooked
from tallow.nn.location import locate
from tallow.nn.members import BUFFER, MODULE, PARAMETER, Members, Uninitialized
from tallow.nn.parameter import Buffer, Parameter
from tallow.tensor import Tensor


class Module(Hooked, members.Lookup):
    """The base of all neural network modules.

    A subclass calls `super().__init__()` first, assigns parameters and other modules to attributes,
    and defines `forward`. Calling the module runs its forward, and its hooks if it has any.
    `training` is True until `eval()`.

    >>> import tallow
    >>> from tallow import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(4, 8)
    ...         self.out = nn.Linear(8, 2)
    ...
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> net = Net()
    >>> tuple(net(tallow.ones(3, 4)).shape)
    (3, 2)
    >>> [name for name, _ in net.named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    """

    training: bool
    _non_persistent_buffers_set: set[str]
    _members: Any = Uninitialized()
    _hooks: hooks.Hooks | None = None  # of the class: hooks of every module
    _version: ClassVar[int] = 1

    def __init__(self) -> None:
        self.__dict__["_members"] = {}
        self.__dict__["_non_persistent_buffers_set"] = set()
        self.training = True

    # Calling --------------------------------------------------------------------------------------

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes. Every subclass defines it."""
        raise NotImplementedError(
            f"{type(self).__name__}: expected a subclass to define forward(), got none"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return hooks.call(self, args, kwargs)
        except Exception as error:
            locate(error, self)
            raise

    # Attributes -----------------------------------------------------------------------------------

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__getattr__" in vars(cls):
            members.found_by_getattr(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._make_way(name, PARAMETER)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._make_way(name, MODULE)
            self._modules[name] = value
        elif isinstance(value, Buffer):
            self._make_way(name, BUFFER)
            self.register_buffer(name, value, value.persistent)
        elif name in self.__dict__.get("_members", ()):
            self._assign_other(name, value)
        else:
            object.__setattr__(self, name, value)

    def _make_way(self, name, kind):
        """Forget what `name` was, unless a member of `kind`, which is now assigned to it."""
        if self._members.get(name) != kind:
            self._members.pop(name, None)
            self.__dict__.pop(name, None)

    def _assign_other(self, name, value):
        """Assign something that is neither parameter, module nor buffer to a registered name."""
        kind = self._members[name]
        if value is not None and not (kind == BUFFER and isinstance(value, Tensor)):
            expected = {PARAMETER: "a Parameter", MODULE: "a Module", BUFFER: "a tensor"}[kind]
            raise TypeMismatchError(
                f"{type(self).__name__}.{name}: expected {expected} or None for a {kind}, "
                f"got {type(value).__name__}; delete the attribute first to change what it is"
            )
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self.__dict__.get("_members", {}).pop(name, None)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name.isidentifier()]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # A shallow copy shares the tensors and modules, but not what its names are registered as.
        self.__dict__["_members"] = dict(self._members)
        self.__dict__["_non_persistent_buffers_set"] = set(self._non_persistent_buffers_set)

    # Registration ---------------------------------------------------------------------------------

    @property
    def _parameters(self) -> Members:
        return Members(self.__dict__, self._members, PARAMETER)

    @property
    def _buffers(self) -> Members:
        return Members(self.__dict__, self._members, BUFFER)

    @property
    def _modules(self) -> Members:
        return Members(self.__dict__, self._members, MODULE)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under `name`. None registers the name only, and is in no `state_dict`."""
        self._check_member(name, PARAMETER, param, Parameter)
        if param is not None and not param.is_leaf:
            raise ArgumentError(
                f"register_parameter: expected a leaf for {name!r}, got the result of an "
                "operation; compute it in forward() from the parameters instead"
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state and not trained, such as a running mean.

        It moves with the module, and is in the `state_dict` if `persistent`.
        """
        self._check_member(name, BUFFER, tensor, Tensor)
        self._buffers[name] = tensor
        self._non_persistent_buffers_set.discard(name)
        if not persistent:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Add a child module under `name`."""
        self._check_member(name, MODULE, module, Module)
        self._modules[name] = module

    register_module = add_module

    def _check_member(self, name, kind, value, expected):
        """Raise unless `value` may be registered under `name`."""
        if not isinstance(name, str):
            raise TypeMismatchError(f"{kind} name: expected a string, got {type(name).__name__}")
        if not name or "." in name:
            raise KeyError(f"{kind} name: expected a name without '.', got {name!r}")
        if self._members.get(name) != kind and hasattr(self, name):
            owner = type(self).__name__
            raise KeyError(f"attribute {name!r} already exists in {owner}; choose another name")
        if value is not None and not isinstance(value, expected):
            raise TypeMismatchError(
                f"{kind} {name!r}: expected a {expected.__name__} or None, "
                f"got {type(value).__name__}"
            )

    # Walking --------------------------------------------------------------------------------------

    def _own(self, kind):
        """The (name, member) pairs of one kind that are registered in this module itself."""
        attributes = self.__dict__
        return [(name, attributes[name]) for name, its in self._members.items() if its == kind]

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, "Module"]]:
        """Every module in the tree with its dotted path, this one first under `prefix`."""
        memo = set() if memo is None else memo
        if id(self) in memo:
            return
        if remove_duplicate:
            memo.add(id(self))
        yield prefix, self
        for name, child in self._own(MODULE):
            if child is not None:
                yield from child.named_modules(memo, _join(prefix, name), remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator["Module"]:
        """Every module in the tree, this one first."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules directly below, with their names."""
        seen = set()
        for name, child in self._own(MODULE):
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator["Module"]:
        """The modules directly below."""
        for _, child in self.named_children():
            yield child

    def _named_tensors(self, kind, prefix, recurse, remove_duplicate):
        seen = set()
        tree = [(prefix, self)]
        if recurse:
            tree = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in tree:
            for name, tensor in module._own(kind):
                if tensor is None or id(tensor) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(tensor))
                yield _join(path, name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted paths; a shared one appears once."""
        yield from self._named_tensors(PARAMETER, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, as an optimizer takes them; a shared one appears once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted paths; a shared one appears once."""
        yield from self._named_tensors(BUFFER, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers; a shared one appears once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> "Module":
        """The module at a dotted path; AttributeError if there is none.

        >>> from tallow import nn
        >>> nn.Sequential(nn.Sequential(nn.ReLU())).get_submodule("0.0")
        ReLU()
        """
        module = self
        for name in target.split(".") if target else ():
            child = module.__dict__.get(name)
            if not isinstance(child, Module):
                found = ", ".join(name for name, _ in module.named_children()) or "no children"
                raise AttributeError(
                    f"{target!r}: {type(module).__name__} has no child module {name!r}; "
                    f"it has {found}"
                )
            module = child
        return module

    def set_submodule(self, target: str, module: "Module", strict: bool = False) -> None:
        """Put a module at a dotted path. With `strict` there must be one there already."""
        if not isinstance(module, Module):
            raise ArgumentError(f"set_submodule: expected a Module, got {type(module).__name__}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict:
            parent.get_submodule(name)
        parent.add_module(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path; AttributeError if there is none."""
        return self._get_tensor(target, PARAMETER)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path; AttributeError if there is none."""
        return self._get_tensor(target, BUFFER)

    def _get_tensor(self, target, kind):
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if owner._members.get(name) != kind:
            raise AttributeError(f"{target!r}: {type(owner).__name__} has no {kind} {name!r}")
        return getattr(owner, name)

    # Changing all of it ---------------------------------------------------------------------------

    def apply(self, fn: Callable[["Module"], Any]) -> Self:
        """Call `fn` on every module in the tree, children first. Returns the module."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode, which dropout and batch normalization look at, in the whole tree."""
        if not isinstance(mode, bool):
            raise ArgumentError(f"train: expected True or False, got {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Leave training mode in the whole tree: `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Turn recording of gradients on or off for all parameters, in place."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = parameter.grad.detach()
                parameter.grad.zero_()

    @no_grad()
    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the data of every parameter, gradient and buffer by what `fn` makes of it.

        Parameters stay the same objects, so that an optimizer goes on holding them.
        """
        for module in self.modules() if recurse else (self,):
            for _, parameter in module._own(PARAMETER):
                if parameter is not None:
                    grad = parameter.grad
                    parameter.data = fn(parameter)
                    parameter.grad = None if grad is None else fn(grad)
            for name, buffer in module._own(BUFFER):
                if buffer is not None:
                    module.__dict__[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move and cast in place: `to(device)`, `to(dtype)`, `to(device, dtype)` or `to(tensor)`.

        Only floating-point and complex tensors change their dtype, and only those of four dims (of
        five) their order of dims by `memory_format=tallow.channels_last` (`channels_last_3d`).

        >>> import tallow
        >>> tallow.nn.Linear(2, 2).to(tallow.float64).weight.dtype
        tallow.float64
        """
        device, dtype, non_blocking, order = loading.parse_to(*args, **kwargs)

        def move(tensor):
            casts = dtype is not None and (tensor.is_floating_point() or tensor.is_complex())
            return tensor.to(
                device=device or tensor.device,
                dtype=dtype if casts else tensor.dtype,
                non_blocking=non_blocking,
                memory_format=order if tensor.dim() == DIMS.get(order) else None,
            )

        return self._apply(move)

    def type(self, dst_type: Any) -> Self:
        """Cast every parameter and buffer, integers too, to one dtype."""
        return self._apply(lambda tensor: tensor.to(dst_type))

    def float(self) -> Self:
        """Cast floating-point parameters and buffers to float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Cast floating-point parameters and buffers to float64."""
        return self.to(float64)

    def half(self) -> Self:
        """Cast floating-point parameters and buffers to float16."""
        return self.to(float16)

    def bfloat16(self) -> Self:
        """Cast floating-point parameters and buffers to bfloat16."""
        return self.to(bfloat16)

    def cpu(self) -> Self:
        """Move all parameters and buffers to the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Self:
        """Move all parameters and buffers to a CUDA device, the current one by default."""
        return self.to("cuda" if device is None else device)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Move all parameters and buffers to a device without their values."""
        return self._apply(lambda tensor: empty_like(tensor, device=device), recurse)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Nothing, as `tallow.compile`: operations run as they are called."""

    def share_memory(self) -> Self:
        """Move all parameters and buffers to memory that other processes can map."""
        return self._apply(lambda tensor: tensor.share_memory_())

    # State ----------------------------------------------------------------------------------------

    def state_dict(
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """The parameters and persistent buffers by dotted path: an OrderedDict of detached tensors.

        They share memory with the module. `keep_vars` gives the parameters themselves;
        `destination` is a dictionary to fill in place of a new one.
        """
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._hooks_of("state_dict_pre"):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._own(MODULE):
            if child is not None:
                below = f"{prefix}{name}."
                child.state_dict(destination=destination, prefix=below, keep_vars=keep_vars)
        for hook in self._hooks_of("state_dict"):
            changed = hook(self, destination, prefix, metadata)
            destination = destination if changed is None else changed
        return destination

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        """Put what this module itself holds into `destination`."""
        for name, tensor in self._own_state():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._defines("get_extra_state"):
            destination[prefix + loading.EXTRA_STATE] = self.get_extra_state()

    def _own_state(self):
        """The (name, tensor) pairs of this module itself that belong into a state_dict."""
        hidden = self._non_persistent_buffers_set
        buffers = [(name, buffer) for name, buffer in self._own(BUFFER) if name not in hidden]
        pairs = self._own(PARAMETER) + buffers
        return [(name, tensor) for name, tensor in pairs if tensor is not None]

    def _defines(self, method):
        """True if a subclass has its own version of a method of `Module`."""
        return getattr(type(self), method) is not getattr(Module, method)

    def get_extra_state(self) -> Any:
        """What the `state_dict` carries beside tensors. Defined together with `set_extra_state`."""
        raise RuntimeError(f"{type(self).__name__}: expected get_extra_state() to be defined")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave. Called by `load_state_dict`."""
        raise RuntimeError(f"{type(self).__name__}: expected set_extra_state() to be defined")

    def load_state_dict(
        self, state_dict: Any, strict: bool = True, assign: bool = False
    ) -> loading.IncompatibleKeys:
        """Copy a state dictionary into the parameters and buffers.

        With `strict`, missing and unexpected keys are a RuntimeError; without, they are returned.
        A size that does not match is always an error. `assign` puts the given tensors themselves
        into place.

        >>> from tallow import nn
        >>> nn.Linear(2, 2).load_state_dict(nn.Linear(2, 2).state_dict())
        <All keys matched successfully>
        """
        return loading.load(self, state_dict, strict, assign)

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        """Load what this module itself holds; append what is wrong to the three lists."""
        loading.load_own(
            self,
            state_dict,
            prefix,
            local_metadata,
            strict,
            missing_keys,
            unexpected_keys,
            error_msgs,
        )

    # Text -----------------------------------------------------------------------------------------

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self) -> str:
        """What the module's repr shows between its brackets. To be defined by subclasses."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): {_indent(repr(child))}" for name, child in self._own(MODULE)]
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = (extra.split("\n") if extra else []) + children
        body = "".join(f"\n  {line}" for line in lines)  # a backslash in an f-string needs 3.12
        return f"{self._get_name()}({body}\n)"


def _join(prefix, name):
    return f"{prefix}.{name}" if prefix else name


def _indent(text):
    """`text` with all lines but the first moved right."""
    return text.replace("\n", "\n  ")
