"""Packages pidone: `initd` alone needs nothing; `[link]` joins it to a hub; `[hub]` and `[console]` are the servers.

The commands are launchers, not console scripts: they start Python isolated from whatever PYTHONPATH, PYTHONHOME and
working directory the container's application has set.  Where a C compiler is they are a static program
(images/installed.c) and the wheel is for this kind of processor; elsewhere shell scripts (bin/), which do the same.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Distribution, find_packages, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    from wheel.bdist_wheel import bdist_wheel

HERE = Path(__file__).parent
LINK = ["pyzmq>=26", "msgpack>=1.0.5"]
HUB = [*LINK, "docker>=7.1", "redis>=5", "hiredis>=2.3", "pynacl>=1.5", "psutil>=5.9", "numpy>=1.26"]
CONSOLE = [*LINK, "starlette>=1.10,<2", "uvicorn[standard]>=0.30", "msgspec>=0.19", "argon2-cffi>=23", "redis>=5"]
OIDC = ["authlib>=1.6", "httpx2>=2.16"]
DEV = [
    *HUB,
    *CONSOLE,
    *OIDC,
    "hypothesis>=6.100",
    "import-linter>=2",
    "mypy>=1.13",
    "playwright>=1.50",  # with the system's Chromium; it brings none that is used
    "pytest>=8",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.7",
    "pyyaml>=6",  # reads the deployment files of images/ in their tests
    "ruff>=0.8",
    "schemathesis>=4.20",
    "setuptools>=66",
    "supervisor==4.3.0",  # the original that our reader of its files is compared with
    "types-docker",
    "types-psutil",
    "wheel",
]
COMPILERS = ("musl-gcc", "cc", "gcc")
"""The first makes the smallest program: 30 KB, glibc's is 800."""
OPTIONS = ("-static", "-Os", "-s")
LAUNCHER = HERE / "images" / "installed.c"


class BuildPacked(build_py):
    """Adds the pack of modules that makes a start quick (initd/packed.py); an editable tree has none."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            python = [sys.executable, "-IS", "-X", "no_debug_ranges"]
            subprocess.run([*python, str(HERE / "initd" / "packing.py"), self.build_lib], check=True)


class BuildLaunchers(Distribution().get_command_class("build_scripts")):
    """Puts the compiled launcher in the scripts' place; an editable tree keeps them, so that an edit is in force."""

    editable_mode = False

    def run(self) -> None:
        super().run()
        target = Path(self.build_dir) / "compiled"
        if self.editable_mode or not compiled(target):
            return
        for script in self.scripts:
            shutil.copy(target, Path(self.build_dir) / Path(script).name)
        target.unlink()
        self.distribution.has_compiled_launcher = True


class Wheel(bdist_wheel):
    """For any Python; and for this platform alone where there is a compiled launcher in it."""

    def get_tag(self) -> tuple[str, str, str]:
        implementation, abi, platform = super().get_tag()
        if getattr(self.distribution, "has_compiled_launcher", False):
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        return implementation, abi, platform


def compiled(target: Path) -> bool:
    """Compile the launcher, static so that any libc will do; whether there is one now that runs here."""
    found = filter(None, map(shutil.which, COMPILERS))
    return any(_ends([path, *OPTIONS, "-o", target, LAUNCHER], 0) and _ends([target, "--version"]) for path in found)


def _ends(command: list[str | Path], *statuses: int) -> bool:
    """Whether it can be executed and leaves with one of these, else with any; what it says is nobody's business."""
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return done.returncode in statuses if statuses else done.returncode >= 0


setup(
    name="pidone",
    version=(HERE / "VERSION").read_text().strip(),
    description="A real init for multi-process containers, and the fleet of them in one view",
    long_description=(HERE / "README.md").read_text() if (HERE / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["wire", "wire.*", "initd", "initd.*", "hub", "hub.*", "console", "console.*"]),
    package_data={"wire": ["py.typed"], "initd": ["VERSION"], "console": ["static/**/*"]},
    data_files=[("share/bash-completion/completions", ["conf/completion/initd.bash", "conf/completion/hubctl.bash"])],
    scripts=["bin/initd", "bin/initd-link", "bin/hubd", "bin/hubctl", "bin/consoled"],
    cmdclass={"build_py": BuildPacked, "build_scripts": BuildLaunchers, "bdist_wheel": Wheel},
    extras_require={"link": LINK, "hub": HUB, "console": CONSOLE, "oidc": OIDC, "dev": DEV},
    zip_safe=False,
)
