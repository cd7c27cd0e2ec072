"""The page on graders, held against the code."""

import re
from pathlib import Path

import pytest
import yaml

from proctor import Dataset, Example, load_config
from proctor_text.choice import Choice
from proctor_text.exact import Exact
from proctor_text.number import Number
from proctor_text.pattern import Regex
from proctor_text.substring import Substring

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "graders.md").read_text("utf-8")
SAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


class OneRow(Dataset):
    """A row."""

    def examples(self):
        yield Example(id="row", input="?", target="4")


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sample_is_a_list_of_valid_graders(sample):
    specs = yaml.safe_load(sample)
    for spec in specs:
        load_config({"evaluators": [{"name": "e", "dataset": OneRow(), "graders": [spec]}]})
    assert specs


def test_there_are_samples():
    assert SAMPLES


@pytest.mark.parametrize("grader", [Choice, Exact, Number, Regex, Substring])
def test_every_option_is_on_the_page(grader):
    assert [name for name in grader.model_fields if name not in PAGE] == []
