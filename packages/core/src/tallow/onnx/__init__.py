"""ONNX, the exchange format of neural networks: `export` writes a model, `load` runs one.

Both need the extra `tallow[onnx]`.
"""

from importlib import import_module as _import_module

_PLACES = {"export": "exporting", "load": "loading", "OnnxModule": "loading"}
__all__ = [*_PLACES, "is_in_onnx_export"]


def is_in_onnx_export():
    """False: `export` does not run the model's own code in another way."""
    return False


def __getattr__(name):
    if name not in _PLACES:
        raise AttributeError(f"module 'tallow.onnx' has no attribute {name!r}")
    return getattr(_import_module(f"tallow.onnx.{_PLACES[name]}"), name)
