"""Public names of PyTorch that tallow leaves out on purpose, and why."""

LEFT_OUT = {
    "torch.index_put_": "the method is there; a function that changes its argument is not",
    "torch.linalg.ldl_factor": "NumPy has no LDL factorisation; use cholesky or eigh",
    "torch.linalg.ldl_factor_ex": "NumPy has no LDL factorisation; use cholesky or eigh",
    "torch.linalg.ldl_solve": "NumPy has no LDL factorisation; use solve",
    "torch.lobpcg": "a solver for sparse matrices, which tallow has not; use linalg.eigh",
    "torch.segment_reduce": "a prototype in PyTorch; use scatter_reduce or index_reduce",
}
