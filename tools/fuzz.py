"""Load mutated files for as long as you like, guided by the code that they reach.

    python tools/fuzz.py zip -max_total_time=60       or program, legacy, npz, safetensors

What follows the format is libFuzzer's. A file that raises anything but CheckpointError ends the run
and is left in the working directory; it belongs into tests/core/serialization/found. Takes the
package atheris.
"""

import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tallow.serialization", "zipfile"]):
    import tallow  # noqa: F401

TESTS = Path(__file__).parents[1] / "tests" / "core" / "serialization" / "test_fuzz.py"


def main():
    spec = spec_from_file_location("test_fuzz", TESTS)
    tests = module_from_spec(spec)
    spec.loader.exec_module(tests)
    if len(sys.argv) < 2 or sys.argv[1] not in tests.FORMATS:
        sys.exit(f"expected one of {', '.join(tests.FORMATS)} first")
    good, wrapped = tests.FORMATS[sys.argv[1]]
    with tempfile.TemporaryDirectory() as corpus:
        Path(corpus, "good").write_bytes(good())
        arguments = [sys.argv[0], *sys.argv[2:], corpus]
        atheris.Setup(arguments, lambda data: tests.refused(wrapped(data)) and None)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
