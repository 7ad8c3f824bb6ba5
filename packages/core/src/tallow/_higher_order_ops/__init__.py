"""Names of operators of PyTorch's compiler that take functions."""
