"""Every package installs alone, brings only what it needs, and does its work."""

import os
import subprocess
import sys
import zipfile

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]

CORE = {"tallow", "tallow-kernels", "numpy", "ml-dtypes", "safetensors"}
OWN = {"pillow", "tokenizers", "soundfile"}  # of vision, text and audio: never of another

TRAINS = """
import tallow as torch
from tallow import nn, optim

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
optimizer = optim.Adam(model.parameters(), lr=0.05)
for _ in range(300):
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
assert loss.item() < 1e-2
"""

KERNELS = """
import tallow_kernels

info = tallow_kernels.info()
assert info["compiled"] and info["compiler"] and info["threads"] > 0
"""

VISION = """
import numpy as np
from PIL import Image
from tallowvision import transforms

image = Image.fromarray(np.full((4, 6, 3), 255, np.uint8))
prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.25] * 3)])
x = prepare(image)
assert x.shape == (3, 4, 6) and bool((x == 2).all())
"""

TEXT = """
from tallowtext.vocab import build_vocab_from_iterator

vocab = build_vocab_from_iterator([["a", "b", "a"], ["c"]], specials=["<unk>"])
vocab.set_default_index(vocab["<unk>"])
assert vocab(["a", "b", "z"]) == [1, 2, 0]
"""

AUDIO = """
import tallow
import tallowaudio

tone = tallow.sin(tallow.arange(8000) * (2 * tallow.pi * 440 / 8000))[None] / 2
tallowaudio.save("tone.wav", tone, 8000)
heard, rate = tallowaudio.load("tone.wav")
assert rate == 8000 and bool(((heard - tone).abs() < 1e-3).all())
power = tallowaudio.transforms.Spectrogram(n_fft=400)(heard)
assert power.shape == (1, 201, 41) and power.sum(-1).argmax().item() == 22
"""

PROGRAMS = {
    "tallow": (TRAINS, CORE, set()),
    "tallow-kernels": (KERNELS, {"tallow-kernels", "numpy"}, CORE - {"tallow-kernels", "numpy"}),
    "tallowvision": (VISION, CORE | {"tallowvision", "pillow"}, set()),
    "tallowtext": (TEXT, CORE | {"tallowtext", "tokenizers"}, set()),
    "tallowaudio": (AUDIO, CORE | {"tallowaudio", "soundfile"}, set()),
}


@pytest.mark.parametrize("distribution", PROGRAMS)
def test_installs_alone_and_works(distribution, installed, tmp_path):
    program, needed, foreign = PROGRAMS[distribution]
    python, brought = installed(distribution)
    assert needed <= brought
    assert not brought & (foreign | OWN - needed)
    subprocess.run([python, "-I", "-W", "error", "-c", program], cwd=tmp_path, check=True)


def test_wheels_hold_licence_and_types(built):
    for path in built.glob("*.whl"):
        names = zipfile.ZipFile(path).namelist()
        assert any(name.endswith("licenses/LICENSE") for name in names), path
    (core,) = built.glob("tallow-*.whl")
    assert {"tallow/py.typed", "tallow/tensor.pyi"} <= set(zipfile.ZipFile(core).namelist())


def test_kernels_without_a_compiler_are_empty_and_say_so(build, tmp_path):
    build("kernels", tmp_path, PATH=str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    program = "import tallow_kernels; print(tallow_kernels.info())"
    printed = subprocess.run(
        [sys.executable, "-S", "-c", program], env=os.environ | {"PYTHONPATH": str(wheel)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert printed.strip() == "{'compiled': False, 'reason': 'no C++ compiler was found'}"
