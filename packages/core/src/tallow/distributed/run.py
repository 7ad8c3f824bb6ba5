"""Start a program in several processes: `python -m tallow.distributed.run -n 4 train.py ...`.

This is `mpiexec` with PyTorch's environment variables (RANK, LOCAL_RANK, WORLD_SIZE, ...) set and
the cores shared out among the processes of a machine, so that programs written for torchrun run.
`--hosts FILE` and what `--mpiexec="..."` says go to mpiexec: several machines are its work. An
exception, a failing exit or a signal in one process ends all of them, and its rank is named.
"""

import argparse
import os
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

RANKS = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")  # MPICH's, PMIx's, Open MPI's
PATIENCE = 0.3  # seconds that mpiexec is given to pass output on, or to end all processes


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m tallow.distributed.run", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "-n", "--nproc-per-node", "--nproc_per_node", type=int, default=1, metavar="N",
        help="processes to start: on this machine, or with --hosts in all",
    )  # fmt: skip
    parser.add_argument("--hosts", type=Path, help="a file that names a machine a line")
    parser.add_argument("--mpiexec", default="", help='further options: --mpiexec="-l"')
    parser.add_argument("--standalone", action="store_true", help="as for torchrun: nothing to do")
    parser.add_argument("-m", dest="module", action="store_true", help="script is a module's name")
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args(arguments)


def find_mpiexec():
    """The path of mpiexec: the environment's own, or one on the PATH."""
    beside = Path(sys.executable).with_name("mpiexec")
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None:
        raise SystemExit(
            "tallow.distributed.run: expected mpiexec, got none; pip install 'tallow[mpi]'"
        )
    return found


def start(options):
    """Run mpiexec, each of whose processes comes back here to `watch`; returns its exit status."""
    command = [find_mpiexec(), "-n", str(options.nproc_per_node)]
    if options.hosts is not None:
        command += ["--hostfile", str(options.hosts)]
    command += shlex.split(options.mpiexec)
    command += [sys.executable, "-m", "tallow.distributed.run", "--watch"]
    command += ["-m"] * options.module + [options.script, *options.arguments]
    return subprocess.call(command)


def watch(arguments):
    """Let a process of its own `work`, so that this one is left to say how that failed."""
    command = [sys.executable, "-m", "tallow.distributed.run", "--work", *arguments]
    status = subprocess.call(command, close_fds=False)  # mpiexec's sockets are inherited
    if status:
        time.sleep(PATIENCE)  # no word where mpiexec is ending all processes, this one too
        rank = next((os.environ[name] for name in RANKS if name in os.environ), "unknown")
        killer = signal.Signals(-status) if status < 0 else None
        told = f"killed by {killer.name}" if killer else f"ended with exit status {status}"
        sys.stderr.write(f"[rank {rank}] {told}\n")
        sys.stderr.flush()
        time.sleep(PATIENCE)
        # By a signal: an exit status on another machine makes mpiexec wait for the other processes.
        os.kill(os.getpid(), killer or signal.SIGTERM)
    return status


def work(options):
    """Run the script in this process as one of those that mpiexec has started."""
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    local = comm.Split_type(MPI.COMM_TYPE_SHARED)
    address = comm.bcast(os.uname().nodename if hasattr(os, "uname") else "localhost")
    os.environ |= {
        "RANK": str(comm.rank), "WORLD_SIZE": str(comm.size),
        "LOCAL_RANK": str(local.rank), "LOCAL_WORLD_SIZE": str(local.size),
        "MASTER_ADDR": os.environ.get("MASTER_ADDR", address),
        "MASTER_PORT": os.environ.get("MASTER_PORT", "29500"),
    }  # fmt: skip
    if local.size > 1 and "OMP_NUM_THREADS" not in os.environ:
        os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // local.size))
    sys.argv = [options.script, *options.arguments]
    try:
        if options.module:
            runpy.run_module(options.script, run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = str(Path(options.script).parent)
            runpy.run_path(options.script, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            told = end.code if isinstance(end.code, str) else f"exit status {end.code}"
            _end_all(comm, f"{told}\n")
    except BaseException:
        _end_all(comm, traceback.format_exc())


def _end_all(comm, text):
    """Print why, with the rank before each line, and end all processes."""
    sys.stdout.flush()
    sys.stderr.write("".join(f"[rank {comm.rank}] {line}\n" for line in text.splitlines()))
    sys.stderr.flush()
    time.sleep(PATIENCE)  # mpiexec drops what it has not passed on by the end
    comm.Abort(1)


def main(arguments):
    match arguments:
        case ["--watch", *rest]:
            return watch(rest)
        case ["--work", *rest]:
            return work(parse_arguments(rest))
    return start(parse_arguments(arguments))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
