"""The grader ``embedding`` on the real MiniLM."""

from __future__ import annotations

import asyncio
import copy
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

import proctor
from proctor import Example, Outcome
from proctor.testing import check_grader, grade_answer, make_sample
from proctor_embedding import models
from proctor_embedding.embedding import Embedding

HERE = Path(__file__).parent
TRIPLES = [json.loads(line) for line in (HERE / "triples.jsonl").read_text().splitlines()]
DOCS = HERE.parents[2] / "docs" / "embedding.md"


@pytest.fixture(scope="module")
def encoder():
    return models.load_model(models.DEFAULT_MODEL)


@pytest.fixture(autouse=True)
def one_load(encoder, monkeypatch):
    """Graders share the one model; test_loading.py loads it."""
    monkeypatch.setattr("proctor_embedding.embedding.load_model", lambda *_, **__: encoder)


def graded(answer, *targets, **options):
    example = Example("a", "?", list(targets))
    grading = grade_answer(Embedding(**options), example, answer)
    assert grading.outcome is Outcome.GRADED, grading.reason
    return grading.grade


def similarity(text, target):
    return graded(text, target).value


def grade_together(pairs):
    """Grades (answer, target) pairs as a run does, in batches."""
    examples = [Example(str(number), "?", target) for number, (_, target) in enumerate(pairs)]
    samples = [make_sample(e, text) for e, (text, _) in zip(examples, pairs, strict=True)]

    async def grade():
        grader = Embedding()
        await grader.open()
        return await proctor.grade_pairs(grader, list(zip(examples, samples, strict=True)))

    return asyncio.run(grade())


def similarities(triples, answer):
    pairs = [(triple[answer], triple["text"]) for triple in triples]
    return [grading.grade.value for grading in grade_together(pairs)]


def test_paraphrases_score_above_unrelated_texts():
    """38 of 40 at least; the docs show each miss."""
    assert len(TRIPLES) == 40
    near, far = similarities(TRIPLES, "paraphrase"), similarities(TRIPLES, "unrelated")
    missed = [row for row in zip(TRIPLES, near, far, strict=True) if row[1] <= row[2]]
    assert len(missed) <= 2
    page = DOCS.read_text(encoding="utf-8")
    assert f"{40 - len(missed)} of 40" in page
    shown = [
        f"| {triple['text']} | {triple['paraphrase']} ({of_near:.2f}) "
        f"| {triple['unrelated']} ({of_far:.2f}) |"
        for triple, of_near, of_far in missed
    ]
    assert [line for line in page.splitlines() if line.endswith(") |")] == shown


def test_the_similarity_is_the_cosine(encoder):
    one, other = encoder.encode(["A cat sat down.", "A dog lay down."])
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert similarity("A cat sat down.", "A dog lay down.") == pytest.approx(cosine, abs=1e-5)


def test_the_nearest_of_several_targets_counts():
    grade = graded("It is Paris.", "Bananas are yellow.", "Paris", "")
    assert grade.metadata["target"] == "Paris"
    assert grade.value == similarity("It is Paris.", "Paris")


def test_an_equal_text_has_the_best_grade_and_less_than_0_counts_as_0(monkeypatch):
    assert graded("Rome", "Rome").value == 1.0
    opposite = {"yes": np.array([1.0, 0.0]), "no": np.array([-1.0, 0.0])}
    monkeypatch.setattr(Embedding, "_embed", lambda _, texts: {t: opposite[t] for t in texts})
    grade = graded("yes", "no")
    assert (grade.value, grade.metadata["similarity"]) == (0.0, -1.0)


def test_a_threshold_makes_it_yes_or_no():
    near = similarity("The feline sat on a rug.", "The cat sat on the mat.")
    below = graded("The feline sat on a rug.", "The cat sat on the mat.", threshold=near)
    above = graded("The feline sat on a rug.", "The cat sat on the mat.", threshold=near + 1e-6)
    assert (below.value, above.value) == (1.0, 0.0)
    assert below.metadata["similarity"] == near
    assert Embedding(threshold=0.8).is_proportion
    assert not Embedding().is_proportion


@pytest.mark.parametrize("answer", ["", " \n\t"])
def test_an_empty_answer_has_the_worst_grade(answer):
    assert graded(answer, "Paris").value == 0.0


@pytest.mark.parametrize("answer", ["\ud83d", "\x00", "🏳️‍🌈é", "x" * 1_000_000])
def test_odd_text_is_graded(answer):
    assert 0.0 <= graded(answer, "Paris").value < 0.9


def test_a_text_longer_than_the_window_is_said(encoder):
    window = encoder.max_seq_length
    long = "Paris is a city. " * window
    grade = graded(long, "Paris")
    assert grade.metadata["window"] == window
    assert grade.metadata["answer_tokens"] == len(encoder.tokenizer(long)["input_ids"])
    assert "target_tokens" not in grade.metadata
    assert f"first {window} tokens" in grade.explanation
    assert "window" not in graded("Paris is a city.", "Paris").metadata
    assert graded("Paris", long).metadata["target_tokens"] > window


def test_a_text_of_exactly_the_window_is_not_cut(encoder):
    window = encoder.max_seq_length
    whole = "a " * (window - 2)  # the model adds a start and an end
    assert len(encoder.tokenizer(whole)["input_ids"]) == window
    assert "window" not in graded(whole, "Paris").metadata
    assert graded(whole + "a", "Paris").metadata["answer_tokens"] == window + 1


@pytest.mark.parametrize("options", [{"prompt_name": "search"}, {}])
def test_a_prompt_counts_towards_the_window(encoder, monkeypatch, options):
    """Both texts are cut off behind it: they look alike, and nothing else would say why."""
    monkeypatch.setattr(encoder, "prompts", {"search": "find " * encoder.max_seq_length})
    monkeypatch.setattr(encoder, "default_prompt_name", None if options else "search")
    grade = graded("London", "Paris", **options)
    assert grade.metadata["answer_tokens"] > grade.metadata["window"]
    assert grade.metadata["target_tokens"] > grade.metadata["window"]


@pytest.fixture(scope="module")
def without_window(encoder):
    """A model of word vectors, which reads a text of any length, and scales no embedding."""
    tokenizer = copy.deepcopy(encoder.tokenizer.backend_tokenizer)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    vectors = np.full((tokenizer.get_vocab_size(), 4), 3.0, dtype=np.float32)
    words = StaticEmbedding(tokenizer, embedding_weights=vectors)
    return SentenceTransformer(modules=[words], device="cpu")


def test_a_model_without_a_window_reads_all(without_window, monkeypatch):
    monkeypatch.setattr("proctor_embedding.embedding.load_model", lambda *_, **__: without_window)
    assert "window" not in graded("Paris " * 1000, "Rome").metadata


def test_without_normalize_the_grade_is_the_dot_product(without_window, monkeypatch):
    monkeypatch.setattr("proctor_embedding.embedding.load_model", lambda *_, **__: without_window)
    assert graded("Paris", "Rome").value == pytest.approx(1.0)
    assert graded("Paris", "Rome", normalize=False).value == pytest.approx(4 * 3.0 * 3.0)
    assert Embedding(normalize=False).scale() == (None, 1.0)
    empty = grade_answer(Embedding(normalize=False), Example("a", "?", "Rome"), " ")
    assert empty.outcome is Outcome.UNGRADED
    assert "empty" in empty.reason


def test_what_the_model_makes_no_number_of_costs_only_itself(monkeypatch):
    real = Embedding._embed

    def broken(self, texts):
        vectors = real(self, texts)
        return vectors | {t: v * np.nan for t, v in vectors.items() if t == "broken"}

    monkeypatch.setattr(Embedding, "_embed", broken)
    gradings = grade_together([(text, "Paris") for text in ("Paris", "broken", "Rome")])
    assert [g.outcome for g in gradings] == [Outcome.GRADED, Outcome.UNGRADED, Outcome.GRADED]
    assert "nan" in gradings[1].reason


def test_each_distinct_text_is_encoded_once(encoder, monkeypatch):
    encoded = []
    real = type(encoder).encode

    def counted(self, texts, **options):
        encoded.extend(texts)
        return real(self, texts, **options)

    monkeypatch.setattr(type(encoder), "encode", counted)
    gradings = grade_together([(f"answer {n % 150}", "the capital") for n in range(300)])
    assert len(gradings) == 300
    assert encoded.count("the capital") == 1
    # a batch knows its own texts: 150 distinct answers come twice, in different batches
    assert len(encoded) <= 301


def test_it_never_encodes_on_the_event_loops_thread(encoder, monkeypatch):
    threads = set()
    real = type(encoder).encode

    def noted(self, texts, **options):
        threads.add(threading.get_ident())
        return real(self, texts, **options)

    monkeypatch.setattr(type(encoder), "encode", noted)
    example = Example("a", "?", "Paris")

    async def grade():
        grader = Embedding()
        await grader.open()
        await proctor.grade_pairs(grader, [(example, make_sample(example, "Rome"))])
        return threading.get_ident()

    loop_thread = asyncio.run(grade())
    assert threads
    assert loop_thread not in threads


def test_a_batch_changes_no_grade():
    """Padding moves the last bits of an embedding, and no decimal that counts."""
    alone = [similarity(t["paraphrase"], t["text"]) for t in TRIPLES[:8]]
    together = similarities(TRIPLES, "paraphrase")[:8]
    assert together == pytest.approx(alone, abs=2e-6)


def test_it_passes_the_self_test_of_graders():
    check_grader(Embedding())
    excused = {"negated gold": "'not Paris' is near 'Paris' in meaning as embeddings have it"}
    check_grader(Embedding(threshold=0.8), except_for=excused)


def test_fingerprints_tell_models_apart(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(models.folder_of(models.DEFAULT_MODEL), folder)
    same = proctor.fingerprint(Embedding(model=str(folder)))
    assert proctor.fingerprint(Embedding(model=str(folder))) == same
    settings = folder / "sentence_bert_config.json"
    settings.write_text(settings.read_text().replace("256", "128"))
    assert proctor.fingerprint(Embedding(model=str(folder))) != same
    digest = Embedding(model=str(folder)).digest
    with pytest.raises(ValueError, match="digest"):
        Embedding(digest=digest)


def test_a_target_cache_is_bounded(monkeypatch):
    monkeypatch.setattr("proctor_embedding.embedding.CACHED_TARGETS", 3)
    grader = Embedding()
    asyncio.run(grader.open())
    for number in range(5):
        example = Example("a", "?", f"target {number}")
        grader.grade_batch([(example, make_sample(example, "answer"))])
    assert list(grader._targets) == ["target 2", "target 3", "target 4"]


@pytest.mark.parametrize(
    "options",
    [
        {"threshold": 0.0},
        {"threshold": 1.5},
        {"threshold": 0.5, "normalize": False},
        {"modle": "x"},
    ],
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError):
        Embedding(**options)
