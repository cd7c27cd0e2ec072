"""The engine: one thread that runs the model, for all requests of all callers at once.

Rows join the running batch when there is room and leave it when they end, so that a long answer
holds up no short one (continuous batching).
"""

from __future__ import annotations

import copy
import functools
import threading
from collections import deque
from typing import Any

import torch
from torch import Tensor

from proctor import BackendError
from proctor_local.attention import use_grouped_attention
from proctor_local.batch_rows import Request, Row
from proctor_local.decoding import DecodingBatch
from proctor_local.prefill import PREFILL_TOKENS, PromptReader
from proctor_local.token_sampling import choose_tokens

_STEPS_BETWEEN_JOINS = 8
"""Reading one prompt costs about as much as a step of the whole batch: rows wait for company."""


class Engine:
    """Runs a model on a thread of its own, which starts with the first request.

    Args:
        model: A transformers model for causal language modelling.
        tokenizer: Its tokenizer, for stop strings.
        max_batch_size: Most rows that are continued at once.
    """

    def __init__(self, model: Any, tokenizer: Any, max_batch_size: int) -> None:
        use_grouped_attention(model)
        self.device: torch.device = model.device
        self._tokenizer = tokenizer
        self._capacity = max_batch_size
        self._reader = PromptReader(model)
        self._batch = DecodingBatch(model, max_batch_size)
        self._active: list[Row] = []
        self._waiting: deque[Row] = deque()
        self._unscored: deque[Request] = deque()
        self._steps_since_join = 0
        self._next_tokens: Tensor | None = None
        self._inbox: list[Request] = []
        self._closed = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="proctor-local", daemon=True)

    @functools.cached_property
    def decoder(self) -> Any:
        """A tokenizer for this thread: a fast one can't decode while another thread encodes."""
        return copy.deepcopy(self._tokenizer)

    def submit(self, request: Request) -> None:
        """Takes a request from any thread; its future gets the result or the error."""
        with self._wake:
            if not self._closed:
                self._inbox.append(request)
                if not self._thread.is_alive():
                    self._thread.start()
                self._wake.notify()
                return
        request.fail(BackendError("the model was closed", where="local"))

    def close(self) -> None:
        """Fails what is unanswered, and waits until the thread has left the model."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        with torch.inference_mode():
            while self._take_requests():
                try:
                    self._advance()
                except Exception as error:  # whoever shared the pass can't be answered
                    self._fail_everything(error)
        self._fail_everything(BackendError("the model was closed", where="local"))

    def _take_requests(self) -> bool:
        """Waits until there is work; false when it is time to end."""
        with self._wake:
            while not (self._closed or self._inbox or self._active or self._backlog):
                self._wake.wait()
            arrived, self._inbox = self._inbox, []
            if self._closed:
                self._unscored.extend(arrived)
                return False
        for request in arrived:
            if request.scores_top_k is not None:
                self._unscored.append(request)
            self._waiting.extend(request.rows)
        return True

    @property
    def _backlog(self) -> int:
        return len(self._waiting) + len(self._unscored)

    def _advance(self) -> None:
        self._drop_cancelled()
        if self._unscored:
            self._score_prompts()
        if self._waiting and self._should_join():
            self._join_rows()
        if self._active:
            self._step()

    def _drop_cancelled(self) -> None:
        if any(row.request.is_over for row in self._active):
            self._keep([not row.request.is_over for row in self._active])
        self._waiting = deque(row for row in self._waiting if not row.request.is_over)
        self._unscored = deque(request for request in self._unscored if not request.is_over)

    def _keep(self, wanted: list[bool]) -> None:
        order = self._batch.keep(wanted)
        if self._next_tokens is not None:
            self._next_tokens = self._next_tokens[order]
        self._active = [self._active[place] for place in order]

    def _score_prompts(self) -> None:
        group = [self._unscored.popleft()]
        width = len(group[0].prompt)
        while self._unscored:
            width = max(width, len(self._unscored[0].prompt))
            if width * (len(group) + 1) > self._reader.score_tokens:
                break
            group.append(self._unscored.popleft())
        try:
            scores = self._reader.score(
                [request.prompt for request in group],
                max(request.scores_top_k or 0 for request in group),
            )
        except Exception as error:
            for request in group:
                request.fail(_explained(error))
            return
        for request, score in zip(group, scores, strict=True):
            request.scores = score
            if request.is_done:
                request.finish()

    def _should_join(self) -> bool:
        room = self._capacity - len(self._active)
        if room <= 0:
            return False
        enough = min(room, len(self._waiting)) >= max(1, self._capacity // 4)
        return not self._active or enough or self._steps_since_join >= _STEPS_BETWEEN_JOINS

    def _join_rows(self) -> None:
        rows, prompts, copies = self._next_group(self._capacity - len(self._active))
        try:
            logits, cache = self._reader.read(prompts)
            self._batch.join(cache, [len(prompt) for prompt in prompts], copies)
        except torch.OutOfMemoryError as error:
            self._shrink(rows, error)
            return
        except Exception as error:
            for row in rows:
                row.request.fail(_explained(error))
            return
        self._steps_since_join = 0
        self._active.extend(rows)
        repeats = torch.tensor(copies, device=logits.device)
        self._append_tokens(logits.repeat_interleave(repeats, 0), rows)

    def _next_group(self, room: int) -> tuple[list[Row], list[list[int]], list[int]]:
        """Rows to read in one pass; those of one request that have only its prompt share it."""
        rows: list[Row] = []
        prompts: list[list[int]] = []
        copies: list[int] = []
        width = 0
        while self._waiting and len(rows) < room:
            row = self._waiting[0]
            shares = (
                rows and row.request is rows[-1].request and not (row.tokens or rows[-1].tokens)
            )
            if shares:
                copies[-1] += 1
            else:
                width = max(width, len(row.so_far))
                if prompts and width * (len(prompts) + 1) > PREFILL_TOKENS:
                    break
                prompts.append(row.so_far)
                copies.append(1)
            rows.append(self._waiting.popleft())
        return rows, prompts, copies

    def _step(self) -> None:
        assert self._next_tokens is not None
        try:
            logits = self._batch.step(self._next_tokens)
        except torch.OutOfMemoryError as error:
            self._shrink([], error)
            return
        self._steps_since_join += 1
        self._next_tokens = None
        self._append_tokens(logits, self._active)

    def _append_tokens(self, logits: Tensor, rows: list[Row]) -> None:
        """Gives rows their next tokens, and lets those go that end with them."""
        choices = [row.request.choice for row in rows]
        chosen = choose_tokens(
            logits,
            [choice.temperature for choice in choices],
            [choice.top_k for choice in choices],
            [choice.top_p for choice in choices],
            [row.generator for row in rows],
        )
        logprobs = logits.gather(-1, chosen.unsqueeze(-1)).squeeze(-1) - logits.logsumexp(-1)
        for row, token, logprob in zip(rows, chosen.tolist(), logprobs.tolist(), strict=True):
            if logprob != logprob:
                row.request.fail(BackendError("the model's output is not a number (NaN)"))
            elif not row.request.is_over:
                row.append(token, logprob)
        present = self._next_tokens
        self._next_tokens = chosen if present is None else torch.cat([present, chosen])
        self._release_finished()

    def _release_finished(self) -> None:
        running = [row.stop_reason is None for row in self._active]
        if all(running):
            return
        ended = dict.fromkeys(row.request for row in self._active if row.stop_reason is not None)
        self._keep(running)
        for request in ended:
            if request.is_done and not request.is_over:
                request.finish()

    def _shrink(self, joining: list[Row], error: torch.OutOfMemoryError) -> None:
        """Runs fewer rows at once from now on; those that lose their place are read again."""
        if joining and self._active:
            self._capacity = len(self._active)
            displaced = joining
        else:
            displaced = joining or self._active
            self._clear_batch()
            if len(displaced) == 1:
                displaced.pop().request.fail(_explained(error))
            self._capacity = max(1, len(displaced) // 2)
        self._waiting.extendleft(reversed(displaced))
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _clear_batch(self) -> None:
        self._active = []
        self._batch.clear()
        self._next_tokens = None

    def _fail_everything(self, error: Exception) -> None:
        """Leaves no request without an answer, and no state behind."""
        requests = [row.request for row in (*self._active, *self._waiting)]
        for request in (*requests, *self._unscored):
            request.fail(_explained(error))
        self._waiting.clear()
        self._unscored.clear()
        self._clear_batch()


def _explained(error: Exception) -> BackendError:
    if isinstance(error, BackendError):
        return error
    if isinstance(error, torch.OutOfMemoryError):
        return BackendError(
            "the device ran out of memory on one answer alone",
            where="local",
            fix="shorten the prompt, or set dtype or device",
        )
    explained = BackendError(f"the model failed ({type(error).__name__}: {error})", where="local")
    explained.__cause__ = error
    return explained
