"""How long ``proctor --help`` and ``import proctor`` take, and what a bare interpreter takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import proctor": ["-c", "import proctor"],
    "proctor --help": ["-m", "proctor", "--help"],
    "proctor plugins": ["-m", "proctor", "plugins"],
    "proctor list": ["-m", "proctor", "list"],
}
RUNS = 9


def seconds(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> None:
    for label, arguments in COMMANDS.items():
        seconds(arguments)
        times = [seconds(arguments) for _ in range(RUNS)]
        print(
            f"{label:<16} median {statistics.median(times):.3f} s, "
            f"fastest {min(times):.3f} s, slowest {max(times):.3f} s of {RUNS}"
        )


if __name__ == "__main__":
    main()
