"""Commands as the shell would run them, and what a notebook shows: tables, pictures, curves."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from IPython.display import HTML, display
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gibswatch.cli.main import main
from gibswatch.evaluation import Evaluation

__all__ = [
    "check",
    "confusion",
    "curves",
    "kinds_of",
    "overlap",
    "picture",
    "run",
    "sheet",
    "table",
]

_COLOURS = {1: (90, 90, 90), 2: (230, 60, 60), 3: (230, 60, 230), 7: (60, 160, 230)}
_SIDE = 200


def run(command: str) -> None:
    """Run a line of the shell that starts with ``gibswatch``, in this process.

    Raises
    ------
    RuntimeError
        If the command fails.
    """
    print(f"$ {command}")
    code = main(shlex.split(command)[1:])
    if code:
        raise RuntimeError(f"the command ended with {code}")


def check(what: str, right: bool) -> None:  # noqa: FBT001
    """Say what holds, or stop where it does not.

    Raises
    ------
    RuntimeError
        If it does not hold.

    >>> check("one day more", 2 > 1)
    checked: one day more
    """
    if not right:
        raise RuntimeError(f"not so: {what}")
    print(f"checked: {what}")


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in columns."""
    texts = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[col]) for row in texts) for col in range(len(header))]
    for row in texts:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        print(line.rstrip())


def confusion(truth: Sequence[bool], found: Sequence[bool]) -> None:
    """Print how many days are right and wrong, with precision and recall."""
    pairs = list(zip(truth, found, strict=True))
    hits, misses = pairs.count((True, True)), pairs.count((True, False))
    false, quiet = pairs.count((False, True)), pairs.count((False, False))
    table(["", "found", "not found"], [["faulty", hits, misses], ["normal", false, quiet]])
    precision = f"{hits / (hits + false):.2f}" if hits + false else "-"
    recall = f"{hits / (hits + misses):.2f}" if hits + misses else "-"
    print(f"precision {precision}, recall {recall}")


def kinds_of(path: Path, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Read a mask of kinds; where there is no file nothing was found."""
    if not path.is_file():
        return np.zeros(shape, dtype=np.uint8)
    with Image.open(path) as mask:
        return np.asarray(mask, dtype=np.uint8)


def overlap(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Intersection over union; 1 where both are empty.

    >>> overlap(np.array([True, True, False]), np.array([False, True, False]))
    0.5
    """
    union = int((found | truth).sum())
    return float((found & truth).sum() / union) if union else 1.0


def picture(plane: NDArray[np.generic]) -> Image.Image:
    """Draw imagery, kinds (integers) or scores (floats from 0 to 1)."""
    if plane.ndim == 3:
        drawn = plane[..., :3].astype(np.uint8)
    elif np.issubdtype(plane.dtype, np.floating):
        drawn = (np.nan_to_num(plane) * 255).clip(0, 255).astype(np.uint8)
    else:
        drawn = np.full((*plane.shape, 3), 235, dtype=np.uint8)
        for kind in np.unique(plane[plane > 0]):
            drawn[plane == kind] = _COLOURS.get(int(kind), (240, 180, 0))
    return Image.fromarray(drawn).convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.NEAREST)


def sheet(rows: Sequence[Mapping[str, NDArray[np.generic]]]) -> None:
    """Show planes with their captions, a row each."""
    wide = max(len(row) for row in rows)
    whole = Image.new("RGB", (wide * (_SIDE + 8), len(rows) * (_SIDE + 24)), "white")
    pen = ImageDraw.Draw(whole)
    for line, row in enumerate(rows):
        for place, (caption, plane) in enumerate(row.items()):
            left, top = place * (_SIDE + 8), line * (_SIDE + 24)
            pen.text((left, top + 3), caption, fill="black")
            whole.paste(picture(plane), (left, top + 18))
    display(whole)


def curves(found: Mapping[str, Evaluation]) -> None:
    """Draw ROC and precision over recall of several score tables."""
    inks = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
    parts = []
    for title, name in (("ROC", "roc"), ("precision over recall", "precision_recall")):
        lines = [f'<text x="0" y="-6" font-size="12">{title}</text>']
        lines.append('<rect width="160" height="160" fill="none" stroke="#999"/>')
        for ink, one in zip(inks, found.values(), strict=False):
            curve = getattr(one, name)
            points = " ".join(
                f"{x * 160:.1f},{160 - y * 160:.1f}" for x, y in zip(curve.x, curve.y, strict=True)
            )
            lines.append(f'<polyline points="{points}" fill="none" stroke="{ink}"/>')
        parts.append(f'<g transform="translate({10 + 190 * len(parts)} 25)">{"".join(lines)}</g>')
    legend = "".join(
        f'<text x="400" y="{40 + 18 * number}" font-size="12" fill="{ink}">{name}</text>'
        for number, (ink, name) in enumerate(zip(inks, found, strict=False))
    )
    display(HTML(f'<svg width="620" height="195">{"".join(parts)}{legend}</svg>'))
