"""Imported by the server of processes alone: what it has read once, every process knows.

The parser learns its grammar with the first formulas, which takes most of a second. A process that
replaces one that hung would learn it anew.
"""

from __future__ import annotations

from proctor_math.verdict import judge

FORMULAS = (
    (r"\frac{1}{2}", r"\boxed{0.5}"),
    (r"\sqrt{2}+x^2", r"\boxed{x^{2}+\sqrt{2}}"),
    (r"\{1,2\}", r"\boxed{2,1}"),
    ("x=5", "$x = 5$"),
    ("(1,2]", r"\left(1,2\right]"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\boxed{\begin{pmatrix}1\\2\end{pmatrix}}"),
    (r"-\frac{n(n+1)}{2}", "-n(n+1)/2"),
)
"""Targets and answers of every form; none takes long."""

for target, answer in FORMULAS:
    judge(target, answer)
