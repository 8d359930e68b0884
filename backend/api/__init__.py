"""Thin routes under ``/api/v1``: they read the request, call a service, and name the operation."""
