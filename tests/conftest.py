"""Fixtures that the suites of several distributions share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def smollm2_folder() -> Path:
    """The real model that tests run: SmolLM2-135M-Instruct, as a folder that transformers loads.

    The first session on a machine converts it into the user's cache, in about 15 seconds.
    """
    from proctor_local.model_files import DEFAULT_MODEL, find_model

    return find_model(DEFAULT_MODEL).folder
