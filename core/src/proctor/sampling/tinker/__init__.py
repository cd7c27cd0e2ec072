"""The backend of Tinker servers."""
