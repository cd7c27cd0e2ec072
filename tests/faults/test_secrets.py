"""Recognisable secrets wherever one is read: none is printed or written, whoever repeats it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openai_server
import pytest

import proctor
from proctor import redaction
from proctor.cli.terminal import printable
from proctor.redaction import keep_secret, redacted, without_credentials
from proctor.runs.json_text import to_document, to_line
from proctor.testing import ByteTokenizer, ScriptedClient

SECRET = 'sk-"odd\\key/with=marks-4711'


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is known from another test."""
    monkeypatch.setattr(redaction, "_shown_as", {})
    monkeypatch.setattr(redaction, "_pattern", None)


FORMS = {
    "as it is": SECRET,
    "as JSON": json.dumps({"key": SECRET}),
    "as JSON in JSON": json.dumps(json.dumps({"key": SECRET})),
    "in a URL": f"https://example.org/?key={quote(SECRET, safe='')}",
    "as Python": repr({"key": SECRET}),
    "twice": SECRET + SECRET,
    "in a word": f"x{SECRET}y",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_spelling_is_left_out(form: str) -> None:
    assert "4711" in FORMS[form]
    keep_secret(SECRET, "THE_KEY")
    assert "4711" not in redacted(FORMS[form])
    assert "(THE_KEY)" in redacted(FORMS[form])
    assert "4711" not in printable(FORMS[form])
    record = {"error": FORMS[form], FORMS[form]: [FORMS[form]]}
    assert b"4711" not in to_line(record)
    assert "4711" not in to_document(record)
    assert json.loads(to_line(record))


def test_what_stands_around_a_key_is_no_part_of_it() -> None:
    keep_secret("sk-0123456789\n", "THE_KEY")
    assert redacted("Bearer sk-0123456789 and b'sk-0123456789\\n'") == (
        "Bearer (THE_KEY) and b'(THE_KEY)'"
    )


def test_of_a_secret_within_another_the_longer_is_left_out() -> None:
    keep_secret("password", "SHORT")
    keep_secret("password-and-more", "LONG")
    assert redacted("password-and-more, password") == "(LONG), (SHORT)"


def test_a_word_that_is_too_short_is_no_secret() -> None:
    keep_secret("none", "THE_KEY")
    keep_secret("", "THE_KEY")
    assert redacted("none of it") == "none of it"


def test_words_and_paths_of_the_environment_are_no_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key-4711"
    file.write_text("")
    for name, value in (
        ("SOME_API_KEY", "sk-0123-4711"),
        ("HF_TOKEN", "hf_token4711"),
        ("WANDB_API_KEY", "disabled"),
        ("SSH_KEY", str(file)),
        ("KEYBOARD", "layout-4711"),
    ):
        monkeypatch.setenv(name, value)
    redaction.keep_secrets_of_environment()
    assert redacted("sk-0123-4711 hf_token4711") == "(SOME_API_KEY) (HF_TOKEN)"
    assert redacted(f"disabled {file} layout-4711") == f"disabled {file} layout-4711"


def test_credentials_in_a_url_are_left_out_in_every_form() -> None:
    url = "https://someone:p4ss-word-4711@example.org/v1?token=query-4711"
    assert without_credentials(url) == "https://example.org/v1"
    basic = base64.b64encode(b"someone:p4ss-word-4711").decode()
    for text in (url, f"Authorization: Basic {basic}", "p4ss-word-4711", "query-4711"):
        assert "4711" not in redacted(text)
        assert basic not in redacted(text)


PLUGIN = """\
import logging
import os

import proctor
from proctor.testing import ScriptedClient

KEY = os.environ["SCRIPTED_API_KEY"]


class Model(proctor.Backend):
    async def open_model(self):
        client = ScriptedClient(self.answer)
        identity = proctor.ModelIdentity("m", f"m {KEY}", digest="d")
        return proctor.OpenedModel(client, identity, client.tokenizer)

    def answer(self, prompt, index):
        if "fails" in prompt:
            return ValueError(f"401: the key {KEY} is wrong")
        return f"your key is {KEY}"


class Says(proctor.Grader):
    def grade(self, example, sample):
        if example.id == "2":
            raise ValueError(f"the key {KEY} is wrong")
        return proctor.Grade(1.0, explanation=KEY, metadata={KEY: [KEY]})


class Broken(proctor.SamplingClientEvaluator):
    async def __call__(self, client):
        logging.getLogger("proctor.broken").warning("the key is %s", KEY)
        raise RuntimeError(f"broken by {KEY}")


@proctor.hookimpl
def proctor_register(registry):
    registry.backend("telling", Model)
    registry.grader("says", Says)
    registry.evaluator("broken", Broken)


@proctor.hookimpl
def proctor_sample_finished(record, run):
    raise RuntimeError(f"observed {KEY}")
"""
CONFIG = {
    "model": {"backend": "telling"},
    "plugins": ["./telling.py"],
    "renderer": "role_colon",
    "evaluators": [
        {
            "name": "rows",
            "dataset": {
                "type": "inline",
                "rows": [
                    {"id": "1", "input": "Q", "target": "x"},
                    {"id": "2", "input": "Q", "target": "x"},
                    {"id": "3", "input": "this fails", "target": "x"},
                ],
            },
            "graders": ["says", "substring"],
        },
        {"type": "broken"},
    ],
}


@pytest.mark.parametrize("arguments", [(), ("--debug",), ("--json",)])
def test_no_output_of_a_run_has_the_key(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """It landed in both files when a server repeats it in an error, and --debug printed it."""
    (tmp_path / "telling.py").write_text(PLUGIN)
    (tmp_path / "evals.yaml").write_text(json.dumps(CONFIG))

    def ran(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "proctor", *words],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    printed = ran("run", "evals.yaml", "--out", "run", *arguments)
    printed += ran("show", "run") + ran("show", "run", "--json")
    assert "(SCRIPTED_API_KEY)" in printed
    assert "4711" not in printed
    kept = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert len(kept) >= 4
    for path in kept:
        assert b"4711" not in path.read_bytes(), path
    (tmp_path / "evals.yaml").write_text(json.dumps({**CONFIG, "evaluators": [{"type": "broken"}]}))
    assert "4711" not in ran("--debug", "run", "evals.yaml", "--out", "second")


def environment() -> dict[str, str]:
    return os.environ | {"SCRIPTED_API_KEY": "sk-recognisable-4711", "COLUMNS": "300"}


@pytest.mark.parametrize("credentials", ["", "me:p4ss-word-4711@"])
def test_a_server_that_repeats_the_key(
    credentials: str, command_line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key with a line break behind it, or a password in the address, and both in its refusals."""
    monkeypatch.setenv("OPENAI_API_KEY", f"{openai_server.KEY}\n")

    def misbehaves(path: str, number: int) -> Any:
        told = f"the key {openai_server.KEY} and {credentials} are wrong"
        return openai_server.error(400, told) if path != "models" and number > 2 else None

    model = proctor.OpenedModel(
        ScriptedClient(lambda *_: "VERDICT: CORRECT"),
        proctor.ModelIdentity("scripted", "scripted", digest="1", context_length=4096),
        ByteTokenizer(),
    )
    chat = proctor.RenderedChatModel(model, "role_colon")
    server = openai_server.Server(model, chat, misbehaves=misbehaves)
    rows = [{"id": str(n), "input": "Q", "target": "x"} for n in range(5)]
    with openai_server.serving(server) as address:
        judge = {
            "backend": "openai",
            "model": "smollm2",
            "base_url": address.replace("http://", f"http://{credentials}"),
        }
        config = {
            "model": {"backend": "scripted"},
            "renderer": "role_colon",
            "evaluators": [
                {
                    "name": "rows",
                    "dataset": {"type": "inline", "rows": rows},
                    "graders": [{"type": "llm_judge", "judge": judge}],
                }
            ],
        }
        (tmp_path / "evals.yaml").write_text(json.dumps(config))
        printed = command_line("run", "evals.yaml", "--out", "run")
        printed_json = command_line("show", "run", "--json")
    told = printed.out + printed.err + printed_json.out
    told += "".join(f.read_text() for f in (tmp_path / "run").glob("*"))
    if credentials:
        # a password in the address is sent in place of the key, which this server does not take
        basic = base64.b64encode(credentials[:-1].encode()).decode()
        assert server.keys == {f"Basic {basic}"}
        assert printed.code == 2
        assert basic not in told
    else:
        assert server.keys == {openai_server.KEY}
        assert "are wrong" in told
    assert openai_server.KEY not in told
    assert "4711" not in told
