"""What the tests of proctor-inspect share."""

from __future__ import annotations

import pytest

from proctor.evaluators.context import Progress


class _Warnings(Progress):
    """Keeps what a person is told."""

    def __init__(self):
        self.said = []

    def warn(self, evaluator, message):
        self.said.append((evaluator, message))


@pytest.fixture
def progress():
    """What is told how an evaluation goes, and keeps the warnings."""
    return _Warnings()
