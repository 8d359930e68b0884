"""The folder an experiment leaves behind, whether it ran here or in the service: writing it, and checking it again."""
