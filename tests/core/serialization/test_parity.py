"""Files go to PyTorch and back, equal bit for bit."""

import io
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest

import tallow
from tallow import nn

torch = pytest.importorskip("torch")

DTYPES = [dtype.name for dtype in tallow.dtypes.ALL]


def bits(tensor):
    """The bytes of a tensor of either library."""
    if isinstance(tensor, torch.Tensor):
        tensor = tensor.detach().resolve_conj().resolve_neg().contiguous()
        return tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
    return tensor.array.tobytes()


def equal(ours, theirs):
    """Raise unless an object of ours and one of PyTorch's mean the same."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, tallow.Tensor), ours
        assert isinstance(ours, nn.Parameter) == isinstance(theirs, torch.nn.Parameter)
        assert ours.dtype.name == str(theirs.dtype).removeprefix("torch.")
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert ours.requires_grad == theirs.requires_grad
        assert bits(ours) == bits(theirs)
    elif isinstance(theirs, torch.Size):
        assert isinstance(ours, tallow.Size) and tuple(ours) == tuple(theirs)
    elif isinstance(theirs, torch.dtype | torch.device):
        assert str(ours).removeprefix("tallow") == str(theirs).removeprefix("torch")
    elif isinstance(theirs, dict):
        assert type(ours) is type(theirs) and list(ours) == list(theirs)
        for key in theirs:
            equal(ours[key], theirs[key])
        if getattr(theirs, "__dict__", None):
            equal(ours.__dict__, theirs.__dict__)
    elif isinstance(theirs, list | tuple):
        assert type(ours) is type(theirs) and len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            equal(one, other)
    else:
        assert type(ours) is type(theirs)
        np.testing.assert_equal(ours, theirs)


def theirs_to_ours(obj, **options):
    file = io.BytesIO()
    torch.save(obj, file, **options)
    file.seek(0)
    return tallow.load(file)


def ours_to_theirs(obj):
    file = io.BytesIO()
    tallow.save(obj, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def tensors():
    base = torch.arange(60, dtype=torch.float32).view(3, 4, 5)
    return {
        "contiguous": base,
        "transposed": base.transpose(0, 2),
        "sliced": base[1:, ::2, 1:4],
        "expanded": torch.ones(3, 1).expand(3, 4),
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 3),
        "one": base[0, 0, 0],
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False),
        "requiring": torch.ones(2, requires_grad=True),
    } | {name: torch.tensor([[0, 1, 1], [1, 0, 1]]).to(getattr(torch, name)) for name in DTYPES}


OTHERS = {
    "none": None,
    "numbers": [True, False, 0, 255, 256, 65536, -1, 2**31, -(2**31), 2**100, -(2**100), 1.5, 2j],
    "special": [float("inf"), float("-inf"), 1e-320],
    "strings": ["", "a", "grüße", "x" * 300],
    "bytes": [b"", b"\x00\xff", bytearray(b"ab")],
    "containers": {"a": [1, (2, [3]), {"b": ()}], 4: {}, (5, "x"): [], 2.5: [[]], True: None},
    "sets": [set(), {1, "a"}],
    "ordered": OrderedDict([("b", 1), ("a", 2)]),
    "many": list(range(1000)),
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", tensors())
def test_tensor_from_torch(name, legacy):
    tensor = tensors()[name]
    equal(theirs_to_ours(tensor, _use_new_zipfile_serialization=not legacy), tensor)


@pytest.mark.parametrize("name", tensors())
def test_tensor_to_torch(name):
    ours = theirs_to_ours(tensors()[name])
    equal(ours, ours_to_theirs(ours))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", OTHERS)
def test_object_from_torch(name, protocol):
    equal(theirs_to_ours(OTHERS[name], pickle_protocol=protocol), OTHERS[name])


@pytest.mark.parametrize("name", OTHERS)
def test_object_to_torch(name):
    equal(OTHERS[name], ours_to_theirs(OTHERS[name]))
    equal(ours_to_theirs(theirs_to_ours(OTHERS[name])), OTHERS[name])


def test_torch_values():
    theirs = [torch.Size([2, 3]), torch.float16, torch.bool, torch.device("cuda", 1)]
    ours = theirs_to_ours(theirs)
    equal(ours, theirs)
    assert ours_to_theirs(ours) == theirs


def test_python_containers_from_torch():
    theirs = [Counter("abca"), defaultdict(list, {"a": [1]}), frozenset([1]), slice(1, 2)]
    assert theirs_to_ours(theirs) == theirs
    assert theirs_to_ours(theirs)[1]["new"] == []


def same_values(one, other):
    """Raise unless arrays are equal but for the byte order, which NumPy makes its own."""
    one, other = (x.astype(x.dtype.newbyteorder("=")) for x in (one, other))
    np.testing.assert_array_equal(one, other, strict=True)


def test_numpy_from_torch():
    theirs = [
        np.float32(1.5), np.int64(3), np.bool_(True), np.arange(6.0).reshape(2, 3).T,
        np.array([], "i2"), np.array(["a", "bc"]), np.array([1, 2], ">i4"), np.array(2),
    ]  # fmt: skip
    for protocol in (2, 5):
        ours = theirs_to_ours(theirs, pickle_protocol=protocol)
        for one, other in zip(ours, theirs, strict=True):
            assert type(one) is type(other)
            same_values(one, other)


def test_numpy_to_torch():
    arrays = [np.arange(6.0).reshape(2, 3).T, np.array(2), np.array([1, 2], ">i4")]
    file = io.BytesIO()
    tallow.save({"arrays": arrays, "number": np.float32(0.5), "count": np.int64(3)}, file)
    file.seek(0)
    theirs = torch.load(file, weights_only=False)
    assert (theirs["number"], theirs["count"]) == (0.5, 3)
    file.seek(0)
    for loaded in (theirs, tallow.load(file)):
        for one, other in zip(loaded["arrays"], arrays, strict=True):
            same_values(one, other)


@pytest.mark.parametrize("legacy", [False, True])
def test_shared_storages_stay_shared(legacy):
    base = torch.zeros(3, 4)
    row = base[1]
    tied = torch.nn.Parameter(torch.ones(2))
    theirs = {"base": base, "row": row, "columns": base.t()[1:], "a": tied, "b": tied}
    ours = theirs_to_ours(theirs, _use_new_zipfile_serialization=not legacy)
    assert ours["a"] is ours["b"]
    ours["row"].fill_(7)
    assert ours["base"][1].tolist() == [7] * 4 and ours["columns"][:, 1].tolist() == [7] * 3
    back = ours_to_theirs(ours)
    assert back["a"] is back["b"]
    back["base"].fill_(5)
    assert back["row"].tolist() == [5] * 4 and back["columns"].tolist() == [[5] * 3] * 3


def test_repeated_objects_stay_one():
    shared = [1]
    for loaded in (theirs_to_ours([shared, shared]), ours_to_theirs([shared, shared])):
        assert loaded[0] is loaded[1]


def test_conjugated_and_negated():
    x = torch.tensor([1 + 2j, 3 - 1j])
    equal(theirs_to_ours(x.conj()), x.conj().resolve_conj())
    equal(theirs_to_ours(x.conj().imag), x.conj().imag.resolve_neg())


def test_attributes_of_tensors():
    theirs = torch.ones(2)
    theirs.note = "kept"
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.group = 3
    ours = theirs_to_ours([theirs, parameter])
    assert (ours[0].note, ours[1].group) == ("kept", 3)
    back = ours_to_theirs(ours)
    assert (back[0].note, back[1].group) == ("kept", 3)


def network(library):
    return library.nn.Sequential(
        library.nn.Conv2d(3, 4, 3), library.nn.BatchNorm2d(4), library.nn.Linear(4, 2, bias=False)
    )


def test_state_dict_with_metadata():
    theirs = network(torch).state_dict()
    ours = theirs_to_ours(theirs)
    equal(ours, theirs)
    model = network(tallow)
    model.load_state_dict(ours)
    back = ours_to_theirs(model.state_dict())
    equal(model.state_dict(), back)
    network(torch).load_state_dict(back)
    assert back._metadata == theirs._metadata


OPTIMIZERS = [
    "ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Muon", "NAdam",
    "RAdam", "RMSprop", "Rprop", "SGD", "SparseAdam",
]  # fmt: skip


def test_every_optimizer_is_there():
    names = [name for name in dir(torch.optim) if isinstance(getattr(torch.optim, name), type)]
    assert OPTIMIZERS == [name for name in names if name != "Optimizer"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_states(name):
    model = torch.nn.Embedding(4, 3, sparse=name == "SparseAdam")
    optimizer = getattr(torch.optim, name)(model.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)

    def closure():
        optimizer.zero_grad()
        loss = model(torch.tensor([1, 3])).square().sum()
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)
        scheduler.step()
    theirs = {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
    ours = theirs_to_ours(theirs)
    equal(ours, theirs)
    equal(ours, ours_to_theirs(ours))
    again = getattr(tallow.optim, name)(tallow.nn.Embedding(4, 3).parameters())
    again.load_state_dict(ours["optimizer"])
    equal(again.state_dict(), ours_to_theirs(again.state_dict()))
    equal(again.state_dict()["state"], theirs["optimizer"]["state"])
    optimizer.load_state_dict(ours_to_theirs(again.state_dict()))


def test_generator_state():
    torch.manual_seed(4)
    torch.randn(7)
    tallow.set_rng_state(theirs_to_ours({"rng": torch.get_rng_state()})["rng"])
    torch.set_rng_state(ours_to_theirs({"rng": tallow.get_rng_state()})["rng"])
    assert tallow.rand(1).item() == torch.rand(1).item()


@pytest.mark.parametrize("mmap", [False, True])
def test_paths(tmp_path, mmap):
    path = tmp_path / "model.pt"
    theirs = network(torch).state_dict()
    torch.save(theirs, path)
    equal(tallow.load(path, mmap=mmap), theirs)
    tallow.save(tallow.load(str(path), mmap=mmap), path)
    equal(tallow.load(path), torch.load(path, mmap=mmap))


def test_safetensors_of_either(tmp_path):
    library = pytest.importorskip("safetensors.torch")
    theirs = {name: tensor for name, tensor in tensors().items() if name != "complex128"}
    theirs = {name: tensor.detach().clone().contiguous() for name, tensor in theirs.items()}
    library.save_file(theirs, tmp_path / "theirs.safetensors")
    ours = tallow.load(tmp_path / "theirs.safetensors")
    equal(dict(sorted(ours.items())), dict(sorted(theirs.items())))
    tallow.save(ours, tmp_path / "ours.safetensors")
    back = library.load_file(tmp_path / "ours.safetensors")
    equal(dict(sorted(ours.items())), dict(sorted(back.items())))
