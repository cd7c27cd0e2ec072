import gzip
import hashlib
import json
import tracemalloc
from itertools import islice

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st
from pyarrow import parquet
from pydantic import ValidationError

from proctor import DatasetError
from proctor_datasets.jsonl import Jsonl
from proctor_datasets.parquet import Parquet
from proctor_datasets.table import Csv


def inputs(dataset):
    return [example.input for example in dataset.examples()]


class TestJsonl:
    def test_rows_are_read_again_and_again(self, write):
        dataset = Jsonl(path=write("a.jsonl", '{"input": "a"}\n{"input": "b"}'))
        assert inputs(dataset) == inputs(dataset) == ["a", "b"]

    def test_what_editors_do_to_files_is_no_matter(self, write):
        content = '\ufeff{"input": "é\u2028x"}\r\n\r\n   \n{"input": "b"}\r\n'
        assert inputs(Jsonl(path=write("a.jsonl", content))) == ["é\u2028x", "b"]

    def test_gzip_is_known_by_its_content(self, write):
        path = write("a.data", gzip.compress(b'{"input": "a"}\n'))
        assert inputs(Jsonl(path=path)) == ["a"]

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            (b'{"input": }', "no JSON: Expecting value at column 11"),
            (b'{"input": "a"} x', "no JSON: Extra data"),
            (b'["a"]', "a JSON list, and not an object"),
            (b"null", "a JSON NoneType"),
            (b'{"input": "a", "n": NaN}', "NaN is no value of JSON"),
            (b'{"input": "a", "n": -Infinity}', "-Infinity is no value of JSON"),
            (b'{"input": "a", "input": "b"}', "the key 'input' stands twice"),
            (b'{"input": "\xe9"}', "no UTF-8: byte 0xe9"),
            (b"[" * 100_000, "JSON that is nested"),
            (b'{"question": "a"}', "no column 'input'"),
        ],
    )
    def test_a_bad_line_is_named(self, write, line, complaint):
        path = write("a.jsonl", b'{"input": "a"}\n\n' + line + b'\n{"input": "c"}\n')
        rows = Jsonl(path=path).examples()
        assert next(rows).input == "a"
        with pytest.raises(DatasetError) as caught:
            next(rows)
        assert str(caught.value).startswith(f"{path}:3: {complaint}")
        assert "\n" not in str(caught.value)

    def test_a_damaged_archive_is_named(self, write):
        whole = gzip.compress(b'{"input": "a"}\n' * 1000)
        with pytest.raises(DatasetError, match=r"a\.gz: damaged gzip"):
            inputs(Jsonl(path=write("a.gz", whole[:-9])))

    @pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
    def test_a_file_without_rows_is_an_error(self, write, content):
        with pytest.raises(DatasetError, match=r"a\.jsonl has no rows"):
            inputs(Jsonl(path=write("a.jsonl", content)))

    def test_rows_are_read_one_at_a_time(self, write):
        line = json.dumps({"input": "x" * 1000})
        path = write("a.jsonl", (line + "\n") * 5_000 + "not JSON\n")
        tracemalloc.start()
        try:
            rows = Jsonl(path=path).examples()
            assert sum(1 for _ in islice(rows, 5_000)) == 5_000
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()
        with pytest.raises(DatasetError, match=":5001: no JSON"):
            next(rows)


class TestFiles:
    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(DatasetError, match=r"no file .*gone\.jsonl"):
            inputs(Jsonl(path=tmp_path / "gone.jsonl"))

    def test_a_folder_is_no_file(self, tmp_path):
        with pytest.raises(DatasetError, match="is a folder"):
            inputs(Jsonl(path=tmp_path))

    def test_wildcards_take_several_in_order(self, write):
        write("b.jsonl", '{"input": "2"}')
        write("a.jsonl", '{"input": "1"}')
        path = write("c.txt", "no JSON").parent / "*.jsonl"
        assert inputs(Jsonl(path=path)) == ["1", "2"]
        with pytest.raises(DatasetError, match="no file"):
            inputs(Jsonl(path=path.with_name("x*.jsonl")))

    def test_a_name_that_looks_like_a_wildcard_is_a_name(self, write):
        write("a1.jsonl", '{"input": "wrong"}')
        assert inputs(Jsonl(path=write("a[1].jsonl", '{"input": "a"}'))) == ["a"]

    def test_duplicates_are_counted_across_files(self, write):
        write("a.jsonl", '{"input": "1"}')
        path = write("b.jsonl", '{"input": "1"}').with_name("*.jsonl")
        first, second = (example.id for example in Jsonl(path=path).examples())
        assert second == f"{first}-2"

    def test_provenance_is_each_file_with_its_digest(self, write):
        first = write("a.jsonl", '{"input": "1"}')
        second = write("b.jsonl", "anything")
        assert Jsonl(path=first.with_name("*.jsonl")).provenance() == {
            str(path): "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (first, second)
        }

    def test_all_are_cheap_to_read(self, tmp_path):
        assert all(kind(path=tmp_path).is_cheap_to_read for kind in (Jsonl, Csv, Parquet))


class TestCsv:
    def test_rows_are_read_under_the_header(self, write):
        path = write("a.csv", '\ufeffinput, target\r\n"a, ""b""\nc",x\r\n\r\nd,7\r\n')
        examples = list(Csv(path=path).examples())
        assert [(e.input, e.target) for e in examples] == [('a, "b"\nc', "x"), ("d", "7")]

    def test_another_delimiter(self, write):
        path = write("a.tsv", "input\ttarget\na, b\tx\n")
        assert inputs(Csv(path=path, delimiter="\t")) == ["a, b"]

    def test_gzip(self, write):
        assert inputs(Csv(path=write("a.csv.gz", gzip.compress(b"input\na\n")))) == ["a"]

    def test_long_fields(self, write):
        text = "x" * 200_000
        assert inputs(Csv(path=write("a.csv", f"input\n{text}\n"))) == [text]

    def test_options_in_columns(self, write):
        path = write("a.csv", "question,A,B,answer\nQ,x,y,B\n")
        (example,) = Csv(
            path=path, input="question", choices=["A", "B"], target="answer"
        ).examples()
        assert example.choices == ("x", "y")
        assert example.letter == "B"

    @pytest.mark.parametrize(
        ("content", "line", "complaint"),
        [
            ("input,target\na,b\nc\n", 3, "1 values under 2 columns"),
            ("input,target\na,b,c\n", 2, "3 values under 2 columns"),
            ('input\n"a\nb"\nc,d\n', 4, "2 values under 1 columns"),
            ("input,input\na,b\n", 1, "the header names the column 'input' twice"),
            ('input\na\n"b\n', 3, "no CSV: unexpected end of data"),
            ('input\n"a"b\n', 2, "no CSV"),
            (b"input\n\xff\n", 2, "no UTF-8"),
            ("question\na\n", 2, "no column 'input'"),
        ],
    )
    def test_a_bad_row_is_named(self, write, content, line, complaint):
        path = write("a.csv", content)
        with pytest.raises(DatasetError) as caught:
            inputs(Csv(path=path))
        assert str(caught.value).startswith(f"{path}:{line}: {complaint}")

    @pytest.mark.parametrize("content", ["", "input,target\n"])
    def test_a_file_without_rows_is_an_error(self, write, content):
        with pytest.raises(DatasetError, match="has no rows"):
            inputs(Csv(path=write("a.csv", content)))

    def test_a_delimiter_is_one_character(self, tmp_path):
        with pytest.raises(ValidationError):
            Csv(path=tmp_path, delimiter="||")

    @pytest.mark.parametrize(
        ("content", "rows"),
        [
            (
                '"input", "target"\n"Capital of Spain?", "Madrid"\n',
                [("Capital of Spain?", "Madrid")],
            ),
            ('input,target\nQ,   "a, ""b"""\n', [("Q", 'a, "b"')]),
            ('input,target\n "a, b\nc" ,x\n', [("a, b\nc", "x")]),
            ('input,target\n"a ""\n"" b" , " ""c"""\n', [('a "\n" b', ' "c"')]),
            ('input,target\n"a, b\nc", "d\n\ne"\nQ,y\n', [("a, b\nc", "d\n\ne"), ("Q", "y")]),
            ('input,target\nQ, said "no"\n', [("Q", ' said "no"')]),
            ('input,target\nQ, "no" he said\n', [("Q", ' "no" he said')]),
            ("input,target\nQ, Madrid\n", [("Q", " Madrid")]),
            ("input,target\nQ,x\n,\n", [("Q", "x")]),
            ("input,target,,\nQ,x,,\n,,,\nR,y\n", [("Q", "x"), ("R", "y")]),
            (",input,target\n0,Q,x\n1,R,y\n", [("Q", "x"), ("R", "y")]),
            ("sep=;\ninput;target\nQ, R;x\n", [("Q, R", "x")]),
            ('\ufeff"sep=;"\r\ninput;target\r\nQ;x\r\n', [("Q", "x")]),
            ("sep=,\ninput,target\nQ,x\n", [("Q", "x")]),
            ("sep=\t\ninput\ttarget\nQ\tx\n", [("Q", "x")]),
        ],
    )
    def test_what_spreadsheets_write_is_read(self, write, content, rows):
        dataset = Csv(path=write("a.csv", content))
        assert [(e.input, e.target) for e in dataset.examples()] == rows

    def test_an_option_says_more_than_the_line_at_the_top(self, write):
        path = write("a.csv", "sep=;\ninput|target\na;b|x\n")
        assert inputs(Csv(path=path, delimiter="|")) == ["a;b"]

    def test_columns_without_a_name_are_left_out(self, write):
        (_, row), *_ = Csv(path=write("a.csv", ",input,,target,\n0,Q,z,x,\n")).read_rows()
        assert row == {"input": "Q", "target": "x"}

    @pytest.mark.parametrize(
        ("content", "line", "complaint"),
        [
            ("input,target,\nWhat, me?,x\n", 2, "a value stands behind the last column"),
            ("input,target,\nQ\n", 2, "1 values under 2 columns"),
            ('sep=;\n\ninput;target\nQ; "x\n', 4, "no CSV: unexpected end of data"),
            ('sep=;\ninput;target\n"a\nb"; "c\nd"\nx\n', 6, "1 values under 2 columns"),
        ],
    )
    def test_lines_are_counted_past_what_spreadsheets_write(self, write, content, line, complaint):
        path = write("a.csv", content)
        with pytest.raises(DatasetError) as caught:
            inputs(Csv(path=path))
        assert str(caught.value).startswith(f"{path}:{line}: {complaint}")

    def test_an_empty_option_in_the_middle_is_an_error(self, write):
        path = write("a.csv", "input,A,B,C,target\nQ,x,,z,C\n")
        with pytest.raises(DatasetError, match=r"a\.csv:2: option B in 'A, B, C' is empty"):
            inputs(Csv(path=path, choices=["A", "B", "C"]))

    def test_a_wide_header_is_read(self, write):
        # a check that compares each name with each takes minutes here
        names = ["input", *(f"column {number}" for number in range(100_000))]
        path = write("a.csv", ",".join(names) + "\n" + ",".join(["Q"] * len(names)) + "\n")
        assert inputs(Csv(path=path)) == ["Q"]

    @given(
        st.lists(
            st.tuples(*[st.text(st.characters(exclude_characters="\r\0", codec="utf-8"))] * 2),
            min_size=1,
        ),
        st.sampled_from(",;\t|"),
        st.sampled_from(["", " ", "   "]),
    )
    def test_what_is_quoted_is_read_as_it_is(self, tmp_path_factory, rows, delimiter, space):
        quoted = []
        for row in rows:
            values = ['"' + text.replace('"', '""') + '"' for text in ("x", *row)]
            quoted.append(space + f"{space}{delimiter}{space}".join(values) + space)
        path = tmp_path_factory.mktemp("csv") / "a.csv"
        header = delimiter.join(["input", "a", "b"])
        path.write_bytes("\n".join([header, *quoted]).encode())
        read = [(row["a"], row["b"]) for _, row in Csv(path=path, delimiter=delimiter).read_rows()]
        assert read == rows


class TestParquet:
    def write(self, path, rows, **options):
        parquet.write_table(pa.Table.from_pylist(rows), path, **options)
        return path

    def test_values_keep_their_types(self, tmp_path):
        messages = [{"role": "user", "content": "Q"}, {"role": "user", "content": "R"}]
        rows = [
            {"chat": messages, "options": ["x", "y"], "answer": 1, "score": 2.5},
            {"chat": messages[:1], "options": ["x", "y"], "answer": 0, "score": None},
        ]
        dataset = Parquet(
            path=self.write(tmp_path / "a.parquet", rows),
            input="chat",
            choices="options",
            target="answer",
            metadata=["score"],
        )
        first, second = dataset.examples()
        assert first.input == messages
        assert (first.target, second.target) == (1, 0)
        assert (first.metadata["score"], second.metadata["score"]) == (2.5, None)
        assert list(dataset.examples()) == [first, second]

    def test_rows_of_every_batch_are_counted(self, tmp_path):
        rows = [{"input": str(number)} for number in range(1500)]
        path = self.write(tmp_path / "a.parquet", rows, row_group_size=400)
        assert inputs(Parquet(path=path)) == [row["input"] for row in rows]

    def test_a_bad_row_is_named(self, tmp_path):
        rows = [{"input": "a"}] * 1400 + [{"input": None}]
        path = self.write(tmp_path / "a.parquet", rows)
        with pytest.raises(DatasetError, match=r"a\.parquet row 1401: column 'input' is empty"):
            inputs(Parquet(path=path))

    def test_what_is_no_parquet_is_named(self, write):
        with pytest.raises(DatasetError, match=r"a\.parquet: no Parquet"):
            inputs(Parquet(path=write("a.parquet", "PAR")))

    def test_a_file_without_rows_is_an_error(self, tmp_path):
        path = tmp_path / "a.parquet"
        parquet.write_table(pa.table({"input": pa.array([], pa.string())}), path)
        with pytest.raises(DatasetError, match="has no rows"):
            inputs(Parquet(path=path))

    def test_ids_are_those_of_the_same_rows_in_jsonl(self, tmp_path, write):
        rows = [{"input": "é", "n": 1, "x": 0.5, "deep": {"a": [1, 2]}}]
        jsonl = write("a.jsonl", json.dumps(rows[0]))
        (left,) = Parquet(path=self.write(tmp_path / "a.parquet", rows)).examples()
        (right,) = Jsonl(path=jsonl).examples()
        assert left.id == right.id

    @pytest.mark.parametrize("values", [["a"], [None], []])
    def test_two_columns_of_one_name_are_named(self, tmp_path, values):
        column = pa.array(values, pa.string())
        table = pa.table([column, column, column], names=["input", "target", "target"])
        parquet.write_table(table, tmp_path / "a.parquet")
        with pytest.raises(DatasetError, match=r"a\.parquet: two columns are called 'target'"):
            inputs(Parquet(path=tmp_path / "a.parquet"))

    @pytest.mark.parametrize("wrap", [lambda kind: kind, pa.list_, pa.large_list])
    def test_two_fields_of_one_name_are_named(self, tmp_path, wrap):
        twice = wrap(pa.struct([("text", pa.string()), ("text", pa.string())]))
        table = pa.table({"input": ["a"], "answers": pa.array([None], twice)})
        parquet.write_table(table, tmp_path / "a.parquet")
        with pytest.raises(DatasetError, match=r"two columns are called 'answers\.text'"):
            inputs(Parquet(path=tmp_path / "a.parquet"))
