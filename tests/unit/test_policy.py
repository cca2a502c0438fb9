"""The Content-Security-Policy: in every page, before anything is loaded, no host but our own."""

import re

import pytest

from lite import policy


def test_no_policy_names_another_host():
    for part in (policy.BOOK, policy.NOTEBOOK, policy.HEADER_ONLY):
        text = policy.policy(part)
        values = {v for rule in text.split("; ") for v in rule.split()[1:]}
        assert values <= {
            "'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:",
        }  # fmt: skip
        assert "connect-src 'self';" in text and "object-src 'none'" in text
    assert "unsafe-eval" not in policy.policy(policy.BOOK)


def test_a_page_gets_it_once_and_before_anything_is_loaded():
    page = '<html><head><meta charset="utf-8">\n<script src="a.js"></script></head>'
    once = policy.with_policy(page, "default-src 'self'")
    assert once.index("Content-Security-Policy") < once.index("<script")
    assert policy.with_policy(once, "default-src 'self'") == once
    bare = policy.with_policy("<html><head><script></script></head></html>", "x")
    assert bare.startswith('<html><head><meta http-equiv="Content-Security-Policy" content="x">')
    again = policy.with_policy(once, "default-src 'none'")
    assert again.count("Content-Security-Policy") == 1 and "'none'" in again
    with pytest.raises(ValueError, match="no <meta charset> or <head>"):
        policy.with_policy("<html></html>", "x")


def test_every_page_of_a_site_and_a_file_for_hosts(tmp_path):
    for name in ("index.html", "content/a.html", "lite/notebooks/index.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("<html><head><meta charset='utf-8'></head></html>")
    policy.write(tmp_path)
    evals = {p.name: "unsafe-eval" in p.read_text() for p in tmp_path.glob("content/*.html")}
    assert evals == {"a.html": False}
    assert "unsafe-eval" in (tmp_path / "lite/notebooks/index.html").read_text()
    sent = (tmp_path / "_headers").read_text()
    assert sent.startswith("/*\n  Content-Security-Policy: ")
    assert re.search(r"frame-ancestors 'self'", sent) and "nosniff" in sent
    (tmp_path / "odd.html").write_text("<p>no head")
    with pytest.raises(ValueError, match=r"odd\.html: the page has no <meta charset> or <head>"):
        policy.write(tmp_path)
