import pytest

import proctor_math
from proctor import Dataset, Example, Grader, load_config
from proctor_math.grader import Math


class Names:
    def __init__(self):
        self.targets = {}

    def grader(self, name, target):
        self.targets[name] = target


def test_the_grader_has_its_name_as_a_string():
    names = Names()
    proctor_math.proctor_register(names)
    assert names.targets == {"math": "proctor_math.grader:Math"}


class OneRow(Dataset):
    """A row with a formula as its target."""

    def examples(self):
        yield Example(id="row", input="?", target="x^2")


@pytest.mark.parametrize("spec", ["math", {"type": "math", "most_characters": 1000}])
def test_a_config_needs_the_name_alone(spec):
    config = load_config({"evaluators": [{"name": "e", "dataset": OneRow(), "graders": [spec]}]})
    (made,) = config.evaluators[0].evaluator.graders
    assert isinstance(made, Math)
    assert isinstance(made, Grader)
    assert made.is_proportion


def test_every_option_has_its_help():
    assert [name for name, field in Math.model_fields.items() if not field.description] == []
