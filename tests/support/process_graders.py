"""Graders for the tests of the pool: cheap ones, that do what the answer tells them to.

A file of its own, as another process has to find their classes.
"""

from __future__ import annotations

import ctypes
import os
import time
from typing import ClassVar, Literal

import proctor


class Obedient(proctor.Grader):
    """Right, unless the answer says otherwise."""

    runs_in: ClassVar[Literal["thread", "process"]] = "process"
    processes: ClassVar[int | None] = 2
    grading_timeout: ClassVar[float] = 20.0

    suffix: str = ""
    """What the answer is read with."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> proctor.Grade:
        """Does as it is told."""
        order = sample.text
        if order == "hang":
            time.sleep(3600)
        if order == "hang in C":
            pow(3, 10**10)
        if order == "kill":
            os.kill(os.getpid(), 9)
        if order == "segfault":
            ctypes.string_at(0)
        if order == "leave":
            os._exit(4)
        if order == "exit":
            raise SystemExit(3)
        if order == "raise":
            raise ValueError("as told")
        if order == "leave open":
            raise proctor.UngradedError("nobody knows", metadata={"seen": 1})
        if order == "hog":
            bytearray(8 << 30)
        if order == "unsendable":
            return proctor.Grade(1.0, metadata={"call": lambda: 1})
        if order == "outside":
            return proctor.Grade(7.0)
        return proctor.Grade(float(order != "wrong"), f"process {os.getpid()}")

    def extract_answer(self, example: proctor.Example, sample: proctor.Sample) -> str:
        """Reads the answer, where it was graded."""
        if sample.text == "unreadable":
            raise ValueError("unreadable")
        return f"{sample.text}{self.suffix} {os.getpid()}"


class Limited(Obedient):
    """One that has little memory."""

    memory_limit: ClassVar[int | None] = 2 << 30


class Impatient(Obedient):
    """One whose answers have half a second."""

    grading_timeout: ClassVar[float] = 0.5


class Opened(Obedient):
    """One that makes something heavy when it opens."""

    async def open(self) -> None:
        """Makes it."""
        self._heavy = 1

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        """Needs it."""
        return self._heavy == 1

    _heavy: int = 0


class Unopened(Obedient):
    """One that can't be opened where it grades."""

    async def open(self) -> None:
        """Fails."""
        raise SystemExit("no room")


class Outer:
    """What a class may stand in."""

    class Inner(Obedient):
        """One that stands in another class, which is no obstacle."""


def local_class() -> type[Obedient]:
    """A class that no other process can find."""

    class Local(Obedient):
        """Not to be found."""

    return Local
