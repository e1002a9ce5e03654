"""From words to the specification of each day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gibswatch.catalogue import Grid, plan_grid
from gibswatch.errors import UsageError
from gibswatch.simulate.archiving import (
    Source,
    clean_day,
    describe_origin,
    fault_area,
    planted_fault,
    read_elements,
    read_fault_choice,
    specify_days,
)
from gibswatch.simulate.days.spec import FAULT_KINDS
from gibswatch.types import BBox

TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"
SNPP = "VIIRS_SNPP_CorrectedReflectance_TrueColor"
DAYS = [dt.date(2019, 6, 1) + dt.timedelta(days=n) for n in range(60)]
ELEMENTS = """\
SUOMI NPP
1 37849U 11061A   15010.14957891  .00000088  00000-0  62074-4 0  9888
2 37849  98.6834 312.3948 0001412 123.3398 352.2834 14.19582225165950
TERRA
1 25994U 99068A   15010.14957891  .00000088  00000-0  62074-4 0  9888
2 25994  98.6834 312.3948 0001412 123.3398 352.2834 14.19582225165950
"""


def test_no_faults_are_none_and_random_ones_leave_half_of_the_days_clean() -> None:
    assert all(not spec.faults for spec in specify_days(TERRA, DAYS, Source(1)))
    faulty = [spec for spec in specify_days(TERRA, DAYS, Source(1, "random")) if spec.faults]
    assert 15 <= len(faulty) <= 36


def test_a_day_does_not_depend_on_the_days_beside_it() -> None:
    source = Source(1, "random")
    assert specify_days(TERRA, DAYS[5:6], source)[0] == specify_days(TERRA, DAYS, source)[5]


def test_products_of_one_satellite_share_perturbation_and_faults() -> None:
    source = Source(4, "random")
    one = specify_days(TERRA, DAYS, source)
    other = specify_days("MODIS_Terra_CorrectedReflectance_Bands721", DAYS, source)
    assert [(s.faults, s.perturbation) for s in one] == [(s.faults, s.perturbation) for s in other]


def test_a_plan_is_read_and_other_words_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text('[[fault]]\nkind = "missing-orbit"\nday = 2019-06-02\nplace = [10, 0]\n')
    plan = read_fault_choice(str(path))
    specs = specify_days(TERRA, DAYS[:3], Source(1, plan))
    assert [len(spec.faults) for spec in specs] == [0, 1, 0]
    assert read_fault_choice(None) == "none"
    assert read_fault_choice("random") == "random"
    with pytest.raises(UsageError, match=r"neither random nor a plan"):
        read_fault_choice("randomly")
    with pytest.raises(UsageError, match=r"missing\.toml cannot be read"):
        read_fault_choice(str(tmp_path / "missing.toml"))


def test_the_wrong_kind_of_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_text('seed = 7\n[[fault]]\neffect = "status"\n')
    with pytest.raises(UsageError, match=r"server\.toml: .*seed"):
        read_fault_choice(str(path))


def test_days_before_the_launch_are_refused() -> None:
    with pytest.raises(UsageError, match="launched on 2011-10-28"):
        specify_days(SNPP, [dt.date(2011, 1, 1)], Source(1))


def test_elements_of_one_satellite_are_taken_from_a_file_of_many(tmp_path: Path) -> None:
    path = tmp_path / "elements.txt"
    path.write_text(ELEMENTS)
    text = read_elements(path, "SNPP")
    assert [line[2:7] for line in text.splitlines()] == ["37849", "37849"]
    with pytest.raises(UsageError, match=r"no elements of Aqua \(number 27424\)"):
        read_elements(path, "Aqua")
    with pytest.raises(UsageError, match="cannot be read"):
        read_elements(tmp_path, "SNPP")
    path.write_bytes(b"\xff\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        read_elements(path, "SNPP")


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_planted_fault_lies_in_its_area_and_keeps_what_is_given(kind: str) -> None:
    area = BBox(-36, -18, 0, 18)
    spec = clean_day(SNPP, DAYS[0], Source(2))
    known = next(name for name in FAULT_KINDS if name == kind)
    fault = planted_fault(spec, known, area, amount=0.25)
    assert (fault.kind, fault.amount, fault.day) == (kind, 0.25, DAYS[0])
    assert fault.place is not None
    assert -36 <= fault.place[0] <= 0
    assert -18 <= fault.place[1] <= 18
    assert fault == planted_fault(spec, known, area, amount=0.25)
    assert fault != planted_fault(clean_day(SNPP, DAYS[1], Source(2)), known, area, amount=0.25)


def test_a_clean_day_of_viirs_has_the_moons_manoeuvres_and_nothing_else() -> None:
    winter = [dt.date(2019, 1, 1) + dt.timedelta(days=n) for n in range(150)]
    kinds = {fault.kind for day in winter for fault in clean_day(SNPP, day, Source(2)).faults}
    assert "roll" in kinds
    assert kinds <= {"roll", "new-moon"}
    assert not any(clean_day(TERRA, day, Source(2)).faults for day in DAYS)


def test_the_area_of_faults_is_that_of_the_grid() -> None:
    box = BBox(-36, -18, 0, 18)
    assert fault_area(plan_grid(Grid("native", 4326, "16km", box), "250m")) == box
    assert fault_area(plan_grid(Grid("native", 4326, "16km"), "250m")) is None
    for epsg, low, high in ((3413, 55, 78), (3031, -78, -55)):
        area = fault_area(plan_grid(Grid("native", epsg, "8km"), "250m"))  # type: ignore[arg-type]
        assert area is not None
        assert (area.south, area.north) == (low, high)
    mercator = BBox(-4e6, 0, 0, 2e6)
    area = fault_area(
        plan_grid(Grid("native", 3857, "16km", mercator), "GoogleMapsCompatible_Level9")
    )
    assert area is not None
    assert area.west == pytest.approx(-36, abs=0.4)
    assert area.north == pytest.approx(17.7, abs=0.4)


def test_an_origin_tells_plans_elements_and_seeds_apart(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text('[[fault]]\nkind = "missing-orbit"\nplace = [10, 0]\n')
    plan = read_fault_choice(str(path))
    sources = [
        Source(1), Source(2), Source(1, "random"), Source(1, plan), Source(1, tle=ELEMENTS),
        Source(1, invented=True),
    ]  # fmt: skip
    origins = [str(describe_origin(source)) for source in sources]
    assert len(set(origins)) == len(origins)
