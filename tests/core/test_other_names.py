"""Names that programs written for PyTorch ask for beside those that they compute with."""

import pickle
from collections import OrderedDict, namedtuple
from typing import get_args

import pytest

import tallow
from tallow.errors import DtypeError
from tallow.fx.experimental import proxy_tensor
from tallow.utils import _pytree as pytree

Pair = namedtuple("Pair", "x y")
TREES = [3, [1, (2, [3])], {"a": 1, "b": [2, 3]}, Pair(1, [2]), OrderedDict(b=1, a=2), [], None]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_trees(tree):
    leaves, form = pytree.tree_flatten(tree)
    assert pytree.tree_unflatten(leaves, form) == tree and form.num_leaves == len(leaves)
    assert form == pytree.tree_structure(tree) and leaves == pytree.tree_leaves(tree)
    doubled = pytree.tree_map(lambda x, y: (x, y), tree, tree)
    assert pytree.tree_structure(tree) == pytree.TreeSpec(tree)
    assert len(pytree.tree_leaves(doubled)) == 2 * len(leaves)
    assert pytree.tree_map_only(str, len, tree) == tree


def test_questions_about_trees():
    assert pytree.tree_all(bool, [1, (2,)]) and not pytree.tree_any(bool, {"a": 0})
    assert repr(pytree.tree_structure([5, 5])) == "TreeSpec([0, 1])"


def test_trees_like_pytorch():
    torch = pytest.importorskip("torch")
    for tree in TREES:
        assert torch.utils._pytree.tree_leaves(tree) == pytree.tree_leaves(tree)


def test_types_of_tensors_know_the_device():
    x = tallow.ones(2)
    assert isinstance(x, tallow.FloatTensor) and not isinstance(x, tallow.cuda.FloatTensor)
    assert type(None) in get_args(tallow.FloatTensor | None)
    assert type(None) in get_args(None | tallow.LongTensor)
    assert tallow.cuda._initialized == tallow.cuda.is_initialized()
    with pytest.raises(AttributeError, match="'tallow.cuda' has no attribute 'nothing'"):
        tallow.cuda.nothing  # noqa: B018


def test_mixed_precision_by_its_old_name():
    from tallow.cuda.amp import GradScaler, autocast

    with autocast(enabled=False):
        assert (tallow.ones(2, 2) @ tallow.ones(2, 2)).dtype is tallow.float32
    scaler = GradScaler(enabled=False)
    assert isinstance(scaler, tallow.amp.GradScaler) and scaler.scale(2.0) == 2.0


def test_devices_that_are_not_there():
    for name in ("mps", "xpu"):
        assert not getattr(tallow, name).is_available() and not getattr(tallow, name).device_count()
    assert tallow.cpu.is_available() and tallow.cpu.current_device() == "cpu"
    assert tallow.cpu.device_count() == 1 and tallow.cpu.synchronize() is None


def test_settings_of_a_compiler():
    tallow._dynamo.config.suppress_errors = True
    tallow._inductor.config.coordinate_descent_tuning = True
    tallow._dynamo.mark_dynamic(tallow.ones(2), 0)
    tallow._dynamo.reset()
    tallow.compiler.set_stance("force_eager")
    assert tallow._dynamo.allow_in_graph(len) is len and not tallow.compiler.is_dynamo_compiling()


def test_nothing_is_exported():
    assert not tallow.onnx.is_in_onnx_export()


def test_nothing_of_the_compiled_part_is_here():
    assert not hasattr(tallow._C, "_jit_set_profiling_executor")
    assert tallow._C._log_api_usage_once("a program") is None
    with tallow.backends.cuda.sdp_kernel(enable_math=False):
        x = tallow.ones(1, 2)
        assert tallow.nn.functional.scaled_dot_product_attention(x, x, x).equal(x)


def test_annotations():
    assert tallow.Tensor in get_args(tallow.types._TensorOrTensors)
    assert isinstance(tallow.device("cpu"), tallow.types.Device)
    assert isinstance(2.0, tallow.types.Number)


def test_a_model_on_one_device():
    model, x = tallow.nn.Linear(2, 2), tallow.ones(1, 2)
    made = tallow.nn.parallel.data_parallel(model, x, None)
    assert made.equal(model(x))
    with pytest.raises(NotImplementedError, match=r"data_parallel: .*got \[0, 1\]"):
        tallow.nn.parallel.data_parallel(model, x, [0, 1])


def test_parts_for_devices():
    parts = tallow.nn.parallel.scatter((tallow.arange(5), {"a": "same"}), ["cpu", "cpu"])
    assert [x.tolist() for x, _ in parts] == [[0, 1, 2], [3, 4]]
    assert [y for _, y in parts] == [{"a": "same"}] * 2
    assert tallow.nn.parallel.gather([[x] for x, _ in parts], "cpu")[0].tolist() == [*range(5)]


def test_states_of_generators_of_devices():
    from tallow.utils.checkpoint import get_device_states, set_device_states

    devices, states = get_device_states(tallow.ones(1), [tallow.ones(2)])
    assert devices == states == []
    set_device_states(devices, states)


def test_names_of_backends():
    backend = tallow.distributed.Backend("NCCL")
    assert backend == tallow.distributed.Backend.NCCL == "nccl"


def test_how_it_was_built():
    assert "compiled" in tallow.__config__.show()
    assert str(tallow.get_num_threads()) in tallow.__config__.parallel_info()
    assert not tallow.backends.mkldnn.is_available() and not tallow.backends.mkldnn.enabled
    assert tallow.serialization.DEFAULT_PROTOCOL == 2


def test_assertions():
    tallow._assert(tallow.tensor(True), "never seen")
    with pytest.raises(AssertionError, match="one is not two"):
        tallow._assert(1 == 2, "one is not two")


def test_batches_are_told_apart():
    active = []
    tallow.vmap(lambda x: active.append(tallow._C._are_functorch_transforms_active()) or x)(
        tallow.ones(2)
    )
    assert active == [True] and not tallow._C._are_functorch_transforms_active()
    assert tallow._C._get_tracing_state() is None


def test_inner_names_of_distributions():
    from tallow.distributions.utils import _standard_normal, _sum_rightmost

    tallow.manual_seed(0)
    samples = _standard_normal((2, 3), dtype=tallow.float64, device="cpu")
    tallow.manual_seed(0)
    assert samples.equal(tallow.randn(2, 3, dtype=tallow.float64))
    assert _sum_rightmost(samples, 1).equal(samples.sum(-1))


def test_names_of_operators():
    aten = tallow.ops.aten
    table = {aten.add.Tensor: "a", aten.clone.default: "b"}
    assert table[aten.add.Tensor] == "a" and aten.add.Scalar not in table
    with pytest.raises(NotImplementedError, match="expected no torch.ops.aten; call the function"):
        aten.add.Tensor(1, 2)
    with pytest.raises(AttributeError):
        aten.add.__len__  # noqa: B018


def test_layouts_that_no_tensor_has():
    assert tallow.sparse_coo != tallow.ones(1).layout != tallow.sparse_csr
    assert repr(tallow.sparse_csc) == "tallow.sparse_csc"


def test_a_child_of_a_module_whose_attributes_are_looked_up_elsewhere():
    class Wrapper(tallow.nn.Module):
        def __getattr__(self, name):
            return self._modules["model"] if name == "model" else getattr(self.model, name)

    wrapper = Wrapper()
    wrapper.model = tallow.nn.Linear(2, 3)
    assert wrapper.out_features == 3 and [*wrapper.state_dict()] == ["model.weight", "model.bias"]


def test_a_module_in_another_order_of_dims():
    model = tallow.nn.Sequential(tallow.nn.Conv2d(2, 3, 3), tallow.nn.Conv1d(2, 3, 3))
    model.to(memory_format=tallow.channels_last, dtype=tallow.float64)
    assert model[0].weight.is_contiguous(memory_format=tallow.channels_last)
    assert model[1].weight.is_contiguous() and model[1].weight.dtype is tallow.float64


def test_nothing_stands_for_a_tensor():
    assert not proxy_tensor.is_fake(tallow.ones(1)) and proxy_tensor.get_proxy_mode() is None
    assert not isinstance(tallow.ones(1), proxy_tensor.FakeTensor)


def test_nothing_lies_on_several_processes():
    from tallow.distributed import _functional_collectives, checkpoint, fsdp
    from tallow.distributed import tensor as parts
    from tallow.distributed.algorithms.join import Join

    x = tallow.ones(1)
    names = [
        parts.DTensor,
        parts.DeviceMesh,
        parts.distribute_tensor,
        tallow.distributed.DeviceMesh,
    ]
    names += [fsdp.FSDPModule, fsdp.fully_shard, fsdp.size_based_auto_wrap_policy, Join]
    names += [checkpoint.HuggingFaceStorageReader, _functional_collectives.wait_tensor]
    for name in names:
        with pytest.raises(NotImplementedError, match=f"{name.__name__}; .*docs/compatibility.md"):
            name(x)
    assert not isinstance(x, parts.DTensor | parts.Shard | fsdp.FullyShardedDataParallel)


def test_plans_for_several_processes():
    from tallow.distributed.tensor import Partial, Replicate, Shard

    assert Shard(1) == Shard(dim=1) != Shard(0) and Replicate() == Replicate()
    assert Partial().reduce_op == "sum" and repr(Shard(0)) == "Shard(dim=0)"


def test_nothing_is_compiled():
    from tallow._higher_order_ops.associative_scan import associative_scan

    dynamo = tallow._dynamo
    assert dynamo.assume_constant_result(len) is len
    assert dynamo.mark_static_address(tallow.ones(1)) is None
    assert not isinstance(tallow.nn.ReLU(), dynamo.eval_frame.OptimizedModule)
    with pytest.raises(NotImplementedError, match="associative_scan; write a loop"):
        associative_scan(max, [1, 2])
    rows = tallow.tensor([3.0, 5.0])
    with dynamo.TransformGetItemToIndex():
        assert tallow.vmap(lambda i: rows[i])(tallow.tensor([1, 0])).tolist() == [5, 3]


def test_checks_for_a_compiler():
    tallow._check(True)
    tallow._check_tensor_all(tallow.ones(2) > 0)
    with pytest.raises(RuntimeError, match="expected a condition to hold"):
        tallow._check(False)
    with pytest.raises(KeyError, match="not all"):
        tallow._check_tensor_all_with(KeyError, tallow.arange(2) > 0, lambda: "not all")
    with pytest.raises(RuntimeError, match="none"):
        tallow._check_tensor_all(tallow.zeros(2) > 0, lambda: "none")


def test_settings_for_a_while():
    cudnn = tallow.backends.cudnn
    with cudnn.flags(enabled=False, benchmark=True):
        assert not cudnn.enabled and cudnn.benchmark
    assert cudnn.enabled and not cudnn.benchmark


def test_modules_of_devices():
    assert tallow.get_device_module("cpu") is tallow.cpu
    assert tallow.get_device_module(tallow.device("cuda:1")) is tallow.cuda
    with pytest.raises(RuntimeError, match="get_device_module: expected .*, got meta"):
        tallow.get_device_module("meta")
    assert isinstance(tallow.cuda.stream(None), tallow.cuda.StreamContext)
    with tallow.cuda.stream(None):
        assert tallow.Stream is tallow.cuda.Stream


def test_old_names_of_initialisations():
    x = tallow.empty(2, 2)
    assert tallow.nn.init.constant(x, 3.0) is x and x.tolist() == [[3, 3], [3, 3]]


class Holder:
    def __init__(self, x, y):
        self.x, self.y = x, y


def test_nodes_of_a_programs_own(monkeypatch):
    from tallow.func.tree import NODES

    monkeypatch.setattr(tallow.func.tree, "NODES", NODES)
    pytree.register_pytree_node(
        Holder, lambda held: ([held.x], held.y), lambda parts, y: Holder(*parts, y)
    )
    made = pytree.tree_map(lambda x: 2 * x, [Holder((1, 2), "kept"), 3])
    assert made[0].x == (2, 4) and made[0].y == "kept" and made[1] == 6
    assert pytree.tree_leaves(Holder({"a": 1}, None)) == [1]
    del NODES[Holder]


def test_a_hook_that_gets_no_module():
    model, seen = tallow.nn.Linear(1, 1), []
    model._register_load_state_dict_pre_hook(lambda state, prefix, *rest: seen.append(prefix))
    model._register_load_state_dict_pre_hook(lambda *a: seen.append(a[0]), with_module=True)
    found = model.load_state_dict(model.state_dict())
    assert seen == ["", model] and type(found) is tallow.nn.modules.module._IncompatibleKeys
    assert tallow.nn.modules.module._EXTRA_STATE_KEY_SUFFIX == "_extra_state"


def test_an_optimizer_that_wraps_another():
    class Wrapper(tallow.optim.Optimizer):
        def __init__(self, inner):
            self.inner = inner

        def step(self, closure=None):
            self.inner.step(closure)

    p, calls = tallow.nn.Parameter(tallow.ones(1)), []
    inner = tallow.optim.SGD([p], 0.5)
    inner.register_step_post_hook(lambda *arguments: calls.append(1))
    p.grad = tallow.ones(1)
    Wrapper(inner).step()
    assert p.item() == 0.5 and calls == [1]


@pytest.mark.parametrize("tree", [x for x in TREES if isinstance(x, dict | list | tuple)], ids=repr)
def test_forms_by_their_parts(tree):
    def form(node):
        kind = pytree._get_node_type(node)
        if kind not in pytree.SUPPORTED_NODES:
            return pytree.LeafSpec()
        parts, context = pytree.SUPPORTED_NODES[kind].flatten_fn(node)
        return pytree.TreeSpec(kind, context, [form(part) for part in parts])

    assert form(tree) == pytree.tree_structure(tree)
    assert pytree.tree_unflatten(pytree.tree_leaves(tree), form(tree)) == tree


def test_calls_of_other_processes():
    from tallow.distributed import rpc
    from tallow.distributed.constants import default_pg_timeout

    assert not rpc.is_available() and default_pg_timeout.total_seconds() == 1800
    with pytest.raises(NotImplementedError, match="no torch.distributed.rpc.init_rpc; send mess"):
        rpc.init_rpc("worker")


def test_types_that_programs_name():
    loader = tallow.utils.data.DataLoader(range(2), num_workers=1)
    own = tallow.utils.data.dataloader
    iterator = iter(loader)
    assert isinstance(iterator, own._MultiProcessingDataLoaderIter | own._BaseDataLoaderIter)
    assert not isinstance(iterator, own._SingleProcessDataLoaderIter) and len([*iterator]) == 2
    assert isinstance(tallow.distributed.ReduceOp.SUM, tallow.distributed.ReduceOp.RedOpType)
    assert isinstance(tallow.Tensor, tallow._C._TensorMeta)


@pytest.mark.parametrize("kind", ["SymInt", "SymFloat", "PyTorchFileReader"])
def test_what_nothing_is(kind):
    assert not isinstance(3, getattr(tallow, kind))
    with pytest.raises(NotImplementedError, match=f"expected no torch.*{kind}; "):
        getattr(tallow, kind)()


def test_assertions_of_tensors():
    tallow._assert_async(tallow.tensor(True))
    with pytest.raises(RuntimeError, match="too large"):
        tallow._assert_async(tallow.tensor([False]), "too large")


def test_no_mixed_precision_on_devices_that_are_not_there():
    assert not tallow.is_autocast_enabled("mps") and not tallow.is_autocast_enabled("xla")
    with pytest.raises(RuntimeError, match="got 'toaster'"):
        tallow.is_autocast_enabled("toaster")


def test_a_transform_that_is_a_module():
    class Scaled(tallow.distributions.Transform, tallow.nn.Module):
        def __init__(self):
            super().__init__(cache_size=1)
            self.scale = tallow.nn.Parameter(tallow.tensor(2.0))

    assert [*Scaled().state_dict()] == ["scale"]


def test_families_of_padding():
    padding = tallow.nn.modules.padding
    assert issubclass(tallow.nn.ReflectionPad2d, padding._ReflectionPadNd)
    assert not issubclass(
        tallow.nn.ReplicationPad1d, padding._ReflectionPadNd | padding._ConstantPadNd
    )


def test_names_of_profilers():
    assert not tallow.profiler.kineto_available()
    averages = tallow.autograd.profiler.profile()
    assert tallow.autograd.profiler.EventList and not isinstance(
        averages, tallow.autograd.profiler.emit_nvtx
    )


def test_where_a_module_is_to_go():
    device, dtype, *_ = tallow._C._nn._parse_to("cpu", tallow.float64)
    assert device == tallow.device("cpu") and dtype is tallow.float64


def test_members_that_a_class_looks_up_itself():
    class Doubling(tallow.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = tallow.nn.Parameter(tallow.ones(2))
            self.plain = 3

        def __getattr__(self, name):
            found = super().__getattr__(name)
            return 2 * found if name == "weight" else found

    module = Doubling()
    assert module.weight.tolist() == [2.0, 2.0] and module.plain == 3
    assert module.state_dict()["weight"].tolist() == [1.0, 1.0]
    with pytest.raises(AttributeError, match="'Doubling' object has no attribute 'bias'"):
        module.bias  # noqa: B018


def test_a_dtype_that_no_tensor_has_can_be_named():
    assert tallow.complex32 in (tallow.float16, tallow.chalf) and tallow.complex32.is_complex
    assert pickle.loads(pickle.dumps(tallow.complex32)) is tallow.complex32
    with pytest.raises(DtypeError, match="got tallow.complex32, which NumPy has not"):
        tallow.zeros(2, dtype=tallow.complex32)


def test_families_of_pooling_have_torchs_names():
    pooling = tallow.nn.modules.pooling
    for layer in (
        "MaxPool",
        "MaxUnpool",
        "AvgPool",
        "LPPool",
        "AdaptiveMaxPool",
        "AdaptiveAvgPool",
    ):
        family = getattr(pooling, f"_{layer}Nd")
        assert issubclass(getattr(tallow.nn, f"{layer}2d"), family)


def test_a_module_whose_names_are_here():
    assert tallow.functional.einsum is tallow.einsum


def test_views_and_their_bases():
    x = tallow.ones(2)
    assert x[0]._is_view() and x[0]._base is x and not x._is_view() and x._base is None


def test_ways_to_the_parts_of_trees():
    assert pytree.tree_is_leaf(3) and not pytree.tree_is_leaf([3])
    assert pytree.tree_is_leaf([3], is_leaf=lambda x: len(x) == 1)
    assert pytree._list_flatten_with_keys([7])[0] == [(pytree.SequenceKey(0), 7)]
    assert pytree._dict_flatten_with_keys({"a": 7})[0] == [(pytree.MappingKey("a"), 7)]
