"""`python -m tallow run` and `as_torch`: programs written for PyTorch, unchanged."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

CLASSIFIER = """
    import argparse

    import torch
    import torch.backends.cudnn as cudnn
    import torch.nn as nn
    import torch.nn.functional as F
    import torch.optim as optim
    from torch.optim.lr_scheduler import StepLR
    from torch.utils.data import DataLoader, TensorDataset


    class Net(nn.Module):
        def __init__(self):
            super(Net, self).__init__()
            self.fc1 = nn.Linear(20, 32)
            self.dropout = nn.Dropout(0.25)
            self.fc2 = nn.Linear(32, 4)

        def forward(self, x):
            x = F.relu(self.fc1(x))
            x = self.dropout(x)
            return F.log_softmax(self.fc2(x), dim=1)


    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--epochs", type=int, default=2)
        parser.add_argument("--out")
        args = parser.parse_args()
        torch.manual_seed(1)
        torch.backends.cudnn.benchmark = True
        cudnn.deterministic = True
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        x = torch.randn(256, 20)
        y = x[:, :4].argmax(1)
        loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True, num_workers=2)
        model = Net().to(device)
        optimizer = optim.Adam(model.parameters(), lr=1e-2)
        scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
        for epoch in range(args.epochs):
            model.train()
            for data, target in loader:
                data, target = data.to(device, non_blocking=True), target.to(device)
                optimizer.zero_grad()
                loss = F.nll_loss(model(data), target)
                loss.backward()
                optimizer.step()
            scheduler.step()
            model.eval()
            with torch.no_grad():
                guess = model(x.to(device)).argmax(dim=1, keepdim=True)
            correct = guess.eq(y.to(device).view_as(guess)).sum().item()
            print("epoch %d loss %.4f correct %d" % (epoch, loss.item(), correct))
        torch.save({"model": model.state_dict(), "args": vars(args)}, args.out)
        checkpoint = torch.load(args.out, map_location="cpu")
        model.load_state_dict(checkpoint["model"])
        print(checkpoint["args"]["epochs"])


    if __name__ == "__main__":
        main()
"""

REGRESSION = """
    import math
    import torch
    from torch import nn
    from torch.utils.data import Dataset, DataLoader, random_split

    class Waves(Dataset):
        def __len__(self):
            return 64
        def __getitem__(self, i):
            x = torch.tensor([i / 10.0])
            return {"x": x, "y": torch.sin(x)}

    torch.manual_seed(0)
    train, test = random_split(Waves(), [48, 16])
    model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for batch in DataLoader(train, batch_size=16, shuffle=True):
        loss = criterion(model(batch["x"]), batch["y"])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        print(round(loss.item(), 4))
    assert isinstance(loss, torch.Tensor) and loss.dtype == torch.float32
    total = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(total, math.isfinite(loss.item()))
"""

SEQUENCES = """
    import torch
    import torch.nn as nn

    torch.manual_seed(2)
    embedding = nn.Embedding(10, 8, padding_idx=0)
    lstm = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
    head = nn.Linear(12, 2)
    tokens = torch.randint(1, 10, (4, 7))
    parameters = [*embedding.parameters(), *lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-2)
    for step in range(3):
        output, (h, c) = lstm(embedding(tokens))
        loss = nn.CrossEntropyLoss()(head(output[:, -1]), torch.tensor([0, 1, 0, 1]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print("%.4f" % loss.item())
"""

SCRIPTS = {"classifier": CLASSIFIER, "regression": REGRESSION, "sequences": SEQUENCES}
FOLDER = Path(__file__).with_name("scripts")


WRITTEN = [path.stem for path in sorted(FOLDER.glob("*.py")) if path.stem != "domains"]


def run(*command, **options):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=environment, **options
    )


@pytest.mark.parametrize("name", [*SCRIPTS, *WRITTEN])
def test_scripts_print_what_they_print_under_pytorch(name, tmp_path):
    pytest.importorskip("torch")
    script = FOLDER / f"{name}.py"
    if name in SCRIPTS:
        script = tmp_path / "script.py"
        script.write_text(textwrap.dedent(SCRIPTS[name]))
    arguments = [str(script), "--out", str(tmp_path / "model.pt")]
    theirs = run("-W", "ignore", *arguments)
    ours = run("-m", "tallow", "run", *arguments)
    assert theirs.returncode == 0, theirs.stderr
    assert ours.returncode == 0, ours.stderr
    assert ours.stdout == theirs.stdout and ours.stdout


def test_a_script_of_all_domains():
    for package in ("tallowaudio", "tallowtext", "tallowvision"):
        pytest.importorskip(package)
    result = run("-m", "tallow", "run", str(FOLDER / "domains.py"))
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "(6, 3, 32, 32) True", "(6, 3, 32, 32) True", "(3, 24, 24) (3, 70, 104)",
        "(24, 24) torchvision torchaudio", "[7, 1, 0]", "(1, 16, 32) (1, 2000)",
    ]  # fmt: skip


def test_the_same_objects_under_both_names():
    script = """
        import tallow, tallow.nn, sys
        tallow.as_torch()
        tallow.as_torch()
        import torch
        import torch.nn.functional as F
        from torch.nn.modules.conv import Conv2d
        from torch.utils.data import DataLoader
        import tallow.utils.data
        assert torch is tallow and F is tallow.nn.functional
        assert Conv2d is tallow.nn.Conv2d and DataLoader is tallow.utils.data.DataLoader
        assert tallow.__spec__.name == "tallow" and tallow.nn.__spec__.name == "tallow.nn"
        assert sys.modules["torch.nn"] is tallow.nn
    """
    result = run("-c", textwrap.dedent(script))
    assert result.returncode == 0, result.stderr


def test_versions_are_those_of_the_names():
    script = """
        import tallow
        own = tallow.__version__
        assert tallow.version.__version__ == own and tallow.version.cuda is None
        tallow.as_torch()
        import torch, torchvision
        assert torch.__version__ == torch.version.__version__ == "2.13.0+tallow." + own
        assert torchvision.__version__.startswith("0.28.0+tallow.")
        printed = (torch.float32, torch.Size([2]), torch.strided, torch.FloatTensor)
        assert str(printed) == (
            "(torch.float32, torch.Size([2]), torch.strided, <class 'torch.FloatTensor'>)"
        )
        assert not torch.xpu.is_available() and torch.xpu.device_count() == 0
    """
    result = run("-c", textwrap.dedent(script))
    assert result.returncode == 0, result.stderr


def test_paths_of_pytorchs_modules():
    script = """
        import tallow
        from tallow.imitation import PATHS
        tallow.as_torch()
        from importlib import import_module
        import torchvision
        for path, ours in PATHS.items():
            name = path.replace("tallow", "torch", 1)
            assert import_module(name) is import_module(ours), name
        from torch.cuda.amp.grad_scaler import GradScaler
        from torch.utils.data._utils.collate import default_collate
    """
    pytest.importorskip("tallowvision")
    result = run("-c", textwrap.dedent(script))
    assert result.returncode == 0, result.stderr


def test_what_is_installed():
    script = """
        import tallow
        from importlib import metadata
        tallow.as_torch()
        assert metadata.version("torch").startswith("2."), metadata.version("torch")
        assert metadata.version("torchvision").startswith("0.")
        assert metadata.metadata("torch")["Name"] == "torch" and not metadata.files("torch")
        assert "torch" in {one.name for one in metadata.distributions()}
        assert metadata.version("numpy") and not metadata.requires("torch")
    """
    pytest.importorskip("tallowvision")
    result = run("-c", textwrap.dedent(script))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "line, message",
    [
        ("import torch.fx.unheard_of", "torch.fx.unheard_of: tallow has no module tallow.fx.un"),
        ("import torch.unheard_of.jit", "torch.unheard_of: tallow has no module tallow.un"),
        ("import torch; torch.unheard_of", "module 'tallow' has no attribute 'unheard_of'"),
        ("from torch import unheard_of", "cannot import name 'unheard_of' from 'torch'"),
    ],
)
def test_what_is_not_there_is_named(line, message, tmp_path):
    (tmp_path / "script.py").write_text(line)
    result = run("-m", "tallow", "run", "script.py", cwd=tmp_path)
    assert result.returncode == 1
    assert re.search(message, result.stderr)
    assert "docs/compatibility.md says" in result.stderr


@pytest.mark.parametrize(
    "arguments, message", [([], "usage:"), (["run"], "usage:"), (["run", "none.py"], "none.py")]
)
def test_usage(arguments, message, tmp_path):
    result = run("-m", "tallow", *arguments, cwd=tmp_path)
    assert result.returncode == 1 and message in result.stderr


def test_not_after_pytorch():
    pytest.importorskip("torch")
    result = run("-c", "import torch, tallow; tallow.as_torch()")
    assert "expected to be called before torch is imported" in result.stderr


def test_modules_of_layers_are_found_where_programs_look():
    script = """
        import tallow
        tallow.as_torch()
        import sys
        import torch.nn as nn
        assert sys.modules["torch.nn.init"] is nn.init
        from torch.distributed.tensor.placement_types import Shard
        from torch._dynamo._trace_wrapped_higher_order_op import TransformGetItemToIndex
    """
    result = run("-c", textwrap.dedent(script))
    assert result.returncode == 0, result.stderr
