"""What GIBS offers: layers, the days that each has, and the grids that their pixels lie on."""

from __future__ import annotations

from gibswatch.catalogue.acknowledgement import ACKNOWLEDGEMENT
from gibswatch.catalogue.capabilities import (
    LISTED_PERIODS,
    CapabilitiesReport,
    ListedLayer,
    read_capabilities,
)
from gibswatch.catalogue.describe_domains import DomainsPage, read_domains
from gibswatch.catalogue.domains import (
    Period,
    Step,
    days_in,
    domain_step,
    format_domain,
    gap_around,
    gaps,
    parse_domain,
    parse_step,
)
from gibswatch.catalogue.events import Event, events_on, load_events, read_events
from gibswatch.catalogue.gibs_layer import GIBSLayer
from gibswatch.catalogue.grids import (
    PREDECESSOR_TABLE,
    ResolutionRow,
    TileMatrix,
    TileMatrixSet,
    check_epsg,
    native_level,
    resolution_row,
    tile_matrix_set,
    tile_matrix_sets,
)
from gibswatch.catalogue.lateness import GapSpan, Lateness, gap_spans, lateness, span_text
from gibswatch.catalogue.layers import (
    PREDEFINED,
    DomainSource,
    Layer,
    Service,
    find_layer,
    load_catalogue,
    renamed_warning,
    retired_names,
    search_layers,
)
from gibswatch.catalogue.live import cadence_of, goes_on
from gibswatch.catalogue.service_xml import (
    SERVICE_PROTOCOLS,
    ServiceProtocol,
    parse_moment,
    service_xml,
    write_service_xml,
)
from gibswatch.catalogue.windows import (
    Grid,
    GridKind,
    GridPlan,
    PixelWindow,
    TileIndex,
    TileRange,
    check_bbox,
    plan_grid,
)
from gibswatch.catalogue.worldview import worldview_url

__all__ = [
    "ACKNOWLEDGEMENT",
    "LISTED_PERIODS",
    "PREDECESSOR_TABLE",
    "PREDEFINED",
    "SERVICE_PROTOCOLS",
    "CapabilitiesReport",
    "DomainSource",
    "DomainsPage",
    "Event",
    "GIBSLayer",
    "GapSpan",
    "Grid",
    "GridKind",
    "GridPlan",
    "Lateness",
    "Layer",
    "ListedLayer",
    "Period",
    "PixelWindow",
    "ResolutionRow",
    "Service",
    "ServiceProtocol",
    "Step",
    "TileIndex",
    "TileMatrix",
    "TileMatrixSet",
    "TileRange",
    "cadence_of",
    "check_bbox",
    "check_epsg",
    "days_in",
    "domain_step",
    "events_on",
    "find_layer",
    "format_domain",
    "gap_around",
    "gap_spans",
    "gaps",
    "goes_on",
    "lateness",
    "load_catalogue",
    "load_events",
    "native_level",
    "parse_domain",
    "parse_moment",
    "parse_step",
    "plan_grid",
    "read_capabilities",
    "read_domains",
    "read_events",
    "renamed_warning",
    "resolution_row",
    "retired_names",
    "search_layers",
    "service_xml",
    "span_text",
    "tile_matrix_set",
    "tile_matrix_sets",
    "worldview_url",
    "write_service_xml",
]
