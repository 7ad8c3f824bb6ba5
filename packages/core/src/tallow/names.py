"""What values are printed as: `tallow.float32`, or `torch.float32` in a program for PyTorch."""

package = "tallow"  # `as_torch` changes it
