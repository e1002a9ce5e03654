"""``gibswatch doctor``: what a user runs first when something does not work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gibswatch.cli import options as opt

if TYPE_CHECKING:
    from gibswatch.cli.doctor_checks import Check

__all__ = ["doctor"]


def doctor(
    output_dir: opt.OutputDir = Path("data"),
    base_url: opt.BaseUrl = None,
    ca_bundle: opt.CaBundle = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server.")] = False,
    as_json: opt.JsonFlag = False,
) -> None:
    """Check packages, disk, compiled kernels and service, and say what to do; print licences.

    Ends with 0 where nothing hinders a download and a scan (a missing extra does not); 2 where a
    package, an option or a variable is wrong, or the folder is full or cannot be written; else 5
    where the service cannot be reached.

    Example: gibswatch doctor --output-dir data
    """
    from gibswatch.cli.console import print_json
    from gibswatch.cli.doctor_checks import exit_code_of

    authorities = None if ca_bundle is None else str(ca_bundle)
    checks = _look(output_dir, base_url, authorities, offline=offline)
    if as_json:
        done = list(checks)
        code = exit_code_of(done)
        print_json(
            {"exit_code": code, "offline": offline, "checks": [asdict(check) for check in done]}
        )
    else:
        done = list(_printed(checks))
        code = exit_code_of(done)
        typer.echo(_summary(done, offline=offline))
    if code:
        raise typer.Exit(code)


def _look(
    output_dir: Path, base_url: str | None, ca_bundle: str | None, *, offline: bool
) -> Iterator[Check]:
    """Yield one check after the other; what takes longest comes last but the licences."""
    from importlib.metadata import distribution

    from gibswatch.cli import doctor_checks, doctor_packages

    own = distribution("gibswatch")
    packages = doctor_packages.packages_of(own)
    yield from doctor_packages.check_versions(own, packages)
    yield from doctor_packages.check_extras(own, packages)
    yield doctor_checks.check_disk(output_dir)
    yield doctor_checks.check_kernels()
    check, settings = doctor_checks.check_settings(base_url=base_url, ca_bundle=ca_bundle)
    yield check
    if settings is not None and not offline:
        yield doctor_checks.check_service(settings)
    yield from doctor_packages.check_licences(own, packages)


def _printed(checks: Iterable[Check]) -> Iterator[Check]:
    """Print each check when it is done: the service may take its time."""
    for check in checks:
        typer.echo(check.line)
        yield check


def _summary(checks: Iterable[Check], *, offline: bool) -> str:
    names = [check.name for check in checks if check.mark == "problem"]
    asked = "; the service was not asked (--offline)" if offline else ""
    if not names:
        return f"no problem was found{asked}"
    return f"{len(names)} problem{'s' if len(names) > 1 else ''}: {', '.join(names)}{asked}"
