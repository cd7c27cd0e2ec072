"""The page on datasets, held against the code."""

import re
from pathlib import Path

import pytest
import yaml

from proctor import Dataset, Example, Grader, load_config
from proctor_datasets.huggingface import HuggingFace
from proctor_datasets.inline import Inline
from proctor_datasets.jsonl import Jsonl
from proctor_datasets.parquet import Parquet
from proctor_datasets.table import Csv

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "datasets.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SAMPLES = [part for block in BLOCKS for part in re.split(r"(?m)^(?=dataset:)", block) if part]


class Accept(Grader):
    """Accepts every answer."""

    def grade(self, example: Example, sample) -> bool:
        return True


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sample_is_a_valid_dataset(sample):
    spec = {"name": "e", "graders": [Accept()], **yaml.safe_load(sample)}
    evaluator = load_config({"evaluators": [spec]}).evaluators[0].evaluator
    assert isinstance(evaluator.dataset, Dataset)


def test_there_are_samples():
    assert len(SAMPLES) >= 5


@pytest.mark.parametrize("dataset", [Inline, Jsonl, Csv, Parquet, HuggingFace])
def test_every_option_is_on_the_page_and_has_its_help(dataset):
    for name, field in dataset.model_fields.items():
        assert f"`{name}`" in PAGE, name
        assert field.description, name
