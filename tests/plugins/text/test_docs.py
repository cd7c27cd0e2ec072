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


@pytest.mark.parametrize(
    "row",
    [
        line.split("|")[1:3]
        for line in PAGE.split("## number")[1].split("## choice")[0].splitlines()
        if line.startswith("| `10-3`")
    ],
)
def test_the_signs_in_the_table_are_read_as_it_says(row):
    from proctor_text.numerals import final_numeral

    texts = re.findall(r"`([^`]+)`", row[0])
    expected = re.match(r" ([\d, ]+):", row[1])[1].split(", ")
    assert [str(final_numeral(text)[0].value) for text in texts] == expected
