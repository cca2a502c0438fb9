"""The two settings that the kernel writes."""

_PIPLITE_URLS: list[str] = []
_PIPLITE_DISABLE_PYPI = True
