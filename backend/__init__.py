"""The HTTP interface and the storage behind it. Never imports PyTorch."""

import os

# The laws and collapses fitted here are tiny: a second thread gains nothing, and on a busy machine it spins. NumPy reads this once.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
