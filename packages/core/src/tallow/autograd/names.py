"""PyTorch's names of nodes, `MulBackward0`, and of what they keep, `_saved_self`.

An operation of tallow's is called as the function of PyTorch's whose node it would be: by its own
name, or by `FUNCTIONS`. The name of the class is made of that; two operations that PyTorch has as
one function are called so together (`TOGETHER`). Where a function has several nodes, the number is
told by what was kept.
"""

import re

from tallow.errors import GradientError


def _whole(name):
    """Of all elements, or along dims."""
    return lambda node, kept: name if kept["axis"] is None else f"{name.title()}Backward1"


def _of_dims(form):
    """By the number of dims of windows."""
    return lambda node, kept: form.format(len(node.shape) - 2)


def _product(node, kept):
    ranks = tuple(map(len, kept.get("shapes", [node.shape, node.shape])))
    return {(2, 2): "mm", (2, 1): "mv", (1, 1): "dot", (3, 3): "bmm"}.get(ranks, "unsafe_view")


def _linear(node, kept):
    if len(node.shape) != 2:
        return "view"
    return "addmm" if 2 in node.plan.active else "mm"


def _indexed(node, kept):
    parts = [part for part in kept["key"] if part is not Ellipsis and part != slice(None)]
    last = parts[-1] if parts else slice(None)
    return {int: "select", slice: "slice", type(None): "unsqueeze"}.get(type(last), "index")


def _resampled(node, kept):
    plain, dims = kept["taps"][0].plain, len(kept["axes"])
    kind = "nearest" if plain else {1: "linear", 2: "bilinear", 3: "trilinear"}[dims]
    return f"upsample_{kind}{dims}d"


def _shaped(node, kept):
    before, after = kept["shapes"][0], node.shape
    if [n for n in before if n != 1] == [n for n in after if n != 1]:
        if len(after) == len(before) + 1:
            return "unsqueeze"
        if len(after) < len(before):
            return "SqueezeBackward1" if len(after) == len(before) - 1 else "squeeze"
    return "view"


def _normalized(node, kept):
    axes = kept.get("axes", (0,))
    return "native_batch_norm" if 0 in axes or len(axes) > 3 else "native_layer_norm"


def _nll(node, kept):
    return "nll_loss2d" if "x" in kept and kept["x"].ndim > 2 else "nll_loss"


def _power(node, kept):
    return "PowBackward1" if hasattr(kept.get("y"), "dtype") else "pow"


FUNCTIONS = {
    "absolute": "abs", "attend": "scaled_dot_product_flash_attention_for_cpu",
    "cast": "to_copy", "cholesky": "linalg_cholesky_ex", "clip": "ClampBackward1",
    "clip_to": "clamp", "conv": "convolution", "conv_grad_input": "convolution",
    "copy": "clone", "cross_entropy": _nll, "ctc": "ctc_loss", "cut": "slice",
    "deviation": "std", "diagonal_scatter": "diag_embed", "entropy": "special_entr",
    "fft": "fft_c2c", "floor_divide": "DivBackward2", "fold": "col2im", "frames": "unfold",
    "gelu_tanh": "gelu", "getitem": _indexed, "ifft": "fft_c2c", "inv": "linalg_inv_ex",
    "irfft": "fft_c2r", "join": "complex", "linear": _linear, "logsigmoid": "log_sigmoid",
    "lu_factor": "linalg_lu_factor_ex", "masked": "mul", "matmul": _product,
    "matrix_exp": "linalg_matrix_exp", "max_pool": _of_dims("max_pool{}d_with_indices"),
    "max_unpool": "max_unpool2d", "mean": _whole("mean"), "nll": _nll, "normalize": _normalized,
    "normalize_by": "native_batch_norm", "normalize_relu": "relu", "normalize_relu_by": "relu",
    "pad": "constant_pad_nd", "patch": "CopySlices", "pool_sum": _of_dims("avg_pool{}d"),
    "power": _power, "prelu": "prelu_kernel", "prod": _whole("prod"), "put": "index_put",
    "read_at": "adaptive_max_pool2d", "replace_nonfinite": "nan_to_num", "resample": _resampled,
    "reshape": _shaped, "rfft": "fft_r2c", "round_half_even": "round",
    "scatter_extreme": "scatter_reduce", "scatter_prod": "scatter_reduce",
    "solve": "linalg_solve_ex", "square": "pow", "sum": _whole("sum"), "sum_to": "sum",
    "swap": "transpose", "take": "index", "trunc_divide": "DivBackward2", "unfold": "im2col",
    "unstack": "unbind", "variance": "var", "vector_norm": "linalg_vector_norm",
}  # fmt: skip
FUNCTIONS |= {name: f"linalg_{name}" for name in "det eig eigh pinv qr slogdet svd".split()}
FUNCTIONS |= {
    name: f"special_{name}" for name in "erfcx i0e i1 i1e log_ndtr ndtri xlog1py zeta".split()
}
LOSSES = {
    "squared_error": "mse_loss", "binary_cross_entropy": "binary_cross_entropy",
    "logistic_loss": "binary_cross_entropy_with_logits", "smooth_l1": "smooth_l1_loss",
}  # fmt: skip
TOGETHER = {(outer, inner): name for inner, name in LOSSES.items() for outer in ("mean", "sum")}
TOGETHER["div", "pool_sum"] = FUNCTIONS["pool_sum"]
TOGETHER |= {("reshape", f"a{name}"): f"{name.title()}Backward1" for name in ("max", "min")}
TOGETHER |= {("reshape", inner): FUNCTIONS.get(inner, inner) for inner in """
    deviation gather logsumexp prod roll scatter scatter_add scatter_extreme scatter_prod variance
    vector_norm
""".split()}  # fmt: skip
FUNCTIONS |= LOSSES

# What is kept, by tallow's name for it: PyTorch's names.
KEPT = {
    "x": ("self", "input", "mat1"), "y": ("other", "exponent", "mat2"), "out": ("result", "output"),
    "axis": ("dim",), "axes": ("dim",), "keepdims": ("keepdim",),
}  # fmt: skip


def kept(node):
    """What a node keeps, by tallow's names; nothing after a backward pass has freed it."""
    plan = node.plan
    names = [plan.op.operands[i] for i in plan.kept if i < len(plan.op.operands)]
    return dict(zip([*names, *plan.extras], [*(node.tensors or ()), *node.extras], strict=False))


def inner_of(node):
    """The node that is one with this one in PyTorch, or None."""
    inner = node.edges[0] if node.edges else None
    op = getattr(getattr(inner, "plan", None), "op", None)
    return inner if op and (node.plan.op.name, op.name) in TOGETHER else None


def name_of(node):
    """PyTorch's name for the node of an operation."""
    found, inner = FUNCTIONS.get(node.plan.op.name, node.plan.op.name), inner_of(node)
    if inner is not None:
        found, node = TOGETHER[node.plan.op.name, inner.plan.op.name], inner
    if callable(found):
        found = found(node, kept(node))
    if found[0].isupper():
        return found
    words = re.sub(r"_grad$", "_backward", found)
    return re.sub(r"(?:^|_|(?<=\d))([a-z])", lambda m: m[1].upper(), words) + "Backward0"


def saved_names(node):
    """PyTorch's names of what a node keeps."""
    return [KEPT.get(name, (name,))[0] for name in kept(node)]


def saved(node, name):
    """What a node keeps under PyTorch's name for it: a tensor, a shape, a number."""
    found = kept(node)
    own = next((ours for ours, names in KEPT.items() if name in names and ours in found), name)
    if own in found:
        if own == "out" and node.plan.keeps_out:
            return node.rewrapped()[node.plan.extras.index("out")]
        value = found[own]
        return value.restored(False) if hasattr(value, "restored") else value  # of a hook's
    if node.tensors is None:
        raise GradientError(f"{node.name()}: what was saved was freed by an earlier backward()")
    raise AttributeError(
        f"{node.name()} has no attribute '_saved_{name}'; it has " + ", ".join(saved_names(node))
    )
