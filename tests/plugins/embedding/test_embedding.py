"""The grader ``embedding`` on the real MiniLM."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

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


def test_paraphrases_score_above_unrelated_texts():
    """38 of 40 at least; the docs show each miss."""
    assert len(TRIPLES) == 40
    missed = [
        triple
        for triple in TRIPLES
        if similarity(triple["paraphrase"], triple["text"])
        <= similarity(triple["unrelated"], triple["text"])
    ]
    assert len(missed) <= 2
    page = DOCS.read_text(encoding="utf-8")
    assert f"{40 - len(missed)} of 40" in page
    for triple in missed:
        assert triple["text"] in page
        assert triple["unrelated"] in page


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


def test_each_distinct_text_is_encoded_once(encoder, monkeypatch):
    encoded = []
    real = type(encoder).encode

    def counted(self, texts, **options):
        encoded.extend(texts)
        return real(self, texts, **options)

    monkeypatch.setattr(type(encoder), "encode", counted)
    examples = [Example(str(n), "?", "the capital") for n in range(300)]
    pairs = [(e, make_sample(e, f"answer {int(e.id) % 150}")) for e in examples]

    async def grade():
        grader = Embedding()
        await grader.open()
        return await proctor.grade_pairs(grader, pairs)

    gradings = asyncio.run(grade())
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
    examples = [Example(str(n), "?", t["text"]) for n, t in enumerate(TRIPLES)]
    pairs = [(e, make_sample(e, t["paraphrase"])) for e, t in zip(examples, TRIPLES, strict=True)]

    async def grade():
        grader = Embedding()
        await grader.open()
        return await proctor.grade_pairs(grader, pairs)

    together = [g.grade.value for g in asyncio.run(grade())[:8]]
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
