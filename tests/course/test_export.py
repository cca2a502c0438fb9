"""The zip: work comes back from it, and its package runs the student's code on its own."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tinytorch
from tinytorch import Tensor
from tinytorch.course import accept, export, import_work, overlay, provenance, work
from tinytorch.course.decorator import submit
from tinytorch.course.exercise import get

ADD, CAT = get("tensor.Tensor.__add__"), get("tensor.cat")


def test_work_goes_out_and_comes_back(home, tmp_path, monkeypatch):
    submit(ADD, ADD.solution)
    submit(CAT, CAT.solution)
    path = export(tmp_path / "out.zip").path
    monkeypatch.setenv("TINYTORCH_HOME", str(tmp_path / "elsewhere"))
    overlay.load()
    assert provenance()[ADD.id] == "reference"
    assert sorted(import_work(path)) == [ADD.id, CAT.id]
    assert provenance()[ADD.id] == provenance()[CAT.id] == "reference"
    assert sorted(accept()) == [ADD.id, CAT.id]
    assert provenance()[ADD.id] == provenance()[CAT.id] == "yours"
    assert "passed" in work.progress()["exercises"][ADD.id]
    assert work.sections("tensor")[ADD.id] == ADD.solution


def test_importing_keeps_what_it_replaces(home, tmp_path):
    overlay.adopt(ADD.id, ADD.cell("return Tensor(1.0)"))
    path = export(tmp_path / "out.zip").path
    overlay.adopt(ADD.id, ADD.cell("return Tensor(2.0)"))
    import_work(path)
    accept()
    assert (Tensor(5) + 5).item() == 1
    assert any("Tensor(2.0)" in p.read_text() for p in (home / "history").iterdir())


def test_imported_code_does_not_run_before_it_is_accepted(home, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PYTHONPATH", str(Path(tinytorch.__file__).parents[1]))
    run = [sys.executable, "-m", "tinytorch"]
    ran = "import sys\nseen = sys.stderr.write('it ran')\n"
    section = f"# %% {CAT.id}\n{ran}{CAT.solution}\n\n# %% {ADD.id}\n{ADD.solution}"
    path = zipped(
        tmp_path / "out.zip",
        **{
            "my_tinytorch/tensor.py": section,
            "my_tinytorch/imported.json": "[]",
            "notebooks/json.py": ran,
            "notebooks/numpy/__init__.py": ran,
            "notebooks/helper.py": ran,
        },
    )
    for command in ([*run, "import", path], run, [*run, "export", tmp_path / "again.zip"]):
        subprocess.run(command, cwd=home.parent, check=True)
        assert "it ran" not in capfd.readouterr().err
    assert (home.parent / "json.2.py").is_file()  # as a module of that name it would be loaded
    assert (home.parent / "helper.py").is_file()
    assert work.waiting() == {CAT.id, ADD.id}
    with zipfile.ZipFile(tmp_path / "again.zip") as archive:
        assert "my_tinytorch/imported.json" not in archive.namelist()
        assert "it ran" in archive.read("my_tinytorch/tensor.py").decode()
        assert "it ran" not in archive.read("package/tinytorch/tensor.py").decode()
    # An answer of one's own needs nobody's consent, and is no consent to the others.
    submit(ADD, ADD.solution)
    assert work.waiting() == {CAT.id}
    assert provenance()[ADD.id] == "yours"
    subprocess.run([*run, "accept"], cwd=home.parent, check=True)
    assert "it ran" in capfd.readouterr().err
    overlay.load()
    assert provenance()[CAT.id] == "yours"


def test_a_section_runs_from_its_own_file_only(home, tmp_path, capsys):
    """Under another name it would not be known to wait, or come back once its namesake is built."""
    ran = f"# %% {CAT.id}\nseen = print('it ran')\n{CAT.solution}"
    names = ("a-b.py", "zzz.py", "tensor.mine.py", "imported.json/x.py")
    import_work(zipped(tmp_path / "out.zip", **{f"my_tinytorch/{name}": ran for name in names}))
    assert work.waiting() == {CAT.id}  # zzz.py's section went where it belongs
    submit(CAT, CAT.solution)
    (home / "zzz.py").write_text(ran)
    overlay.load()
    assert "it ran" not in capsys.readouterr().out
    assert provenance()[CAT.id] == "yours"


def test_a_list_of_what_waits_that_is_damaged_lets_nothing_run(home):
    work.save(CAT.id, CAT.solution, imported=True)
    (home / work.IMPORTED).write_text("[")
    overlay.load()
    assert provenance()[CAT.id] == "reference"
    assert accept() == [CAT.id]
    assert provenance()[CAT.id] == "yours"


def test_what_is_the_same_here_stays_in_force(home):
    submit(ADD, ADD.solution)
    work.save(ADD.id, ADD.solution, imported=True)
    assert work.waiting() == set()


def test_the_package_stands_alone(tmp_path):
    overlay.adopt(ADD.id, ADD.cell("return Tensor(99.0)"))
    with zipfile.ZipFile(export(tmp_path / "out.zip").path) as archive:
        archive.extractall(tmp_path / "x")
    package = tmp_path / "x" / "package"
    assert (package / "pyproject.toml").is_file()
    run = subprocess.run(
        [sys.executable, "-c", "from tinytorch import Tensor; print((Tensor(1) + 1).item())"],
        cwd=package,
        env={**os.environ, "TINYTORCH_HOME": str(tmp_path / "empty")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "99.0\n"


def test_a_file_that_is_no_export_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK not a zip")
    with pytest.raises(ValueError, match="cannot be read"):
        import_work(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("something.txt", "else")
    with pytest.raises(ValueError, match="not an export"):
        import_work(tmp_path / "b.zip")


def test_progress_is_merged_not_replaced(home, tmp_path):
    submit(ADD, ADD.solution)
    path = export(tmp_path / "out.zip").path
    submit(CAT, CAT.solution)
    (home / "progress.json").write_text(
        json.dumps({"version": 1, "exercises": {CAT.id: {"tries": 1, "passed": "x"}}})
    )
    import_work(path)
    assert set(work.progress()["exercises"]) == {ADD.id, CAT.id}


def zipped(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "../x.py",
        "my_tinytorch/../../x.py",
        "/my_tinytorch/x.py",
        "my_tinytorch/..\\x.py",
        "c:/x.py",
    ],
)
def test_nothing_is_written_outside(home, tmp_path, name):
    path = zipped(tmp_path / "out.zip", **{"my_tinytorch/a.txt": "a", name: "x = 1"})
    with pytest.raises(ValueError, match="outside its folder"):
        import_work(path)
    assert not home.exists()
    assert not list(tmp_path.rglob("x.py"))


def test_a_zip_far_too_large_is_refused(home, tmp_path):
    path = zipped(tmp_path / "out.zip", **{"my_tinytorch/a.txt": bytes(300_000_001)})
    with pytest.raises(ValueError, match="at most"):
        import_work(path)
    assert not home.exists()


def test_a_zip_from_the_browser_comes_in_whole(home, tmp_path):
    """lite/keep/bundle.js writes such a zip: no package, notebooks and history."""
    notebook = json.dumps({"cells": [], "metadata": {"tinytorch": {"version": "1"}}})
    section = f"# %% {CAT.id}\n{CAT.solution}"
    files = {
        "my_tinytorch/tensor.py": section,
        "my_tinytorch/history/old.py": "old",
        "notebooks/01_tensor.ipynb": notebook,
    }
    path = zipped(tmp_path / "out.zip", **files)
    assert import_work(path) == [CAT.id]
    assert (home / "history" / "old.py").read_text() == "old"
    beside = home.parent / "01_tensor.ipynb"
    assert beside.read_text() == notebook
    beside.write_text(notebook + "\n")
    assert import_work(path) == [CAT.id]
    assert beside.read_text() == notebook + "\n"
    assert beside.with_name("01_tensor.2.ipynb").read_text() == notebook
    (beside.with_name("other.ipynb")).write_text("{}")
    with zipfile.ZipFile(export(tmp_path / "again.zip").path) as archive:
        names = [n for n in archive.namelist() if n.startswith("notebooks/")]
    assert names == ["notebooks/01_tensor.2.ipynb", "notebooks/01_tensor.ipynb"]
