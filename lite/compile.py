"""Runs inside Pyodide, at build time: turns .py members of archives into .pyc.

Pyodide unpacks and compiles every module again each time a tab opens, since nothing it compiles is
kept. Compiling once, with the same interpreter, takes most of that away. The files are marked
`unchecked-hash`, so that no timestamp has to agree.
"""

import base64
import hashlib
import importlib.util
import json
import sys
import zipfile
from importlib._bootstrap_external import _code_to_hash_pyc  # type: ignore[attr-defined]
from pathlib import Path


def bytecode(source: bytes, shown_path: str) -> bytes:
    """The content of a .pyc for `source`, which will say it came from `shown_path`."""
    code = compile(source, shown_path, "exec", dont_inherit=True, optimize=0)
    return bytes(_code_to_hash_pyc(code, importlib.util.source_hash(source), False))


def member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # no build time in the bytes
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def compiled(name: str, data: bytes, prefix: str, keep_source: bool) -> dict[str, bytes]:
    """What stands for one member in the new archive."""
    if not name.endswith(".py") or ".data/" in name:
        return {name: data}
    try:
        code = bytecode(data, prefix + name)
    except SyntaxError:  # a template or a file for another Python: leave it as it is
        return {name: data}
    if not keep_source:
        return {name + "c": code}
    folder, _, stem = name[:-3].rpartition("/")
    cached = f"{folder}/__pycache__/{stem}.{sys.implementation.cache_tag}.pyc"
    return {name: data, cached: code}


def record(files: dict[str, bytes], name: str) -> bytes:
    """A wheel's RECORD for its new content."""
    lines = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}\n")
    return "".join([*lines, f"{name},,\n"]).encode()


def convert(source: str, target: str, prefix: str, keep_source: bool) -> None:
    files: dict[str, bytes] = {}
    record_name = None
    with zipfile.ZipFile(source) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".dist-info/RECORD"):
                record_name = name
            elif not name.endswith("/"):
                files |= compiled(name, archive.read(name), prefix, keep_source)
    if record_name:
        files[record_name] = record(files, record_name)
    with zipfile.ZipFile(target, "w", compresslevel=9) as archive:
        for name, data in files.items():
            archive.writestr(member(name), data)


for job in json.loads(Path("/jobs/jobs.json").read_text()):
    convert("/jobs/" + job["source"], "/jobs/" + job["target"], job["prefix"], job["keep_source"])
