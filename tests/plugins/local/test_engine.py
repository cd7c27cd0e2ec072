"""How requests share the model, on small models with random weights."""

import asyncio
import inspect
import subprocess
import sys
import textwrap
import threading

import pytest
import tinker
import torch
from transformers import (
    Gemma2Config,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    Qwen3Config,
)

from proctor import BackendError
from proctor_local.client import LocalSamplingClient

PROMPTS = [
    [7 * row + column * column % 300 + 1 for column in range(1 + 3 * row)] for row in range(12)
]


def greedy(count, **options):
    return tinker.SamplingParams(max_tokens=count, temperature=0.0, stop=[], **options)


def request(client, prompt, params, num_samples=1):
    return client.sample(
        prompt=tinker.ModelInput.from_ints(prompt), num_samples=num_samples, sampling_params=params
    )


def answers(client, prompts, params):
    futures = [request(client, prompt, params) for prompt in prompts]
    return [future.result().sequences[0].tokens for future in futures]


def generated(model, prompt, count):
    """What transformers makes of a prompt that is alone."""
    with torch.inference_mode():
        output = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=count,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
        )
    return output[0, len(prompt) :].tolist()


KINDS = {
    "llama": (LlamaConfig, {}),
    "grouped heads": (LlamaConfig, {"num_key_value_heads": 2}),
    "sliding window": (MistralConfig, {"num_key_value_heads": 2, "sliding_window": 8}),
    "query norms": (Qwen3Config, {"num_key_value_heads": 2, "head_dim": 8}),
    "learned positions": (GPT2Config, {"n_inner": 64}),
    "soft caps": (
        Gemma2Config,
        {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": 8},
    ),
    "local and global layers": (
        Gemma3TextConfig,
        {
            "num_key_value_heads": 2,
            "head_dim": 8,
            "sliding_window": 8,
            "layer_types": ["sliding_attention", "full_attention"],
        },
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_answers_as_each_prompt_alone(kind, tiny_model, tiny_client):
    config_class, options = KINDS[kind]
    if config_class is GPT2Config:
        options = {**options, "n_positions": 512}
    expected = [generated(tiny_model(config_class, **options), p, 30) for p in PROMPTS]
    assert len({tuple(tokens) for tokens in expected}) > 6  # the model tells prompts apart
    # Room for five: rows join others that are under way, and leave before them.
    client = tiny_client(tiny_model(config_class, **options), max_batch_size=5)
    lengths = [30, 7, 19, 30, 1, 2, 30, 11, 30, 30, 5, 30]
    futures = [request(client, p, greedy(n)) for p, n in zip(PROMPTS, lengths, strict=True)]
    for future, tokens, length in zip(futures, expected, lengths, strict=True):
        assert future.result().sequences[0].tokens == tokens[:length]


@pytest.mark.parametrize("kind", ["grouped heads", "sliding window", "soft caps"])
def test_long_prompts_are_read_in_pieces(kind, tiny_model, tiny_client, monkeypatch):
    monkeypatch.setattr("proctor_local.prefill.PREFILL_TOKENS", 16)
    monkeypatch.setattr("proctor_local.engine.PREFILL_TOKENS", 16)
    config_class, options = KINDS[kind]
    plain = tiny_model(config_class, **options)
    client = tiny_client(tiny_model(config_class, **options))
    prompts = [[(5 * i + n) % 380 + 1 for i in range(n)] for n in (3, 16, 17, 90)]
    assert answers(client, prompts, greedy(12)) == [generated(plain, p, 12) for p in prompts]
    for prompt in prompts:
        with torch.inference_mode():
            expected = plain(torch.tensor([prompt])).logits[0].float().log_softmax(-1)
        places = torch.arange(len(prompt) - 1)
        expected = expected[places, torch.tensor(prompt[1:])].tolist()
        found = client.compute_logprobs(tinker.ModelInput.from_ints(prompt)).result()
        assert found[0] is None
        assert found[1:] == pytest.approx(expected, abs=1e-4)


def test_samples_of_one_prompt_are_each_continued(tiny_model, tiny_client):
    client = tiny_client(max_batch_size=3)
    params = tinker.SamplingParams(max_tokens=12, temperature=1.0, seed=5, stop=[])
    sequences = request(client, PROMPTS[4], params, num_samples=8).result().sequences
    assert len({tuple(sequence.tokens) for sequence in sequences}) == 8
    assert len({sequence.sequence_id for sequence in sequences}) == 8
    plain = tiny_model(LlamaConfig, num_key_value_heads=2)
    for sequence in sequences:
        tokens = [*PROMPTS[4], *sequence.tokens]
        with torch.inference_mode():
            logprobs = plain(torch.tensor([tokens])).logits[0].log_softmax(-1)
        start = len(PROMPTS[4])
        expected = [logprobs[start + i - 1, t].item() for i, t in enumerate(sequence.tokens)]
        assert sequence.logprobs == pytest.approx(expected, abs=1e-4)


def test_a_seed_gives_the_same_samples_in_any_company(tiny_client):
    params = tinker.SamplingParams(max_tokens=15, temperature=1.0, seed=11, stop=[])

    def tokens(client, num_samples, company=()):
        futures = [request(client, prompt, params) for prompt in company]
        sequences = request(client, PROMPTS[3], params, num_samples).result().sequences
        for future in futures:
            future.result()
        return [sequence.tokens for sequence in sequences]

    alone = tokens(tiny_client(), 4)
    assert tokens(tiny_client(), 4) == alone
    assert tokens(tiny_client(), 2) == alone[:2]
    assert tokens(tiny_client(max_batch_size=3), 4, company=PROMPTS) == alone
    other = params.model_copy(update={"seed": 12})
    assert request(tiny_client(), PROMPTS[3], other).result().sequences[0].tokens != alone[0]
    unseeded = params.model_copy(update={"seed": None})
    free = [request(tiny_client(), PROMPTS[3], unseeded).result().sequences[0] for _ in "ab"]
    assert free[0].tokens != free[1].tokens


def test_a_short_answer_overtakes_a_long_one(tiny_client):
    client = tiny_client()
    order = []
    long = request(client, PROMPTS[1], greedy(400))
    long.future().add_done_callback(lambda _: order.append("long"))
    short = request(client, PROMPTS[2], greedy(2))
    short.future().add_done_callback(lambda _: order.append("short"))
    long.result()
    assert order == ["short", "long"]


def test_a_request_that_cannot_be_answered_harms_no_other(tiny_client):
    client = tiny_client()
    expected = answers(client, PROMPTS, greedy(10))
    good = [request(client, prompt, greedy(10)) for prompt in PROMPTS]
    bad = [
        request(client, [1, 9999], greedy(10)),
        request(client, [1] * 600, greedy(10)),
        request(client, [], greedy(10)),
        request(client, [1], tinker.SamplingParams(max_tokens=5, temperature=-1.0)),
        request(client, [1], tinker.SamplingParams(max_tokens=5, temperature=float("nan"))),
        request(client, [1], tinker.SamplingParams(max_tokens=5, top_p=0.0)),
        request(client, [1], tinker.SamplingParams(max_tokens=5, stop=[""])),
        request(client, [1], greedy(0)),
        request(client, [1], greedy(5), num_samples=0),
    ]
    complaints = "9999,600 tokens,empty,temperature,temperature,top_p,stop string,max_tokens"
    for future, complaint in zip(bad, [*complaints.split(","), "num_samples"], strict=True):
        with pytest.raises(BackendError, match=complaint):
            future.result()
    assert [future.result().sequences[0].tokens for future in good] == expected


def test_images_are_refused(tiny_client):
    image = tinker.types.ImageChunk(data=b"", format="png")
    prompt = tinker.ModelInput(chunks=[image])
    with pytest.raises(BackendError, match="text only"):
        tiny_client().sample(prompt, 1, greedy(3)).result()


def test_what_is_not_a_number_is_no_answer(tiny_model, tiny_client):
    model = tiny_model(LlamaConfig)
    with torch.no_grad():
        model.lm_head.weight.fill_(float("nan"))
    with pytest.raises(BackendError, match="NaN"):
        request(tiny_client(model), [1, 2], greedy(3)).result()


async def test_a_cancelled_request_leaves_the_batch(tiny_client):
    client = tiny_client(max_batch_size=1, context_length=10**9)
    endless = asyncio.ensure_future(request(client, [1], greedy(10**8)).coroutine())
    waiting = asyncio.ensure_future(request(client, [2], greedy(10**8)).coroutine())
    await asyncio.sleep(0.05)
    endless.cancel()
    waiting.cancel()
    # With room for one row, this is answered only if the others are gone.
    response = await request(client, [3], greedy(4))
    assert len(response.sequences[0].tokens) == 4
    with pytest.raises(asyncio.CancelledError):
        await endless


async def test_a_result_that_takes_too_long_is_cancelled(tiny_client):
    client = tiny_client(max_batch_size=1, context_length=10**9)
    future = request(client, [1], greedy(10**8))
    with pytest.raises(TimeoutError):
        await future.result_async(timeout=0.05)
    assert future.future().cancelled()
    with pytest.raises(TimeoutError):
        request(client, [1], greedy(10**8)).result(timeout=0.05)


async def test_the_callers_event_loop_runs_on(tiny_client):
    client = tiny_client()
    turns = 0

    async def count():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await request(client, PROMPTS[2], greedy(100))
    counting.cancel()
    assert turns > 10


def test_threads_and_event_loops_share_a_client(tiny_client):
    client = tiny_client(max_batch_size=8)
    expected = answers(client, PROMPTS, greedy(20))
    found = {}

    async def ask_all():
        responses = await asyncio.gather(*[request(client, p, greedy(20)) for p in PROMPTS])
        return [response.sequences[0].tokens for response in responses]

    def loop(name):
        found[name] = asyncio.run(ask_all())

    threads = [threading.Thread(target=loop, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys("abc", expected)


class Memory:
    """A device on which a pass over more rows or tokens than this runs out of memory."""

    def __init__(self, model, rows, tokens=10**6):
        self.passes = 0
        inner = model.forward

        def forward(input_ids, **options):
            self.passes += 1
            if input_ids.shape[0] > rows or input_ids.shape[1] > tokens:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return inner(input_ids=input_ids, **options)

        forward.__signature__ = inspect.signature(inner)
        model.forward = forward


@pytest.mark.parametrize("rows", [1, 3, 4])
def test_out_of_memory_makes_the_batch_smaller(rows, tiny_model, tiny_client):
    expected = answers(tiny_client(), PROMPTS, greedy(20))
    model = tiny_model(LlamaConfig, num_key_value_heads=2)
    Memory(model, rows)
    assert answers(tiny_client(model), PROMPTS, greedy(20)) == expected


def test_samples_survive_out_of_memory_with_their_seeds(tiny_model, tiny_client):
    params = tinker.SamplingParams(max_tokens=15, temperature=1.0, seed=3, stop=[])
    expected = request(tiny_client(), PROMPTS[5], params, 7).result()
    model = tiny_model(LlamaConfig, num_key_value_heads=2)
    Memory(model, rows=2)
    found = request(tiny_client(model), PROMPTS[5], params, 7).result()
    assert [s.tokens for s in found.sequences] == [s.tokens for s in expected.sequences]


def test_what_never_fits_fails_alone(tiny_model, tiny_client):
    model = tiny_model(LlamaConfig)
    Memory(model, rows=4, tokens=20)
    client = tiny_client(model)
    huge = request(client, [5] * 30, greedy(3))
    small = request(client, [5, 6], greedy(3))
    with pytest.raises(BackendError, match="out of memory on one answer alone"):
        huge.result()
    assert len(small.result().sequences[0].tokens) == 3


def test_a_failing_model_fails_its_requests_and_is_asked_again(tiny_model, tiny_client):
    model = tiny_model(LlamaConfig)
    inner, failing = model.forward, [True]

    def forward(**options):
        if failing[0]:
            raise RuntimeError("device-side assert")
        return inner(**options)

    forward.__signature__ = inspect.signature(inner)
    model.forward = forward
    client = tiny_client(model)
    with pytest.raises(BackendError, match="RuntimeError: device-side assert"):
        request(client, [1, 2], greedy(3)).result()
    with pytest.raises(BackendError, match="device-side assert"):
        client.compute_logprobs(tinker.ModelInput.from_ints([1, 2])).result()
    failing[0] = False
    assert len(request(client, [1, 2], greedy(3)).result().sequences[0].tokens) == 3


def test_closing_fails_what_is_unanswered(tiny_client):
    client = tiny_client(max_batch_size=1, context_length=10**9)
    futures = [request(client, [n], greedy(10**8)) for n in (1, 2, 3)]
    client.close()
    late = request(client, [4], greedy(3))
    for future in (*futures, late):
        with pytest.raises(BackendError, match="closed"):
            future.result(timeout=30)
    client.close()


def test_an_answer_arrives_though_nobody_holds_the_client(tiny_model):
    client = LocalSamplingClient(
        tiny_model(LlamaConfig), None, context_length=512, end_tokens=[], max_batch_size=4
    )
    future = request(client, [1, 2], greedy(50))
    del client
    assert len(future.result(timeout=60).sequences[0].tokens) == 50


def test_the_interpreter_ends_with_requests_in_flight():
    script = """
        import tinker, torch
        from transformers import LlamaConfig, LlamaForCausalLM
        from proctor_local.client import LocalSamplingClient

        model = LlamaForCausalLM(
            LlamaConfig(vocab_size=50, hidden_size=16, intermediate_size=16,
                        num_hidden_layers=1, num_attention_heads=2)
        ).eval()
        client = LocalSamplingClient(
            model, None, context_length=10**9, end_tokens=[], max_batch_size=2
        )
        params = tinker.SamplingParams(max_tokens=10**8, temperature=0.0, stop=[])
        future = client.sample(tinker.ModelInput.from_ints([1]), 1, params)
        print("sampling", flush=True)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "sampling\n")
    assert "Traceback" not in done.stderr
