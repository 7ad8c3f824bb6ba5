"""Every optimizer makes the steps that PyTorch's makes, and takes and gives its state."""

import copy

import numpy as np
import pytest

import tallow

torch = pytest.importorskip("torch")

SHAPES = [(3, 4), (5,), (), (2, 1, 3), (0, 2)]

CASES = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "maximize": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-4, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "maximize": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {"lr": 0.1}),
    ("AdamW", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.3, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1, "maximize": True}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.9, "centered": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.08, 0.2), "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.01, "t0": 3, "weight_decay": 0.1, "maximize": True}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.1, "eps": (1e-3, 1e-2), "d": 2.0, "weight_decay": 0.1}),
    ("Adafactor", {"lr": 0.1, "beta2_decay": -0.5, "maximize": True}),
]
MATRIX_CASES = [
    ("Muon", {}),
    ("Muon", {"lr": 0.1, "nesterov": False, "weight_decay": 0.0, "momentum": 0.5}),
    ("Muon", {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3}),
]


def numbers(seed, shapes, dtype):
    """Arrays of the shapes; complex ones for complex dtypes."""
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    if np.dtype(dtype).kind == "c":
        arrays = [a + 1j * rng.standard_normal(a.shape) for a in arrays]
    return [np.asarray(a, dtype) for a in arrays]


class Training:
    """Parameters of one library and an optimizer of them, in two groups; gradients from a seed."""

    def __init__(self, library, name, settings, dtype="float32", shapes=SHAPES, second=None):
        self.library = library
        self.dtype = dtype
        self.shapes = shapes
        self.seed = 0
        arrays = numbers(99, shapes, dtype)
        self.params = [library.from_numpy(a.copy()).requires_grad_() for a in arrays]
        groups = [{"params": self.params[:2]}, {"params": self.params[2:], **(second or {})}]
        if second is None:
            groups = self.params
        self.optimizer = getattr(library.optim, name)(groups, **settings)

    def run(self, steps):
        for _ in range(steps):
            self.seed += 1
            for p, g in zip(self.params, numbers(self.seed, self.shapes, self.dtype), strict=True):
                p.grad = self.library.from_numpy(g)
            self.optimizer.step()
        return self

    def values(self):
        return [p.detach().numpy() for p in self.params]


def close(ours, theirs, tolerance=None):
    for a, b in zip(ours.values(), theirs.values(), strict=True):
        assert a.dtype == b.dtype
        tolerance = tolerance or {4: 2e-6, 8: 1e-12}[a.real.itemsize]
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def pair(name, settings, **options):
    if name == "Adafactor":  # PyTorch's divides by the number of elements
        options.setdefault("shapes", SHAPES[:-1])
    return [Training(library, name, settings, **options) for library in (tallow, torch)]


def converted(value, library):
    """A state dictionary with the tensors of another library."""
    if hasattr(value, "detach"):
        array = value.detach().numpy()
        return library.from_numpy(np.array(array))
    if isinstance(value, dict):
        return {k: converted(v, library) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(converted(v, library) for v in value)
    return value


def same_state(a, b, tolerance):
    """Compare two state dictionaries: names, types, dtypes and values."""
    if hasattr(a, "detach"):
        a, b = a.detach().numpy(), b.detach().numpy()
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    elif isinstance(a, dict):
        assert set(a) == set(b)
        for key in a:
            same_state(a[key], b[key], tolerance)
    elif isinstance(a, list | tuple):
        assert type(a) is type(b) and len(a) == len(b)
        for left, right in zip(a, b, strict=True):
            same_state(left, right, tolerance)
    else:
        assert a == b and type(a) is type(b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, settings", CASES)
def test_steps(name, settings, dtype):
    ours, theirs = pair(name, settings, dtype=dtype, second={"lr": 0.02})
    for training in (ours, theirs):
        training.run(12)
    close(ours, theirs)
    tolerance = {"float32": 1e-5, "float64": 1e-6}[dtype]  # counts and rates are float32 in both
    same_state(ours.optimizer.state_dict(), theirs.optimizer.state_dict(), tolerance)


@pytest.mark.parametrize("name, settings", [case for case in CASES if case[0] != "Adafactor"])
def test_complex_steps(name, settings):
    ours, theirs = pair(name, settings, dtype="complex64")
    close(ours.run(6), theirs.run(6), 1e-5)


@pytest.mark.parametrize("name, settings", MATRIX_CASES)
def test_steps_of_matrices(name, settings):
    ours, theirs = pair(name, settings, shapes=[(3, 4), (6, 2), (5, 5)])
    # PyTorch iterates in bfloat16, where an order of additions shows in the third digit.
    close(ours.run(5), theirs.run(5), 3e-3)
    same_state(ours.optimizer.state_dict(), theirs.optimizer.state_dict(), 1e-6)


@pytest.mark.parametrize("name, settings", CASES)
def test_state_goes_both_ways(name, settings):
    ours, theirs = pair(name, settings)
    ours.run(4)
    theirs.run(4)
    from_ours = copy.deepcopy(ours.optimizer.state_dict())
    from_theirs = copy.deepcopy(theirs.optimizer.state_dict())
    ours, theirs = pair(name, settings)
    ours.optimizer.load_state_dict(converted(from_theirs, tallow))
    theirs.optimizer.load_state_dict(converted(from_ours, torch))
    close(ours.run(4), theirs.run(4), 1e-5)


def test_state_is_cast_to_the_parameters():
    ours = Training(tallow, "Adam", {}).run(2).optimizer.state_dict()
    theirs = Training(torch, "Adam", {}).run(2).optimizer.state_dict()
    into_ours, into_theirs = pair("Adam", {}, dtype="float64")
    into_ours.optimizer.load_state_dict(ours)
    into_theirs.optimizer.load_state_dict(theirs)
    for ours, theirs in zip(
        into_ours.optimizer.state.values(), into_theirs.optimizer.state.values(), strict=True
    ):
        for name in theirs:
            assert str(ours[name].dtype).split(".")[1] == str(theirs[name].dtype).split(".")[1]


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_parameters_without_gradients_wait(name):
    settings = {"lr": 0.1, "momentum": 0.9} if name != "Adam" else {"lr": 0.1}
    trainings = pair(name, settings)
    for training in trainings:
        for step in range(4):
            for i, p in enumerate(training.params):
                gradient = numbers(step, [tuple(p.shape)], "float32")[0]
                waits = i == 1 and step < 2
                p.grad = None if waits else training.library.from_numpy(gradient)
            training.optimizer.step()
    close(*trainings)
    states = [training.optimizer.state_dict() for training in trainings]
    same_state(*states, 1e-5)


@pytest.mark.parametrize("name, settings", CASES)
def test_settings_and_repr(name, settings):
    ours, theirs = pair(name, settings)
    assert repr(ours.optimizer) == repr(theirs.optimizer)
    assert set(ours.optimizer.defaults) == set(theirs.optimizer.defaults)
    assert (
        ours.optimizer.state_dict()["param_groups"] == theirs.optimizer.state_dict()["param_groups"]
    )


def signature(optimizer):
    import inspect

    parameters = inspect.signature(optimizer).parameters.values()
    return [(p.name, p.default, p.kind) for p in parameters]


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES + MATRIX_CASES} | {"LBFGS"}))
def test_signatures(name):
    assert signature(getattr(tallow.optim, name)) == signature(getattr(torch.optim, name))


WRONG = [
    ("SGD", {"lr": -0.1}),
    ("SGD", {"momentum": -1}),
    ("SGD", {"weight_decay": -1}),
    ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    ("SGD", {"fused": True, "foreach": True}),
    ("SGD", {"fused": True, "differentiable": True}),
    ("Adam", {"lr": float("nan")}),
    ("Adam", {"eps": -1}),
    ("Adam", {"betas": (1.0, 0.9)}),
    ("Adam", {"betas": (0.9, -0.1)}),
    ("Adam", {"weight_decay": -1}),
    ("AdamW", {"betas": (0.9, 2.0)}),
    ("Adadelta", {"rho": 1.1}),
    ("Adagrad", {"lr_decay": -1}),
    ("Adagrad", {"initial_accumulator_value": -1}),
    ("Adamax", {"betas": (0.9, 1.0)}),
    ("NAdam", {"momentum_decay": -0.1}),
    ("RAdam", {"eps": -1}),
    ("RMSprop", {"alpha": -1}),
    ("Rprop", {"etas": (1.1, 1.2)}),
    ("ASGD", {"weight_decay": -1}),
    ("LBFGS", {"lr": -1}),
    ("Adafactor", {"beta2_decay": 0.1}),
    ("Adafactor", {"d": 0.5}),
    ("Adafactor", {"eps": (None, -1)}),
    ("Muon", {"adjust_lr_fn": "none"}),
    ("Muon", {"momentum": -1}),
]


@pytest.mark.parametrize("name, settings", WRONG)
def test_wrong_settings(name, settings):
    kinds = []
    for library in (tallow, torch):
        with pytest.raises((ValueError, RuntimeError)) as caught:
            Training(library, name, settings, shapes=[(2, 2)])
        kinds.append(isinstance(caught.value, ValueError))
        if library is tallow:
            assert str(caught.value).startswith(f"{name}: expected ")
    assert kinds[0] == kinds[1]
