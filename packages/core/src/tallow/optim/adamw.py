"""Adam with weight decay apart from the gradient."""

from tallow.optim.adam import Adam
from tallow.optim.optimizer import given


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter: `p *= 1 - lr * weight_decay`.

    Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019.
    """

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *,
        maximize=False, foreach=None, capturable=False, differentiable=False, fused=None,
    ):  # fmt: skip
        super().__init__(params, **given(locals()), decoupled_weight_decay=True)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # also in a state that Adam wrote
