"""Hooks around a module's forward and backward."""

import copy

import numpy as np
import pytest

import tallow
from tallow import nn


class Affine(nn.Module):
    def forward(self, x, scale=1.0):
        return x * scale + 1


def test_forward_hooks_see_and_replace():
    module = Affine()
    calls = []
    pre = module.register_forward_pre_hook(lambda m, args: calls.append(("pre", args)))
    post = module.register_forward_hook(lambda m, args, output: output * 10)
    x = tallow.ones(1)
    assert module(x).item() == 20
    assert calls == [("pre", (x,))]
    pre.remove()
    post.remove()
    post.remove()
    assert module(x).item() == 2 and len(calls) == 1


def test_pre_hook_replaces_arguments():
    module = Affine()
    module.register_forward_pre_hook(lambda m, args: args[0] + 1)
    module.register_forward_pre_hook(lambda m, args: (args[0] * 3,))
    assert module(tallow.ones(1)).item() == 7


def test_hooks_with_keywords():
    module = Affine()
    module.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"scale": kwargs["scale"] * 2}), with_kwargs=True
    )
    seen = []
    module.register_forward_hook(
        lambda m, args, kwargs, output: seen.append(kwargs), with_kwargs=True
    )
    assert module(tallow.ones(1), scale=3).item() == 7
    assert seen == [{"scale": 6}]
    module.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match=r"expected None or a tuple \(args, kwargs\)"):
        module(tallow.ones(1), scale=3)


def test_order_and_prepend():
    module = nn.Identity()
    order = []
    module.register_forward_hook(lambda *_: order.append("second"))
    module.register_forward_hook(lambda *_: order.append("third"))
    with module.register_forward_hook(lambda *_: order.append("first"), prepend=True):
        module(1)
    assert order == ["first", "second", "third"]
    module(1)
    assert order[3:] == ["second", "third"]


def test_always_call_runs_on_errors():
    class Failing(nn.Module):
        def forward(self, x):
            raise ValueError("broken")

    module = Failing()
    seen = []
    module.register_forward_hook(lambda *_: seen.append("usual"))
    module.register_forward_hook(lambda *_: seen.append("always"), always_call=True)
    with pytest.raises(ValueError, match="broken"):
        module(1)
    assert seen == ["always"]
    module.register_forward_hook(lambda *_: 1 / 0, always_call=True)
    with pytest.raises(ValueError, match="broken"), pytest.warns(UserWarning, match="always_call"):
        module(1)


def test_deepcopy_copies_the_hooks():
    module = nn.Identity()
    module.register_forward_hook(lambda m, args, output: output + 1)
    twin = copy.deepcopy(module)
    twin.register_forward_hook(lambda m, args, output: output + 1)
    assert (module(1), twin(1)) == (2, 3)


class Product(nn.Module):
    def forward(self, x, y):
        return x * y, x + y


def test_backward_hooks_see_both_sides():
    module = Product()
    seen = []
    module.register_full_backward_pre_hook(lambda m, grad_output: seen.append(("pre", grad_output)))
    module.register_full_backward_hook(lambda m, *grads: seen.append(("post", *grads)))
    x = tallow.tensor([2.0], requires_grad=True)
    y = tallow.tensor([3.0], requires_grad=True)
    product, total = module(x, y)
    (product + 5 * total).sum().backward()
    (_, grad_output), (_, grad_input, again) = seen
    assert [g.item() for g in grad_output] == [1, 5]
    assert [g.item() for g in grad_input] == [8, 7]
    assert again is grad_output
    assert (x.grad.item(), y.grad.item()) == (8, 7)


def test_backward_hooks_replace_gradients():
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.detach().fill_(2)
    layer.register_full_backward_pre_hook(lambda m, grad_output: (grad_output[0] * 10,))
    handle = layer.register_full_backward_hook(lambda m, grad_input, _: grad_input[0] + 1)
    x = tallow.tensor([[3.0]], requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.item() == 21 and layer.weight.grad.item() == 30
    handle.remove()
    layer.register_full_backward_hook(lambda m, *_: (None, None))
    with pytest.raises(RuntimeError, match="hook: expected 1 gradients or None, got 2"):
        layer(x).sum().backward()


def test_backward_hook_without_gradients_of_inputs():
    layer = nn.Linear(1, 1)
    seen = []
    layer.register_full_backward_hook(lambda m, grad_input, grad_output: seen.append(grad_input))
    layer(tallow.ones(1, 1)).sum().backward()
    assert seen == [(None,)]


def test_backward_hook_spares_input_changed_in_place():
    layer = nn.ReLU(inplace=True)
    layer.register_full_backward_hook(lambda m, grad_input, grad_output: None)
    x = tallow.tensor([-1.0, 2.0], requires_grad=True)
    (layer(x * 3) ** 2).sum().backward()
    assert x.grad.tolist() == [0, 36]


def test_backward_hooks_need_tensors():
    class Dictionary(nn.Module):
        def forward(self, x):
            return {"x": x}

    module = Dictionary()
    module.register_full_backward_hook(lambda *_: None)
    with pytest.raises(RuntimeError, match="Dictionary: expected a tensor or a tuple of tensors"):
        module(tallow.ones(1))


EVERYWHERE = [
    "forward_pre_hook(lambda m, args: (args[0] + 1,))",
    "forward_hook(lambda m, args, output: output * 2)",
    "forward_hook(lambda m, args, kwargs, output: output * 3, with_kwargs=True)",
    "full_backward_pre_hook(lambda m, grads: (grads[0] * 5,))",
    "full_backward_hook(lambda m, before, after: (before[0] * 7,))",
]


@pytest.mark.parametrize("call", EVERYWHERE)
def test_hooks_of_every_module_are_pytorchs(call):
    torch = pytest.importorskip("torch")
    results = []
    for library in (tallow, torch):
        library.manual_seed(0)
        model = library.nn.Sequential(library.nn.Linear(3, 2), library.nn.Tanh())
        model[0].register_forward_pre_hook(lambda m, args: (args[0] * 4,))
        model[0].register_full_backward_hook(lambda m, before, after: (before[0] - 1,))
        x = library.ones(2, 3, requires_grad=True)
        place = library.nn.modules.module
        with eval(f"place.register_module_{call}", {"place": place}):
            y = model(x)
            y.sum().backward()
        own = x.grad.clone()
        model(x).sum().backward()
        assert not (x.grad == 2 * own).all()  # the handle took the hook away
        results.append(np.concatenate([y.detach().numpy(), model[0].weight.grad.numpy()], axis=1))
    np.testing.assert_allclose(*results, rtol=1e-5)


def test_programs_see_and_remove_hooks():
    layer, calls = nn.Linear(1, 1), []
    assert not layer._forward_hooks and len(layer._forward_pre_hooks) == 0
    hook = lambda *_: calls.append(1)  # noqa: E731
    handle = layer.register_forward_hook(hook)
    assert list(layer._forward_hooks.values()) == [hook] and handle.id in layer._forward_hooks
    assert repr(layer._forward_hooks) == repr({handle.id: hook}) and not layer._backward_hooks
    assert list(reversed(layer._forward_hooks.items())) == [(handle.id, hook)]
    del layer._forward_hooks[handle.id]
    layer(tallow.ones(1))
    layer._forward_hooks[7] = hook
    layer(tallow.ones(1))
    layer._forward_hooks.clear()
    layer(tallow.ones(1))
    assert calls == [1]
