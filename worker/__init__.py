"""Celery around the library: wake-up, claim, a trainer child for each slot, and a flush about once a second."""
