"""How tensors print: PyTorch's layout, with `set_printoptions`."""

import math
from types import SimpleNamespace

import numpy as np

from tallow import backend, dtypes
from tallow.errors import ArgumentError
from tallow.tensor import Tensor, disabled_torch_function

_DEFAULTS = {
    "precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None,
}  # fmt: skip
OPTIONS = PRINT_OPTS = SimpleNamespace(**_DEFAULTS)
_PROFILES = {
    "default": {},
    "short": {"precision": 2, "edgeitems": 2},
    "full": {"threshold": math.inf},
}


def set_printoptions(
    precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None
):
    """Change how tensors print: digits, how many elements before "...", and the width of a line."""
    if profile not in (None, *_PROFILES):
        known = ", ".join(_PROFILES)
        raise ArgumentError(f"set_printoptions: expected profile {known}, got {profile!r}")
    if profile is not None:
        vars(OPTIONS).update(_DEFAULTS | _PROFILES[profile])
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    for name, value in given.items():
        if value is not None:
            setattr(OPTIONS, name, value)
    OPTIONS.sci_mode = sci_mode


def get_printoptions():
    """The current options as a dict."""
    return dict(vars(OPTIONS))


class _Number:
    """How one real element prints, given all that will be printed: their width and notation."""

    def __init__(self, values):
        self.floating = values.dtype.kind == "f"
        self.scientific = self.whole = False
        if not self.floating:
            self.width = max((len(self(v)) for v in values.tolist()), default=1)
            return
        self.whole, self.width = True, 1
        values = values[np.isfinite(values) & (values != 0)]
        if not values.size:
            return
        sizes = np.abs(values).astype(np.float64)
        smallest, largest = sizes.min(), sizes.max()
        self.whole = bool(np.all(sizes == np.ceil(sizes)))
        if OPTIONS.sci_mode is None:
            tiny = not self.whole and smallest < 1e-4
            self.scientific = bool(largest / smallest > 1000 or largest > 1e8 or tiny)
        else:
            self.scientific = OPTIONS.sci_mode
        self.width = max(len(self(v)) for v in values.tolist())

    def __call__(self, value):
        if not self.floating:
            return str(value)
        if not math.isfinite(value):
            return str(value)
        if self.scientific:
            return f"{value:.{OPTIONS.precision}e}"
        return f"{value:.0f}." if self.whole else f"{value:.{OPTIONS.precision}f}"


def _shown(array):
    """The elements that will be printed, as a flat array."""
    if array.size <= OPTIONS.threshold:
        return array.reshape(-1)
    edge = OPTIONS.edgeitems
    for axis, n in enumerate(array.shape):
        if n > 2 * edge:
            rows = np.r_[0:edge, n - edge : n]
            array = np.take(array, rows, axis)
    return array.reshape(-1)


def _formatter(array):
    """A function from an element to its padded text."""
    shown = _shown(array)
    if shown.dtype.kind != "c":
        number = _Number(shown)
        return (lambda v: number(v).rjust(number.width)), number.width
    real, imag = _Number(shown.real), _Number(shown.imag)

    def complex_text(v):
        sign = "-" if math.copysign(1, v.imag) < 0 else "+"
        return f"{real(v.real).rjust(real.width)}{sign}{imag(abs(v.imag))}j"

    return complex_text, real.width + imag.width + 1


def _vector(array, element, width, indent, summarise):
    per_line = max(1, (OPTIONS.linewidth - indent) // (width + 2))
    values = array.tolist()
    edge = OPTIONS.edgeitems
    if summarise and len(values) > 2 * edge:
        texts = (
            [element(v) for v in values[:edge]] + [" ..."] + [element(v) for v in values[-edge:]]
        )
    else:
        texts = [element(v) for v in values]
    lines = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _nested(array, element, width, indent, summarise):
    if array.ndim == 0:
        return element(array.item()).strip()
    if array.ndim == 1:
        return _vector(array, element, width, indent, summarise)
    edge = OPTIONS.edgeitems
    rows = list(array)
    texts = [
        _nested(row, element, width, indent + 1, summarise) for row in _edges(rows, edge, summarise)
    ]
    if summarise and len(rows) > 2 * edge:
        texts.insert(edge, "...")
    separator = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + separator.join(texts) + "]"


def _edges(rows, edge, summarise):
    return rows[:edge] + rows[-edge:] if summarise and len(rows) > 2 * edge else rows


def _tensor_str(self, indent):
    """The elements of a tensor as text, lines after the first moved by `indent`."""
    array = backend.for_array(self.array).to_host(self.array)
    if not array.size:
        return "[]"
    if self.dtype in (dtypes.float16, dtypes.bfloat16):
        array = array.astype(np.float32)
    element, width = _formatter(array)
    return _nested(array, element, width, indent, array.size > OPTIONS.threshold)


def tensor_repr(tensor):
    """The text of a tensor, as `repr` and `print` show it."""
    dtype, known = tensor.dtype, tensor.device.type != "meta"
    array = tensor.array
    prefix = f"{_shown_name(type(tensor))}("
    body = _tensor_str(tensor, len(prefix)) if known else "..."
    suffixes = []
    if tensor.device.type != "cpu":
        suffixes.append(f"device='{tensor.device}'")
    if not known or (not array.size and array.ndim != 1):
        suffixes.append(f"size={tuple(array.shape)}")
    default = dtypes.get_default_dtype()
    usual = (default, dtypes.int64, dtypes.bool_, default.to_complex())
    if dtype not in usual or (body in ("[]", "...") and dtype is not usual[0]):
        suffixes.append(f"dtype={dtype}")
    if tensor.node is not None:
        suffixes.append(f"grad_fn=<{tensor.node.name()}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    return with_suffixes(prefix + body, suffixes, len(prefix))


def _shown_name(cls):
    """The name of a class that results of its tensors are of, too; else what all are."""
    derived = cls is not Tensor and cls.__torch_function__ is not disabled_torch_function
    return cls.__name__ if derived else "tensor"


def with_suffixes(text, suffixes, indent):
    """The parts after the numbers, on a new line where they would pass the line's width."""
    used = len(text) - text.rfind("\n")
    for suffix in suffixes:
        if used + len(suffix) + 2 > OPTIONS.linewidth:
            text += ",\n" + " " * indent + suffix
            used = indent + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text + ")"
