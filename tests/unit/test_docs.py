"""What the documents for developers say holds: files, links, make targets and names are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md"]
FOLDERS = ("tinytorch", "book", "lite", "tests", "content", "docs", "bench")


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_are_named_are_there(name):
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[^`<>* ]*)`", text(name))
    gone = [path for path in named if not (ROOT / path).exists()]
    assert not gone


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    folder = (ROOT / name).parent
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)", text(name)):
        path = folder / target if target else ROOT / name
        assert path.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor[1:] in {re.sub(r"[^a-z0-9]+", "-", h.lower()) for h in heads}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_that_are_named_exist(name):
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", text(name), re.MULTILINE))
    assert named <= targets


def test_names_in_the_architecture_are_in_the_code():
    """Functions and classes in backticks, so that a rename does not leave the page behind."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("tinytorch", "book", "lite")
        for path in (ROOT / folder).rglob("*.py")
    )
    flows = text("docs/architecture.md").split("## Decisions")[0]
    for name in re.findall(r"`([a-z]+(?:_[a-z]+)+|[A-Z][A-Za-z]+)`", flows):
        assert re.search(rf"\b{name}\b", code), name
