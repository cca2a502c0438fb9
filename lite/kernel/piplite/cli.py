"""`%pip install x` becomes a clear refusal."""


async def get_transformed_code(argv: list[str]) -> str:
    """The code a `%pip` line stands for."""
    return f"import piplite; await piplite.install({' '.join(argv[1:])!r})"
