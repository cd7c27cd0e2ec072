"""The real model: the same tokens and log-probabilities as transformers gives alone."""

import pytest
import tinker
import torch
from transformers import AutoModelForCausalLM

from proctor_local.client import LocalSamplingClient

TOPICS = ["Why is the sky blue?", "Name a fruit.", "2+2=", "Écris un mot.", "def add(a, b):"]
PARIS = "The capital of France is Paris.<|im_end|>"


@pytest.fixture(scope="module")
def prompts(ask):
    """32 prompts of different lengths, from one token to some sixty."""
    chats = [ask(" ".join([topic] * (1 + index % 4))) for index, topic in enumerate(TOPICS * 6)]
    return [[1], [504, 4575], *chats]


def submit(client, prompt, num_samples=1, **options):
    options = {"temperature": 0.0, "max_tokens": 24, **options}
    return client.sample(
        prompt=tinker.ModelInput.from_ints(prompt),
        num_samples=num_samples,
        sampling_params=tinker.SamplingParams(**options),
    )


def answer(client, prompt, **options):
    return submit(client, prompt, **options).result().sequences[0]


def logprobs_of(model, tokens):
    """The log-probability of each token but the first, by one plain pass."""
    with torch.inference_mode():
        logits = model(torch.tensor([tokens])).logits[0, :-1]
    return logits.log_softmax(-1).gather(-1, torch.tensor(tokens[1:]).unsqueeze(-1)).squeeze(-1)


def test_a_batch_of_32_and_one_alone_give_what_generate_gives(client, plain_model, prompts):
    assert len(prompts) == 32
    futures = [submit(client, prompt, max_tokens=10) for prompt in prompts]
    sequences = [future.result().sequences[0] for future in futures]
    for prompt, sequence in zip(prompts, sequences, strict=True):
        with torch.inference_mode():
            whole = plain_model.generate(
                torch.tensor([prompt]),
                attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                max_new_tokens=10,
                do_sample=False,
            )[0].tolist()
        assert sequence.tokens == whole[len(prompt) :]
        assert sequence.stop_reason == ("stop" if sequence.tokens[-1] == 2 else "length")
    for prompt, sequence in list(zip(prompts, sequences, strict=True))[::5]:
        whole = [*prompt, *sequence.tokens]
        expected = logprobs_of(plain_model, whole)[len(prompt) - 1 :].tolist()
        alone = answer(client, prompt, max_tokens=10)
        assert alone.tokens == sequence.tokens
        for logprobs in (sequence.logprobs, alone.logprobs):
            assert logprobs == pytest.approx(expected, abs=1e-4)


def test_sampled_tokens_carry_the_models_own_logprobs(client, plain_model, ask):
    """Temperature, top_k and top_p choose the token; they don't change what it is worth."""
    prompt = ask("Tell me something.")
    sequence = answer(client, prompt, temperature=2.0, top_k=20, top_p=0.9, seed=1, stop=[])
    expected = logprobs_of(plain_model, [*prompt, *sequence.tokens])[len(prompt) - 1 :]
    assert sequence.logprobs == pytest.approx(expected.tolist(), abs=1e-4)


def test_a_prompt_is_scored_as_by_a_plain_pass(client, plain_model, prompts):
    scored = prompts[:8]
    futures = [client.compute_logprobs(tinker.ModelInput.from_ints(p)) for p in scored]
    for prompt, future in zip(scored, futures, strict=True):
        first, *rest = future.result()
        assert first is None
        if rest:
            assert rest == pytest.approx(logprobs_of(plain_model, prompt).tolist(), abs=1e-4)


def test_a_response_can_carry_the_prompts_scores(client, plain_model, ask):
    prompt = ask("Hi")
    response = client.sample(
        tinker.ModelInput.from_ints(prompt),
        2,
        tinker.SamplingParams(max_tokens=3, temperature=0.0),
        include_prompt_logprobs=True,
        topk_prompt_logprobs=3,
    ).result()
    assert len(response.sequences) == 2
    expected = logprobs_of(plain_model, prompt).tolist()
    assert response.prompt_logprobs[0] is None
    assert response.prompt_logprobs[1:] == pytest.approx(expected, abs=1e-4)
    with torch.inference_mode():
        best = plain_model(torch.tensor([prompt])).logits[0, :-1].log_softmax(-1).topk(3)
    assert response.topk_prompt_logprobs[0] is None
    for found, tokens, values in zip(
        response.topk_prompt_logprobs[1:], best.indices.tolist(), best.values.tolist(), strict=True
    ):
        assert [token for token, _ in found] == tokens
        assert [value for _, value in found] == pytest.approx(values, abs=1e-4)
    plain = submit(client, prompt, max_tokens=1).result()
    assert plain.prompt_logprobs is None
    assert plain.topk_prompt_logprobs is None


async def test_answers_come_in_tinkers_own_types(client, ask):
    prompt, params = tinker.ModelInput.from_ints(ask("Hi")), tinker.SamplingParams(max_tokens=2)
    for response in (
        await client.sample(prompt=prompt, num_samples=1, sampling_params=params),
        await client.sample_async(prompt=prompt, num_samples=1, sampling_params=params),
    ):
        assert isinstance(response, tinker.SampleResponse)
        (sequence,) = response.sequences
        assert isinstance(sequence, tinker.SampledSequence)
        assert len(sequence.tokens) == len(sequence.logprobs) == 2
        assert all(isinstance(token, int) for token in sequence.tokens)
        assert sequence.sequence_id
    assert isinstance(client.sample(prompt, 1, params), tinker.APIFuture)
    assert await client.compute_logprobs_async(prompt) == await client.compute_logprobs(prompt)


@pytest.fixture(scope="module")
def france(ask):
    return ask("What is the capital of France?")


@pytest.mark.parametrize(
    ("country", "holds", "capital"),
    [("France", True, "Paris"), ("Germany", True, "Berlin"), ("Italy", False, "Rome")],
)
def test_the_quickstarts_true_score_is_two_of_three(
    client, tokenizer, ask, country, holds, capital
):
    sequence = answer(client, ask(f"What is the capital of {country}?"), max_tokens=64)
    assert sequence.stop_reason == "stop"
    assert (capital in tokenizer.decode(sequence.tokens)) is holds


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        (None, PARIS),
        ("<|im_end|>", PARIS),
        (["never said"], PARIS),  # the end token ends it all the same
        ([11], PARIS),
        (" Paris", "The capital of France is Paris"),
        (["is Par"], "The capital of France is Paris"),  # within the token that completes it
        (["tal of Fra"], "The capital of France"),  # three tokens
        (["Berlin", "France is", "Paris"], "The capital of France is"),
        ([7042], "The capital of France is Paris"),
        ([7042, 4649], "The capital of France"),
        (["The"], "The"),
    ],
)
def test_an_answer_ends_with_the_token_that_completes_a_stop(client, tokenizer, france, stop, text):
    assert tokenizer.encode(" Paris France") == [7042, 4649]
    sequence = answer(client, france, stop=stop)
    assert tokenizer.decode(sequence.tokens) == text
    assert sequence.stop_reason == "stop"
    assert len(sequence.logprobs) == len(sequence.tokens)


def test_an_empty_stop_list_disables_even_the_end_token(client, tokenizer, france):
    sequence = answer(client, france, stop=[], max_tokens=20)
    assert len(sequence.tokens) == 20
    assert sequence.stop_reason == "length"
    assert tokenizer.decode(sequence.tokens).startswith(PARIS)


@pytest.mark.parametrize(("stop", "needed"), [(None, 8), (" Paris", 6), ([7042], 6)])
def test_a_stop_at_exactly_max_tokens_is_a_stop(client, france, stop, needed):
    exact = answer(client, france, stop=stop, max_tokens=needed)
    assert (len(exact.tokens), exact.stop_reason) == (needed, "stop")
    short = answer(client, france, stop=stop, max_tokens=needed - 1)
    assert (len(short.tokens), short.stop_reason) == (needed - 1, "length")


def test_a_stop_in_the_prompt_does_not_count(client, tokenizer, france):
    sequence = answer(client, france, stop=["What is the capital", "assistant\n"])
    assert tokenizer.decode(sequence.tokens) == PARIS


def test_one_likeliest_token_is_greedy(client, france):
    greedy = answer(client, france)
    for limit in ({"top_k": 1}, {"top_p": 1e-6}):
        assert answer(client, france, temperature=1.5, seed=4, **limit).tokens == greedy.tokens


def test_seeds_repeat_and_samples_differ(client, ask):
    prompt = ask("Write a line of a poem.")
    options = {"temperature": 1.0, "seed": 9, "num_samples": 3}
    first = submit(client, prompt, **options)
    company = [submit(client, ask(topic), temperature=1.0, seed=9) for topic in TOPICS]
    second = submit(client, prompt, **options)
    tokens = [sequence.tokens for sequence in first.result().sequences]
    assert [sequence.tokens for sequence in second.result().sequences] == tokens
    assert len({tuple(row) for row in tokens}) == 3
    for future in company:
        future.result()


def test_a_full_context_cuts_the_answer(client, smollm2_folder, france):
    client_with_room = LocalSamplingClient(
        AutoModelForCausalLM.from_pretrained(smollm2_folder, dtype=torch.float32).eval(),
        client.get_tokenizer(),
        context_length=len(france) + 5,
        end_tokens=[2],
        max_batch_size=4,
    )
    try:
        for most in (5, 6, 1000, None):
            sequence = answer(client_with_room, france, max_tokens=most)
            assert (len(sequence.tokens), sequence.stop_reason) == (5, "length")
        full = [*france, *[5] * 5]
        with pytest.raises(RuntimeError, match="no room for an answer"):
            answer(client_with_room, full)
        scores = client_with_room.compute_logprobs(tinker.ModelInput.from_ints(full)).result()
        assert len(scores) == len(full)
        with pytest.raises(RuntimeError, match=f"{len(full) + 1} tokens"):
            client_with_room.compute_logprobs(tinker.ModelInput.from_ints([*full, 5])).result()
    finally:
        client_with_room.close()
