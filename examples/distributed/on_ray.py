"""Run a program in several processes on the machines of a Ray cluster, without ssh.

    pip install 'tallow[mpi,ray]'
    python examples/distributed/on_ray.py -n 4 examples/distributed/train.py --epochs 5

Ray starts MPICH's proxies, one on each machine, and mpiexec does the rest: ranks, output, and the
end of all where one fails. Every machine needs the program and the environment at the same paths.
Without a cluster (`ray start --head`, `ray start --address=...`) one is started on this machine.
"""

import argparse
import subprocess
import sys
import tempfile

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-n", "--processes", type=int, default=2, help="on all machines together")
    parser.add_argument(
        "--address", help="of the Ray cluster: without, one that runs here, or none"
    )
    parser.add_argument("program", nargs=argparse.REMAINDER, help="a script and its arguments")
    return parser.parse_args()


def machines(processes):
    """[(id, address, processes)] of the cluster's nodes, each with at most its number of CPUs."""
    chosen = []
    for node in sorted((n for n in ray.nodes() if n["Alive"]), key=lambda n: n["NodeID"]):
        share = min(int(node["Resources"].get("CPU", 0)), processes - sum(s for *_, s in chosen))
        if share > 0:
            chosen.append((node["NodeID"], node["NodeManagerAddress"], share))
    found = sum(share for *_, share in chosen)
    if found < processes:
        raise SystemExit(f"expected CPUs for {processes} processes, got {found} in the cluster")
    return chosen


@ray.remote(num_cpus=0)
def run(command):
    """A proxy of mpiexec, which starts this machine's processes; returns its exit status."""
    return subprocess.call(command, shell=True)


def main():
    options = parse_arguments()
    ray.init(address=options.address, log_to_driver=False)
    nodes = machines(options.processes)
    with tempfile.NamedTemporaryFile("w", suffix=".hosts") as hosts:
        hosts.writelines(f"{address}:{share}\n" for _, address, share in nodes)
        hosts.flush()
        job = subprocess.Popen(
            [sys.executable, "-m", "tallow.distributed.run", "-n", str(options.processes),
             "--hosts", hosts.name, "--mpiexec=-launcher manual", *options.program],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        proxies = []
        for line in job.stdout:
            if line.startswith("HYDRA_LAUNCH: "):
                node, address, _ = nodes[len(proxies)]
                where = NodeAffinitySchedulingStrategy(node, soft=False)
                command = line.removeprefix("HYDRA_LAUNCH: ")
                proxies.append(run.options(scheduling_strategy=where).remote(command))
            elif not line.startswith("HYDRA_LAUNCH_END"):
                print(line, end="", flush=True)
        raise SystemExit(job.wait())


if __name__ == "__main__":
    main()
