"""Mixed precision: products of matrices in short floats, and a scale that keeps gradients."""

from tallow.amp.grad_scaler import GradScaler

__all__ = ["GradScaler"]
