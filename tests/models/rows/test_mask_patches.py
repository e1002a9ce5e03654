"""Classes of patches by masks, and the draw of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from gibswatch.errors import DecodeError
from gibswatch.models.rows.patches import MaskPlace, PatchSampling, patch_classes, read_mask
from gibswatch.raster.codec import encode_mask, encode_picture

LAYER = "MODIS_Terra_CorrectedReflectance_TrueColor"
DAY = dt.date(2023, 8, 7)


def test_a_patch_is_faulty_by_half_normal_untouched_else_neither() -> None:
    mask = np.zeros((8, 16), dtype=np.uint8)
    mask[:4, :4] = 2  # all of the first
    mask[:4, 4:5] = 2  # a quarter of the second
    mask[4:, :4] = 1  # scheduled
    mask[4:, 8:12] = 3
    assert patch_classes(mask, mask.shape, 4, "any").tolist() == [1, -1, 0, 0, -1, 0, 1, 0]
    assert patch_classes(mask, mask.shape, 4, "missing").tolist() == [1, -1, 0, 0, -1, 0, 0, 0]
    assert patch_classes(mask, mask.shape, 4, "multi").tolist() == [2, -1, 0, 0, -1, 0, 3, 0]
    assert patch_classes(None, (8, 16), 4, "any").tolist() == [0] * 8


def test_the_draw_is_balanced_capped_and_the_same_for_a_seed() -> None:
    classes = np.array([0] * 500 + [1] * 60 + [-1] * 40)
    drawn = PatchSampling(50, 1).draw(classes, DAY)
    assert np.bincount(classes[drawn]).tolist() == [50, 50]
    np.testing.assert_array_equal(drawn, PatchSampling(50, 1).draw(classes, DAY))
    assert not np.array_equal(drawn, PatchSampling(50, 2).draw(classes, DAY))
    assert not np.array_equal(drawn, PatchSampling(50, 1).draw(classes, dt.date(2023, 8, 8)))
    normal = PatchSampling(50, 1).draw(np.zeros(300, dtype=np.int64), DAY)
    assert len(normal) == 8
    assert len(PatchSampling(50, 1).draw(np.full(9, -1), DAY)) == 0


def test_masks_of_a_folder(tmp_path: Path) -> None:
    place = MaskPlace(tmp_path, LAYER, 4326, "any", tmp_path)
    assert read_mask(place, DAY, (6, 8)) is None
    mask = np.arange(48, dtype=np.uint8).reshape(6, 8) % 10
    (tmp_path / f"{DAY}_mask.png").write_bytes(encode_mask(mask))
    np.testing.assert_array_equal(read_mask(place, DAY, (6, 8)), mask)
    truth = tmp_path / "2023-08-08" / "truth" / f"{LAYER}_Label.png"
    truth.parent.mkdir(parents=True)
    truth.write_bytes(encode_mask(mask // 2))
    simulated = read_mask(place, dt.date(2023, 8, 8), (6, 8))
    assert simulated is not None
    np.testing.assert_array_equal(simulated, mask // 2)
    with pytest.raises(DecodeError, match="no mask of 7x6"):
        read_mask(place, DAY, (6, 7))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be read"),
        (encode_mask(np.ones((6, 8), dtype=np.uint8))[:-30], "cannot be read"),
        (encode_mask(np.full((6, 8), 77, dtype=np.uint8)), "holds 77, which is no kind"),
        (encode_picture(np.ones((6, 8, 3), dtype=np.uint8), "png"), "no mask of 8x6"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / f"{DAY}.png").write_bytes(data)
    with pytest.raises(DecodeError, match=message):
        read_mask(MaskPlace(tmp_path, LAYER, 4326, "any", tmp_path), DAY, (6, 8))
