"""Compile the SIMD kernels into the wheel; the wheel stays py3-none-any, for they are data."""

import importlib.util
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelHook(BuildHookInterface):
    """Nothing compiled is in the repository: the files go straight into the wheel."""

    def initialize(self, version: str, build_data: dict) -> None:
        if version == "editable":
            return  # CPython never loads them
        # Read on its own: importing the package would need NumPy.
        path = Path(self.root, "tinytorch", "simd", "build.py")
        spec = importlib.util.spec_from_file_location("tinytorch_kernels", path)
        kernels = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(kernels)
        self._tmp = tempfile.TemporaryDirectory()
        for path in kernels.compile(self._tmp.name):
            build_data["force_include"][str(path)] = f"tinytorch/simd/{path.name}"

    def finalize(self, version: str, build_data: dict, artifact_path: str) -> None:
        if hasattr(self, "_tmp"):
            self._tmp.cleanup()
