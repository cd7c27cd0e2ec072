"""Models of ours as Inspect asks for them: its ``ModelAPI`` over a sampling client."""
