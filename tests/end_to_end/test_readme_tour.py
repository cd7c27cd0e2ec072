"""The README's tour, run from its own text in a copy of the checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def tour_script(readme: str) -> str:
    """The tour as one shell script: files are written, commands run, in the order of the text."""
    tour = readme[readme.index("\n## Tour\n") : readme.index("\n## What a score says\n")]
    lines = ["set -euo pipefail"]
    for language, file, body in BLOCK.findall(tour):
        if file:
            lines.append(f"cat > {file} <<'END_OF_FILE'\n{body}END_OF_FILE")
        elif language == "bash":
            lines.append(body)
    return "\n".join(lines)


def test_the_tour(tmp_path: Path) -> None:
    checkout = tmp_path / "proctor"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in tracked.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            target = checkout / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    script = tour_script((ROOT / "README.md").read_text(encoding="utf-8"))
    for command in ("python dev.py demo", "proctor lint", "proctor show", "python capitals.py"):
        assert command in script
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "VIRTUAL"))}
    done = subprocess.run(
        ["bash", "-c", script.replace("python dev.py", "python3 dev.py")],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "capitals/substring  0.667 [" in done.stdout
    assert re.search(r"^facts/substring +\d\.\d+ \[", done.stdout, re.MULTILINE)
    scores = json.loads((checkout / "my-evals" / "scores.json").read_text())
    assert {"facts/substring/score", "facts/brief/score"} <= scores["metrics"].keys()
    last = done.stdout.strip().splitlines()[-1]
    assert "'capitals/names_it/score': 1.0" in last
