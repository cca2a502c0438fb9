"""Every test gets a student's folder of its own, empty, and leaves the reference in force."""

import pytest

from tinytorch.course import overlay


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "my_tinytorch"
    monkeypatch.setenv("TINYTORCH_HOME", str(folder))
    overlay.load()
    yield folder
    folder.rename(tmp_path / "used") if folder.exists() else None
    overlay.load()
