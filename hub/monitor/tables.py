"""numpy, as the hub uses it: one thread, and no word about numbers that are unknown or too large.

It is imported here and nowhere else.  OpenBLAS, which comes with it and which nothing here uses, would start a thread
for each processor when it is loaded, before hubd forks its keeper; so it is told not to.
"""

from __future__ import annotations

import os
from typing import Any, TypeAlias

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

__all__ = ["Table", "np"]

Table: TypeAlias = "np.ndarray[Any, Any]"
"""Numbers in one or more dimensions."""
