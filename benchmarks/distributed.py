"""How long a data-parallel step takes with more processes, each with a batch of the same size.

    python benchmarks/distributed.py [--processes 2]

A ResNet-20 on batches of 32 pictures, one thread a process: the median step of one process, then of
several, which also sum their gradients. A ratio of 1 says that the sums are hidden behind backward.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time


def step_times(steps=30):
    """Seconds of each training step in this process."""
    import tallow
    from tallow import nn, optim
    from tallow.nn.parallel import DistributedDataParallel
    from tallowvision.models import resnet20

    tallow.set_num_threads(1)
    model = DistributedDataParallel(resnet20(), bucket_cap_mb=0.25)
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images, labels = tallow.randn(32, 3, 32, 32), tallow.randint(10, (32,))
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return times[5:]


def measure(processes):
    command = [sys.executable, "-m", "tallow.distributed.run", "-n", str(processes), __file__]
    done = subprocess.run(
        [*command, "--worker"], capture_output=True, text=True, check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        from tallow import distributed

        distributed.init_process_group()
        median = statistics.median(step_times())
        if distributed.get_rank() == 0:
            print(median)
        distributed.destroy_process_group()
        return
    one, several = measure(1), measure(options.processes)
    print(f"1 process: {one * 1e3:.1f} ms a step; {options.processes} processes: ", end="")
    print(f"{several * 1e3:.1f} ms, ratio {several / one:.2f}")


if __name__ == "__main__":
    main()
