"""What `gibswatch doctor` finds out about packages: versions, extras, licences.

All of it comes from the metadata that pip leaves behind.  A package counts as importable where its
modules are found; it is not imported, since PyTorch or scikit-learn alone take seconds.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import sqlite3
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import (
    Distribution,
    PackageNotFoundError,
    distribution,
    packages_distributions,
)
from importlib.util import find_spec

from gibswatch.cli.doctor_checks import UNUSABLE, Check

__all__ = ["Package", "check_extras", "check_licences", "check_versions", "packages_of"]

_DEVELOPMENT = "dev"
"""Extra of the tools for work on the code: no command runs them."""
_NOT_MISSED = frozenset({"numba"})
"""Required, since all is slower without it, but the main job is done."""
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)\s*(?:\[.*?\])?\s*(?P<needs>[^;]*)(?:;(?P<when>.*))?")
_EXTRA = re.compile(r"extra\s*==\s*['\"](?P<extra>[^'\"]+)['\"]")
_FLOOR = re.compile(r">=\s*([\d.]+)")
_LIBRARIES = (
    ("GDAL", "rasterio", "__gdal_version__"),
    ("PROJ", "pyproj", "proj_version_str"),
    ("GEOS", "shapely", "geos_version_string"),
)
"""Libraries in C that come inside of packages: name, module, where the module has the version."""
_SHORT = 60


@dataclass(frozen=True, slots=True)
class Package:
    """One that Gibswatch names in its metadata."""

    name: str
    needs: str
    """Versions that will do, as ``>=1.26``; empty if any."""
    extra: str | None
    """Extra that it is of; None where nothing works without it."""
    version: str | None
    """Of what is installed; None where it is not."""
    importable: bool
    """Whether one of its modules is found."""
    licence: str
    """As its metadata have it; empty where they do not say, or it is not installed."""

    @property
    def fault(self) -> str:
        """What is wrong with it, in words; empty where it can be used."""
        if self.version is None:
            return "not installed"
        if not self.importable:
            return f"{self.version} without its modules: they are not found"
        if _numbers(self.version) < _floor(self.needs):
            return f"{self.version} too old, {self.needs} is needed"
        return ""


def packages_of(own: Distribution) -> list[Package]:
    """Read what a distribution requires, and what of it is there.

    Parameters
    ----------
    own : Distribution
        Its requirements may depend on extras; other conditions are not looked at.
    """
    modules: dict[str, set[str]] = {}
    for module, names in packages_distributions().items():
        for name in names:
            modules.setdefault(_normal(name), set()).add(module)
    return [_package(text, modules) for text in own.requires or ()]


def check_versions(own: Distribution, packages: Sequence[Package]) -> Iterator[Check]:
    """Yield the versions of Gibswatch, Python, the system, and all that is always needed."""
    build = f"{platform.python_version()} ({sys.executable})"
    yield Check("versions", "gibswatch", "ok", own.version)
    yield Check("versions", "Python", "ok", build, facts={"version": platform.python_version()})
    yield Check("versions", "platform", "ok", f"{platform.platform()}, {os.cpu_count()} cores")
    for package in packages:
        if package.extra is not None:
            continue
        if package.fault:
            install, code = _pip_install([package]), 0 if package.name in _NOT_MISSED else UNUSABLE
            yield Check("versions", package.name, "problem", package.fault, install, code)
        else:
            yield Check("versions", package.name, "ok", str(package.version))
    yield Check("versions", "OpenSSL", "ok", ssl.OPENSSL_VERSION.removeprefix("OpenSSL "))
    yield Check("versions", "SQLite", "ok", sqlite3.sqlite_version)
    for library, module, attribute in _LIBRARIES:
        yield _check_library(library, module, attribute)


def check_extras(own: Distribution, packages: Sequence[Package]) -> Iterator[Check]:
    """Yield every extra, and how to install what it lacks; none is needed for the main job."""
    for extra in own.metadata.get_all("Provides-Extra") or ():
        belong = [package for package in packages if package.extra == extra]
        lacking = [package for package in belong if package.fault]
        facts = {"packages": {p.name: p.version for p in belong}, "lacking": []}
        if not lacking:
            text = ", ".join(f"{p.name} {p.version}" for p in belong)
            yield Check("extras", f"extra {extra}", "ok", text, facts=facts)
            continue
        facts["lacking"] = [p.name for p in lacking]
        faults = dict.fromkeys(p.fault for p in lacking)
        text = "; ".join(
            f"{', '.join(p.name for p in lacking if p.fault == fault)} {fault}" for fault in faults
        )
        install = _pip_install(lacking)
        yield Check("extras", f"extra {extra}", "missing", text, install, facts=facts)


def check_licences(own: Distribution, packages: Sequence[Package]) -> Iterator[Check]:
    """Yield licences: Gibswatch's, the words that GIBS asks for, and those of the packages."""
    yield Check("licences", "licence of gibswatch", "ok", _licence(own))
    try:
        from gibswatch.catalogue.acknowledgement import ACKNOWLEDGEMENT
    except ImportError:  # the catalogue needs packages; which, the versions have said
        pass
    else:
        yield Check("licences", "wherever imagery is shown", "ok", ACKNOWLEDGEMENT)
    by_licence: dict[str, set[str]] = {}
    for package in packages:
        if package.version is not None and package.extra != _DEVELOPMENT:
            by_licence.setdefault(package.licence, set()).add(package.name)
    for licence in sorted(by_licence):
        names = sorted(by_licence[licence])
        called = f"licence {licence}" if licence else "licence not named in the metadata"
        facts = {"licence": licence or None, "packages": names}
        yield Check("licences", called, "ok", ", ".join(names), facts=facts)


def _package(text: str, modules: Mapping[str, set[str]]) -> Package:
    found = _REQUIREMENT.match(text)
    if found is None:
        return Package(text, "", None, None, importable=False, licence="")
    name, needs = found["name"], found["needs"].strip()
    when = _EXTRA.search(found["when"] or "")
    extra = when["extra"] if when else None
    try:
        there = distribution(name)
    except PackageNotFoundError:
        return Package(name, needs, extra, None, importable=False, licence="")
    importable = any(map(_is_found, modules.get(_normal(name), {_normal(name)})))
    return Package(name, needs, extra, there.version, importable, _licence(there))


def _is_found(module: str) -> bool:
    """Whether a module of the top level can be imported; it is not."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # found in sys.modules, without a spec
        return module in sys.modules


def _check_library(library: str, module: str, attribute: str) -> Check:
    try:
        version = str(getattr(importlib.import_module(module), attribute))
    except Exception as error:  # noqa: BLE001 - it is what the user wants to hear of
        text = f"{module} cannot be loaded ({type(error).__name__}: {error})"
        install = f"{_PIP} install --force-reinstall {module}"
        return Check("versions", library, "problem", text, install, UNUSABLE)
    return Check("versions", library, "ok", f"{version} (in {module})")


def _licence(there: Distribution) -> str:
    """Return the licence by the newest field that has it in short; empty where none has."""
    metadata = there.metadata
    fields = ("License-Expression", "License")
    named = [metadata[name] for name in fields if name in metadata]
    classifiers = [c.split(" :: ") for c in metadata.get_all("Classifier") or ()]
    named += [c[-1] for c in classifiers if c[0] == "License" and len(c) > 2]
    for text in map(str.strip, named):
        if text and text.lower() != "unknown" and "\n" not in text and len(text) <= _SHORT:
            return re.sub(r"^(BSD|MIT) License$", r"\1", text)
    return ""


_PIP = f'"{sys.executable}" -m pip' if " " in sys.executable else f"{sys.executable} -m pip"
"""Of this Python: another pip would install for another."""


def _pip_install(packages: Sequence[Package]) -> str:
    return " ".join([_PIP, "install", *(f'"{p.name}{p.needs}"' for p in packages)])


def _normal(name: str) -> str:
    """Spell a package's name as all others do; with `_`, which most modules have too."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _floor(needs: str) -> tuple[int, ...]:
    found = _FLOOR.search(needs)
    return _numbers(found[1]) if found else ()


def _numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, without zeros at the end: 2.0 is 2."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
