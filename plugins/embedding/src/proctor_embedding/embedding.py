"""The grader ``embedding``: how near an answer is in meaning to what is wanted."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field, PrivateAttr, model_validator

from proctor import Example, Grade, Grader, Sample, UngradedError
from proctor_embedding.models import DEFAULT_MODEL, digest_of, load_model

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vector = npt.NDArray[np.float32]

CACHED_TARGETS = 10_000
"""Most targets whose embeddings are kept from one batch to the next."""

DECIMALS = 6
"""Decimals of a similarity: the last bits of an embedding depend on what else is in its batch."""

ENCODED_AT_ONCE = 64
"""Texts of like length that go through the model together."""


class Embedding(Grader):
    """Cosine similarity of answer and target, by an embedding model."""

    model: str = DEFAULT_MODEL
    """The embedding model: a folder, or a name on the hub that sentence-transformers loads."""
    threshold: float | None = Field(default=None, gt=0.0, le=1.0)
    """From this similarity on an answer is right; without it, the grade is the similarity."""
    device: str | None = None
    """Where the model runs, such as ``cpu`` or ``cuda:0``; without it, the fastest there is."""
    prompt_name: str | None = None
    """The model's own prompt that is put before each text, where it has some."""
    normalize: bool = True
    """Whether embeddings are scaled to length 1; without it, the grade is their dot product."""
    revision: str | None = None
    """The model's revision on the hub."""
    trust_remote_code: bool = False
    """Whether code that comes with the model may run on this machine."""
    digest: str | None = None
    """A digest of the model's folder. It is filled in, so that a run says which model graded."""

    batch_size: ClassVar[int] = 256

    _encoder: SentenceTransformer | None = PrivateAttr(default=None)
    _targets: OrderedDict[str, Vector] = PrivateAttr(default_factory=OrderedDict)

    @model_validator(mode="after")
    def _know_the_model(self) -> Embedding:
        found = digest_of(self.model)
        if self.digest is not None and found != self.digest:
            raise ValueError(f"the model's digest is {found}, not {self.digest}")
        object.__setattr__(self, "digest", found)
        return self

    @model_validator(mode="after")
    def _compares_on_one_scale(self) -> Embedding:
        if self.threshold is not None and not self.normalize:
            raise ValueError("a threshold is of a cosine: it needs normalize: true")
        return self

    @property
    def is_proportion(self) -> bool:
        """Whether the grade is yes or no."""
        return self.threshold is not None

    def scale(self) -> tuple[float | None, float]:
        """0 to 1 for cosines, where less than 0 counts as 0; dot products have no ends."""
        return (0.0, 1.0) if self.normalize else (None, 1.0)

    async def open(self) -> None:
        """Loads the model.

        Raises:
            BackendError: It can't be loaded.
            ConfigError: It has no such prompt.
        """
        self._encoder = await asyncio.to_thread(
            load_model,
            self.model,
            device=self.device,
            revision=self.revision,
            prompt_name=self.prompt_name,
            trust_remote_code=self.trust_remote_code,
        )

    async def close(self) -> None:
        """Drops the model and what it encoded."""
        self._encoder = None
        self._targets.clear()

    def grade_batch(self, pairs: Sequence[tuple[Example, Sample]]) -> list[Grade]:
        """Grades answers by their nearest target; each distinct text is encoded once."""
        answers = [sample.text for _, sample in pairs]
        wanted = [[t for t in example.targets if t.strip()] for example, _ in pairs]
        targets = self._embed_targets(target for of_one in wanted for target in of_one)
        vectors = self._embed({answer for answer in answers if answer.strip()} - targets.keys())
        vectors |= targets
        lengths = self._lengths({*answers, *targets})
        return [
            self._grade(answer, of_one, vectors, lengths)
            for answer, of_one in zip(answers, wanted, strict=True)
        ]

    def _grade(
        self,
        answer: str,
        targets: Sequence[str],
        vectors: dict[str, Vector],
        lengths: dict[str, int],
    ) -> Grade:
        if not answer.strip():
            if not self.normalize:
                raise UngradedError("the answer is empty, and there is no worst dot product")
            return Grade(0.0, "the answer is empty")
        similarities = [float(vectors[answer] @ vectors[target]) for target in targets]
        best = int(np.argmax(similarities))
        similarity = round(similarities[best], DECIMALS)
        if not np.isfinite(similarity):
            raise UngradedError(f"the model gave no similarity, but {similarity}")
        metadata: dict[str, Any] = {"similarity": similarity, "target": targets[best]}
        cut = {
            f"{role}_tokens": lengths[text]
            for role, text in (("answer", answer), ("target", targets[best]))
            if lengths.get(text, 0) > self._window
        }
        explanation = f"{similarity:.3f} to {targets[best]!r:.80}"
        if cut:
            metadata |= {**cut, "window": self._window}
            explanation += f", by the first {self._window} tokens"
        if self.threshold is not None:
            return Grade(float(similarity >= self.threshold), explanation, metadata)
        value = min(1.0, max(0.0, similarity)) if self.normalize else similarity
        return Grade(value, explanation, metadata)

    @property
    def _model(self) -> SentenceTransformer:
        if self._encoder is None:
            raise RuntimeError("the grader is not open")
        return self._encoder

    @property
    def _window(self) -> int:
        """How many tokens of a text the model reads, its prompt included."""
        window = self._model.max_seq_length  # None or infinite where a model reads all
        return int(window) if window and math.isfinite(window) else 10**9

    @property
    def _prompt(self) -> str:
        """What the model puts before each text."""
        name = self.prompt_name or self._model.default_prompt_name
        return self._model.prompts.get(name or "") or ""

    def _embed(self, texts: Iterable[str]) -> dict[str, Vector]:
        distinct = sorted(texts)
        if not distinct:
            return {}
        encoded = self._model.encode(
            # half a character, which a model can emit, is no text that a tokenizer takes
            [text.encode("utf-8", "replace").decode() for text in distinct],
            prompt_name=self.prompt_name,
            batch_size=ENCODED_AT_ONCE,
            normalize_embeddings=self.normalize,
            show_progress_bar=False,
        )
        return dict(zip(distinct, np.asarray(encoded, dtype=np.float32), strict=True))

    def _embed_targets(self, targets: Iterable[str]) -> dict[str, Vector]:
        """The embeddings of targets, which come again and again, from the last ones where known."""
        distinct = dict.fromkeys(targets)
        known = {target: self._targets[target] for target in distinct if target in self._targets}
        embedded = known | self._embed(distinct.keys() - known.keys())
        for target, vector in embedded.items():
            self._targets[target] = vector
            self._targets.move_to_end(target)
        while len(self._targets) > CACHED_TARGETS:
            self._targets.popitem(last=False)
        return embedded

    def _lengths(self, texts: Iterable[str]) -> dict[str, int]:
        """The tokens of each text that may be too long: no token is shorter than a byte."""
        whole = {text: (self._prompt + text).encode("utf-8", "replace") for text in texts}
        long = [text for text, sent in whole.items() if len(sent) + 2 > self._window]
        if not long:
            return {}
        clean = [whole[text].decode() for text in long]
        tokens = self._model.tokenizer(clean, truncation=False, padding=False, verbose=False)
        return {text: len(ids) for text, ids in zip(long, tokens["input_ids"], strict=True)}
