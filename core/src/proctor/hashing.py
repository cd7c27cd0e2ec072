"""64-bit hashes: how rows are told apart without keeping them."""

from __future__ import annotations

import hashlib
import json
from array import array

_EMPTY = 0


def hash64(*parts: object) -> int:
    """A 64-bit hash of the parts' text, the same in every process and on every machine."""
    text = "\x1f".join(str(part) for part in parts)
    raw = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "little")


class HashCounter:
    """Counts how often each 64-bit hash was seen, in 12 bytes a slot.

    An open-addressed table with linear probing: a Python set of a million integers would take ten
    times the memory.
    """

    def __init__(self) -> None:
        self._used = 0
        self._hashes = array("Q", [_EMPTY]) * 1024
        self._counts = array("I", [0]) * 1024

    def __len__(self) -> int:
        return self._used

    def add(self, value: int) -> int:
        """Counts one more; returns how often the hash had been seen before."""
        slot = self._slot(value)
        before = self._counts[slot]
        self._counts[slot] = before + 1
        if before == 0:
            self._hashes[slot] = value
            self._used += 1
            if self._used * 3 > len(self._hashes) * 2:
                self._grow()
        return before

    def _slot(self, value: int) -> int:
        mask = len(self._hashes) - 1
        slot = value & mask
        while self._counts[slot] and self._hashes[slot] != value:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        hashes, counts = self._hashes, self._counts
        self._hashes = array("Q", [_EMPTY]) * (2 * len(hashes))
        self._counts = array("I", [0]) * (2 * len(counts))
        for value, count in zip(hashes, counts, strict=True):
            if count:
                slot = self._slot(value)
                self._hashes[slot] = value
                self._counts[slot] = count


def canonical_json(value: object) -> str:
    """JSON with one spelling: keys sorted, no spaces, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: object) -> str:
    """The first 128 bits of the SHA-256 of a JSON value's canonical form, as hex."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()[:32]
