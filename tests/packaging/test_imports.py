"""What importing tallow imports, and what it leaves for later."""

import subprocess
import sys

LATER = "PIL cupy soundfile tokenizers torch tallow.nn tallow.optim tallow.distributions".split()


def test_importing_tallow_imports_little():
    program = f"import sys, tallow; print([name for name in {LATER} if name in sys.modules])"
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
