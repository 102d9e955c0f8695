"""The build hook: compiles the Swift core and puts it into the wheel as `monoceros._native`."""

import importlib.util
import sys
import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NativeBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if self.target_name != "wheel":
            return
        build_native = load_build_script(Path(self.root))
        editable = version == "editable"
        if editable:
            # It imports from the source tree, so the library has to stand there; with symbols, for debuggers.
            library = build_native.package_directory() / build_native.LIBRARY
        else:
            library = Path(self.root) / ".build" / "wheel" / build_native.LIBRARY
            build_data["force_include"][str(library)] = f"monoceros/{build_native.LIBRARY}"
        try:
            build_native.build(library, strip=not editable)
        except build_native.BuildError as error:
            # A traceback of the build tools would bury the one line that helps.
            sys.exit(f"\nCannot build monoceros: {error}\n")

        # One binary serves CPython 3.11 and everything later: it is built against the limited API.
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp311-abi3-{platform}"
        build_data["pure_python"] = False


def load_build_script(root):
    """Imports scripts/build_native.py, which is no package; `make build` runs the same file."""
    spec = importlib.util.spec_from_file_location("build_native", root / "scripts" / "build_native.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
