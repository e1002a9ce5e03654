"""Build ``src/gibswatch/catalogue/data/layers.json``, the table of layers, from public data.

    python tools/build_catalogue.py [DATA] [--output FILE]

DATA is the folder that holds ``service/`` (default: ``$GIBSWATCH_REAL_DATA``, else
``../shared/data`` beside the repository).  Facts only: names, grids, days; the
same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import html
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gibswatch.catalogue.domains import Period, format_domain, parse_domain
from gibswatch.catalogue.live import cadence_of, goes_on

Record = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src/gibswatch/catalogue/data/layers.json"

READ_2021 = dt.date(2021, 12, 8)
READ_2026 = dt.date(2026, 6, 23)

EPSG = {"geographic": 4326, "arctic": 3413, "antarctic": 3031}
FORMATS = {"image/jpeg": "jpg", "image/png": "png", "application/vnd.mapbox-vector-tile": "mvt"}
MERCATOR_LEVEL = {
    "16km": 3, "2km": 6, "1km": 7, "500m": 8, "250m": 9, "31.25m": 12, "15.625m": 13,
}  # fmt: skip
UNITS = {"daily": "P{}D", "monthly": "P{}M", "yearly": "P{}Y", "subdaily": "PT{}M"}

NOT_A_PLATFORM = ("Multi-mission", "MODIS", "GHRSST", "MGRS")
NOT_AN_INSTRUMENT = ("Space-Track.org", "WELD", "Model Value-Added", "Sentinel-1", "STS-99")
PLATFORM_SPELLINGS = {
    "NOAA 20": "NOAA-20",
    "Int'l Space Station": "ISS",
    "Sentinel 2A & 2B": "Sentinel-2A and 2B",
}
ALONE = ("OCO-2", "OCO-3", "SMAP", "TRMM")
"""Subtitles that are a platform's name and nothing else."""
DEFAULTS = {"service": "wmts", "format": "png"}
DEFAULTS_WITH_DOMAIN = {"cadence": "P1D", "domain_source": "2021-12"}
"""What most lines would say: left out of them and said once, in the head of the table."""
DAILY_PRODUCTS = ("TrueColor", "BandsM11-I2-I1", "BandsM3-I3-M11")


def read_sources(data: Path) -> tuple[dict[str, Record], dict[str, str], list[str]]:
    """Layers of 2021, domains of 2026 by layer, and names of 2018."""
    service = data / "service"
    layers = json.loads((service / "worldview_catalogue_2021-12.json").read_text("utf-8"))
    domains = json.loads((service / "time_domains_2026-06.json").read_text("utf-8"))
    names = (service / "layer_ids_2018-11.txt").read_text("utf-8").split()
    return (
        layers["layers"],
        {name: entry["domain"] for name, entry in domains["layers"].items()},
        names,
    )


def layer_record(identifier: str, entry: Record, domain_2026: str | None) -> Record:
    """Facts of one layer, without those that have their default."""
    title, subtitle = (html.unescape(entry.get(k, "")).strip() for k in ("title", "subtitle"))
    platform, instrument = platform_of(subtitle)
    service = entry["type"]
    record: Record = {
        "id": identifier,
        "title": title,
        "subtitle": subtitle,
        "service": service,
        "format": "mvt" if service == "vector" else FORMATS[entry["format"]],
        "projections": projections_of(service, entry["projections"]),
        "platform": platform,
        "instrument": instrument,
        **time_facts(entry, domain_2026),
        "day_night": sorted(entry.get("daynight", [])),
        "served_as": served_as(entry["projections"]),
    }
    defaults = DEFAULTS | (DEFAULTS_WITH_DOMAIN if record.get("domain") else {})
    return {key: value for key, value in record.items() if value and value != defaults.get(key)}


def projections_of(service: str, projections: Mapping[str, Record]) -> dict[str, str]:
    """EPSG code to tile matrix set, 4326 first; 3857 is derived, GIBS cuts it from 4326."""
    found = {
        str(code): projections[name].get("matrixSet", "")
        for name, code in EPSG.items()
        if name in projections
    }
    if service == "wmts" and found.get("4326"):
        found["3857"] = f"GoogleMapsCompatible_Level{MERCATOR_LEVEL[found['4326']]}"
    return found


def served_as(projections: Mapping[str, Record]) -> dict[str, str]:
    """EPSG code to the server's name where it is another than the catalogue's."""
    found = {}
    for name, code in EPSG.items():
        entry = projections.get(name, {})
        if other := entry.get("id") or entry.get("layer"):
            found[str(code)] = str(other)
    if "4326" in found:
        found["3857"] = found["4326"]
    return found


def platform_of(subtitle: str) -> tuple[str | None, str | None]:
    """Platform and instrument of a subtitle like ``Terra / MODIS``; None where it is no such."""
    if subtitle in ALONE:
        return subtitle, None
    parts = [part.strip() for part in subtitle.split("/")]
    if parts[0] == "GHRSST" and len(parts) == 4:
        return parts[2], parts[1]
    if len(parts) < 2 or "," in subtitle or ":" in subtitle or parts[0] in NOT_A_PLATFORM:
        return None, None
    platform = PLATFORM_SPELLINGS.get(parts[0], parts[0])
    instrument = re.sub(r" (via .*|LPRM)$", "", parts[1])
    return platform, None if instrument in NOT_AN_INSTRUMENT else instrument


def time_facts(entry: Record, domain_2026: str | None) -> Record:
    """Cadence, domain, its source, and whether it goes on; nothing for a layer without time."""
    if domain_2026 is not None:
        periods = parse_domain(domain_2026)
        source, ongoing = "2026-06", goes_on(periods, READ_2026)
    elif "period" in entry:
        periods = periods_2021(entry)
        source, ongoing = "2021-12", not (entry.get("inactive") or entry.get("endDate"))
    else:
        return {}
    return {
        "cadence": cadence_of(periods),
        "domain": format_domain(periods),
        "domain_source": source,
        "ongoing": ongoing,
    }


def periods_2021(entry: Record) -> tuple[Period, ...]:
    """Periods from the date ranges, or from the start alone (orbit tracks have no ranges)."""
    unit = UNITS[entry["period"]]
    default_end = entry.get("endDate") or READ_2021.isoformat()
    ranges = entry.get("dateRanges") or [
        {"startDate": entry["startDate"], "endDate": default_end, "dateInterval": "1"}
    ]
    return parse_domain(
        ",".join(
            f"{r['startDate']}/{r['endDate']}/{unit.format(r['dateInterval'])}" for r in ranges
        )
    )


def added_layers(layers: Mapping[str, Record], domains: Mapping[str, str]) -> dict[str, Record]:
    """Corrected reflectance that came after 2021: NOAA-21 and the granule layers.

    Their grids are those of the layer of 2021 with the same bands of NOAA-20.
    """
    added = {}
    for product in DAILY_PRODUCTS:
        model = layers[f"VIIRS_NOAA20_CorrectedReflectance_{product}"]
        for platform, subtitle in (
            ("SNPP", "Suomi NPP / VIIRS"),
            ("NOAA20", "NOAA-20 / VIIRS"),
            ("NOAA21", "NOAA-21 / VIIRS"),
        ):
            name = f"VIIRS_{platform}_CorrectedReflectance_{product}"
            if name not in layers and name in domains:
                added[name] = {**model, "subtitle": subtitle}
            granule = f"{name}_Granule"
            if granule in domains:
                title = model["title"].removesuffix(")") + ", Granule)"
                added[granule] = {**model, "title": title, "subtitle": subtitle}
    return added


def retired_names(names_2018: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Old name to new name, where exactly one rule gives a name that is there."""
    known = set(names)
    retired = {}
    for old in names_2018:
        if old in known:
            continue
        new = sorted(known.intersection(candidates(old)) or known_by_pattern(old, known))
        if len(new) == 1:
            retired[old] = new[0]
    for new_name in known:
        old = new_name.removesuffix("_NDSI_Snow_Cover") + "_Snow_Cover"
        if new_name.endswith("_NDSI_Snow_Cover") and old not in known:
            retired[old] = new_name
    for platform in ("Terra", "Aqua"):
        retired[f"MODIS_{platform}_Chlorophyll_A"] = f"MODIS_{platform}_L2_Chlorophyll_A"
    return dict(sorted(retired.items()))


def candidates(old: str) -> list[str]:
    """Names that a layer of 2018 may have today (gibs-facts 5.3)."""
    rules = (
        (r"MODIS_Fires_All", r"MODIS_Combined_Thermal_Anomalies_All"),
        (r"MODIS_Fires_(Terra|Aqua)", r"MODIS_\1_Thermal_Anomalies_All"),
        (r"VIIRS_SNPP_Fires_375m_(Day|Night)", r"VIIRS_SNPP_Thermal_Anomalies_375m_\1"),
        (r"(Coastlines|Reference_Labels|Reference_Features)", r"\1_15m"),
        (r"AMSR2_(.+)", r"AMSRU2_\1"),
        (r"AIRS_(.+)", r"AIRS_L2_\1"),
        (r"AIRS_(.+)", r"AIRS_L3_\1"),
        (r"IMERG_(Rain|Snow)_Rate", r"IMERG_Precipitation_Rate"),
        (r"grand-v1-dams-rev01", r"GRanD_Dams"),
        (r"grand-v1-reservoirs-rev01", r"GRanD_Reservoirs"),
        (r"grump-v1-settlement-points", r"GRUMP_Settlements"),
    )
    return [re.sub(rule, new, old) for rule, new in rules if re.fullmatch(rule, old)]


def known_by_pattern(old: str, known: set[str]) -> set[str]:
    """Names whose hyphens, case or years the rules cannot know: orbit tracks and hazard maps."""
    if match := re.fullmatch(r"(.+)_Orbit_(Asc|Dsc)", old):
        way = {"Asc": "Ascending", "Dsc": "Descending"}[match[2]]
        wanted = f"OrbitTracks_{match[1]}_{way}"
        return {name for name in known if name.replace("-", "_") == wanted}
    if old.startswith("ndh-"):
        wanted = old.replace("-", "_")
        return {name for name in known if re.sub(r"_\d{4}(-\d{4})?$", "", name.lower()) == wanted}
    return set()


def build(data: Path) -> tuple[str, list[str]]:
    """Text of the table, and the layers of 2026 that it leaves out."""
    layers, domains, names_2018 = read_sources(data)
    everything = layers | added_layers(layers, domains)
    records = [
        layer_record(name, everything[name], domains.get(name)) for name in sorted(everything)
    ]
    about = {
        "what": "Facts of the layers of NASA GIBS; written by tools/build_catalogue.py",
        "layers": "Worldview's catalogue of 2021-12-08 (nasa-gibs/gibs-api-docs c8160a19)",
        "domains": "WMS capabilities of 2026-06-23 where domain_source says 2026-06",
        "retired": "layer identifiers of 2018-11, and names gone by 2026-06",
        "left out": "in a layer's line, empty values and those of the two tables of defaults",
    }
    left_out = sorted(set(domains) - set(everything))
    return render(about, retired_names(names_2018, everything), records), left_out


def render(about: Mapping[str, str], retired: Mapping[str, str], records: list[Record]) -> str:
    """JSON with one fact a line at the head, then one layer a line."""

    def line(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def lines(mapping: Mapping[str, str]) -> str:
        return ",\n".join(f"{line(key)}:{line(value)}" for key, value in mapping.items())

    layers = ",\n".join(line(record) for record in records)
    return (
        f'{{"about":{{\n{lines(about)}\n}},\n"defaults":{line(DEFAULTS)},\n'
        f'"defaults_with_domain":{line(DEFAULTS_WITH_DOMAIN)},\n"retired":{{\n{lines(retired)}\n}},\n'
        f'"layers":[\n{layers}\n]}}\n'
    )


def main() -> None:
    """Write the table and say what it holds."""
    default = os.environ.get("GIBSWATCH_REAL_DATA") or ROOT.parent / "shared/data"
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("data", nargs="?", type=Path, default=Path(default))
    parser.add_argument("--output", type=Path, default=TARGET)
    arguments = parser.parse_args()
    text, left_out = build(arguments.data)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text, encoding="utf-8", newline="\n")
    table = json.loads(text)
    print(
        f"{arguments.output}: {len(table['layers'])} layers, {len(table['retired'])} retired "
        f"names, {len(text.encode()) / 1000:.0f} kB"
    )
    print(f"left out, their grids are not known: {', '.join(left_out)}")


if __name__ == "__main__":
    main()
