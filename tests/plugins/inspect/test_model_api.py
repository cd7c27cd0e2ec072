"""Inspect's model API over a sampling client: what is asked is passed on, or refused."""

from __future__ import annotations

import asyncio

import pytest
from inspect_ai import Task, eval_async
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    CachePolicy,
    ChatMessageSystem,
    ChatMessageUser,
    ContentAudio,
    ContentImage,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    Model,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.scorer import includes, model_graded_qa
from inspect_ai.solver import generate
from inspect_ai.tool import ToolInfo

import proctor
from proctor import ConfigError, Example, Outcome, RendererError
from proctor.testing import Reply, ScriptedClient, check_grader, grade_answer
from proctor_inspect import InspectAPIFromTinkerSampling
from proctor_inspect.backend import InspectBackend
from proctor_inspect.messages import from_inspect, to_chat_message, to_inspect
from proctor_inspect.model_api.evaluation import evaluation_model
from proctor_inspect.scorer_grader import InspectScorer

QUESTION = [ChatMessageUser(content="Capital of France?")]


def api_over(script="Paris.", **options):
    client = ScriptedClient(script if callable(script) else lambda prompt, index: script)
    api = InspectAPIFromTinkerSampling(
        renderer_name="role_colon", model_name="m", sampling_client=client, **options
    )
    return api, client


def generated(api, messages=QUESTION, *, tools=(), tool_choice="auto", **config):
    options = GenerateConfig(**{"max_tokens": 20, **config})
    return asyncio.run(api.generate(list(messages), list(tools), tool_choice, options))


def test_an_answer_with_its_usage_time_and_end():
    api, client = api_over("It is Paris.")
    output = generated(api)
    assert output.completion == "It is Paris."
    assert output.stop_reason == "stop"
    assert output.usage.input_tokens == len("User: Capital of France?\n\nAssistant:")
    assert output.usage.output_tokens == 13
    assert output.time > 0
    assert client.prompts == ["User: Capital of France?\n\nAssistant:"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [(Reply("Par", "length", ends=False), "max_tokens"), (Reply("Par", ends=False), "unknown")],
)
def test_an_answer_without_an_end_says_so(reply, reason):
    output = generated(api_over(reply)[0])
    assert output.stop_reason == reason
    assert (output.error is not None) == (reason == "unknown")


def test_everything_that_inspect_asks_is_passed_on():
    api, client = api_over("Paris. END and more")
    output = generated(
        api, temperature=0.3, top_p=0.8, top_k=5, seed=11, stop_seqs=["END"], num_choices=1
    )
    params = client.parameters[0]
    assert (params.temperature, params.top_p, params.top_k, params.seed) == (0.3, 0.8, 5, 11)
    assert "END" in params.stop
    assert any("User:" in str(stop) for stop in params.stop), "the renderer's own stops stay"
    assert output.completion == "Paris. "


def test_several_choices_differ():
    numbers = iter(range(9))
    api, _ = api_over(lambda prompt, index: f"answer {next(numbers)}")
    output = generated(api, num_choices=3)
    assert len({choice.message.text for choice in output.choices}) == 3
    assert output.usage.output_tokens == 3 * len("answer 0") + 3


def test_text_is_not_altered():
    text = "  two  spaces\n\n\nand lines \t"
    api, client = api_over()
    generated(api, [ChatMessageSystem(content="Be brief. "), ChatMessageUser(content=text)])
    assert text in client.prompts[0]
    assert "Be brief. " in client.prompts[0]
    parts = [ContentText(text="one "), ContentText(text=" two")]
    generated(api, [ChatMessageUser(content=parts)])
    assert "one  two" in client.prompts[1]


@pytest.mark.parametrize(
    "asked",
    [
        {"frequency_penalty": 0.5},
        {"presence_penalty": 0.5},
        {"logit_bias": {1: 2.0}},
        {"best_of": 3},
        {"top_logprobs": 5},
        {"reasoning_effort": "high"},
        {"extra_body": {"a": 1}},
        {"effort": "low"},
        {"verbosity": "high"},
        {"reasoning_mode": "pro"},
        {"parallel_tool_calls": False},
        {"internal_tools": True},
    ],
)
def test_what_a_client_cant_do_is_an_error(asked):
    api, client = api_over()
    with pytest.raises(ConfigError, match=next(iter(asked))):
        generated(api, **asked)
    assert client.requests == 0


def test_what_a_client_does_anyway_is_no_error():
    api, _ = api_over()
    output = generated(api, parallel_tool_calls=True, internal_tools=False, num_choices=1)
    assert output.completion == "Paris."


def test_an_evaluation_takes_one_answer_of_each_request():
    """The others would be paid for, and never graded."""
    _, client = api_over()
    context = proctor.EvaluationContext.for_client(client)
    rendered = proctor.RenderedModel.choose(context.opened(client), "role_colon")
    model = evaluation_model(rendered, context, proctor.SamplingOptions())
    with pytest.raises(ConfigError, match=r"num_choices: 3.*epochs: 3"):
        generated(model.api, num_choices=3)
    assert client.requests == 0
    assert generated(model.api, num_choices=1).completion == "Paris."


def test_tools_and_audio_without_a_format_are_errors():
    api, client = api_over()
    tool = ToolInfo(name="add", description="Adds.")
    with pytest.raises(RendererError, match="tools"):
        generated(api, tools=[tool])
    with pytest.raises(ConfigError, match="tool_choice"):
        generated(api, tools=[tool], tool_choice="any")
    assert generated(api, tools=[tool], tool_choice="none").completion == "Paris."
    audio = ChatMessageUser(content=[ContentAudio(audio="x.mp3", format="mp3")])
    with pytest.raises(ConfigError, match="audio"):
        generated(api, [audio])
    assert client.requests == 1


def test_log_probabilities_that_are_not_there_are_an_error():
    with pytest.raises(ConfigError, match="no log-probabilities"):
        generated(api_over()[0], logprobs=True)


def test_a_request_that_fails_is_raised():
    with pytest.raises(RuntimeError, match="no such model"):
        generated(api_over(ValueError("no such model"))[0])


def test_it_needs_a_client_or_a_path():
    with pytest.raises(ConfigError, match="sampling_client or a model_path"):
        InspectAPIFromTinkerSampling(renderer_name="role_colon", model_name="m")
    _, client = api_over()
    with pytest.raises(proctor.ProctorError, match="role_colons"):
        InspectAPIFromTinkerSampling("role_colons", "m", sampling_client=client)


# Story 4: a rerun with a new checkpoint returned the old score with no request sent


def test_inspects_cache_never_mixes_two_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    rows = [Sample("Capital of France?", target="Paris", id="france")]

    def evaluate(answer, checkpoint):
        client = ScriptedClient(lambda prompt, index: answer)
        client.identity = proctor.ModelIdentity("tinker", "m", checkpoint=checkpoint)
        api = InspectAPIFromTinkerSampling("role_colon", "m", sampling_client=client)
        model = Model(api, GenerateConfig(max_tokens=20, temperature=0.0))
        task = Task(
            dataset=MemoryDataset(rows),
            solver=generate(cache=CachePolicy(expiry="1W")),
            scorer=includes(),
            name="cached",
        )
        [log] = asyncio.run(eval_async(task, model=[model], log_dir=str(tmp_path)))
        return log.results.scores[0].metrics["accuracy"].value, client.requests

    unique = tmp_path.name
    assert evaluate("Paris.", f"tinker://{unique}/1") == (1.0, 1)
    assert evaluate("never asked", f"tinker://{unique}/1") == (1.0, 0), "the cache works"
    assert evaluate("Milan.", f"tinker://{unique}/2") == (0.0, 1)


# Tinker's documented judge


def test_the_documented_judge_works_with_its_imports_changed(tmp_path):
    verdicts = ScriptedClient(
        lambda prompt, index: (
            "GRADE: C" if "Paris" in prompt.split("Submission")[-1] else "GRADE: I"
        )
    )
    judge = Model(
        api=InspectAPIFromTinkerSampling(
            renderer_name="role_colon", model_name="judge", sampling_client=verdicts
        ),
        config=GenerateConfig(max_tokens=20),
    )
    task = Task(
        name="llm_as_judge",
        dataset=MemoryDataset(
            name="qa_dataset",
            samples=[
                Sample(input="What is the capital of France?", target="Paris"),
                Sample(input="What is the capital of Italy?", target="Rome"),
            ],
        ),
        solver=generate(),
        scorer=model_graded_qa(
            instructions="Grade strictly against the target text as general answer key. "
            "Respond 'GRADE: C' if correct or 'GRADE: I' otherwise.",
            partial_credit=False,
            model=judge,
        ),
    )
    answering, _ = api_over(lambda prompt, index: "Paris" if "France" in prompt else "Milan")
    model = Model(answering, GenerateConfig(max_tokens=20))
    [log] = asyncio.run(eval_async(task, model=[model], log_dir=str(tmp_path)))
    assert log.status == "success"
    assert log.results.scores[0].metrics["accuracy"].value == 0.5


# Scorers as graders, and models as judges


@pytest.mark.parametrize("scorer", ["exact", "f1"])
def test_scorers_pass_the_self_test_of_graders(scorer):
    check_grader(InspectScorer(scorer=scorer))


@pytest.mark.parametrize(
    ("scorer", "args", "answer", "value"),
    [
        ("includes", {}, "It is Paris.", 1.0),
        ("includes", {"ignore_case": False}, "paris", 0.0),
        ("match", {}, "It is Paris", 1.0),
        ("match", {"location": "begin"}, "It is Paris", 0.0),
        ("f1", {}, "Paris France", pytest.approx(2 / 3, abs=0.01)),
    ],
)
def test_a_scorer_grades_as_in_inspect(scorer, args, answer, value):
    grading = grade_answer(
        InspectScorer(scorer=scorer, args=args), Example("a", "?", "Paris"), answer
    )
    assert grading.outcome is Outcome.GRADED, grading.reason
    assert grading.grade.value == value


@pytest.mark.parametrize(("answer", "value"), [("A", 1.0), ("B", 0.0), ("C", 1.0)])
def test_of_two_equal_options_either_is_right(answer, value):
    example = Example("a", "Capital?", 0, choices=["Paris", "Rome", "Paris "])
    grading = grade_answer(InspectScorer(scorer="match"), example, answer)
    assert grading.outcome is Outcome.GRADED, grading.reason
    assert grading.grade.value == value


def test_an_unknown_scorer_or_argument_is_one_line():
    with pytest.raises(ValueError, match="did you mean 'match'"):
        InspectScorer(scorer="mach")
    grader = InspectScorer(scorer="match", args={"locaton": "end"})
    with pytest.raises(ConfigError, match="locaton"):
        asyncio.run(grader.open())


def test_a_model_that_inspect_cant_make_is_one_line():
    with pytest.raises(proctor.BackendError) as error:
        asyncio.run(InspectBackend(model="nobody/nothing").open_chat_model())
    assert "\n" not in str(error.value)
    with pytest.raises(proctor.BackendError, match="use it as a judge"):
        asyncio.run(InspectBackend(model="openai/x").open_model())


def test_any_model_of_inspects_is_a_chat_model():
    @modelapi(name="echoing")
    class Echoing(ModelAPI):
        async def generate(self, input, tools, tool_choice, config):
            if "long" in input[-1].text:
                return ModelOutput.from_content("m", "cut", stop_reason="max_tokens")
            if "break" in input[-1].text:
                raise ValueError("it broke")
            output = ModelOutput.from_content("m", f"{input[-1].text} {config.max_tokens}")
            output.usage = ModelUsage(input_tokens=7, output_tokens=3, total_tokens=10)
            return output

    async def ask(text):
        chat = await InspectBackend(model="echoing/m").open_chat_model()
        asked = [proctor.Message(role="user", content=text)]
        [sample] = await chat.generate(asked, proctor.SamplingOptions(max_tokens=9))
        return sample

    sample = asyncio.run(ask("hello"))
    assert (sample.status, sample.text) == ("complete", "hello 9")
    assert sample.calls[0].token_counts == (7, 3)
    assert asyncio.run(ask("long")).status == "truncated"
    failed = asyncio.run(ask("break"))
    assert failed.status == "failed"
    assert "it broke" in failed.error


def test_thinking_is_reasoning_and_no_part_of_the_text():
    answer = proctor.Message(
        role="assistant",
        content=[
            {"type": "thinking", "thinking": "It might be Paris"},
            {"type": "text", "text": "Rome"},
        ],
    )
    message = to_inspect(answer, "m")
    assert message.text == "Rome"
    assert isinstance(message.content[0], ContentReasoning)
    assert message.content[0].reasoning == "It might be Paris"


def test_an_image_reaches_inspect_in_itself_and_of_a_record_as_a_label():
    uri = "data:image/gif;base64,R0lGODlh"
    asked = ChatMessageUser(content=[ContentImage(image=uri), ContentText(text="Which?")])
    ours = from_inspect(asked)
    assert to_chat_message(ours).content == asked.content
    ours["content"][0]["image"] = proctor.read_image(b"GIF89a")
    assert to_chat_message(ours).content == asked.content
    digest = proctor.read_image(b"GIF89a").digest
    ours["content"][0] = {"type": "image", "format": "gif", "digest": digest}
    label, _ = to_chat_message(ours).content
    assert label.text == proctor.read_image(b"GIF89a").label
