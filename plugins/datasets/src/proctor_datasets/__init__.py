"""Datasets for Proctor: rows in the config, JSONL, CSV, Parquet and Hugging Face."""

from __future__ import annotations

from typing import Any

from proctor import hookimpl


@hookimpl
def proctor_register(registry: Any) -> None:
    """Names the datasets; their modules are imported when they are used."""
    registry.dataset("inline", "proctor_datasets.inline:Inline")
    registry.dataset("jsonl", "proctor_datasets.jsonl:Jsonl")
    registry.dataset("csv", "proctor_datasets.table:Csv")
    registry.dataset("parquet", "proctor_datasets.parquet:Parquet")
    registry.dataset("huggingface", "proctor_datasets.huggingface:HuggingFace")
