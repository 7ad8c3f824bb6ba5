"""Public names of PyTorch that tallow leaves out on purpose, and why."""

from tallow.errors import LeftOutError

OTHER = "torch takes other arguments here than in nn.functional; call nn.functional's"

LEFT_OUT = {
    "torch.batch_norm": OTHER,
    "torch.binary_cross_entropy_with_logits": OTHER,
    "torch.cosine_embedding_loss": OTHER,
    "torch.ctc_loss": OTHER,
    "torch.embedding": OTHER,
    "torch.embedding_bag": OTHER,
    "torch.hinge_embedding_loss": OTHER,
    "torch.instance_norm": OTHER,
    "torch.kl_div": OTHER,
    "torch.margin_ranking_loss": OTHER,
    "torch.poisson_nll_loss": OTHER,
    "torch.triplet_margin_loss": OTHER,
    "torch.sparse_coo_tensor": "tallow has no sparse tensors",
    "torch.nested.nested_tensor": "tallow has no nested tensors; pad, or use nn.utils.rnn",
    "torch.nested.as_nested_tensor": "tallow has no nested tensors; pad, or use nn.utils.rnn",
    "torch.index_put_": "the method is there; a function that changes its argument is not",
    "torch.linalg.ldl_factor": "NumPy has no LDL factorisation; use cholesky or eigh",
    "torch.linalg.ldl_factor_ex": "NumPy has no LDL factorisation; use cholesky or eigh",
    "torch.linalg.ldl_solve": "NumPy has no LDL factorisation; use solve",
    "torch.lobpcg": "a solver for sparse matrices, which tallow has not; use linalg.eigh",
    "torch.segment_reduce": "a prototype in PyTorch; use scatter_reduce or index_reduce",
}


def missing(module, name):
    """The error for a name that a module of tallow lacks: with the reason, if it was left out."""
    reason = LEFT_OUT.get(f"torch{module.removeprefix('tallow')}.{name}")
    if reason is None:
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    return LeftOutError(f"{module}.{name}: left out of tallow: {reason}")
