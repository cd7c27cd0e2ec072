"""What a judge cost, and how often it could not be read or did not agree with itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from proctor import Estimate, GradedPair, GradeTally
from proctor_judge.calibration import Calibration


class JudgeTally(GradeTally):
    """Counts one evaluation's judging.

    Args:
        calibration: What the judge's score is corrected by; None where it is not.
    """

    def __init__(self, calibration: Calibration | None) -> None:
        self._calibration = calibration
        self.requests = 0
        self.prompt_tokens = 0
        self.tokens = 0
        self.seconds = 0.0
        self.judged = 0
        self.first_tries = 0
        self.unreadable_first_tries = 0
        self.without_verdict = 0
        self.conflicts = 0
        self._agreements: list[float] = []

    def add(self, grading: GradedPair) -> None:
        """Takes what became of one answer."""
        metadata = grading.grade.metadata if grading.grade is not None else grading.metadata
        calls = metadata.get("calls", ())
        if not calls:
            return
        self.judged += 1
        self.without_verdict += grading.grade is None
        for call in calls:
            self.requests += 1
            self.prompt_tokens += call["prompt_tokens"]
            self.tokens += call["tokens"]
            self.seconds += call["seconds"]
            if call["attempt"] == 1:
                self.first_tries += 1
                self.unreadable_first_tries += call["verdict"] is None
        self.conflicts += metadata.get("conflicts", 0)
        if metadata.get("agreement") is not None:
            self._agreements.append(metadata["agreement"])

    @property
    def agreement(self) -> float | None:
        """The mean share of votes that agree with the most frequent one; None without votes."""
        return sum(self._agreements) / len(self._agreements) if self._agreements else None

    def metrics(self, estimate: Estimate) -> Mapping[str, float]:
        """The counts by name."""
        if not self.requests:
            return {}
        counted = {
            "judge_requests": float(self.requests),
            "judge_prompt_tokens": float(self.prompt_tokens),
            "judge_tokens": float(self.tokens),
            "judge_seconds": self.seconds,
            "unreadable_first_tries": float(self.unreadable_first_tries),
            "without_verdict": float(self.without_verdict),
            "position_conflicts": float(self.conflicts),
        }
        if self.agreement is not None:
            counted["agreement"] = self.agreement
        corrected = self._calibration.corrected(estimate) if self._calibration else None
        if corrected is not None:
            counted |= {
                "corrected_score": corrected.score,
                "corrected_ci_low": corrected.ci_low,
                "corrected_ci_high": corrected.ci_high,
            }
        return counted

    def notes(self, estimate: Estimate) -> Sequence[str]:
        """The judge's cost, its unreadable replies, and the corrected score."""
        if not self.requests:
            return ()
        lines = [
            f"judge: {self.requests} requests, {self.prompt_tokens} prompt tokens, "
            f"{self.tokens} tokens, {self.seconds:.1f} s"
        ]
        if self.unreadable_first_tries:
            lines.append(
                f"judge: no readable verdict in {self.unreadable_first_tries} of "
                f"{self.first_tries} first tries; none in the end for {self.without_verdict} of "
                f"{self.judged} answers"
            )
        if self.agreement is not None:
            lines.append(f"judge: votes agree in {self.agreement:.1%}")
        if self.conflicts:
            lines.append(f"judge: {self.conflicts} verdicts went with the order of the answers")
        if self._calibration is not None:
            lines.append(self._corrected(self._calibration, estimate))
        return lines

    def _corrected(self, calibration: Calibration, estimate: Estimate) -> str:
        corrected = calibration.corrected(estimate)
        if corrected is None:
            return "no corrected score: the verdicts contradict the judge's calibration"
        clipped = ", clipped" if corrected.is_clipped else ""
        return (
            f"corrected for the judge's errors: {corrected.score:.3f} "
            f"[{corrected.ci_low:.3f}, {corrected.ci_high:.3f}]{clipped}"
        )
