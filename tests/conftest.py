"""Every test gets a student's folder of its own, empty, and leaves the reference in force."""

import pytest
from hypothesis import HealthCheck, settings

from tinytorch.course import overlay

# How long an example takes says something of the machine, not of the code.
settings.register_profile("tinytorch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tinytorch")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "my_tinytorch"
    monkeypatch.setenv("TINYTORCH_HOME", str(folder))
    overlay.load()
    yield folder
    folder.rename(tmp_path / "used") if folder.exists() else None
    overlay.load()
