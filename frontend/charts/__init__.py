"""Pure functions from contracts to figure descriptions: plain dictionaries in Plotly's own terms.

A description holds no curve data. A trace that shows a curve names the series it is bound to; ``filling.fill`` puts the
numbers in for tests and static figures, and ``static/live.js`` does the same in the browser as new points arrive.
"""
