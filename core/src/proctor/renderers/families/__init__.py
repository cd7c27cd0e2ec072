"""The core's own renderers, one module a family of models."""
