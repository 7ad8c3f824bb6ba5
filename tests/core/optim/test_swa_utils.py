"""Averages of weights are PyTorch's."""

import numpy as np
import pytest

import tallow

torch = pytest.importorskip("torch")


def model_of(library):
    model = library.nn.Sequential(library.nn.Linear(2, 3), library.nn.BatchNorm1d(3))
    rng = np.random.default_rng(0)
    with library.no_grad():
        for p in model.parameters():
            p.copy_(library.from_numpy(rng.standard_normal(tuple(p.shape)).astype("float32")))
    return model


def functions(library, kind):
    utils = library.optim.swa_utils
    return {
        "mean": {},
        "swa": {"avg_fn": utils.get_swa_avg_fn()},
        "swa lists": {"multi_avg_fn": utils.get_swa_multi_avg_fn()},
        "ema": {"avg_fn": utils.get_ema_avg_fn(0.9)},
        "ema lists": {"multi_avg_fn": utils.get_ema_multi_avg_fn(0.9)},
        "buffers": {"multi_avg_fn": utils.get_ema_multi_avg_fn(0.5), "use_buffers": True},
    }[kind]


@pytest.mark.parametrize("kind", ["mean", "swa", "swa lists", "ema", "ema lists", "buffers"])
def test_averages(kind):
    states = []
    for library in (tallow, torch):
        model = model_of(library)
        averaged = library.optim.swa_utils.AveragedModel(model, **functions(library, kind))
        rng = np.random.default_rng(1)
        for _ in range(5):
            x = library.from_numpy(rng.standard_normal((6, 2)).astype("float32"))
            model(x)
            with library.no_grad():
                for p in model.parameters():
                    p.add_(0.5)
            averaged.update_parameters(model)
        averaged.eval()
        output = averaged(library.ones(2, 2))
        states.append({"output": output, **averaged.state_dict()})
    ours, theirs = states
    assert list(ours) == list(theirs)
    for name in theirs:
        a, b = ours[name].detach().numpy(), theirs[name].detach().numpy()
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6, err_msg=name)


def test_statistics_of_a_loader():
    found = []
    for library in (tallow, torch):
        model = model_of(library)
        model[1].momentum = 0.3
        model.eval()
        rng = np.random.default_rng(1)
        batches = [
            library.from_numpy(rng.standard_normal((5, 2)).astype("float32")) for _ in range(3)
        ]
        loader = [batches[0], (batches[1], "label"), [batches[2]]]
        library.optim.swa_utils.update_bn(loader, model, device="cpu")
        assert model[1].momentum == 0.3 and not model.training
        found.append((model[1].running_mean, model[1].running_var, model[1].num_batches_tracked))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5)


def test_models_without_batch_normalization_are_left_alone():
    model = tallow.nn.Linear(1, 1)
    tallow.optim.swa_utils.update_bn([3], model)
    assert model.training


def test_wrong_arguments():
    utils = tallow.optim.swa_utils
    for function in (utils.get_ema_avg_fn, utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match="expected a decay from 0 to 1, got 2"):
            function(2)
    with pytest.raises(AssertionError, match="expected avg_fn or multi_avg_fn, got both"):
        utils.AveragedModel(model_of(tallow), avg_fn=abs, multi_avg_fn=abs)
