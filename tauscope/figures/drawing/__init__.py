"""Rows to ink: the only place that loads Matplotlib, through its object interface and without pyplot."""
