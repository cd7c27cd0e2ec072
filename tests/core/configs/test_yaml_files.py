"""What stands in a YAML file is read as a careful person would read it."""

import copy

import pytest
import yaml
from hypothesis import given, strategies as st
from pydantic import Field

from proctor import BooleanText, ConfigError, Dataset, Grader, as_written, load_config
from proctor.configs.yaml_file import read_yaml

WORDS = ["yes", "no", "NO", "On", "off", "y", "n", "None", "nan", "inf", "="]
NUMBERS_OF_OTHERS = [
    *["016", "01234", "08", "-07", "0o7", "0x1F", "0b11", "1_000", "1_0.5", "12:30", "1:02:03.5"],
    *["00.5", "012.5", "1e999", "9" * 400, "1.2.3"],
]
DATES = ["2024-05-03", "2024-05-03 10:00:00", "2024-05-03T10:00:00Z"]


@pytest.fixture
def read(tmp_path):
    def run(text):
        file = tmp_path / "evals.yaml"
        file.write_text(text, "utf-8")
        return read_yaml(file).content

    return run


@pytest.mark.parametrize("text", [*WORDS, *NUMBERS_OF_OTHERS, *DATES])
def test_what_is_text_stays_text(read, text):
    raw = read(f"a: {text}\nb: [{text}, x]\n{text}: c\n'd': '{text}'\n")
    assert raw == {"a": text, "b": [text, "x"], text: "c", "d": text}
    assert as_written(raw) == raw
    assert type(as_written(raw)["a"]) is str


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("0", 0), ("10", 10), ("-3", -3), ("+5", 5), ("0.5", 0.5), (".5", 0.5), ("5.", 5.0)],
        *[("1.10", 1.1), ("1e3", 1000.0), ("1E-3", 0.001), ("-.inf", float("-inf"))],
        *[("true", True), ("False", False), ("TRUE", True), ("null", None), ("", None)],
    ],
)
def test_options_get_numbers_and_booleans(read, text, value):
    raw = read(f"a: {text}\n")
    assert raw == {"a": value}
    assert type(raw["a"]) is type(value)


@pytest.mark.parametrize("text", ["+5", "-0", ".5", "5.", "4.0", "1.10", "1e3", "1e-05x", ".inf"])
def test_data_gets_the_written_text(read, text):
    raw = read(f"rows: [{{a: {text}, b: {{c: [{text}]}}}}]\n")
    assert as_written(raw) == {"rows": [{"a": text, "b": {"c": [text]}}]}


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("-1", -1), ("0.5", 0.5), ("true", True)])
def test_plain_numbers_and_booleans_are_what_they_are_in_data_too(read, text, value):
    assert as_written(read(f"a: {text}\n")) == {"a": value}


def test_a_boolean_in_data_is_the_text_and_the_boolean(read):
    flags = as_written(read("a: [True, FALSE]\n"))["a"]
    assert flags == ["True", "FALSE"]
    assert all(isinstance(flag, BooleanText) for flag in flags)
    assert [flag.truth for flag in copy.deepcopy(flags)] == [True, False]


@given(st.text(st.characters(categories=["Ll", "Lu", "Nd"], max_codepoint=127), min_size=1))
def test_a_word_in_data_is_never_another_text(tmp_path_factory, word):
    file = tmp_path_factory.mktemp("words") / "a.yaml"
    file.write_text(f"a: {word}\nb: [{word}]\n", "utf-8")
    if word.lower() == "null" and word in ("null", "Null", "NULL"):
        return
    data = as_written(read_yaml(file).content)
    shown = {True: "true", False: "false"}
    for value in (data["a"], data["b"][0]):
        assert (shown[value] if isinstance(value, bool) else str(value)) == word


@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers()))
def test_an_option_is_the_number_that_was_written(tmp_path_factory, number):
    file = tmp_path_factory.mktemp("numbers") / "a.yaml"
    file.write_text(f"a: {number!r}\n", "utf-8")
    assert read_yaml(file).content == {"a": number}
    text = as_written(read_yaml(file).content)["a"]
    assert str(text) == repr(number)


def test_data_from_python_stays_as_it_is():
    rows = [{"a": True, "b": [1.10, "no", None]}]
    assert as_written(rows) == rows


def test_merged_mappings_know_how_they_were_written(read):
    raw = read("base: &base {v: 1.10, w: 2.50}\nrow:\n  <<: *base\n  w: x\n")
    assert as_written(raw)["row"] == {"v": "1.10", "w": "x"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: ~\n", ":2:4: no YAML: '~' may be text or nothing"),
        ("a: [int, null]\n", ":1:10: no YAML: an item of a list is empty"),
        ("a:\n- x\n-\n", ":3:2: no YAML: an item of a list is empty"),
        ("a: !!python/object/apply:os.getcwd []\n", ":1:4: no YAML: the tag"),
        ("a: !!timestamp 2024-05-03\n", ":1:4: no YAML: the tag"),
        ("a: !!binary aGk=\n", ":1:4: no YAML: the tag"),
        ("a: !!int 016\n", ":1:4: no YAML: '016' is not what its tag says"),
        ("a: !!map [1]\n", ":1:4: no YAML: the tag"),
        ("a: 1\n? [1]\n: b\n", ":2:3: no YAML: a key is text"),
        ("a: 1\nb: 2\na: 3\n", ":3: the key 'a' stands twice"),
        ("a: &a [*a]\n", ":1:4: no YAML: an alias stands within"),
        ("a: " + "[" * 5000 + "\n", "nested too deeply"),
        ("- a\n", "a config is a mapping"),
        ("", "a config is a mapping"),
    ],
)
def test_what_can_not_be_read_for_sure_is_refused(read, text, message):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_aliases_does_not_fill_the_memory(read):
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(ConfigError, match="aliases repeat more than 100000 values"):
        read("a0: &a0 [lol]\n" + "\n".join(levels) + "\n")


def test_aliases_are_read(read):
    assert read("a: &a [1, x]\nb: *a\n") == {"a": [1, "x"], "b": [1, "x"]}


@given(
    st.recursive(
        st.one_of(st.text(max_size=5), st.integers(), st.booleans()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(max_size=5), inner)),
        max_leaves=8,
    )
)
def test_what_a_program_writes_is_read_as_it_was(tmp_path_factory, value):
    file = tmp_path_factory.mktemp("dumped") / "a.yaml"
    file.write_text(yaml.safe_dump({"value": value}), "utf-8")
    assert read_yaml(file).content == {"value": value}


class Options(Grader):
    """A grader with an option of each kind."""

    number: int = 0
    share: float = 0.5
    flag: bool = False
    text: str = ""
    words: tuple[str, ...] = ()
    anything: dict[str, object] = Field(default_factory=dict)

    def grade(self, example, sample) -> bool:
        return True


class Nothing(Dataset):
    """No rows."""

    def examples(self):
        return iter(())


@pytest.fixture
def load(tmp_path):
    """The grader that a line of YAML configures."""

    def run(line):
        here = f"{__file__}"
        file = tmp_path / "evals.yaml"
        file.write_text(
            f"evaluators:\n- name: e\n  dataset: '{here}:Nothing'\n  graders:\n"
            f"  - type: '{here}:Options'\n    {line}\n",
            "utf-8",
        )
        return load_config(file).evaluators[0].evaluator.graders[0]

    return run


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("number: true", "number: expected a number, not true"),
        ("share: False", "share: expected a number, not false"),
        ("number: 010", "number: expected a number, not '010'"),
        ("number: '010'", "number: expected a number, not '010'"),
        ("number: 1_000", "number: expected a number, not '1_000'"),
        ("share: 01.5", "share: expected a number, not '01.5'"),
        ("number: 0x10", "not '0x10'"),
        ("number: 12:30", "not '12:30'"),
        ("text: 42", "not 42; put it in quotes"),
        ("text: true", "not True; put it in quotes"),
        ("words: [a, 1.10]", "not 1.1; put it in quotes"),
        ("anything: {thinking: off}", "anything.thinking: 'off' may be text or not; put it in"),
        ("anything: {a: [{b: 016}]}", "anything.a[0].b: '016' may be text or not"),
    ],
)
def test_an_option_that_may_mean_something_else_is_refused_with_its_line(load, line, message):
    with pytest.raises(ConfigError) as caught:
        load(line)
    assert message in str(caught.value)
    assert "evals.yaml:6: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_options_of_a_run_are_held_to_the_same(tmp_path):
    for text in ("true", "010"):
        file = tmp_path / "evals.yaml"
        file.write_text(f"sampling:\n  max_tokens: {text}\nevaluators: [e]\n", "utf-8")
        with pytest.raises(ConfigError, match=r"evals\.yaml:2: .*max_tokens: expected a number"):
            load_config(file)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("number: 10", "number", 10),
        ("number: '10'", "number", 10),
        ("share: 1e-3", "share", 0.001),
        ("share: 1", "share", 1.0),
        ("flag: True", "flag", True),
        ("flag: no", "flag", False),
        ("flag: on", "flag", True),
        ("text: 016", "text", "016"),
        ("text: NO", "text", "NO"),
        ("text: 12:30", "text", "12:30"),
        ("words: [yes, no, 2024-05-03]", "words", ("yes", "no", "2024-05-03")),
        ("anything: {a: true, b: 2, c: 2024-05-03}", "anything", None),
        ("anything: {a: 'off'}", "anything", {"a": "off"}),
    ],
)
def test_an_option_is_read_as_its_type_says(load, line, name, value):
    read = getattr(load(line), name)
    assert read == ({"a": True, "b": 2, "c": "2024-05-03"} if value is None else value)
    assert value is None or type(read) is type(value)
