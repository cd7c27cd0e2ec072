"""What came back from a sampling client, read into samples."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proctor.errors import one_line
from proctor.renderers.base import Renderer
from proctor.renderers.prompt import Prompt
from proctor.renderers.tokenizers import Tokenizer
from proctor.types import Call, Message, Sample, SampleStatus, Termination

if TYPE_CHECKING:
    import tinker


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """Reads sampled tokens into samples: the renderer's parsing, and what it says of their end.

    Attributes:
        renderer: Parses the tokens.
        tokenizer: Decodes them, where a task has stop strings of its own.
        stops: The task's own stop strings.
        prefill_tokens: The start of the answer, which the prompt already held.
    """

    renderer: Renderer
    tokenizer: Tokenizer
    stops: tuple[str, ...] = ()
    prefill_tokens: tuple[int, ...] = ()

    def read(
        self,
        example_id: str,
        index: int,
        messages: list[Message],
        prompt: Prompt,
        sequence: tinker.SampledSequence,
        seconds: float,
    ) -> Sample:
        """The sample that one sampled sequence is.

        A clean end beats the stop reason: a clean end at exactly the last token is complete.
        """
        tokens = [int(token) for token in sequence.tokens]
        logprobs = getattr(sequence, "logprobs", None)
        call = Call(
            prompt_tokens=prompt.tokens,
            images=prompt.images,
            tokens=tokens,
            stop_reason=str(sequence.stop_reason),
            seconds=seconds,
            logprobs=None if logprobs is None else [float(value) for value in logprobs],
        )
        error = None
        try:
            message, termination = self.renderer.parse_response(
                [*self.prefill_tokens, *self._ended(tokens)],
                prompt=prompt.tokens[: len(prompt.tokens) - len(self.prefill_tokens)],
            )
        except Exception as raised:
            message = Message(role="assistant", content=str(self.tokenizer.decode(tokens)))
            termination, error = Termination.MALFORMED, f"the renderer raised {one_line(raised)}"
        termination = Termination(str(termination))
        status: SampleStatus = "complete"
        if not termination.is_clean:
            status = "truncated" if call.stop_reason == "length" else "malformed"
            if status == "malformed" and error is None:
                error = "the answer has no clean end"
        return Sample(
            example_id=example_id,
            index=index,
            status=status,
            messages=[*messages, message],
            calls=[call],
            termination=termination,
            error=error,
        )

    def _ended(self, tokens: list[int]) -> list[int]:
        """The tokens up to a task's own stop string, ended as the renderer's own end would."""
        if not self.stops:
            return tokens
        text = str(self.tokenizer.decode(tokens))
        cuts = [text.find(stop) for stop in self.stops if stop in text]
        if not cuts:
            return tokens
        answer = text[: min(cuts)]
        within_answer = range(len(tokens))
        whole = bisect.bisect_left(
            within_answer,
            True,
            key=lambda last: not answer.startswith(self.tokenizer.decode(tokens[: last + 1])),
        )
        rest = answer[len(self.tokenizer.decode(tokens[:whole])) :]
        end = self.renderer.get_stop_sequences()[0]
        if isinstance(end, str):
            tail = self.tokenizer.encode(rest + end, add_special_tokens=False)
        else:
            tail = [*self.tokenizer.encode(rest, add_special_tokens=False), end]
        return [*tokens[:whole], *tail]

    def read_response(
        self,
        example_id: str,
        messages: list[Message],
        prompt: Prompt,
        response: tinker.SampleResponse,
        seconds: float,
        count: int,
    ) -> list[Sample]:
        """The samples of one request: as many as were asked for, failed where none came back."""
        samples: list[Sample] = []
        try:
            sequences = list(response.sequences)[:count]
            for index, sequence in enumerate(sequences):
                samples.append(self.read(example_id, index, messages, prompt, sequence, seconds))
            reason = f"the client gave {len(sequences)} answers for {count}"
        except Exception as error:
            reason = f"the client's response can't be read: {one_line(error)}"
        missing = range(len(samples), count)
        return samples + failed_samples(example_id, messages, missing, reason)


def failed_samples(
    example_id: str, messages: list[Message], indices: Iterable[int], reason: str
) -> list[Sample]:
    """Samples of a request that gave no answer, with the reason in one line."""
    return [Sample(example_id, index, "failed", messages, [], error=reason) for index in indices]
