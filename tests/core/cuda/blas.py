"""cuBLASLt as far as tallow calls it, on the host: it believes only what it is told."""

import ctypes
from itertools import count
from types import SimpleNamespace

import ml_dtypes
import numpy as np

TYPES = {0: np.float32, 1: np.float64, 2: np.float16, 14: ml_dtypes.bfloat16}
OK, INVALID = 0, 7


class Library:
    """The functions by their names; `calls` are the products that were made."""

    calls: list = []
    objects: dict = {}
    numbers = count(1)

    def _create(self, out, **what):
        number = next(self.numbers)
        self.objects[number] = SimpleNamespace(attributes={}, **what)
        out._obj.value = number
        return OK

    def _set(self, target, attribute, value, size):
        assert ctypes.sizeof(value._obj) == size.value
        self.objects[target.value].attributes[attribute] = value._obj.value
        return OK

    def cublasLtCreate(self, out):
        return self._create(out)

    def cublasLtMatmulDescCreate(self, out, compute, scale):
        return self._create(out, compute=compute, scale=scale)

    def cublasLtMatrixLayoutCreate(self, out, kind, rows, columns, leading):
        layout = {"rows": rows.value, "columns": columns.value, "leading": leading.value}
        return self._create(out, kind=TYPES[kind], **layout)

    def cublasLtMatmulPreferenceCreate(self, out):
        return self._create(out)

    def cublasLtMatmulPreferenceDestroy(self, preference):
        del self.objects[preference.value]
        return OK

    def cublasLtMatmulAlgoGetHeuristic(
        self, handle, description, left, right, add, out, preference, wanted, found, returned
    ):  # fmt: skip
        found._obj.workspace = 64
        returned._obj.value = wanted
        self.objects[description.value].alignments = [
            self.objects[preference.value].attributes[k] for k in (5, 6, 7, 8)
        ]
        return OK

    def __getattr__(self, name):
        if name.endswith("SetAttribute"):
            setter = lambda *args: self._set(*args)  # noqa: E731 - it gets a name
            setter.__name__ = name
            return setter
        raise AttributeError(name)

    def cublasLtMatmul(
        self, handle, description, alpha, left, on_left, right, on_right, beta, add, on_add, out,
        on_out, algorithm, workspace, size, stream,
    ):  # fmt: skip
        how, attributes = self.objects[description.value], None
        attributes = how.attributes
        pointers = (left.value, right.value, add.value, out.value)
        if any(p % a for p, a in zip(pointers, how.alignments, strict=True)) or size.value != 64:
            return INVALID
        a, b, c = (
            self._read(p, layout)
            for p, layout in ((left, on_left), (right, on_right), (out, on_out))
        )
        wide = np.float64 if how.compute == 70 else np.float32
        a, b = (
            x.swapaxes(-1, -2) if turned else x
            for x, turned in ((a, attributes[3]), (b, attributes[4]))
        )
        made = alpha._obj.value * (a.astype(wide) @ b.astype(wide))
        if attributes.get(7) == 4:
            kind, rows = TYPES[attributes[26]], c.shape[-2]
            made = made + _memory(attributes[8], (rows,), (np.dtype(kind).itemsize,), kind)[:, None]
        c[...] = made
        self.calls.append(how)
        return OK

    def _read(self, pointer, layout):
        """The matrices (batch, rows, columns) that a layout describes."""
        x = self.objects[layout.value]
        item = np.dtype(x.kind).itemsize
        batch, step = x.attributes.get(5, 1), x.attributes.get(6, 0)
        assert x.leading >= x.rows
        shape = (batch, x.rows, x.columns)
        return _memory(pointer.value, shape, (step * item, item, x.leading * item), x.kind)


def _memory(address, shape, strides, kind):
    """An array over memory that somebody else keeps."""
    extent = sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    buffer = (ctypes.c_char * (extent + np.dtype(kind).itemsize)).from_address(address)
    return np.ndarray(shape, kind, buffer, 0, strides)
