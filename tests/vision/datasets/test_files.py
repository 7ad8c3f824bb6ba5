"""The datasets of published files, on small files in the same formats, and on broken ones."""

import gzip
import lzma
import pickle
import struct
import sys
import tarfile
import zipfile

import numpy as np
import pytest

import tallow
from tallow.utils.data import DataLoader
from tallow.utils.datasets import DataFileError, digest_of
from tallowvision import datasets, transforms
from tallowvision.datasets._batches import read_batch
from tallowvision.datasets._idx import read_idx
from tallowvision.datasets.utils import MissingPackageError, check_integrity, list_dir, list_files

RNG = np.random.default_rng(0)


def idx(array):
    """An array in the idx format."""
    code = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}[array.dtype.str[1:]]
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def pixels(*shape):
    return RNG.integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_mnist(tmp_path, published, monkeypatch, name):
    folder, address = published
    cls = getattr(datasets, name)
    images, labels = pixels(7, 28, 28), np.arange(7, dtype=np.uint8)
    for part, n in (("train", 7), ("t10k", 3)):
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz", "wb") as file:
            file.write(idx(images[:n]))
        with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(idx(labels[:n]))
    monkeypatch.setattr(cls, "mirrors", ["http://127.0.0.1:1/", address])
    md5s = {file.name: digest_of(file) for file in folder.iterdir()}
    monkeypatch.setattr(cls, "resources", [(n, md5s[n]) for n, _ in cls.resources])
    with pytest.raises(FileNotFoundError, match=f"{name}: expected .*train-images-idx3-ubyte"):
        cls(tmp_path)
    data = cls(str(tmp_path), transform=transforms.ToTensor(), download=True)
    assert len(data) == 7 and data.data.shape == (7, 28, 28)
    np.testing.assert_array_equal(data.data.numpy(), images)
    image, label = data[2]
    assert label == 2 and type(label) is int
    np.testing.assert_allclose(image[0].numpy() * 255, images[2], atol=1e-4)
    batch, targets = next(iter(DataLoader(data, batch_size=7)))
    assert batch.shape == (7, 1, 28, 28) and targets.tolist() == list(range(7))
    assert len(cls(tmp_path, train=False)) == 3 and len(data.classes) == 10
    assert "Split: Train" in repr(data)


def test_emnist(tmp_path, published, monkeypatch):
    folder, address = published
    images = pixels(4, 28, 28)
    with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
        for part in ("train", "test"):
            for kind, array in (("images-idx3", images), ("labels-idx1", np.arange(4, dtype="u1"))):
                content = gzip.compress(idx(array))
                archive.writestr(f"gzip/emnist-letters-{part}-{kind}-ubyte.gz", content)
    monkeypatch.setattr(datasets.EMNIST, "url", address + "gzip.zip")
    digest = digest_of(folder / "gzip.zip")
    monkeypatch.setattr(datasets.EMNIST, "md5", digest)
    data = datasets.EMNIST(tmp_path, "letters", train=False, download=True)
    np.testing.assert_array_equal(np.asarray(data[3][0]), images[3])
    assert data.classes[:3] == ["N/A", "a", "b"] and data[3][1] == 3
    assert len(datasets.EMNIST.classes_split_dict["balanced"]) == 47
    with pytest.raises(ValueError, match="split: expected one of byclass, .*got 'mixed'"):
        datasets.EMNIST(tmp_path, "mixed")


@pytest.mark.parametrize(
    ("what", "count"), [("train", 5), ("nist", 5), ("test10k", 10_000), ("test50k", 2)]
)
def test_qmnist(tmp_path, published, monkeypatch, what, count):
    folder, address = published
    total = 10_002 if what.startswith("test") else 5
    images, labels = pixels(total, 2, 2), RNG.integers(0, 10, (total, 8), np.int32)
    resources = datasets.QMNIST.resources[datasets.QMNIST.subsets[what]]
    for (name, _), array in zip(resources, (images, labels), strict=True):
        opener = lzma.open if name.endswith("xz") else gzip.open
        with opener(folder / name, "wb") as file:
            file.write(idx(array))
    monkeypatch.setattr(datasets.QMNIST, "mirrors", [address])
    md5s = [(n, digest_of(folder / n)) for n, _ in resources]
    changed = {datasets.QMNIST.subsets[what]: md5s}
    monkeypatch.setattr(datasets.QMNIST, "resources", changed)
    data = datasets.QMNIST(tmp_path, what, download=True)
    first = 10_000 if what == "test50k" else 0
    assert len(data) == count and data[1][1] == labels[first + 1, 0]
    whole = datasets.QMNIST(tmp_path, what, compat=False)
    assert whole[1][1].tolist() == labels[first + 1].tolist()


def cifar_batch(n, key, protocol=2):
    """A file of CIFAR; in protocol 2 as Python 2 wrote them."""
    batch = {"data": pixels(n, 3072), key: list(range(n)), "batch_label": "a batch"}
    return batch, pickle.dumps(batch, protocol=protocol)


@pytest.mark.parametrize("name", ["CIFAR10", "CIFAR100"])
def test_cifar(tmp_path, published, monkeypatch, name):
    folder, address = published
    cls = getattr(datasets, name)
    source = tmp_path / "made" / cls.base_folder
    source.mkdir(parents=True)
    images = []
    for part in cls.train_list + cls.test_list:
        batch, content = cifar_batch(3, cls.labels_key)
        (source / part).write_bytes(content)
        images.append(batch["data"])
    meta = {cls.meta[1]: ["cat", "dog", "eel"]}
    (source / cls.meta[0]).write_bytes(pickle.dumps(meta, protocol=2))
    with tarfile.open(folder / cls.filename, "w:gz") as archive:
        archive.add(source, cls.base_folder)
    monkeypatch.setattr(cls, "url", address + cls.filename)
    digest = digest_of(folder / cls.filename)
    monkeypatch.setattr(cls, "tgz_md5", digest)
    root = tmp_path / "root"
    with pytest.raises(RuntimeError, match=f"{name}: expected .*{cls.base_folder}"):
        cls(root)
    data = cls(root, download=True)
    assert len(data) == 3 * len(cls.train_list) and data.classes == ["cat", "dog", "eel"]
    assert data.targets[:4] == [0, 1, 2, 0][: len(data)]
    expected = images[0][1].reshape(3, 32, 32).transpose(1, 2, 0)
    np.testing.assert_array_equal(np.asarray(data[1][0]), expected)
    np.testing.assert_array_equal(
        cls(root, train=False).data[2], images[-1][2].reshape(3, 32, 32).transpose(1, 2, 0)
    )


def test_svhn(tmp_path):
    savemat = pytest.importorskip("scipy.io").savemat
    images = pixels(32, 32, 3, 5)
    savemat(tmp_path / "test_32x32.mat", {"X": images, "y": np.array([[1], [2], [10], [9], [5]])})
    data = datasets.SVHN(tmp_path, "test")
    assert data.labels.tolist() == [1, 2, 0, 9, 5] and len(data) == 5
    np.testing.assert_array_equal(np.asarray(data[4][0]), images[..., 4])
    (tmp_path / "train_32x32.mat").write_bytes(b"no matlab")
    with pytest.raises(DataFileError, match="train_32x32.mat: expected a MATLAB file"):
        datasets.SVHN(tmp_path)
    savemat(tmp_path / "train_32x32.mat", {"X": images[..., :2], "y": [[1]]})
    with pytest.raises(DataFileError, match=r"expected X .*got \(32, 32, 3, 2\) and \(1, 1\)"):
        datasets.SVHN(tmp_path)


def test_svhn_without_scipy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    (tmp_path / "train_32x32.mat").write_bytes(b"")
    with pytest.raises(MissingPackageError, match="needs the package scipy"):
        datasets.SVHN(tmp_path)


# The arguments and an index, and the pixels and the class that torchvision 0.28 gives.
FAKE = [
    ((3, (3, 2, 3), 10, None, None, 0), 2, 6,
     [247, 15, 35, 233, 225, 29, 40, 50, 80, 134, 171, 190, 7, 32, 68, 244, 192, 196]),
    ((5, (1, 4, 5), 7, None, None, 9), 1, 6,
     [48, 115, 46, 182, 18, 240, 33, 42, 4, 224, 232, 13, 54, 170, 166, 187, 219, 198, 129, 79]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "index", "label", "levels"), FAKE)
def test_fake_data(arguments, index, label, levels):
    data = datasets.FakeData(*arguments)
    before = tallow.get_rng_state()
    image, target = data[index]
    assert np.asarray(image).ravel().tolist() == levels and target == label
    assert tallow.equal(tallow.get_rng_state(), before)  # it draws from a generator of its own
    with pytest.raises(IndexError, match=f"below {len(data)}, got {len(data)}"):
        data[len(data)]


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_idx_of_every_type(tmp_path, dtype):
    array = (RNG.normal(size=(2, 3, 4)) * 50).astype(dtype)
    (tmp_path / "a").write_bytes(idx(array))
    found = read_idx(tmp_path / "a")
    assert found.dtype.numpy == array.dtype
    np.testing.assert_array_equal(found.numpy(), array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a: expected an idx file, got one that begins with b''"),
        (b"\x1f\x8b\x08\x00" * 9, "expected an idx file"),
        (b"\0\0\x07\x01" + bytes(9), "expected an idx file"),
        (idx(np.zeros((2, 3), "u1"))[:9], "expected 2 sizes in its header"),
        (idx(np.zeros((2, 3), "u1"))[:-1], r"expected 6 bytes for its shape \(2, 3\), got 5"),
        (idx(np.zeros((2, 3), "u1")) + b"x", "expected 6 bytes .* got 7"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "bytes for its shape"),
        (idx(np.zeros((2, 3), "u1")), "expected 3 dims of tallow.uint8, got 2 dims"),
        (idx(np.zeros((2, 3, 1), "f4")), "got 3 dims of tallow.float32"),
    ],
)
def test_broken_idx(tmp_path, content, message):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DataFileError, match=message):
        read_idx(tmp_path / "a", 3, tallow.uint8)


def test_labels_that_do_not_match(tmp_path):
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(pixels(3, 4, 4)))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(2, "u1")))
    with pytest.raises(DataFileError, match="labels-idx1-ubyte: expected a label for each of 3"):
        datasets.MNIST(tmp_path)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_batches_of_every_protocol(tmp_path, protocol, order):
    batch = {"data": np.asarray(pixels(3, 4), order=order), "x": np.arange(3.0, dtype=">f4")}
    (tmp_path / "a").write_bytes(pickle.dumps(batch | {"n": [1, "two", b"3"]}, protocol))
    found = read_batch(tmp_path / "a", data=np.ndarray)
    np.testing.assert_array_equal(found["data"], batch["data"])
    np.testing.assert_array_equal(found["x"], batch["x"])
    assert found["n"] == [1, "two", b"3"]


def test_batches_of_python_2(tmp_path):
    """Byte strings, and numpy.core: the form in which the archive is published."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        b"(I1\n(I2\nI3\ntcnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\n"
        b"S'\\x00\\x01\\x02\\xfd\\xfe\\xff'\ntb"
    )
    (tmp_path / "a").write_bytes(b"(dS'data'\n" + array + b"sS'labels'\n(lI7\nas.")
    found = read_batch(tmp_path / "a", data=np.ndarray, labels=list)
    assert found["data"].tolist() == [[0, 1, 2], [253, 254, 255]] and found["labels"] == [7]


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/tallow-was-here",)


HOSTILE = [
    (pickle.dumps(Evil()), "got the name (posix|nt).system"),
    (pickle.dumps({"data": Evil()}), "got the name"),
    (b"cbuiltins\neval\n(S'1'\ntR.", "got the name builtins.eval"),
    (b"cnumpy\nload\n(S'x'\ntR.", "got the name numpy.load"),
    (pickle.dumps({"data": np.array([object()])})[:200], "expected a pickle"),
    (pickle.dumps([1, 2]), "expected a pickled dict, got list"),
    (pickle.dumps({"data": [1]}), "expected 'data' to be of type ndarray, got list"),
    (pickle.dumps({}), "got NoneType"),
    (b"", "expected a pickle of numbers"),
    (b"<html>", "expected a pickle of numbers"),
    (cifar_batch(3, "labels")[1][:500], "a: expected a pickle of numbers"),
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_batches(tmp_path, number):
    content, message = HOSTILE[number]
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DataFileError, match=message):
        read_batch(tmp_path / "a", data=np.ndarray)


def test_cifar_of_wrong_shape(tmp_path):
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    batch = {"data": pixels(3, 3000), "fine_labels": [1, 2, 3]}
    for name in ("train", "test", "meta"):
        (folder / name).write_bytes(pickle.dumps(batch))
    with pytest.raises(DataFileError, match=r"train: expected uint8 images \(3, 3072\)"):
        datasets.CIFAR100(tmp_path)


def test_small_helpers(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a.txt").write_text("x")
    assert list_dir(tmp_path) == ["b"] and list_files(tmp_path, (".txt", ".md")) == ["a.txt"]
    assert list_files(tmp_path, ".txt", prefix=True) == [str(tmp_path / "a.txt")]
    assert check_integrity(tmp_path / "a.txt", "9dd4e461268c8034f5c8564e155c67a6")
    assert not check_integrity(tmp_path / "a.txt", "0") and not check_integrity(tmp_path / "c")
