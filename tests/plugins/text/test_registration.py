import pytest

import proctor_text
from proctor import ConfigError, Grader, load_config

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


def config_with(grader):
    rows = [{"input": "?", "target": "4"}]
    return {
        "evaluators": [
            {"name": "e", "dataset": {"type": "inline", "rows": rows}, "graders": [grader]}
        ]
    }


@pytest.mark.parametrize("name", sorted(NAMES - {"regex"}))
def test_a_config_needs_the_name_alone(name):
    evaluator = load_config(config_with(name)).evaluators[0].evaluator
    assert isinstance(evaluator.graders[0], Grader)


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
        load_config(config_with(options))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_option_has_its_help():
    evaluators = [
        load_config(config_with(name)).evaluators[0] for name in sorted(NAMES - {"regex"})
    ]
    graders = [type(entry.evaluator.graders[0]) for entry in evaluators]
    graders.append(
        type(
            load_config(config_with({"type": "regex", "pattern": "a"}))
            .evaluators[0]
            .evaluator.graders[0]
        )
    )
    for grader in graders:
        assert all(field.description for field in grader.model_fields.values()), grader
