"""Write uv.lock so that it names no package index: `python tools/lock.py [options of uv lock]`.

uv ties a lock to the address of the index it was made with. Here every file is named by its name
and hash alone, in the folder `wheels` that `make` fills from whatever index the machine has; uv
takes such a lock as current. Versions stay as they are locked unless `--upgrade` or
`--upgrade-package NAME` is given, or pyproject.toml asks for others.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def without_index(lock):
    """The text of a lock with the folder `wheels` in place of every index and address."""
    lock = re.sub(r'registry = "[^"]*"', 'registry = "wheels"', lock)
    return re.sub(r'url = "[^"]*/([^"/]+)"', r'path = "\1"', lock)


def main(options):
    uv = shutil.which("uv", path=f"{ROOT / '.tools/bin'}{os.pathsep}{os.environ['PATH']}")
    subprocess.run([uv, "lock", *options], cwd=ROOT, check=True)
    lock = ROOT / "uv.lock"
    lock.write_text(without_index(lock.read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])
