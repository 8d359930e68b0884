"""Tauscope: how, and when, a diffusion model stops generalizing and starts copying its training data.

The library holds the science. ``tauscope.specs``, ``tauscope.contracts``, ``tauscope.client``, ``tauscope.datasets``,
``tauscope.analysis`` and ``tauscope.results`` import without PyTorch; everything else may load it.
"""
