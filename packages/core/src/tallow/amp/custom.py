"""Decorators for the forward and backward of a `Function` that is called under autocast."""

import functools

from tallow.casting import autocast, cast_floats, get_autocast_dtype, is_autocast_enabled
from tallow.errors import ArgumentError


def custom_fwd(fwd=None, *, device_type, cast_inputs=None):
    """Decorator of `Function.forward`: note how autocast is set, for `custom_bwd`.

    With `cast_inputs`, a dtype, it runs without autocast on inputs cast to that, where autocast is
    on.
    """
    _check(custom_fwd, device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(ctx, *args, **kwargs):
        enabled = is_autocast_enabled(device_type)
        ctx._dtype = get_autocast_dtype(device_type)
        ctx._fwd_used_autocast = enabled and cast_inputs is None
        if not enabled or cast_inputs is None:
            return fwd(ctx, *args, **kwargs)
        with autocast(device_type, enabled=False):
            args, kwargs = cast_floats((args, kwargs), cast_inputs, device_type)
            return fwd(ctx, *args, **kwargs)

    return decorated


def custom_bwd(bwd=None, *, device_type):
    """Decorator of `Function.backward`: autocast is set as it was in the forward."""
    _check(custom_bwd, device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(ctx, *args, **kwargs):
        with autocast(device_type, dtype=ctx._dtype, enabled=ctx._fwd_used_autocast):
            return bwd(ctx, *args, **kwargs)

    return decorated


def _check(decorator, device_type):
    if not isinstance(device_type, str):
        name, kind = decorator.__name__, type(device_type).__name__
        raise ArgumentError(f"{name}: expected 'cpu' or 'cuda' as device_type, got {kind}")
