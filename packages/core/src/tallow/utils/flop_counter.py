"""How many floating-point operations a block takes: those of its products, forward and backward."""

from collections import defaultdict
from contextlib import ExitStack

from tallow.autograd.modes import state
from tallow.autograd.node import Pick
from tallow.autograd.tape import recorded
from tallow.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from tallow.utils.model_summary import WORK

__all__ = ["FlopCounterMode"]

PRODUCTS = {"linear", "matmul", "conv", "conv_grad_input"}  # of their first two operands
# How often others compute in a backward pass what they do forward. Attention multiplies five times,
# not two, since it makes its weights anew where nobody asked for them.
BACKWARD = {
    "attend": 2.5, "attend_dropping": 2.5, "attention": 2, "rnn": 2, "lstm": 2, "gru": 2,
}  # fmt: skip


class FlopCounterMode:
    """A block whose floating-point operations are counted: two for each multiply-add of a product.

    Those of linear, convolutional and recurrent layers, of matrix products and attention; others
    count nothing. `get_total_flops()` gives the sum, `get_flop_counts()` a dictionary of each
    module's operations, and `get_table(depth)` a text, which is printed at the end if `display`.
    `custom_mapping` is a dictionary from names of operations to functions of the shapes of their
    operands, and `out_shape`, that give a number.

    >>> import tallow
    >>> layer = tallow.nn.Linear(4, 3)
    >>> with FlopCounterMode(display=False) as counter:
    ...     layer(tallow.ones(2, 4)).sum().backward()
    >>> counter.get_flop_counts()["Linear"]
    {'linear': 48, 'linear backward': 48}
    """

    def __init__(self, mods=None, depth=2, display=True, custom_mapping=None):
        self.flop_counts = defaultdict(lambda: defaultdict(int))
        self.depth = depth
        self.display = display
        self.custom = custom_mapping or {}

    def get_total_flops(self):
        """The number of all operations in the block."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self):
        """{name of a module: {name of an operation: number}}; "Global" is all of the block."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def get_table(self, depth=None):
        """The numbers as a text, of modules down to a depth."""
        depth, total = depth or self.depth or len(self.flop_counts), self.get_total_flops()
        rows = [("Module", "FLOP", "% Total")]
        for name in sorted(self.flop_counts, key=lambda name: (name != "Global", name)):
            level = 0 if name == "Global" else name.count(".") + 1
            if level <= depth:
                counts = self.flop_counts[name]
                pairs = [(name, sum(counts.values())), *((f" - {k}", n) for k, n in counts.items())]
                for label, n in pairs:
                    rows.append((" " * level + label, f"{n:,}", f"{n / max(total, 1):.2%}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [f"{a:{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])

    def __enter__(self):
        self.flop_counts.clear()
        self._names, self._open = {}, []
        with ExitStack() as stack:
            stack.enter_context(register_module_forward_pre_hook(self._enter))
            stack.enter_context(register_module_forward_hook(self._leave, always_call=True))
            stack.enter_context(recorded(self._seen))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        self._stack.close()
        if self.display and exception[0] is None:
            print(self.get_table())

    def _enter(self, module, args):
        if id(module) not in self._names:
            root = type(module).__name__
            for name, part in module.named_modules(prefix=root):
                self._names.setdefault(id(part), name)
        self._open.append(self._names[id(module)])

    def _leave(self, module, args, output):
        self._open.pop()

    def _seen(self, call):
        """Count an operation on tensors, and what its backward pass will take."""
        name = call.op and call.op.name
        shapes = [getattr(x, "shape", None) for x in call.operands]
        if name in self.custom:
            return self._add(name, self.custom[name](*shapes, out_shape=call.out[0].shape))
        if name not in WORK:
            return
        flops = 2 * WORK[name](call.out, *shapes)
        self._add(name, flops)
        node = call.out[0].node
        node = node.edges[0] if isinstance(node, Pick) else node
        if node is not None:
            needed = len([i for i in node.plan.active if i < 2])
            later = flops * needed if name in PRODUCTS else int(flops * BACKWARD[name])
            names = set(self._open)

            def run(inputs, outputs):
                if not state.enabled:  # a recorded pass is made of operations that are seen
                    self._add(f"{name} backward", later, names)

            node.register_hook(run)

    def _add(self, name, flops, modules=None):
        for module in {"Global", *(self._open if modules is None else modules)}:
            self.flop_counts[module][name] += flops
