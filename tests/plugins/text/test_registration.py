import pytest

import proctor_text
from proctor import ConfigError, Dataset, Example, Grader, load_config

NAMES = {"substring", "exact", "regex", "number", "choice", "f1"}


class Names:
    def __init__(self):
        self.targets = {}

    def grader(self, name, target):
        self.targets[name] = target


def test_every_grader_has_its_name():
    names = Names()
    proctor_text.proctor_register(names)
    assert set(names.targets) == NAMES
    assert all(isinstance(target, str) for target in names.targets.values())


class OneRow(Dataset):
    """A row with a number as its target."""

    def examples(self):
        yield Example(id="row", input="?", target="4")


def grader_of(spec) -> Grader:
    """The grader that a config's spec composes."""
    config = load_config({"evaluators": [{"name": "e", "dataset": OneRow(), "graders": [spec]}]})
    (made,) = config.evaluators[0].evaluator.graders
    return made


@pytest.mark.parametrize("name", sorted(NAMES - {"regex"}))
def test_a_config_needs_the_name_alone(name):
    assert isinstance(grader_of(name), Grader)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"type": "regex"}, "'pattern'"),
        ({"type": "regex", "pattern": "(a"}, "no regular expression: missing )"),
        ({"type": "regex", "pattern": "a", "group": 3}, "no group 3"),
        ({"type": "exact", "ignore_cases": True}, "did you mean 'ignore_case'"),
        ({"type": "number", "abs_tol": "wide"}, "abs_tol"),
    ],
)
def test_a_wrong_option_is_one_line(options, message):
    with pytest.raises(ConfigError) as caught:
        grader_of(options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", [*sorted(NAMES - {"regex"}), {"type": "regex", "pattern": "a"}])
def test_every_option_has_its_help(spec):
    fields = type(grader_of(spec)).model_fields
    assert [name for name, field in fields.items() if not field.description] == []
