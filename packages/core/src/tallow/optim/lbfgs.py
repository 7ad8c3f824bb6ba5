"""L-BFGS: Newton's method with curvature that is remembered from the last steps."""

from tallow.autograd.modes import enable_grad, no_grad
from tallow.complex_parts import view_as_real
from tallow.errors import ArgumentError
from tallow.joining import cat
from tallow.optim.line_search import strong_wolfe
from tallow.optim.optimizer import Optimizer, check_settings, given


class LBFGS(Optimizer):
    """L-BFGS (Nocedal & Wright, "Numerical Optimization", 2006, algorithm 7.4).

    All parameters are one vector, in one group. `step(closure)` makes up to `max_iter` iterations
    and `max_eval` calls of the closure, which computes the gradients and returns the loss. It ends
    when the largest element of the gradient is within `tolerance_grad`, or that of a change, or the
    loss's own, within `tolerance_change`. `history_size` steps are remembered. The step is `lr`, or
    with `line_search_fn="strong_wolfe"` what that search finds.

    >>> import tallow
    >>> x = tallow.nn.Parameter(tallow.tensor([3.0, -2.0]))
    >>> optimizer = tallow.optim.LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((x - tallow.tensor([1.0, 5.0])) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> loss = optimizer.step(closure)
    >>> [round(value, 3) for value in x.tolist()]
    [1.0, 5.0]
    """

    def __init__(
        self, params, lr=1, max_iter=20, max_eval=None, tolerance_grad=1e-7, tolerance_change=1e-9,
        history_size=100, line_search_fn=None,
    ):  # fmt: skip
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        defaults = given(locals())
        check_settings(self, lr=lr)
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ArgumentError(
                f"LBFGS: expected one parameter group, got {len(self.param_groups)}"
            )

    @no_grad()
    def step(self, closure):
        """Minimise what the closure returns; returns the loss before the step."""
        evaluate = enable_grad()(closure)
        group = self.param_groups[0]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError(
                "LBFGS: expected line_search_fn 'strong_wolfe' or None, "
                f"got {group['line_search_fn']!r}"
            )
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = evaluate()
        state["func_evals"] += 1
        gradient = self._gradient()
        if _largest(gradient) > group["tolerance_grad"]:
            self._iterate(group, state, evaluate, float(first_loss), gradient)
        return first_loss

    def _iterate(self, group, state, evaluate, loss, gradient):
        count, calls = 0, 1
        while True:
            count += 1
            state["n_iter"] += 1
            _turn(state, gradient, group["history_size"])
            previous = state["prev_loss"] = loss
            state["prev_flat_grad"] = gradient.clone()
            lr = float(group["lr"])
            if state["n_iter"] == 1:
                lr *= min(1.0, 1.0 / gradient.abs().sum().item())
            state["t"] = lr
            slope = gradient.dot(state["d"]).item()
            if slope > -group["tolerance_change"]:
                return
            last = count == group["max_iter"]
            before = state["func_evals"]
            if group["line_search_fn"]:
                left = group["max_eval"] - calls
                loss, gradient = self._search(state, evaluate, loss, gradient, slope, left)
            else:
                self._move(state["t"], state["d"])
                if not last:
                    loss, gradient = self._evaluate(state, evaluate)
            calls += state["func_evals"] - before
            if (
                last
                or calls >= group["max_eval"]
                or _largest(gradient) <= group["tolerance_grad"]
                or _largest(state["d"] * state["t"]) <= group["tolerance_change"]
                or abs(loss - previous) < group["tolerance_change"]
            ):
                return

    def _search(self, state, evaluate, loss, gradient, slope, left):
        """Go along `d` as far as the line search says; the loss and the gradient there."""
        params = self.param_groups[0]["params"]
        start = [p.clone() for p in params]

        def at(t):
            self._move(t, state["d"])
            found = self._evaluate(state, evaluate)
            for p, origin in zip(params, start, strict=True):
                p.copy_(origin)
            return found

        loss, gradient, state["t"] = strong_wolfe(
            at, state["t"], state["d"], loss, gradient, slope, left
        )
        self._move(state["t"], state["d"])
        return loss, gradient

    def _evaluate(self, state, evaluate):
        state["func_evals"] += 1
        return float(evaluate()), self._gradient()

    def _gradient(self):
        """The gradients of all parameters as one vector; complex ones as pairs of numbers."""
        parts = []
        for p in self.param_groups[0]["params"]:
            grad = p.new_zeros(p.shape) if p.grad is None else p.grad
            parts.append(_real(grad).reshape(-1))
        return cat(parts)

    def _move(self, t, d):
        """Add `t` times a vector to the parameters."""
        start = 0
        for p in self.param_groups[0]["params"]:
            p = _real(p)
            end = start + p.numel()
            p.add_(d[start:end].view(p.shape), alpha=t)
            start = end


def _real(x):
    return view_as_real(x) if x.is_complex() else x


def _largest(vector):
    return vector.abs().max().item()


def _turn(state, gradient, history_size):
    """Set the direction `d` from the gradient and the remembered steps (two-loop recursion)."""
    if state["n_iter"] == 1:
        state.update(d=-gradient, old_dirs=[], old_stps=[], ro=[], H_diag=1)
        return
    changes, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
    change = gradient - state["prev_flat_grad"]
    step = state["d"] * state["t"]
    curvature = change.dot(step).item()
    if curvature > 1e-10:
        if len(changes) == history_size:
            for history in (changes, steps, inverses):
                history.pop(0)
        changes.append(change)
        steps.append(step)
        inverses.append(1.0 / curvature)
        state["H_diag"] = curvature / change.dot(change).item()
    d = -gradient
    parts = state.setdefault("al", [None] * history_size)
    for i in reversed(range(len(changes))):
        parts[i] = steps[i].dot(d).item() * float(inverses[i])
        d.add_(changes[i], alpha=-parts[i])
    d.mul_(float(state["H_diag"]))
    for i in range(len(changes)):
        d.add_(steps[i], alpha=parts[i] - changes[i].dot(d).item() * float(inverses[i]))
    state["d"] = d
