"""Figures for a paper: the two of Bonnaire et al. 2025 (arXiv:2505.17638), drawn from an experiment's own numbers.

What is drawn is first put into rows (``figure2``, ``figure3``), which are also the table beside the figure; ``render`` draws
nothing else. Matplotlib is loaded by ``tauscope.figures.drawing`` alone, when a figure is drawn.
"""
