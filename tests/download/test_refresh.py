"""The refreshed catalogue, from our own server's documents and from hostile ones."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gibswatch.catalogue.domains import days_in, format_domain, parse_domain
from gibswatch.catalogue.layers import find_layer
from gibswatch.catalogue.live import live_file, read_live
from gibswatch.download.history import HistoryRequest, fetch_history
from gibswatch.download.plan import plan_days
from gibswatch.download.refresh import RefreshReport, capabilities_url, refresh_catalogue
from gibswatch.errors import NothingFetchedError, ServerUnreachableError, ServiceDocumentError
from gibswatch.settings import Settings
from gibswatch.simulate import EmbeddedServer, GlobeSource, ServedLayer, create_app

TODAY = dt.date(2026, 11, 22)
TERRA = "MODIS_Terra_CorrectedReflectance_TrueColor"
ROLLING = "MODIS_Terra_NDVI_8Day"
SIXTEEN = "MODIS_Terra_L3_NDVI_16Day"
EIGHT = "MODIS_Combined_L4_LAI_8Day"
NEW = "Brand_New_Layer"

BITS = ",".join(f"{1900 + n}-03-01/{1900 + n}-03-20/P1D" for n in range(120))
DOMAINS = {
    TERRA: f"{BITS},2026-11-01/2026-11-21/P1D",
    ROLLING: "2025-07-13/2026-11-20/P1D",
    SIXTEEN: "2024-01-01/2024-12-18/P16D,2025-01-01/2025-12-19/P16D,2026-01-01/2026-11-01/P16D",
    EIGHT: "2024-01-01/2024-12-26/P8D,2025-01-01/2025-12-27/P8D,2026-01-01/2026-11-17/P8D",
    NEW: "2026-01-01/2026-02-01/P1D",
}


@pytest.fixture(autouse=True)
def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIBSWATCH_CATALOGUE_FILE", str(tmp_path / "catalogue.json"))


@pytest.fixture(scope="module")
def gibs() -> Iterator[EmbeddedServer]:
    """Our own server with five layers, one of them of more than a hundred periods."""
    black = np.zeros((8, 16, 3), np.uint8)
    layers = {}
    for name, domain in DOMAINS.items():
        image: Literal["jpg", "png"] = "jpg" if name == TERRA else "png"
        source = GlobeSource(lambda _day: black, [dt.date(2026, 1, 1)], image)
        sets = {4326: "250m", 3413: "250m"} if name == TERRA else {4326: "250m"}
        served = ServedLayer(name, image, sets, periods=parse_domain(domain), title=f"It is {name}")
        layers[name] = (served, source)
    with EmbeddedServer(create_app(layers)) as server:
        yield server


def refresh(server: EmbeddedServer, *projections: int) -> RefreshReport:
    codes = projections or (4326, 3413)
    return refresh_catalogue(
        Settings(base_url=server.base_url, attempts=1, catalogue_file=str(live_file())),
        codes,  # type: ignore[arg-type]
        today=TODAY,
    )


def test_the_catalogue_is_what_the_server_lists(gibs: EmbeddedServer) -> None:
    report = refresh(gibs)
    assert report.problems == ()
    assert report.listed == {4326: 5, 3413: 1}
    assert (report.histories, report.added, report.read) == (1, (NEW,), TODAY)
    assert set(report.moved) >= {TERRA, ROLLING}
    assert SIXTEEN not in report.unlisted
    assert "MODIS_Aqua_CorrectedReflectance_TrueColor" in report.unlisted
    for name, domain in DOMAINS.items():
        layer = find_layer(name)
        assert layer.domain == format_domain(parse_domain(domain)), name
        assert layer.domain_source == "live 2026-11-22"
    assert find_layer(NEW).title == f"It is {NEW}"
    assert [find_layer(n).ongoing for n in (TERRA, SIXTEEN, NEW)] == [True, True, False]
    assert find_layer(TERRA).matrix_set(3413) == "250m"


def test_capabilities_alone_would_have_been_cut(gibs: EmbeddedServer) -> None:
    refresh(gibs, 4326)
    assert len(find_layer(TERRA).periods) == 121


def test_a_rolling_start_is_kept_as_it_is(gibs: EmbeddedServer) -> None:
    before = find_layer(ROLLING).start_date
    refresh(gibs, 4326)
    assert before == dt.date(2025, 2, 12)
    assert find_layer(ROLLING).start_date == dt.date(2025, 7, 13)


@pytest.mark.parametrize(
    ("name", "last", "first"), [(SIXTEEN, (2024, 12, 18), 16), (EIGHT, (2024, 12, 26), 8)]
)
def test_no_step_is_carried_over_a_years_end(
    gibs: EmbeddedServer, name: str, last: tuple[int, int, int], first: int
) -> None:
    refresh(gibs, 4326)
    layer = find_layer(name)
    around = dt.date(2024, 12, 10), dt.date(2025, 1, 12)
    begin = dt.date(2025, 1, 1)
    expected = [d for d in (dt.date(*last), begin, begin + dt.timedelta(first)) if d < around[1]]
    assert [d for d in days_in(layer.periods, *around) if d >= expected[0]] == expected
    assert [d for d in plan_days(layer, *around).days if d >= expected[0]] == expected
    # Nor beyond the newest step: it is not known where the next series begins.
    newest = layer.periods[-1].last_day
    assert list(days_in(layer.periods, newest, dt.date(2028, 1, 1))) == [newest]
    assert plan_days(layer, newest, dt.date(2028, 1, 1)).days == (newest,)


@given(st.integers(2001, 2030), st.integers(0, 3), st.sampled_from([4, 8, 16]))
def test_no_year_is_left_by_a_step(year: int, years: int, days: int) -> None:
    domain = ",".join(f"{y}-01-01/{y}-12-31/P{days}D" for y in range(year, year + years + 1))
    found = list(days_in(parse_domain(domain), dt.date(year, 1, 1), dt.date(year + 9, 1, 1)))
    assert {day.year for day in found} == set(range(year, year + years + 1))
    assert all((day - day.replace(month=1, day=1)).days % days == 0 for day in found)


def test_layers_read_before_stay(gibs: EmbeddedServer) -> None:
    refresh(gibs, 4326)
    report = refresh(gibs, 3413)
    assert report.listed == {3413: 1}
    assert find_layer(NEW).domain_source == "live 2026-11-22"
    terra = next(record for record in read_live(live_file()) if record["id"] == TERRA)
    assert terra["projections"] == {"4326": "250m", "3413": "250m"}


def test_no_server_writes_nothing() -> None:
    with pytest.raises(ServerUnreachableError, match="check the network"):
        refresh_catalogue(Settings(base_url="http://127.0.0.1:9", attempts=1))
    assert not live_file().exists()


Scripted = Callable[[dict[str, bytes]], EmbeddedServer]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """Start servers that answer an address (from epsgNNNN on) with a document, else with 404."""
    running = []

    def start(documents: dict[str, bytes]) -> EmbeddedServer:
        async def answer(request: Request) -> Response:
            where = request.url.path.removeprefix("/wmts/")
            if request.url.query:
                where += f"?offset={request.query_params['offset']}"
            if where not in documents:
                return Response("none", 404)
            return Response(documents[where], media_type="text/xml")

        server = EmbeddedServer(Starlette(routes=[Route("/{path:path}", answer)]))
        running.append(server)
        return server.__enter__()

    yield start
    for server in running:
        server.__exit__(None, None, None)


CAPS = "epsg4326/best/1.0.0/WMTSCapabilities.xml"
HISTORY = f"epsg4326/best/1.0.0/{TERRA}/default/250m/all/all.xml"
NEXT = "epsg4326/best/wmts.cgi?offset=2"
CUT = ",".join(BITS.split(",")[:100])


def capabilities(name: str = TERRA, domain: str = CUT, more: str = "", style: str = "") -> bytes:
    values = "".join(f"<Value>{period}</Value>" for period in domain.split(","))
    style = style or "<Style><ows:Identifier>default</ows:Identifier></Style>"
    return (
        '<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows='
        '"http://www.opengis.net/ows/1.1"><Contents>'
        f"<Layer><ows:Identifier>{name}</ows:Identifier>{style}<Dimension><ows:Identifier>Time"
        f"</ows:Identifier><Default>2026-01-01</Default>{values}</Dimension><TileMatrixSetLink>"
        "<TileMatrixSet>250m</TileMatrixSet></TileMatrixSetLink><Format>image/jpeg</Format></Layer>"
        f"{more}</Contents></Capabilities>"
    ).encode()


def domains(domain: str, next_page: str = "") -> bytes:
    page = f"<NextPage>{next_page}</NextPage>" if next_page else ""
    return (
        f"<Domains><DimensionDomain><Identifier>time</Identifier><Domain>{domain}</Domain>{page}"
        "</DimensionDomain></Domains>"
    ).encode()


@pytest.mark.parametrize("named", ["2", "true", "http://127.0.0.1:9/else?offset=2", "/x/[/?"])
def test_pages_are_followed_on_the_same_host_only(scripted: Scripted, named: str) -> None:
    parts = BITS.split(",")
    server = scripted(
        {
            CAPS: capabilities(),
            HISTORY: domains(",".join(parts[:2]), named),
            NEXT: domains(",".join(parts[2:])),
        }
    )
    if named == "/x/[/?":
        with pytest.raises(ServiceDocumentError, match="404"):
            fetch_history(HistoryRequest(server.base_url, 4326, TERRA, "250m"), quick(server))
        return
    assert refresh(server, 4326).histories == 1
    assert find_layer(TERRA).domain == BITS


def quick(server: EmbeddedServer) -> Settings:
    return Settings(base_url=server.base_url, attempts=1)


def test_the_page_that_the_server_names_is_taken(scripted: Scripted) -> None:
    parts = BITS.split(",")
    documents = {HISTORY: domains(parts[0], f"/wmts/{NEXT}"), NEXT: domains(parts[1])}
    server = scripted(documents)
    found = fetch_history(HistoryRequest(server.base_url, 4326, TERRA, "250m"), quick(server))
    assert format_domain(found) == ",".join(parts[:2])


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (None, "HTTP 404"),
        (b"<!DOCTYPE a><Domains/>", "document type"),
        (domains(""), "lists no time"),
        (domains(BITS + ",2020-01-01/2020-01-02/P1Q"), "P1Q"),
    ],
)
def test_without_the_history_the_time_stays(
    scripted: Scripted, history: bytes | None, reason: str
) -> None:
    packaged = find_layer(TERRA)
    server = scripted({CAPS: capabilities()} | ({HISTORY: history} if history else {}))
    report = refresh(server, 4326)
    assert report.histories == 0
    assert f"{TERRA} keeps the time it had" in report.problems[0]
    assert reason in report.problems[0]
    assert find_layer(TERRA).domain == packaged.domain


def test_pages_without_end_are_left(scripted: Scripted) -> None:
    server = scripted({HISTORY: domains("2000-01-01", HISTORY.join(("/wmts/", "")))})
    with pytest.raises(ServiceDocumentError, match="next pages without end"):
        fetch_history(HistoryRequest(server.base_url, 4326, TERRA, "250m"), quick(server))


def test_malformed_layers_harm_no_other(scripted: Scripted) -> None:
    bad = "".join(
        f"<Layer><ows:Identifier>{name}</ows:Identifier><Style/></Layer>" for name in (SIXTEEN, "X")
    )
    server = scripted({CAPS: capabilities(domain="2001-01-01/2026-11-01/P1D", more=bad)})
    report = refresh(server, 4326, 3857)
    assert [problem.split(" ")[0] for problem in report.problems[:2]] == [SIXTEEN, "X"]
    assert "epsg3857" in report.problems[2]
    assert str(find_layer(TERRA).start_date) == "2001-01-01"
    assert find_layer(SIXTEEN).domain_source == "2026-06"


def test_a_polar_name_leads_to_the_known_layer(scripted: Scripted) -> None:
    polar = {CAPS.replace("4326", "3413"): capabilities("Coastlines", "2026-01-01/2026-11-01/P1D")}
    report = refresh(scripted(polar), 3413)
    assert report.added == ()
    assert find_layer("Coastlines_15m").name_in(3413) == "Coastlines"
    assert find_layer("Coastlines_15m").matrix_set(3413) == "250m"


@pytest.mark.parametrize(
    "data", [b"", b"<html/>", b"<!DOCTYPE a><a/>", capabilities(style="<Style/>")]
)
def test_a_catalogue_that_is_none_writes_nothing(scripted: Scripted, data: bytes) -> None:
    with pytest.raises(NothingFetchedError, match="nothing was read from http://127"):
        refresh(scripted({CAPS: data}), 4326)
    assert not live_file().exists()


def test_the_file_is_plain_json(gibs: EmbeddedServer) -> None:
    refresh(gibs, 4326)
    document = json.loads(live_file().read_text("utf-8"))
    assert document["base_url"] == gibs.base_url
    assert document["version"] == 1


def test_the_addresses() -> None:
    base = "https://gibs.earthdata.nasa.gov"
    assert capabilities_url(base + "/", 3857) == (
        f"{base}/wmts/epsg3857/best/1.0.0/WMTSCapabilities.xml"
    )
    request = HistoryRequest(base, 4326, "A", "1km")
    assert request.url() == f"{base}/wmts/epsg4326/best/1.0.0/A/default/1km/all/all.xml"
    assert request.url(25000).startswith(f"{base}/wmts/epsg4326/best/wmts.cgi?SERVICE=WMTS&REQ")
