"""Mixed precision: products of matrices in short floats, and a scale that keeps gradients."""

from tallow.amp.custom import custom_bwd, custom_fwd
from tallow.amp.grad_scaler import GradScaler
from tallow.casting import autocast, is_autocast_available

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
