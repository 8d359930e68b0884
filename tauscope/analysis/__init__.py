"""From curves to conclusions: onset times with intervals, the law over a sweep, and the summary of a run. Torch-free."""
