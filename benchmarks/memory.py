"""Peak resident memory of training ResNet-20, of tallow and of PyTorch, each in a fresh process.

    python benchmarks/memory.py
    python benchmarks/memory.py --module tallow     in this process alone: its peak in MiB

The step is that of the case "ResNet-20, 32 x 32, batch 32" of run.py.
"""

import argparse
import resource
import subprocess
import sys
from importlib import import_module

import models

STEPS = 5


def peak(module):
    """The peak after some steps, and after the imports alone, in MiB."""
    torch = import_module(module)
    import_module(f"{module}.nn")
    import_module(f"{module}.optim")
    before = resident()
    run = models.resnet20_step(torch)
    for _ in range(STEPS):
        run()
    return resident(), before


def resident():
    """The peak so far, in MiB; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--module", choices=("tallow", "torch"))
    options = parser.parse_args()
    if options.module:
        print(*peak(options.module))
        return
    print(f"| | imported | after {STEPS} steps |\n|---|---:|---:|")
    for module in ("tallow", "torch"):
        command = [sys.executable, __file__, "--module", module]
        after, before = map(float, subprocess.check_output(command, text=True).split())
        print(f"| {module} | {before:.0f} MiB | {after:.0f} MiB |")


if __name__ == "__main__":
    main()
