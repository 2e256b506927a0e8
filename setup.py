"""Packages pidone: `initd` alone needs nothing; `[link]` joins it to a hub; `[hub]` and `[console]` are the servers.

The commands are shell launchers (bin/), not console scripts: they start Python isolated from whatever PYTHONPATH,
PYTHONHOME and working directory the container's application has set.
"""

import subprocess
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
LINK = ["pyzmq>=26", "msgpack>=1.0.5", "psutil>=5.9"]
HUB = [*LINK, "docker>=7.1", "redis>=5", "hiredis>=2.3"]
CONSOLE = [*LINK, "starlette>=1,<2", "uvicorn[standard]>=0.30", "argon2-cffi>=23"]
DEV = [
    *HUB,
    "hypothesis>=6.100",
    "import-linter>=2",
    "mypy>=1.13",
    "pytest>=8",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.7",
    "ruff>=0.8",
    "setuptools>=66",
    "supervisor==4.3.0",  # the original that our reader of its files is compared with
    "types-docker",
    "types-psutil",
    "wheel",
]


class BuildPacked(build_py):
    """Adds the pack of modules that makes a start quick (initd/packed.py); an editable tree has none."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            python = [sys.executable, "-IS", "-X", "no_debug_ranges"]
            subprocess.run([*python, str(HERE / "initd" / "packing.py"), self.build_lib], check=True)


setup(
    name="pidone",
    version=(HERE / "VERSION").read_text().strip(),
    description="A real init for multi-process containers, and the fleet of them in one view",
    long_description=(HERE / "README.md").read_text() if (HERE / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["wire", "wire.*", "initd", "initd.*", "hub", "hub.*"]),
    package_data={"wire": ["py.typed"], "initd": ["VERSION"]},
    data_files=[("share/bash-completion/completions", ["conf/completion/initd.bash", "conf/completion/hubctl.bash"])],
    scripts=["bin/initd", "bin/initd-link", "bin/hubd", "bin/hubctl"],
    cmdclass={"build_py": BuildPacked},
    extras_require={"link": LINK, "hub": HUB, "console": CONSOLE, "dev": DEV},
    zip_safe=False,
)
