"""Feature networks: one file each and a line in the registry. Importing this loads no PyTorch; building a network does."""

from tauscope.features.weights import FeatureError, feature_problems

__all__ = ["FeatureError", "feature_problems"]
