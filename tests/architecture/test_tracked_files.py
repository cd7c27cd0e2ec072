"""Nothing of one machine, and no package registry, stands in the checkout."""

from __future__ import annotations

import re

import pytest

MACHINE = re.compile(
    r"(?<![\w.~}/-])/(?:work|root|opt|(?:home|Users)/\w+)/\w"
    r"|pypi\.org/simple|files\.pythonhosted\.|--(?:extra-)?index-url",
)


def test_tracked_files_name_no_machine_and_no_registry(root, tracked_files):
    assert root / "dev.py" in tracked_files
    offences = []
    for file in tracked_files:
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        offences += [
            f"{file.relative_to(root)}:{number}: {line.strip()}"
            for number, line in enumerate(text.splitlines(), 1)
            if MACHINE.search(line)
        ]
    assert offences == []


@pytest.mark.parametrize("folder", ["/work", "/root", "/home/ann", "/Users/ann", "/opt"])
def test_machine_paths_are_recognised(folder):
    assert MACHINE.search(f'open("{folder}/' + 'x.yaml")')


@pytest.mark.parametrize("text", ["https://example.org/work/x", "frame/work/x", "a/opt/b"])
def test_other_paths_are_not(text):
    assert not MACHINE.search(text)
