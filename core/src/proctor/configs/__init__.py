"""Configs: one YAML file for inline and offline use, read into evaluators."""
