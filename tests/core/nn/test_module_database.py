"""PyTorch's own database of modules: every constructor and forward in it comes to the same.

One walk for all modules, since the database alone takes longer to import than the walk does.
"""

import warnings

import numpy as np
import pytest

import tallow

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest")  # which the database imports

TOLERANCES = {"float32": 1e-4, "float64": 1e-10}


@pytest.fixture(scope="module")
def database():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal import common_modules
    return common_modules.module_db


def as_ours(x):
    """What PyTorch's module is given as what tallow's is given."""
    if isinstance(x, torch.Tensor):
        made = tallow.from_numpy(x.detach().numpy().copy())
        return made.requires_grad_(x.requires_grad)
    if isinstance(x, torch.nn.utils.rnn.PackedSequence):
        return tallow.nn.utils.rnn.PackedSequence(*map(as_ours, tuple(x)))
    if isinstance(x, torch.nn.TransformerEncoderLayer):
        return layer(x)
    if isinstance(x, torch.dtype):
        return getattr(tallow, str(x).removeprefix("torch."))
    if isinstance(x, dict):
        return {key: as_ours(value) for key, value in x.items()}
    if isinstance(x, tuple | list):
        return type(x)(map(as_ours, x))
    if callable(x):
        return getattr(tallow.nn.functional, x.__name__)
    return x


def leaves(x):
    """Arguments whose tensors are no results of operations."""
    if isinstance(x, torch.Tensor):
        return x.detach().requires_grad_(x.requires_grad)
    if isinstance(x, dict):
        return {key: leaves(value) for key, value in x.items()}
    if isinstance(x, tuple | list) and not hasattr(x, "_fields"):
        return type(x)(map(leaves, x))
    return x


def layer(x):
    """An encoder's layer, which comes made to its constructor."""
    made = tallow.nn.TransformerEncoderLayer(
        x.self_attn.embed_dim,
        x.self_attn.num_heads,
        x.linear1.out_features,
        x.dropout.p,
        getattr(tallow.nn.functional, x.activation.__name__),
        batch_first=x.self_attn.batch_first,
        norm_first=x.norm_first,
        bias=x.linear1.bias is not None,
        dtype=as_ours(x.linear1.weight.dtype),
    )
    made.load_state_dict(as_ours(x.state_dict()))
    return made


def tensors(library, x):
    """The tensors in a result or in arguments."""
    if isinstance(x, library.Tensor):
        return [x]
    if isinstance(x, dict):
        x = x.values()
    elif not isinstance(x, tuple | list):
        return []
    return [found for part in x for found in tensors(library, part)]


def run(library, make, training, dtype, args, kwargs):
    """All that can be seen of a module that is made, goes forward and goes backward."""
    library.manual_seed(0)
    module = make().to(dtype).train(training)
    made = repr(module)
    outputs = tensors(library, module(*args, **kwargs))
    rng = np.random.default_rng(0)
    slopes = [library.from_numpy(np.asarray(rng.uniform(-1, 1, x.shape))).to(x) for x in outputs]
    pairs = [(x, g) for x, g in zip(outputs, slopes, strict=True) if x.requires_grad]
    if pairs:
        library.autograd.backward([x for x, _ in pairs], [g for _, g in pairs])
    inputs = tensors(library, (args, kwargs))
    return {
        "repr": made,
        "outputs": outputs,
        "gradients of inputs": [x.grad for x in inputs],
        "gradients of parameters": {name: p.grad for name, p in module.named_parameters()},
        "state": dict(module.state_dict()),
    }


def same(got, expected, tolerance, what):
    if isinstance(expected, dict):
        assert list(got) == list(expected), f"{what}: {list(got)}, not {list(expected)}"
        for key in expected:
            same(got[key], expected[key], tolerance, f"{what} {key}")
    elif isinstance(expected, list):
        assert len(got) == len(expected), f"{what}: {len(got)} for {len(expected)}"
        for a, b in zip(got, expected, strict=True):
            same(a, b, tolerance, what)
    elif isinstance(expected, torch.Tensor):
        kinds = (str(got.dtype)[7:], str(expected.dtype)[6:])
        assert kinds[0] == kinds[1], f"{what}: {kinds}"
        assert got.requires_grad == expected.requires_grad, what
        a, b = got.detach().numpy(), expected.detach().numpy()
        assert a.shape == b.shape, f"{what}: {a.shape}, not {b.shape}"
        least = tolerance * max(1, np.abs(b).max(initial=0))  # small sums of large terms
        np.testing.assert_allclose(a, b, tolerance, least, err_msg=what)
    else:
        assert got == expected, f"{what}: {got}, not {expected}"


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_modules(subtests, database, name):
    dtype = getattr(torch, name)
    for info in database:
        ours = getattr(tallow.nn, info.module_cls.__name__)
        with subtests.test(info.name):
            for training in (True, False) if info.train_and_eval_differ else (True,):
                torch.manual_seed(1)
                for case in info.module_inputs_func(info, "cpu", dtype, True, training):
                    compare(info.module_cls, ours, case, training, dtype)


def compare(theirs, ours, case, training, dtype):
    made, given = case.constructor_input, case.forward_input
    given = leaves((given.args, given.kwargs))
    own_made, own_given = as_ours((made.args, made.kwargs)), as_ours(given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = run(
            torch,
            lambda: theirs(*made.args, **made.kwargs),
            training, dtype, *given,
        )  # fmt: skip
        got = run(
            tallow,
            lambda: ours(*own_made[0], **own_made[1]),
            training, as_ours(dtype), *own_given,
        )  # fmt: skip
    tolerance = TOLERANCES[str(dtype).removeprefix("torch.")]
    same(got, expected, tolerance, f"{ours.__name__} {case.desc}, training={training}:")


def test_errors(subtests, database):
    for info in database:
        if info.module_error_inputs_func is None:
            continue
        ours = getattr(tallow.nn, info.module_cls.__name__)
        cases = info.module_error_inputs_func(info, "cpu", torch.float32, False, True)
        with subtests.test(info.name):
            for case in cases:
                made = case.module_error_input.constructor_input
                given = case.module_error_input.forward_input
                with pytest.raises(case.error_type) as error:
                    module = ours(*as_ours(made.args), **as_ours(made.kwargs))
                    if given:
                        module(*as_ours(given.args), **as_ours(given.kwargs))
                assert isinstance(error.value, tallow.errors.TallowError), case.error_regex
