"""Mutants that compute the same as the solution, each with the reason: see `mutate.py`.

By exercise, then by the change as `python -m tinytorch mutate` prints it.
"""

EQUIVALENT: dict[str, dict[str, str]] = {}
