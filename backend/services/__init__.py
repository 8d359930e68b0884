"""The rules of the service: what may be launched, stopped, deleted and seen."""
