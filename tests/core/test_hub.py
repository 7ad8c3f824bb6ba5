"""tallow.hub: downloads from a server on this machine, and models of a local repository."""

import hashlib
import zipfile

import pytest

import tallow
from tallow import hub
from tallow.testing.datasets import serving


@pytest.fixture
def served(tmp_path):
    """A folder, and the address at which a server of this machine offers its files."""
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder) as address:
        yield folder, address.rstrip("/")


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """Downloads go to a folder of the test's own."""
    monkeypatch.setattr(hub, "_chosen", str(tmp_path / "hub"))


HUBCONF = '''
from tallow import nn
from shapes import WIDTH

dependencies = ["tallow"]


def line(out=1):
    """A line."""
    return nn.Linear(WIDTH, out)
'''


def write_repository(folder):
    folder.mkdir(parents=True)
    (folder / "hubconf.py").write_text(HUBCONF)
    (folder / "shapes.py").write_text("WIDTH = 3\n")
    return folder


def test_the_folder_follows_the_environment(monkeypatch):
    monkeypatch.setattr(hub, "_chosen", None)
    monkeypatch.setenv("TALLOW_HOME", "/somewhere")
    assert hub.get_dir() == "/somewhere/hub"
    hub.set_dir("/elsewhere")
    assert hub.get_dir() == "/elsewhere"


def test_weights_by_address(served):
    folder, address = served
    state = tallow.nn.Linear(3, 2).state_dict()
    tallow.save(state, folder / "line.pt")
    digest = hashlib.sha256((folder / "line.pt").read_bytes()).hexdigest()
    name = f"line-{digest[:8]}.pt"
    (folder / "line.pt").rename(folder / name)
    found = hub.load_state_dict_from_url(f"{address}/{name}", check_hash=True, progress=False)
    assert all(tallow.equal(found[key], state[key]) for key in state)
    (folder / name).unlink()
    hub.load_state_dict_from_url(f"{address}/{name}", check_hash=True)  # it is here by now


def test_a_wrong_digest_leaves_nothing(served, tmp_path):
    folder, address = served
    (folder / "file").write_bytes(b"content")
    target = tmp_path / "got"
    with pytest.raises(RuntimeError, match="expected a SHA-256 that begins with 00000000"):
        hub.download_url_to_file(f"{address}/file", target, hash_prefix="00000000", progress=False)
    assert not target.exists()
    hub.download_url_to_file(f"{address}/file", target, progress=False)
    assert target.read_bytes() == b"content"


def test_a_local_repository(tmp_path):
    folder = write_repository(tmp_path / "repository")
    model = hub.load(str(folder), "line", out=4, source="local")
    assert model.weight.shape == (4, 3)
    with pytest.raises(RuntimeError, match="expected a function curve in .*hubconf.py"):
        hub.load(str(folder), "curve", source="local")
    with pytest.raises(ValueError, match="expected a file hubconf.py"):
        hub.load(str(tmp_path), "line", source="local")


def test_a_repository_on_github(served, tmp_path, monkeypatch):
    folder, address = served
    monkeypatch.setattr(hub, "GITHUB", address)
    repository = write_repository(tmp_path / "made" / "shapes-main")
    (folder / "me/shapes/zip/refs/heads").mkdir(parents=True)
    with zipfile.ZipFile(folder / "me/shapes/zip/refs/heads/main", "w") as archive:
        for path in repository.iterdir():
            archive.write(path, f"shapes-main/{path.name}")
    with pytest.raises(NotImplementedError, match="expected trust_repo=True"):
        hub.load("me/shapes", "line")
    assert hub.list("me/shapes", trust_repo=True) == ["line"]
    assert hub.help("me/shapes", "line", trust_repo=True) == "A line."
    assert hub.load("me/shapes", "line", trust_repo=True).weight.shape == (1, 3)


def test_wrong_names():
    with pytest.raises(ValueError, match="expected 'owner/name'"):
        hub.load("shapes", "line", trust_repo=True)
    with pytest.raises(ValueError, match="expected source 'github' or 'local'"):
        hub.load("me/shapes", "line", source="gitlab")
