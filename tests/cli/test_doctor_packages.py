"""What metadata say of packages: of a distribution that is made up, and of Gibswatch's own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import Distribution, distribution, version
from pathlib import Path

import pytest

from gibswatch.cli.doctor_packages import (
    Package,
    check_extras,
    check_licences,
    check_versions,
    packages_of,
)

METADATA = """\
Metadata-Version: 2.4
Name: made-up
Version: 3.1
License-Expression: Apache-2.0
Requires-Dist: numpy>=1.26
Requires-Dist: SciPy >=9999.0
Requires-Dist: no-such-package>=1.0
Requires-Dist: pyarrow
Provides-Extra: one
Requires-Dist: pillow>=10.3; extra == 'one'
Provides-Extra: two
Requires-Dist: pillow>=10.3; extra == "two"
Requires-Dist: nor-this-one[fast]>=2.0; python_version > "3" and extra == "two"
Provides-Extra: none
"""


@pytest.fixture
def made_up(tmp_path: Path) -> Distribution:
    folder = tmp_path / "made_up-3.1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA, "utf-8")
    return Distribution.at(folder)


def test_packages(made_up: Distribution) -> None:
    packages = {(p.name, p.extra): p for p in packages_of(made_up)}
    numpy = packages["numpy", None]
    assert (numpy.version, numpy.needs) == (version("numpy"), ">=1.26")
    assert numpy.importable
    assert numpy.fault == ""
    assert "BSD" in numpy.licence
    assert packages["pillow", "one"].importable  # its module has another name
    assert packages["no-such-package", None].fault == "not installed"
    assert packages["nor-this-one", "two"].needs == ">=2.0"
    assert packages["SciPy", None].fault.endswith("too old, >=9999.0 is needed")


@pytest.mark.parametrize(
    ("installed", "needs", "good"),
    [
        ("1.26.0", ">=1.26", True),
        ("2.0", ">=2", True),
        ("2", ">=2.0", True),
        ("1.9", ">=1.10", False),
        ("1.10rc1", ">=1.10", True),
        ("2026.8.0", ">=2024.5", True),
        ("1.4.2", ">=1.4.3,<2", False),
        ("0.1", "", True),
    ],
)
def test_old_versions(installed: str, needs: str, good: bool) -> None:
    package = Package("p", needs, None, installed, importable=True, licence="")
    assert (package.fault == "") is good


def test_modules_that_are_gone() -> None:
    package = Package("p", "", None, "1.0", importable=False, licence="")
    assert "modules" in package.fault


def test_versions(made_up: Distribution) -> None:
    checks = {check.name: check for check in check_versions(made_up, packages_of(made_up))}
    assert checks["gibswatch"].text == "3.1"
    assert sys.executable in checks["Python"].text
    assert (checks["numpy"].mark, checks["numpy"].text) == ("ok", version("numpy"))
    lacking = checks["no-such-package"]
    assert (lacking.mark, lacking.exit_code) == ("problem", 2)
    assert lacking.advice == f'{sys.executable} -m pip install "no-such-package>=1.0"'
    assert checks["SciPy"].exit_code == 2
    assert "pillow" not in checks
    for library in ("GDAL", "PROJ", "GEOS", "SQLite", "OpenSSL"):
        assert checks[library].mark == "ok"
        assert checks[library].text[0].isdigit()


def test_without_numba_the_main_job_is_done() -> None:
    gone = Package("numba", ">=0.59", None, None, importable=False, licence="")
    checks = {check.name: check for check in check_versions(distribution("gibswatch"), [gone])}
    assert (checks["numba"].mark, checks["numba"].exit_code) == ("problem", 0)


def test_extras(made_up: Distribution) -> None:
    one, two, none = check_extras(made_up, packages_of(made_up))
    assert (one.name, one.mark, one.text) == ("extra one", "ok", f"pillow {version('pillow')}")
    assert (two.name, two.mark, two.exit_code) == ("extra two", "missing", 0)
    assert two.text == "nor-this-one not installed"
    assert two.advice == f'{sys.executable} -m pip install "nor-this-one>=2.0"'
    assert two.facts["lacking"] == ["nor-this-one"]
    assert none.mark == "ok"


def test_extras_are_those_of_the_metadata() -> None:
    own = distribution("gibswatch")
    names = [check.name.removeprefix("extra ") for check in check_extras(own, packages_of(own))]
    assert names == own.metadata.get_all("Provides-Extra")
    assert {"dask", "deep", "models", "serve"} <= set(names)


def test_licences(made_up: Distribution) -> None:
    own, words, *packages = check_licences(made_up, packages_of(made_up))
    assert own.text == "Apache-2.0"
    assert "We acknowledge the use of imagery provided by services from NASA" in words.text
    named = {name for check in packages for name in check.facts["packages"]}
    assert named == {"numpy", "SciPy", "pyarrow", "pillow"}
    assert {check.mark for check in packages} == {"ok"}


def test_tools_for_work_on_the_code_are_no_part_of_it() -> None:
    own = distribution("gibswatch")
    checks = check_licences(own, packages_of(own))
    named = {name for check in checks for name in check.facts.get("packages", ())}
    assert "rasterio" in named
    assert named.isdisjoint({"pytest", "ruff", "mypy"})


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys\nfrom gibswatch.cli.main import main\n"
        "code = main(['doctor', '--offline', '--json'])\n"
        "heavy = ('torch', 'sklearn', 'skops', 'matplotlib', 'distributed', 'starlette')\n"
        "print([m for m in heavy if m in sys.modules], code, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stderr == "[] 0\n"


def test_a_package_whose_modules_are_gone_is_a_line(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "class Gone:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'numpy': raise ModuleNotFoundError('No module named numpy')\n"
        "sys.meta_path.insert(0, Gone())\n"
        "from gibswatch.cli.main import main\n"
        "sys.exit(main(['doctor', '--base-url', 'http://127.0.0.1:9']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ended.returncode == 2
    assert "gibswatch" not in ended.stderr  # some packages in C print of their own
    lines = ended.stdout.splitlines()
    [line] = [line for line in lines if line.startswith("problem  numpy: ")]
    assert '-m pip install "numpy>=' in line
    assert any(line.startswith("problem  GDAL: rasterio cannot be loaded") for line in lines)
    assert any(line.startswith("problem  service: cannot be asked") for line in lines)
    assert any(line.startswith("ok       output folder: ") for line in lines)
    assert any(line.startswith("ok       licence of gibswatch: ") for line in lines)
