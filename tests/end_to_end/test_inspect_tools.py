"""An agent of Inspect's with one tool, through a renderer that has tools."""

from __future__ import annotations

import asyncio

import pytest
from inspect_ai import Task, eval_async
from inspect_ai.agent import react
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageUser, GenerateConfig, Model
from inspect_ai.scorer import includes
from inspect_ai.tool import tool
from vocabularies import tokenizer_of_family

from proctor.testing import Reply, ScriptedClient
from proctor_inspect import InspectAPIFromTinkerSampling


@pytest.fixture(scope="module")
def qwen_tokenizer():
    """Qwen3's tokenizer."""
    return tokenizer_of_family("qwen3")


@tool
def add():
    async def execute(x: int, y: int):
        """Adds two numbers.

        Args:
            x: One number.
            y: The other.
        """
        return str(x + y)

    return execute


def call(name, arguments):
    return Reply(f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>')


def evaluated(client, tmp_path):
    api = InspectAPIFromTinkerSampling("qwen3_disable_thinking", "Qwen/Qwen3-8B", None, client)
    task = Task(
        dataset=[Sample("What is 41 plus 1?", target="42", id="sum")],
        solver=react(tools=[add()], attempts=1),
        scorer=includes(),
        message_limit=12,
        name="adding",
    )
    model = Model(api, GenerateConfig(max_tokens=200))
    [log] = asyncio.run(eval_async(task, model=[model], log_dir=str(tmp_path)))
    assert log.status == "success", log.error
    return log.samples[0], log


def test_an_agent_calls_its_tool_and_submits(qwen_tokenizer, tmp_path):
    def script(prompt, index):
        if "<tool_response>" not in prompt:
            return call("add", '{"x": 41, "y": 1}')
        return call("submit", '{"answer": "42"}')

    client = ScriptedClient(script, qwen_tokenizer)
    sample, log = evaluated(client, tmp_path)
    assert log.results.scores[0].metrics["accuracy"].value == 1.0
    calls = [c for m in sample.messages if m.role == "assistant" for c in m.tool_calls or ()]
    assert (calls[0].function, calls[0].arguments) == ("add", {"x": 41, "y": 1})
    [result] = [m for m in sample.messages if m.role == "tool" and m.function == "add"]
    assert result.text == "42"
    assert '"name": "add"' in client.prompts[0]
    assert "<tool_response>\n42\n</tool_response>" in client.prompts[1]


def test_a_malformed_call_is_said_to_the_model(qwen_tokenizer, tmp_path):
    def script(prompt, index):
        if len(client.prompts) == 1:
            return call("add", '{"x": 41, "y": ')
        return call("submit", '{"answer": "I give up"}')

    client = ScriptedClient(script, qwen_tokenizer)
    sample, log = evaluated(client, tmp_path)
    assert log.results.scores[0].metrics["accuracy"].value == 0.0
    first = next(m for m in sample.messages if m.role == "assistant")
    assert first.tool_calls[0].parse_error


@pytest.mark.parametrize(
    "reply", [Reply("<think>\nParis, or", "length", ends=False), "<think>\nParis"]
)
def test_unfinished_thinking_is_never_text_that_a_scorer_sees(qwen_tokenizer, reply):
    """Story 1 in Inspect's own numbers."""
    client = ScriptedClient(lambda prompt, index: reply, qwen_tokenizer)
    api = InspectAPIFromTinkerSampling("qwen3", "Qwen/Qwen3-8B", None, client)
    asked = [ChatMessageUser(content="Capital of France?")]
    output = asyncio.run(api.generate(asked, [], "auto", GenerateConfig(max_tokens=20)))
    assert output.completion == ""
    assert output.stop_reason in ("max_tokens", "unknown")
    assert "Paris" in output.message.content[0].reasoning
