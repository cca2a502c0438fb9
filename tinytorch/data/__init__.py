"""The data the milestones run on.

mnist()      the real one: 60,000 and 10,000 handwritten digits, fetched once and kept
digits()     small digits drawn by our own pen, for quick runs
separable()  two clouds of points that one line parts;  xor()  four that no line does
"""

from .digits import digits
from .files import DataMissing
from .mnist import MNIST, mnist
from .toy import separable, xor

DATA_SETS = (MNIST,)  # those that are fetched: the site carries each, offline asks for each

__all__ = ["DATA_SETS", "DataMissing", "digits", "mnist", "separable", "xor"]
