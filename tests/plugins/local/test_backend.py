import dataclasses

import pytest
import tinker
import torch
from safetensors.torch import load_file, save_file
from transformers import GenerationConfig, LlamaConfig

import proctor
from proctor import BackendError
from proctor_local.backend import LocalBackend


@pytest.fixture
def saved(tiny_model, tokenizer, tmp_path):
    folder = tmp_path / "checkpoint-7"
    tiny_model(LlamaConfig, vocab_size=49152, hidden_size=16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
async def opened():
    """Opens backends, and closes them at the end."""
    backends = []

    async def open_one(**options):
        backends.append(LocalBackend(**options))
        return await backends[-1].open_model()

    yield open_one
    for backend in backends:
        await backend.close()


async def test_without_options_it_is_smollm2(opened, smollm2_folder):
    model = await opened()
    assert isinstance(model.client, proctor.SamplingClient)
    identity = model.identity
    assert identity.backend == "local"
    assert identity.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert identity.context_length == 8192
    assert identity.checkpoint is None
    assert identity.is_reusable
    assert identity.digest.removesuffix("-float32") in smollm2_folder.name
    assert model.tokenizer.encode("Hello world") == [19556, 905]
    assert model.client.get_tokenizer() is model.tokenizer
    assert model.max_in_flight >= 32
    response = await model.client.sample(
        tinker.ModelInput.from_ints([1, 4093, 198]), 1, tinker.SamplingParams(max_tokens=3)
    )
    assert response.sequences


async def test_a_second_open_gives_the_same_model(saved):
    backend = LocalBackend(model=str(saved))
    first = await backend.open_model()
    assert await backend.open_model() is first
    await backend.close()
    await backend.close()
    with pytest.raises(BackendError, match="closed"):
        await first.client.compute_logprobs(tinker.ModelInput.from_ints([1]))
    again = await backend.open_model()
    assert await again.client.compute_logprobs(tinker.ModelInput.from_ints([1])) == [None]
    await backend.close()


async def test_an_arithmetic_of_its_own_is_a_model_of_its_own(opened, saved):
    exact = await opened(model=str(saved))
    rough = await opened(model=str(saved), dtype="bfloat16")
    assert exact.identity.base_model == "checkpoint-7"
    assert exact.identity.digest != rough.identity.digest
    assert dataclasses.replace(rough.identity, digest=exact.identity.digest) == exact.identity
    prompt = tinker.ModelInput.from_ints([1, 2, 3, 4])
    scores = [(await m.client.compute_logprobs(prompt))[1:] for m in (exact, rough)]
    assert scores[0] != scores[1]
    assert scores[0] == pytest.approx(scores[1], abs=0.3)


async def test_on_a_cpu_stored_bfloat16_is_computed_in_float32(opened, saved, tiny_model):
    tiny_model(LlamaConfig, vocab_size=49152, hidden_size=16).to(torch.bfloat16).save_pretrained(
        saved
    )
    model = await opened(model=str(saved), device="cpu")
    assert model.identity.digest.endswith("-float32")


async def test_the_context_is_the_configs_or_the_options(opened, saved):
    assert (await opened(model=str(saved))).identity.context_length == 512
    model = await opened(model=str(saved), context_length=10)
    assert model.identity.context_length == 10
    with pytest.raises(BackendError, match="11 tokens"):
        await model.client.compute_logprobs(tinker.ModelInput.from_ints([1] * 11))


async def test_every_end_token_of_the_models_files_ends_an_answer(opened, saved):
    prompt = tinker.ModelInput.from_ints([7, 8, 9])
    free = tinker.SamplingParams(max_tokens=12, temperature=0.0, stop=[])
    model = await opened(model=str(saved))
    tokens = (await model.client.sample(prompt, 1, free)).sequences[0].tokens
    # The tokenizer's own end token is <|im_end|>; these are the generation config's.
    GenerationConfig(eos_token_id=[tokens[3], 40_000]).save_pretrained(saved)
    model = await opened(model=str(saved))
    params = tinker.SamplingParams(max_tokens=12, temperature=0.0)
    sequence = (await model.client.sample(prompt, 1, params)).sequences[0]
    assert sequence.tokens == tokens[: tokens.index(tokens[3]) + 1]
    assert sequence.stop_reason == "stop"
    assert model.client._end_tokens == {2, tokens[3], 40_000}


async def test_a_gguf_file_opens(opened, tiny_gguf, cache):
    model = await opened(model=str(tiny_gguf))
    assert (model.identity.base_model, model.identity.context_length) == ("tiny.gguf", 64)
    prompt = tinker.ModelInput.from_ints(model.tokenizer.encode("abc"))
    response = await model.client.sample(prompt, 1, tinker.SamplingParams(max_tokens=5, stop=[]))
    assert len(response.sequences[0].tokens) == 5


@pytest.mark.parametrize(
    ("device", "complaint"),
    [
        ("cuda:99", "CUDA devices.*device: cpu"),
        ("gpu", "no device 'gpu'"),
        ("meta", "no device 'meta'"),
    ],
)
async def test_a_device_that_is_not_there_is_named(saved, device, complaint):
    with pytest.raises(BackendError, match=complaint):
        await LocalBackend(model=str(saved), device=device).open_model()


async def test_a_model_with_missing_weights_is_refused(saved):
    """transformers would fill them with random numbers, and warn."""
    weights = load_file(saved / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, saved / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BackendError, match=r"1 of its weights.*model\.layers\.1\.mlp\.up_proj"):
        await LocalBackend(model=str(saved)).open_model()


async def test_files_that_transformers_cannot_read_are_one_line(saved):
    (saved / "config.json").write_text('{"model_type": "no such thing"}')
    with pytest.raises(BackendError, match="checkpoint-7: transformers can't load it") as caught:
        await LocalBackend(model=str(saved)).open_model()
    assert "\n" not in str(caught.value)


async def test_a_model_with_a_recurrent_state_is_refused(tokenizer, tmp_path):
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, state_size=4)
    MambaForCausalLM(config).save_pretrained(tmp_path / "mamba")
    tokenizer.save_pretrained(tmp_path / "mamba")
    with pytest.raises(BackendError, match="recurrent state"):
        await LocalBackend(model=str(tmp_path / "mamba"), context_length=64).open_model()


def test_a_config_names_it_local():
    from proctor_local import proctor_register

    named = {}

    class Registry:
        def backend(self, name, target):
            named[name] = target

    proctor_register(Registry())
    module, _, attribute = named["local"].partition(":")
    assert (module, attribute) == (LocalBackend.__module__, LocalBackend.__name__)


async def test_several_samples_of_one_seeded_request_differ_and_come_again(opened, saved):
    model = await opened(model=str(saved))
    assert model.seed_covers_samples

    class Question(proctor.Dataset):
        """One question."""

        def examples(self):
            yield proctor.Example(id="q", input="Say something.", target="x")

    class Anything(proctor.Grader):
        """Anything goes."""

        def grade(self, example, sample) -> bool:
            return True

    class Kept:
        def __init__(self):
            self.tokens = []

        def sample(self, record):
            self.tokens.append(tuple(record["calls"][0]["tokens"]))

        def grade(self, record):
            pass

    async def run(seed):
        kept = Kept()
        evaluator = proctor.GradedEvaluator(
            name="q",
            dataset=Question(),
            graders=[Anything()],
            num_samples=4,
            sampling=proctor.SamplingOptions(max_tokens=8, temperature=1.0),
        )
        context = proctor.EvaluationContext(
            identity=model.identity,
            tokenizer=model.tokenizer,
            seed_covers_samples=model.seed_covers_samples,
            seed=seed,
            sink=kept,
        )
        await evaluator.evaluate(model.client, context)
        return kept.tokens

    first = await run(1)
    assert len(set(first)) == 4
    assert await run(1) == first
    assert await run(2) != first
