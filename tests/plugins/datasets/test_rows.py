import datetime
import json
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from proctor import DatasetError
from proctor_datasets.columns import fill_template
from proctor_datasets.inline import Inline


def ids(rows, **options):
    return [example.id for example in Inline(rows=rows, **options).examples()]


def test_a_row_with_the_usual_names_needs_no_mapping(one):
    example = one({"id": "x", "input": "Q", "target": "A", "metadata": {"subject": "art"}})
    assert (example.id, example.input, example.target) == ("x", "Q", "A")
    assert example.metadata == {"subject": "art"}
    assert example.choices is None


def test_columns_are_mapped(one):
    example = one(
        {"n": 7, "question": "Q", "gold": "A", "topic": "art", "input": "other"},
        id="n",
        input="question",
        target="gold",
        metadata=["topic"],
    )
    assert (example.id, example.input, example.target) == ("7", "Q", "A")
    assert example.metadata == {"topic": "art"}


def test_metadata_can_be_renamed_and_stays_json(one):
    row = {"input": "Q", "kind": "art", "day": datetime.date(2024, 1, 2), "list": (1, None)}
    example = one(row, metadata={"stratum": "kind", "when": "day", "all": "list"})
    assert example.metadata == {"stratum": "art", "when": "2024-01-02", "all": [1, None]}
    json.dumps(example.metadata)


def test_a_path_reaches_into_a_column(one):
    row = {"q": {"text": "Q"}, "answers": {"text": ["A", "B", "A"]}, "a.b": "whole name first"}
    example = one(row, input="q.text", target="answers.text", metadata=["a.b"])
    assert example.input == "Q"
    assert example.targets == ["A", "B"]
    assert example.metadata == {"a.b": "whole name first"}


@pytest.mark.parametrize("option", ["input", "target", "id", "choices"])
def test_a_missing_column_names_those_there_are(one, option):
    with pytest.raises(DatasetError) as caught:
        one({"input": "Q", "question": "Q", "answer": "A"}, **{option: "questoin"})
    message = str(caught.value)
    assert "row 1: no column 'questoin'" in message
    assert "did you mean 'question'" in message
    assert "input, question, answer" in message


def test_a_missing_metadata_column_is_an_error(one):
    with pytest.raises(DatasetError, match=r"no column 'subjct'.*did you mean 'subject'"):
        one({"input": "Q", "subject": "art"}, metadata=["subjct"])


def test_a_path_into_nothing_is_an_error(one):
    with pytest.raises(DatasetError, match=r"no column 'q\.txt'"):
        one({"q": {"text": "Q"}}, input="q.txt")


def test_a_row_without_input_says_how_to_map_it(one):
    with pytest.raises(DatasetError, match="'input' or 'template'; the row has: question, answer"):
        one({"question": "Q", "answer": "A"})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4, "4"),
        (4.0, "4"),
        (4.5, "4.5"),
        (-0.1, "-0.1"),
        (1e22, "1e+22"),
        (True, "true"),
        (False, "false"),
        (Decimal("2.50"), "2.50"),
        (Decimal("3.00"), "3"),
        (datetime.date(2024, 5, 3), "2024-05-03"),
        (datetime.datetime(2024, 5, 3, 1), "2024-05-03T01:00:00"),
        (" as it is ", " as it is "),
    ],
)
def test_values_are_written_as_people_write_them(one, value, text):
    assert one({"input": "Q", "target": value}).target == text
    assert one({"input": "Q", "target": [value, "x"]}).target == [text, "x"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": 1}, b"x", [None], [["x"]]])
def test_a_target_that_is_no_text_is_refused(one, value):
    with pytest.raises(DatasetError, match="column 'target'"):
        one({"input": "Q", "target": value})


def test_a_row_without_a_target_has_none(one):
    assert one({"input": "Q"}).targets == []
    assert one({"input": "Q", "gold": None}, target="gold").targets == []


@pytest.mark.parametrize("value", [None, "", "  ", [], {"a": 1}, "\ud800"])
def test_an_input_that_is_no_text_is_refused(one, value):
    with pytest.raises(DatasetError, match="column 'input'"):
        one({"input": value})


class TestTargetPattern:
    def test_the_first_group_of_the_last_match_is_the_target(self, one):
        row = {"input": "Q", "target": "#### 3 was wrong\n#### 1,200 \n"}
        assert one(row, target_pattern="#### (.+)").target == "1,200"

    def test_without_a_group_the_match_is(self, one):
        assert one({"input": "Q", "target": "a1 b22"}, target_pattern=r"\d+").target == "22"

    def test_a_row_without_a_match_is_an_error(self, one):
        with pytest.raises(DatasetError, match=r"row 1: target_pattern matches nothing.*'none'"):
            one({"input": "Q", "target": "none"}, target_pattern="#### (.+)")

    def test_a_wrong_pattern_is_refused_at_once(self):
        with pytest.raises(ValidationError, match="no regular expression"):
            Inline(rows=[{"input": "Q"}], target_pattern="(")

    @pytest.mark.parametrize("pattern", ["^(a|aa)+$", "^(a|a)*$"])
    def test_one_that_never_ends_has_a_deadline(self, one, pattern, monkeypatch):
        monkeypatch.setattr("proctor_datasets.targets.SECONDS", 0.05)
        with pytest.raises(DatasetError) as caught:
            one({"input": "Q", "target": "a" * 40 + "!"}, target_pattern=pattern)
        message = str(caught.value)
        assert message.startswith(f"row 1: target_pattern {pattern!r} takes more than 0.05 s")
        assert "column 'target'" in message
        assert "\n" not in message

    def test_other_threads_run_meanwhile(self):
        code = (
            "import os, threading, time\n"
            "from proctor_datasets import targets\n"
            "targets.SECONDS = 3600.0\n"
            "search = lambda: targets.cut_out('^(a|aa)+$', 'a' * 200 + '!', 'c', 'row 1')\n"
            "threading.Thread(target=search, daemon=True).start()\n"
            "time.sleep(0.1)\n"
            "os._exit(7)\n"
        )
        # where the search let no other thread run, this one would never come to its end
        assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 7


class TestJsonTargets:
    @pytest.mark.parametrize(
        ("text", "targets"),
        [
            ('["Rome", "Roma"]', ["Rome", "Roma"]),
            ('"Rome"', ["Rome"]),
            ("[1.10, 2, true]", ["1.10", "2", "true"]),
            ("7", ["7"]),
            ("null", []),
            ("[]", []),
        ],
    )
    def test_they_are_read_where_it_is_said(self, one, text, targets):
        row = {"input": "Q", "answers": text}
        assert one(row, target="answers", target_format="json").targets == targets
        assert one(row, target="answers").targets == [text]

    def test_values_that_are_no_text_stay(self, one):
        row = {"input": "Q", "target": ["a", '["b"]']}
        assert one(row, target_format="json").targets == ["a", '["b"]']

    @pytest.mark.parametrize("text", ["Rome", "['Rome']", "NaN", "[1", "[" * 100_000])
    def test_what_is_no_json_is_refused(self, one, text):
        with pytest.raises(DatasetError, match=r"row 1: column 'target' holds no JSON"):
            one({"input": "Q", "target": text}, target_format="json")

    def test_an_object_is_no_target(self, one):
        with pytest.raises(DatasetError, match="JSON object"):
            one({"input": "Q", "target": "{}"}, target_format="json")

    def test_it_excludes_a_pattern(self):
        with pytest.raises(ValidationError, match="keep one"):
            Inline(rows=[{"a": "x"}], target_format="json", target_pattern="x")


class TestTemplate:
    def test_columns_are_put_in(self, one):
        row = {"question": "Q", "n": 2.0, "deep": {"er": "D"}}
        example = one(row, template="Q: {question} ({ n }, {deep.er})\nA: {{}}")
        assert example.input == "Q: Q (2, D)\nA: {}"

    def test_braces_in_the_data_stay(self, one):
        row = {"a": "{b} {{x}}", "b": "B"}
        assert one(row, template="{a}{b}").input == "{b} {{x}}B"

    def test_an_unknown_column_names_near_ones(self, one):
        with pytest.raises(DatasetError, match=r"no column 'questio'.*did you mean 'question'"):
            one({"question": "Q"}, template="{questio}")

    @pytest.mark.parametrize("value", [None, ["x"], {"a": 1}])
    def test_what_is_no_text_is_refused(self, one, value):
        with pytest.raises(DatasetError, match="column 'a'"):
            one({"a": value}, template="{a}")

    @pytest.mark.parametrize("template", ["{a", "a}", "{}", "{ }", "{a}}", "{{a}"])
    def test_a_malformed_one_is_refused_at_once(self, template):
        with pytest.raises(ValidationError, match="template"):
            Inline(rows=[{"a": "x"}], template=template)

    def test_it_excludes_input(self):
        with pytest.raises(ValidationError, match="keep one"):
            Inline(rows=[{"a": "x"}], template="{a}", input="a")

    @given(st.text())
    def test_escaped_text_comes_out_as_it_was(self, text):
        escaped = text.replace("{", "{{").replace("}", "}}")
        assert fill_template(escaped + "{a}", {"a": text}, "here") == text + text


ROWS = [{"input": "a", "n": 1}, {"input": "b", "n": 2}, {"input": "a", "n": 1}]


class TestIds:
    def test_they_come_from_the_content(self):
        first, second, again = ids(ROWS)
        assert first != second
        assert again == f"{first}-2"
        assert len(first) == 16

    def test_they_do_not_depend_on_other_rows_or_the_order_of_columns(self):
        first, second, again = ids(ROWS)
        assert ids([{"input": "new"}, *ROWS])[1:] == [first, second, again]
        assert ids([{"n": 2, "input": "b"}]) == [second]

    def test_they_do_not_depend_on_the_mapping(self):
        assert ids(ROWS) == ids(ROWS, template="{input}!", metadata=["n"])

    def test_they_are_the_same_in_every_pass(self):
        dataset = Inline(rows=ROWS)
        assert [e.id for e in dataset.examples()] == [e.id for e in dataset.examples()]

    def test_any_difference_in_a_row_counts(self):
        rows = [{"input": "a", "n": n} for n in (1, 1.5, "1", None, True, [1], {"x": 1})]
        assert len(set(ids(rows))) == len(rows)

    def test_explicit_ones_are_kept_also_twice(self):
        rows = [{"id": "x", "input": "a"}, {"id": "x", "input": "b"}]
        assert ids(rows) == ["x", "x"]

    def test_rows_without_one_get_theirs_from_the_content(self):
        plain, named = ids([{"input": "a"}, {"id": 5, "input": "a"}])
        assert named == "5"
        assert ids([{"id": None, "input": "a"}]) != [plain, named]

    @pytest.mark.parametrize("value", [None, "", " "])
    def test_an_empty_one_is_refused_where_it_was_asked_for(self, one, value):
        with pytest.raises(DatasetError, match="column 'key' is empty"):
            one({"key": value, "input": "a"}, id="key")

    def test_content_without_a_json_form_needs_an_explicit_one(self, one):
        row = {"input": "a", "thing": object()}
        with pytest.raises(DatasetError, match=r"'thing' holds a object.*'id' column"):
            one(row)
        assert one({**row, "key": "k"}, id="key").id == "k"


class TestConversations:
    def test_messages_are_the_conversation(self, one):
        messages = [
            {"role": "system", "content": "S"},
            {"role": "user", "content": [{"type": "text", "text": "Q"}]},
        ]
        example = one({"chat": messages}, input="chat")
        assert example.input == messages
        assert example.messages == messages

    def test_keys_that_columnar_files_add_are_dropped(self, one):
        message = {"role": "user", "content": "Q", "name": None, "tool_calls": None}
        assert one({"input": [message]}).input == [{"role": "user", "content": "Q"}]
        part = {"type": "text", "text": "Q", "image": None}
        assert one({"input": [{"role": "user", "content": [part]}]}).input == [
            {"role": "user", "content": [{"type": "text", "text": "Q"}]}
        ]

    def test_tool_calls_are_read(self, one):
        call = {"id": "1", "function": {"name": "f", "arguments": "{}"}}
        messages = [
            {"role": "user", "content": "Q"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "content": "R", "tool_call_id": "1"},
        ]
        example = one({"input": messages})
        assert example.input[1]["tool_calls"][0].function.name == "f"
        assert example.input[1]["content"] == ""
        assert example.input[2]["tool_call_id"] == "1"

    @pytest.mark.parametrize(
        ("message", "complaint"),
        [
            ({"role": "user"}, r"input\[0\] has no content"),
            ({"role": None, "content": "Q"}, r"input\[0\] has no role"),
            ({"role": "user", "content": "Q", "text": "x"}, "unknown key 'text'"),
            ({"role": "user", "content": 5}, "is no text"),
            ({"role": "user", "content": [{"type": "image_url"}]}, "without a url"),
            ({"role": "user", "content": [{"type": "audio"}]}, "type 'audio'"),
            ({"role": "user", "content": [{"type": "text"}]}, "type 'text'"),
            ({"role": "user", "content": ["Q"]}, "type None"),
            ({"role": "user", "content": "", "tool_calls": [{"x": 1}]}, "malformed tool call"),
            ({"role": "assistant", "content": "A"}, "nothing to answer"),
        ],
    )
    def test_a_malformed_message_is_refused(self, one, message, complaint):
        with pytest.raises(DatasetError, match=complaint):
            one({"input": [message]})


def test_an_unknown_option_is_refused():
    with pytest.raises(ValidationError):
        Inline(rows=[{"input": "Q"}], inptu="x")


def test_no_rows_are_refused():
    with pytest.raises(ValidationError):
        Inline(rows=[])
