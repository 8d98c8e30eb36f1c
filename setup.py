"""Builds the wheel for other services: what they import, and nothing that runs in the application alone.

All else about the package is in pyproject.toml; setuptools has no setting that takes some modules of a package.
"""

from setuptools import setup
from setuptools.command.build_py import build_py

MODULES = ("__init__", "command", "contract", "producer")
"""Of the package `renderline`; `renderline.testing` is in the wheel whole."""


class ForOtherServices(build_py):
    """Leaves out the modules of the application."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Return the modules of a package as (package, module, path)."""
        found = super().find_package_modules(package, package_dir)
        return [one for one in found if package != "renderline" or one[1] in MODULES]


setup(cmdclass={"build_py": ForOtherServices})
