"""Inspect's stop reasons, and what they say of an answer."""

from __future__ import annotations

from collections.abc import Mapping

CUT_OFF = ("max_tokens", "model_length")
"""Those of an answer that was cut off."""

OF_STATUS: Mapping[str, str] = {"truncated": "max_tokens", "malformed": "unknown"}
"""What Inspect calls the end of an answer that is not whole, by the sample's status."""
