"""How a judge agrees with people, and what that says of a score that it gave.

Sources:

* Rogan, W. J. and Gladen, B. (1978). Estimating prevalence from the results of a screening test.
  American Journal of Epidemiology 107, 71-76: the corrected score.
* Lang, Z. and Reiczigel, J. (2014). Confidence limits for prevalence of disease adjusted for
  estimated sensitivity and specificity. Preventive Veterinary Medicine 113, 13-22: its interval.
* Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological
  Measurement 20, 37-46: kappa.
* Fleiss, J. L., Cohen, J. and Everitt, B. S. (1969). Large sample standard errors of kappa and
  weighted kappa. Psychological Bulletin 72, 323-327: kappa's standard error.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proctor import ConfigError, Estimate, Outcome, wilson_interval

FORMAT = 1
"""The version of the calibration file."""

Z = 1.959963984540054
"""The normal quantile of a 95% interval."""

FEW_LABELS = 200
"""Under so many labels the corrected score's interval is wide, and may miss its 95%."""


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion with its 95% interval (Wilson).

    Attributes:
        value: The proportion; None where nothing was counted.
        ci_low: The interval's lower end.
        ci_high: Its upper end.
        n: How many it is of.
    """

    value: float | None
    ci_low: float
    ci_high: float
    n: int

    @classmethod
    def of(cls, count: int, n: int) -> Share:
        """``count`` out of ``n``."""
        if n == 0:
            return cls(None, 0.0, 1.0, 0)
        return cls(count / n, *wilson_interval(count / n, n, math.inf), n)


@dataclass(frozen=True, slots=True)
class CorrectedScore:
    """A score corrected for its judge's errors.

    Attributes:
        score: The corrected score, from 0 to 1.
        ci_low: The lower end of its 95% interval.
        ci_high: The upper end.
        is_clipped: Whether the correction led outside 0 to 1, as far as that goes.
    """

    score: float
    ci_low: float
    ci_high: float
    is_clipped: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """A judge's verdicts held against people's labels.

    Attributes:
        true_positives: Right answers that the judge called right.
        false_negatives: Right answers that it called wrong.
        true_negatives: Wrong answers that it called wrong.
        false_positives: Wrong answers that it called right.
        unreadable: Answers on which it gave no usable verdict; they are in no figure.
        judge: The fingerprint of the judge with its rubric; None where the verdicts were given.
    """

    true_positives: int
    false_negatives: int
    true_negatives: int
    false_positives: int
    unreadable: int = 0
    judge: str | None = None

    @property
    def labels(self) -> int:
        """Labels that have a verdict beside them."""
        return self.positives + self.negatives

    @property
    def positives(self) -> int:
        """Answers that are right, by the labels."""
        return self.true_positives + self.false_negatives

    @property
    def negatives(self) -> int:
        """Answers that are wrong, by the labels."""
        return self.true_negatives + self.false_positives

    @property
    def accuracy(self) -> Share:
        """The share of verdicts that agree with the label."""
        return Share.of(self.true_positives + self.true_negatives, self.labels)

    @property
    def sensitivity(self) -> Share:
        """The share of right answers that the judge calls right."""
        return Share.of(self.true_positives, self.positives)

    @property
    def specificity(self) -> Share:
        """The share of wrong answers that the judge calls wrong."""
        return Share.of(self.true_negatives, self.negatives)

    @property
    def kappa(self) -> Share:
        """Cohen's kappa, agreement beyond chance, with the interval of its standard error.

        It has no value where label and verdict are all the same, so that chance agrees always.
        """
        n = self.labels
        if n == 0:
            return Share(None, -1.0, 1.0, 0)
        rows = (self.positives / n, self.negatives / n)
        columns = (
            (self.true_positives + self.false_positives) / n,
            (self.false_negatives + self.true_negatives) / n,
        )
        diagonal = (self.true_positives / n, self.true_negatives / n)
        observed = sum(diagonal)
        expected = rows[0] * columns[0] + rows[1] * columns[1]
        if expected >= 1.0:
            return Share(None, -1.0, 1.0, n)
        kappa = (observed - expected) / (1 - expected)
        on = sum(
            p * (1 - (row + column) * (1 - kappa)) ** 2
            for p, row, column in zip(diagonal, rows, columns, strict=True)
        )
        # right called wrong, and wrong called right
        off = (1 - kappa) ** 2 * (
            self.false_negatives / n * (columns[0] + rows[1]) ** 2
            + self.false_positives / n * (columns[1] + rows[0]) ** 2
        )
        variance = (on + off - (kappa - expected * (1 - kappa)) ** 2) / (n * (1 - expected) ** 2)
        half = Z * math.sqrt(max(0.0, variance))
        return Share(kappa, max(-1.0, kappa - half), min(1.0, kappa + half), n)

    def corrected(self, estimate: Estimate) -> CorrectedScore | None:
        """A score as it would be under a judge without errors.

        With ``p`` the share that the judge calls right, the corrected share is Rogan and Gladen's::

            (p + specificity - 1) / (sensitivity + specificity - 1)

        Its interval is Lang and Reiczigel's, which takes in that sensitivity and specificity are
        estimates too. ``p`` counts as if from as many answers as its own clustered error says.
        Truncated and malformed answers are wrong whatever a judge thinks: they are left out of
        ``p``, and count as wrong in the end.

        Args:
            estimate: The judge's yes or no score.

        Returns:
            The corrected score; None where there is no score, where none of it is the judge's, or
            where the judge called more or fewer answers right than its errors allow: then the
            calibration does not fit these answers.
        """
        judged = estimate.counts[Outcome.GRADED]
        if not judged or not estimate.samples or not math.isfinite(estimate.score):
            return None
        share = judged / estimate.samples
        p = min(1.0, estimate.score / share)
        variance = estimate.stderr**2
        n = float(estimate.clusters)
        if math.isfinite(variance) and variance > 0:
            n = estimate.score * (1 - estimate.score) / variance
        return self._corrected(p, n * share, share, n)

    def _corrected(self, p: float, n: float, share: float, of: float) -> CorrectedScore | None:
        """The correction of ``p`` out of ``n`` judged answers, a ``share`` of all ``of``."""
        sensitivity = self.true_positives / self.positives
        specificity = self.true_negatives / self.negatives
        raw = (p + specificity - 1) / (sensitivity + specificity - 1)
        score = min(1.0, max(0.0, raw))
        # Lang and Reiczigel's adjusted estimates, which keep the interval's coverage at the edges
        ratio = Z * Z
        p = (n * p + ratio / 2) / (n + ratio)
        sensitivity = (self.true_positives + 1) / (self.positives + 2)
        specificity = (self.true_negatives + 1) / (self.negatives + 2)
        youden = sensitivity + specificity - 1
        adjusted = (p + specificity - 1) / youden
        error_of_sensitivity = sensitivity * (1 - sensitivity) / (self.positives + 2)
        error_of_specificity = specificity * (1 - specificity) / (self.negatives + 2)
        shift = (
            2 * ratio * (adjusted * error_of_sensitivity - (1 - adjusted) * error_of_specificity)
        )
        variance = (
            p * (1 - p) / (n + ratio)
            + adjusted**2 * error_of_sensitivity
            + (1 - adjusted) ** 2 * error_of_specificity
        ) / youden**2
        centre = min(1.0, max(0.0, adjusted + shift))
        # the share of judged answers is itself of a sample
        half = Z * math.sqrt(share**2 * variance + centre**2 * share * (1 - share) / of)
        middle = share * (adjusted + shift)
        low, high = max(0.0, middle - half), min(1.0, middle + half)
        if low > high:
            return None
        score *= share
        return CorrectedScore(score, min(low, score), max(high, score), raw != min(1, max(0, raw)))

    def check(self, judge: str | None = None) -> None:
        """Refuses a calibration that can't correct a score.

        Args:
            judge: The fingerprint of the judge whose score it would correct.

        Raises:
            ConfigError: It is another judge's, has labels of one kind only, or its judge does no
                better than chance.
        """
        if judge is not None and self.judge is not None and judge != self.judge:
            raise ConfigError(
                "the calibration is of another judge, or of another rubric",
                fix="run 'proctor judge calibrate' with this one",
            )
        if not self.positives or not self.negatives:
            kind = "right" if not self.positives else "wrong"
            raise ConfigError(
                f"no label of the calibration says {kind}",
                fix="label answers of both kinds: sensitivity and specificity need one each",
            )
        youden = self.true_positives / self.positives + self.true_negatives / self.negatives
        if youden <= 1.0:
            raise ConfigError(
                f"sensitivity plus specificity is {youden:.2f}: the judge does no better than "
                "chance, and its score can't be corrected",
                fix="use another judge or another rubric",
            )

    def to_json(self) -> dict[str, Any]:
        """Counts, and what they come to."""
        figures = {
            name: asdict(getattr(self, name))
            for name in ("accuracy", "sensitivity", "specificity", "kappa")
        }
        return {"format": FORMAT, **asdict(self), "labels": self.labels, **figures}

    def save(self, file: Path) -> None:
        """Writes the calibration's file.

        Raises:
            ConfigError: It can't be written.
        """
        try:
            file.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"can't write {file}: {error.strerror}") from error


def load_calibration(file: Path) -> Calibration:
    """Reads a calibration's file.

    Raises:
        ConfigError: It can't be read, or is no calibration.
    """
    fix = "make it with 'proctor judge calibrate'"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"can't read the calibration {file}: {error.strerror}", fix=fix) from None
    except ValueError:
        raise ConfigError(f"{file} is no calibration", fix=fix) from None
    counts = ("true_positives", "false_negatives", "true_negatives", "false_positives")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ConfigError(f"{file} is no calibration of format {FORMAT}", fix=fix)
    given: dict[str, Any] = {name: document.get(name) for name in (*counts, "unreadable")}
    if not all(type(count) is int and count >= 0 for count in given.values()):
        raise ConfigError(f"{file} lacks counts", fix=fix)
    return Calibration(**given, judge=document.get("judge"))
