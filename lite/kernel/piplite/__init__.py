"""Stands where JupyterLite's installer would be: this site carries all it needs, and fetches
nothing from elsewhere. The kernel sets the two names in `piplite.piplite` when it starts."""


async def install(*requirements: object, **options: object) -> None:
    """Raises ModuleNotFoundError: nothing can be installed into this page."""
    raise ModuleNotFoundError(
        f"Nothing can be installed here (asked for {requirements[0] if requirements else '?'}): "
        "this site asks no other host for anything. It has Python's standard library, NumPy and "
        "matplotlib."
    )
