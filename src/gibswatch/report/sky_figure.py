"""A map of what should be visible on one day: reasons in colours, tracks with their times.

Drawn with Pillow alone.  There are no coast lines: the graticule says where a pixel is.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gibswatch.sky.expectation import REASONS, Expectation
from gibswatch.sky.places import pixel_places
from gibswatch.sky.swath import ground_track
from gibswatch.sky.timescale import datetime_at
from gibswatch.types import BoolArray, ByteArray, FloatArray, Georeference

__all__ = ["REASON_COLOURS", "sky_figure"]

_RGB = tuple[int, int, int]
_LONGEST, _SHORTEST = 1600, 900  # of the longer side of the map
_LEAST_WIDTH, _LEAST_HEIGHT = 560, 120
_MARGIN, _TITLE, _LEGEND = 46, 56, 34
_LEGEND_LINE = 24
_TRACK_STEP_S, _LABEL_STEP_S, _FINE_LABEL_STEP_S = 5.0, 300.0, 60.0
_BEYOND_S = 120.0  # a swath is seen askew, so its track may be off the picture a little longer
_GRATICULE_DEG = (30.0, 10.0, 5.0, 2.0, 1.0)
_LABEL_GAP_PX = 70
_INK: _RGB = (30, 34, 40)
_GRID: _RGB = (120, 128, 138)
_TRACK: _RGB = (60, 90, 130)

REASON_COLOURS: dict[str, _RGB] = {
    "visible": (226, 236, 220),
    "night": (38, 44, 74),
    "swath gap": (214, 106, 64),
    "scheduled": (150, 90, 180),
    "eclipse": (240, 190, 60),
    "terminator, undecided": (138, 150, 186),
    "outside": (255, 255, 255),
}
_VISIBLE_ODD: _RGB = (206, 222, 200)  # every other pass, so that the seams are seen


@dataclass(frozen=True)
class _Canvas:
    """A picture being drawn, and how its map lies on it."""

    image: Image.Image
    draw: ImageDraw.ImageDraw
    georeference: Georeference
    scale: float
    """Pixels of the map for a pixel of the expectation."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        g = self.georeference
        return max(1, round(g.rows * self.scale)), max(1, round(g.cols * self.scale))


def sky_figure(
    expectation: Expectation,
    georeference: Georeference,
    title: str,
    shares: Sequence[tuple[str, float]],
) -> bytes:
    """Draw an expectation as PNG.

    Parameters
    ----------
    expectation : Expectation
    georeference : Georeference
        Of its pixels.
    title : str
        First line, e.g. layer and day.
    shares : sequence of (str, float)
        Reasons and their shares (0-1) of the area, in the order of the legend.

    Returns
    -------
    bytes
        A PNG; the longer side of the map has 900 to 1600 pixels.
    """
    g = georeference
    longer = max(g.rows, g.cols)
    scale = min(max(longer, _SHORTEST), _LONGEST) / longer
    rows, cols = max(1, round(g.rows * scale)), max(1, round(g.cols * scale))
    width = max(cols, _LEAST_WIDTH)
    places = _legend_places(shares, width)
    lines = places[-1][1] + 1 if places else 0
    height = _TITLE + max(rows, _LEAST_HEIGHT) + _LEGEND + _LEGEND_LINE * lines
    image = Image.new("RGB", (width + 2 * _MARGIN, height), (255, 255, 255))
    canvas = _Canvas(image, ImageDraw.Draw(image), g, scale)
    chosen = np.ix_(_nearest(rows, g.rows), _nearest(cols, g.cols))
    pixels = _colours(expectation, chosen)
    _draw_graticule(pixels, g, chosen, expectation.reason[chosen] != _code("outside"))
    image.paste(Image.fromarray(pixels), (_MARGIN, _TITLE))
    canvas.draw.rectangle((_MARGIN - 1, _TITLE - 1, _MARGIN + cols, _TITLE + rows), outline=_INK)
    _label_graticule(canvas)
    _draw_tracks(canvas, expectation)
    _draw_title(canvas, expectation, title)
    _draw_legend(canvas, shares)
    data = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(data, "PNG", optimize=True)
    return data.getvalue()


def _nearest(count: int, of: int) -> NDArray[np.intp]:
    """Which of `of` pixels each of `count` shows."""
    return np.minimum(((np.arange(count) + 0.5) * of / count).astype(np.intp), of - 1)


def _colours(expectation: Expectation, chosen: tuple[NDArray[np.intp], ...]) -> ByteArray:
    table = np.full((256, 3), 255, dtype=np.uint8)
    for code, name in REASONS.items():
        table[code] = REASON_COLOURS[name]
    reason = expectation.reason[chosen]
    pixels: ByteArray = table[reason]
    odd = (expectation.pass_index[chosen] % 2 == 1) & (reason == 0)
    pixels[odd] = _VISIBLE_ODD
    covered = expectation.obscuration[chosen]
    shaded = (covered > 0) & ((reason == 0) | (reason == _code("eclipse")))
    if shaded.any():
        colour = np.array(REASON_COLOURS["eclipse"], dtype=np.float32)
        # Yellow where a little is covered, nearly black at totality.
        weight = np.sqrt(covered[shaded])[:, np.newaxis]
        base = pixels[shaded] * (1 - weight) + colour * weight
        pixels[shaded] = (base * (1 - 0.8 * covered[shaded][:, np.newaxis])).astype(np.uint8)
    return pixels


def _code(name: str) -> int:
    return int(next(code for code, known in REASONS.items() if known == name))


def _spacing(g: Georeference) -> float:
    """Degrees between lines of the graticule."""
    if g.epsg in (3413, 3031):
        return _GRATICULE_DEG[0]
    lon, lat = pixel_places(g)
    wide = max(float(lon[0, -1] - lon[0, 0]), float(lat[0, 0] - lat[-1, 0]))
    return next((step for step in _GRATICULE_DEG if wide / step >= 3), _GRATICULE_DEG[-1])


def _draw_graticule(
    pixels: ByteArray,
    g: Georeference,
    chosen: tuple[NDArray[np.intp], ...],
    globe: BoolArray,
) -> None:
    step = _spacing(g)
    lon, lat = (place[chosen] for place in pixel_places(g))
    of_lat = 10.0 if g.epsg in (3413, 3031) else step
    for angle, spacing in ((np.mod(lon, 360.0), step), (lat, of_lat)):
        cell = np.floor(angle / spacing)
        line = np.zeros(cell.shape, dtype=bool)
        line[1:] |= cell[1:] != cell[:-1]
        line[:, 1:] |= cell[:, 1:] != cell[:, :-1]
        line &= globe
        mixed = pixels[line].astype(np.uint16) + np.array(_GRID, dtype=np.uint16)
        pixels[line] = (mixed // 2).astype(np.uint8)


def _label_graticule(canvas: _Canvas) -> None:
    g, step = canvas.georeference, _spacing(canvas.georeference)
    rows, _ = canvas.size
    font = ImageFont.load_default(size=12)
    if g.epsg in (3413, 3031):
        sign = 1 if g.epsg == 3413 else -1
        for lat in (50.0, 60.0, 70.0, 80.0):
            _text_at(canvas, 45.0, sign * lat, _latitude(sign * lat), font)
        for lon in np.arange(-180.0, 180.0, 30.0):
            _text_at(canvas, float(lon), sign * 57.0, _longitude(float(lon)), font)
        return
    lons, lats = pixel_places(g)
    for value in np.arange(np.ceil(lons[0, 0] / step), lons[0, -1] / step + 1e-9) * step:
        col, _ = _pixel(canvas, np.array([value]), np.array([float(lats[g.rows // 2, 0])]))
        x = _MARGIN + float(col[0])
        canvas.draw.text(
            (x, _TITLE + rows + 4), _longitude(value), fill=_INK, font=font, anchor="ma"
        )
    for value in np.arange(np.ceil(lats[-1, 0] / step), lats[0, 0] / step + 1e-9) * step:
        _, row = _pixel(canvas, np.array([float(lons[0, g.cols // 2])]), np.array([value]))
        y = _TITLE + float(row[0])
        canvas.draw.text((_MARGIN - 5, y), _latitude(value), fill=_INK, font=font, anchor="rm")


def _text_at(
    canvas: _Canvas,
    lon: float,
    lat: float,
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    col, row = (float(v[0]) for v in _pixel(canvas, np.array([lon]), np.array([lat])))
    rows, cols = canvas.size
    if 12 < col < cols - 12 and 8 < row < rows - 8:
        place = (_MARGIN + col, _TITLE + row)
        _halo(canvas.draw, place, text, font)


def _halo(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    draw.text(
        place, text, fill=_INK, font=font, anchor="mm", stroke_width=2, stroke_fill=(255, 255, 255)
    )


def _longitude(value: float) -> str:
    value = (value + 180.0) % 360.0 - 180.0
    return f"{abs(value):g}°" + ("" if value in (0.0, -180.0) else "E" if value > 0 else "W")


def _latitude(value: float) -> str:
    return f"{abs(value):g}°" + ("" if value == 0 else "N" if value > 0 else "S")


def _pixel(canvas: _Canvas, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Column and row on the map of places; any projection."""
    g = canvas.georeference
    if g.epsg == 4326:
        x, y = lon, lat
    else:
        from pyproj import Transformer  # noqa: PLC0415

        x, y = Transformer.from_crs(4326, g.epsg, always_xy=True).transform(lon, lat)
    col = (np.asarray(x) - g.west) / g.pixel_width * canvas.scale
    row = (g.north - np.asarray(y)) / g.pixel_height * canvas.scale
    return col, row


def _draw_tracks(canvas: _Canvas, expectation: Expectation) -> None:
    """Ground tracks where the chosen pass is theirs, with the time in UTC written along them."""
    font = ImageFont.load_default(size=11)
    written: list[tuple[float, float]] = []
    label_s = _LABEL_STEP_S if _spacing(canvas.georeference) > 5 else _FINE_LABEL_STEP_S
    for track in _tracks(canvas, expectation):
        for (_, x0, y0), (_, x1, y1) in itertools.pairwise(track):
            canvas.draw.line((x0, y0, x1, y1), fill=_TRACK, width=1)
        for moment, x, y in track:
            if moment % label_s == 0 and _is_free(canvas, x, y, written):
                canvas.draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=_TRACK)
                _halo(canvas.draw, (x, y - 9), f"{datetime_at(moment):%H:%M}", font)
                written.append((x, y))


def _is_free(canvas: _Canvas, x: float, y: float, written: Sequence[tuple[float, float]]) -> bool:
    """Whether a label has room inside the map and between the others."""
    rows, cols = canvas.size
    inside = 18 < x - _MARGIN < cols - 18 and 18 < y - _TITLE < rows - 4
    return inside and all(
        abs(x - a) > _LABEL_GAP_PX / 2 or abs(y - b) > _LABEL_GAP_PX for a, b in written
    )


def _tracks(
    canvas: _Canvas, expectation: Expectation
) -> Iterator[list[tuple[float, float, float]]]:
    """Unbroken pieces of tracks: (epoch seconds, x, y) on the canvas."""
    rows, cols = canvas.size
    for number in np.unique(expectation.pass_index[expectation.pass_index >= 0]):
        seen = expectation.time_s[expectation.pass_index == number]
        first = np.floor((np.nanmin(seen) - _BEYOND_S) / _TRACK_STEP_S) * _TRACK_STEP_S
        times = np.arange(first, np.nanmax(seen) + _BEYOND_S, _TRACK_STEP_S)
        lat, lon = ground_track(expectation.orbit, times)
        col, row = _pixel(canvas, lon, lat)
        with np.errstate(invalid="ignore"):
            on_map = (col >= 0) & (col < cols) & (row >= 0) & (row < rows)
        piece: list[tuple[float, float, float]] = []
        for k in range(times.size):
            shown = bool(on_map[k]) and _index_at(canvas, expectation, row[k], col[k]) == number
            jump = bool(piece) and abs(_MARGIN + col[k] - piece[-1][1]) > cols / 4
            if piece and (jump or not shown):
                yield piece
                piece = []
            if shown:
                piece.append((float(times[k]), _MARGIN + float(col[k]), _TITLE + float(row[k])))
        if piece:
            yield piece


def _index_at(canvas: _Canvas, expectation: Expectation, row: float, col: float) -> int:
    return int(expectation.pass_index[int(row / canvas.scale), int(col / canvas.scale)])


def _draw_title(canvas: _Canvas, expectation: Expectation, title: str) -> None:
    orbit = expectation.orbit
    canvas.draw.text((_MARGIN, 8), title, fill=_INK, font=ImageFont.load_default(size=18))
    line = (
        f"{orbit.satellite}, orbit from {orbit.source}, edges good to "
        f"{expectation.uncertainty_px:.1f} px; times are UTC, tracks those of the chosen passes"
    )
    canvas.draw.text((_MARGIN, 34), line, fill=_INK, font=ImageFont.load_default(size=12))


def _legend_text(name: str, share: float) -> str:
    return f"{name} {share:.1%}" if share >= 0.0005 else f"{name} under 0.1%"


def _legend_places(shares: Sequence[tuple[str, float]], cols: int) -> list[tuple[int, int]]:
    """Left edge in pixels and line of each entry of the legend."""
    font = ImageFont.load_default(size=13)
    places, x, line = [], 0, 0
    for entry in shares:
        width = 40 + int(font.getlength(_legend_text(*entry)))
        if x and x + width > cols:
            x, line = 0, line + 1
        places.append((x, line))
        x += width
    return places


def _draw_legend(canvas: _Canvas, shares: Sequence[tuple[str, float]]) -> None:
    font = ImageFont.load_default(size=13)
    rows, cols = canvas.size
    places = _legend_places(shares, max(cols, _LEAST_WIDTH))
    for (name, share), (left, line) in zip(shares, places, strict=True):
        x = _MARGIN + left
        y = _TITLE + max(rows, _LEAST_HEIGHT) + _LEGEND - 6 + line * _LEGEND_LINE
        canvas.draw.rectangle((x, y, x + 16, y + 14), fill=REASON_COLOURS[name], outline=_INK)
        canvas.draw.text((x + 22, y), _legend_text(name, share), fill=_INK, font=font)
