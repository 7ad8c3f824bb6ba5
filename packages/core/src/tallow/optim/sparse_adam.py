"""SparseAdam: Adam for the rows of tables that were used."""

from tallow.creation import zeros_like
from tallow.errors import ArgumentError, NotSupportedError, describe
from tallow.layout import strided
from tallow.optim.optimizer import Optimizer, check_betas, check_settings, given
from tallow.optim.update import plain


class SparseAdam(Optimizer):
    """Adam for sparse gradients: means and parameters change where the gradient has values.

    With `m = b1 * m + (1 - b1) * g` and `v = b2 * v + (1 - b2) * g * g` there,
    `p -= lr * sqrt(1 - b2**step) / (1 - b1**step) * m / (sqrt(v) + eps)`, at step 1, 2, ...

    >>> import tallow
    >>> table = tallow.nn.Embedding(3, 1, sparse=True)
    >>> optimizer = tallow.optim.SparseAdam(table.parameters(), lr=0.1)
    >>> before = table.weight.detach().clone()
    >>> table(tallow.tensor([1])).sum().backward()
    >>> optimizer.step()
    >>> (table.weight.detach() - before).flatten()
    tensor([ 0.0000, -0.1000,  0.0000])
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        defaults = given(locals())
        check_settings(self, lr=lr, eps=eps)
        check_betas(self, betas)
        super().__init__(params, defaults)

    def __setstate__(self, state):
        super().__setstate__(state)
        for own in self.state.values():
            own["step"] = int(own["step"])  # a number, as PyTorch counts here

    def _check_parameter(self, p):
        super()._check_parameter(p)
        if p.layout is not strided or p.is_complex():
            raise ArgumentError(
                f"SparseAdam: expected real dense parameters, got {describe(p)} of layout "
                f"{p.layout.name}"
            )

    def _update(self, group, params):
        raise NotSupportedError("SparseAdam: expected sparse gradients, got dense ones; use Adam")

    def _update_sparse(self, group, p):
        from tallow.sparse.rows import changing  # there since the gradient is

        state = self.state[p]
        if not state:
            state.update(step=0, exp_avg=zeros_like(p), exp_avg_sq=zeros_like(p))
        state["step"] += 1
        (first, second), step = plain(group["betas"]), int(state["step"])
        rate = plain(group["lr"]) * (1 - second**step) ** 0.5 / (1 - first**step)
        with changing(p, -p.grad if group["maximize"] else p.grad) as (place, g):
            mean, square = state["exp_avg"].array, state["exp_avg_sq"].array
            mean[place] += (g - mean[place]) * (1 - first)
            square[place] += (g * g - square[place]) * (1 - second)
            p.array[place] -= rate * (mean[place] / (square[place] ** 0.5 + group["eps"]))
