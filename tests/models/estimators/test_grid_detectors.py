"""What PaDiM and PatchCore share: the contract, streaming, memory, and weights of strangers."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from gibswatch.models.estimators.padim import PaDiM
from gibswatch.models.estimators.patchcore import PatchCore

PATCHES, LENGTH = 12, 5
WIDTH = PATCHES * LENGTH
Maker = Callable[..., Any]
both = pytest.mark.parametrize("make", [PaDiM, PatchCore])


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    # The checks want outliers among the training rows: not by default, and a bank without room for
    # every row.
    [PaDiM(outlier_share=0.1), PatchCore(bank_size=20, outlier_share=0.1)]
)
def test_contract_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


class Strict:
    """A matrix that gives out a few rows at a time and never all of itself."""

    ndim = 2

    def __init__(self, rows: Any) -> None:
        self.rows, self.shape, self.dtype = rows, rows.shape, rows.dtype
        self.most = 0
        self.read = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __array__(self, *_: object, **__: object) -> Any:
        raise AssertionError("the whole matrix was asked for")

    def __getitem__(self, index: Any) -> Any:
        part = self.rows[index]
        self.most, self.read = max(self.most, len(part)), self.read + len(part)
        return part


def _days(count: int = 60, seed: int = 0, patches: int = PATCHES, length: int = LENGTH) -> Any:
    """Shares beside levels of bytes, a constant number, and places that differ."""
    chance = np.random.default_rng(seed)
    place = np.random.default_rng(99).normal(size=(patches, length))
    grids = place + 0.3 * chance.normal(size=(count, patches, length))
    grids *= np.geomspace(0.01, 50, length)
    grids[..., 0] = 0.25
    return grids.reshape(count, -1).astype(np.float32)


@both
def test_days_are_read_a_few_at_a_time_and_score_the_same(make: Maker) -> None:
    days, new = _days(300), _days(80, 1)
    strict = Strict(days)
    streamed = make(LENGTH).fit(strict)
    assert strict.most <= 64
    assert strict.read == 3 * 300
    np.testing.assert_array_equal(
        streamed.anomaly_map(Strict(new)), make(LENGTH).fit(days).anomaly_map(new)
    )


@both
@pytest.mark.parametrize("length", [41, 300])
def test_memory_is_bounded_whatever_the_number_of_days(
    make: Maker, length: int, tmp_path: Path
) -> None:
    patches = 160 if length == 41 else 20
    np.save(tmp_path / "x.npy", _days(120, patches=patches, length=length))
    days = np.load(tmp_path / "x.npy", mmap_mode="r")
    make(length, memory_mb=2).fit(days[:3])  # what is imported at first use is not counted
    assert days.nbytes > 2 * 2**20
    detector = make(length, memory_mb=2)
    tracemalloc.start()
    try:
        detector.fit(days)
        detector.anomaly_score(days[:10])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * 2**20
    assert sum(array.nbytes for array in detector.weights().values()) < 2 * 2**20


@both
def test_too_little_memory_is_said(make: Maker) -> None:
    with pytest.raises(ValueError, match="memory_mb=1 is too little: one day of 8000 numbers"):
        make(80, memory_mb=1).fit(_days(3, patches=100, length=80))


@both
def test_a_planted_patch_is_found_at_its_place(make: Maker) -> None:
    detector = make(LENGTH, top=1).fit(_days(100))
    new = _days(20, 1)
    broken = new.reshape(20, PATCHES, LENGTH).copy()
    places = np.arange(20) % PATCHES
    broken[np.arange(20), places, 3] += 200.0
    broken = broken.reshape(20, -1)
    np.testing.assert_array_equal(detector.anomaly_map(broken).argmax(axis=1), places)
    assert (detector.predict(broken) == -1).all()
    assert (detector.predict(new) == 1).mean() > 0.6
    assert detector.anomaly_score(broken).min() > 1.5 * detector.anomaly_score(new).max()


@both
def test_a_number_that_never_varied_is_seen_when_it_does(make: Maker) -> None:
    detector = make(LENGTH).fit(_days(100))
    new = _days(2, 1)
    new[1, 3 * LENGTH] += 30.0
    maps = detector.anomaly_map(new)
    assert maps[1, 3] > 3 * maps[0].max()


@both
def test_the_score_is_the_mean_of_the_highest_patches(make: Maker) -> None:
    days = _days(30)
    for top in (1, 3, 8, 50):
        detector = make(LENGTH, top=top).fit(days)
        highest = np.sort(detector.anomaly_map(days), axis=1)[:, -top:]
        np.testing.assert_allclose(detector.anomaly_score(days), highest.mean(axis=1))
        np.testing.assert_array_equal(detector.score_samples(days), -detector.anomaly_score(days))


@both
def test_by_default_no_training_day_is_an_outlier(make: Maker) -> None:
    days = _days(100)
    assert (make(LENGTH).fit(days).predict(days) == 1).all()


@both
def test_left_out_days_score_like_new_ones(make: Maker) -> None:
    # So few days that each is much nearer to a model that knows it.
    offset = make(LENGTH, outlier_share=0.5).fit(_days(12)).offset_
    detector = make(LENGTH).fit(_days(12))
    new = np.median(detector.score_samples(_days(200, 1)))
    known = np.median(detector.score_samples(_days(12)))
    assert abs(offset - new) < 0.5 * abs(known - new)


@both
def test_a_day_scores_the_same_in_any_company(make: Maker) -> None:
    detector = make(LENGTH).fit(_days(50))
    new = _days(9, 1)
    alone = np.concatenate([detector.anomaly_map(new[at : at + 1]) for at in range(9)])
    np.testing.assert_array_equal(detector.anomaly_map(new), alone)
    assert alone.dtype == np.float64
    assert alone.shape == (9, PATCHES)


@pytest.mark.parametrize(
    "make", [lambda seed: PaDiM(LENGTH, dimensions=2, random_state=seed),
             lambda seed: PatchCore(LENGTH, bank_size=40, random_state=seed)],
    ids=["padim", "patchcore"],
)  # fmt: skip
def test_seeds_make_it_the_same_or_another(make: Maker) -> None:
    days, new = _days(50), _days(5, 1)
    one, same, *others = (make(s).fit(days).anomaly_map(new) for s in (1, 1, 2, 3))
    np.testing.assert_array_equal(one, same)
    assert any(not np.array_equal(one, other) for other in others)


@both
def test_copies_and_pickles(make: Maker) -> None:
    detector = make(LENGTH, top=3, memory_mb=64).fit(_days(20))
    copy = clone(detector)
    assert copy.get_params() == detector.get_params()
    with pytest.raises(NotFittedError):
        copy.weights()
    back = pickle.loads(pickle.dumps(detector))
    np.testing.assert_array_equal(back.anomaly_map(_days(3, 1)), detector.anomaly_map(_days(3, 1)))


@both
@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"patch_length": 7}, "no whole patches of 7"), ({"patch_length": -1}, "patch_length=-1"),
     ({"patch_length": 2.5}, "patch_length=2.5"), ({"top": 0}, "top=0"), ({"top": True}, "top"),
     ({"memory_mb": 0}, "memory_mb=0"), ({"outlier_share": 1.0}, "outlier_share"),
     ({"outlier_share": float("nan")}, "outlier_share")],
)  # fmt: skip
def test_parameters_out_of_range_are_refused(make: Maker, wrong: Any, words: str) -> None:
    detector = make(**({"patch_length": LENGTH} | wrong))
    with pytest.raises(ValueError, match=words):
        detector.fit(_days(4))


@both
def test_bad_days_are_refused(make: Maker) -> None:
    days = _days(40)
    with pytest.raises(ValueError, match="2 days at least"):
        make(LENGTH).fit(days[:1])
    detector = make(LENGTH).fit(days)
    with pytest.raises(ValueError, match="55 features"):
        detector.anomaly_map(days[:, :-5])
    for odd in (np.nan, np.inf):
        bad = days.copy()
        bad[33, 4] = odd
        for use in (make(LENGTH).fit, detector.anomaly_score):
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                use(bad)
    with pytest.raises(ValueError, match="too large to be squared"):
        make(LENGTH).fit(days.astype(np.float64) * 1e300)


@both
def test_days_of_enormous_numbers_have_finite_scores(make: Maker) -> None:
    detector = make(LENGTH).fit(_days(20))
    days = np.full((1, WIDTH), 1e308)
    days[0, ::2] *= -1
    assert np.isfinite(detector.anomaly_map(days)).all()
    assert detector.predict(days) == [-1]


@both
def test_weights_give_the_same_scores_bit_by_bit(make: Maker) -> None:
    detector = make(LENGTH).fit(_days(50))
    kept = detector.weights()
    assert all(type(array) is np.ndarray for array in kept.values())
    assert {array.dtype.name for array in kept.values()} <= {"float32", "float64", "int64"}
    # A file may hold them in another order of memory.
    shuffled = {name: kept[name].copy(order="F") for name in sorted(kept)}
    taken = make(LENGTH).adopt(shuffled, WIDTH)
    new = _days(20, 1)
    np.testing.assert_array_equal(taken.anomaly_map(new), detector.anomaly_map(new))
    np.testing.assert_array_equal(taken.decision_function(new), detector.decision_function(new))
    assert taken.n_features_in_ == WIDTH
    for array in kept.values():  # a copy: what becomes of the file's arrays is no matter
        array[...] = 0
    np.testing.assert_array_equal(detector.anomaly_map(new), taken.anomaly_map(new))


@both
def test_weights_of_strangers_are_checked(make: Maker) -> None:
    good = make(LENGTH).fit(_days(50)).weights()
    for name, array in good.items():
        flat = array.copy()
        flat.reshape(-1)[-1:] = np.nan if array.dtype.kind == "f" else -1
        wrong = [
            array.tolist(), array.astype(object), array.astype(np.float16), array.astype(">f8"),
            array.astype(complex), array[..., np.newaxis], array[..., :0] if array.ndim else flat,
            np.concatenate([array, array]) if array.ndim else flat, flat, None, "text",
            array.view(np.recarray), np.ma.masked_array(array),
        ]  # fmt: skip
        if name == "bank":
            wrong.pop(7)  # a bank may be of any size
        for odd in wrong:
            with pytest.raises(ValueError, match=f"weights' {name}"):
                make(LENGTH).adopt({**good, name: odd}, WIDTH)
        with pytest.raises(ValueError, match=f"lack or have too much: '{name}'"):
            make(LENGTH).adopt({n: a for n, a in good.items() if n != name}, WIDTH)
    with pytest.raises(ValueError, match="too much: '__class__', 3"):
        make(LENGTH).adopt({**good, "__class__": np.zeros(3), 3: None}, WIDTH)


@both
def test_scales_that_cannot_be_divided_by_are_refused(make: Maker) -> None:
    good = make(LENGTH).fit(_days(50)).weights()
    for odd in (0.0, -1.0):
        scale = good["scale"].copy()
        scale[1] = odd
        with pytest.raises(ValueError, match="scale is not above 0"):
            make(LENGTH).adopt({**good, "scale": scale}, WIDTH)


@both
@pytest.mark.parametrize("width", [0, -60, 59, 55, 65, 60.0, True, None, 10**15])
def test_weights_for_another_width_are_refused(make: Maker, width: Any) -> None:
    good = make(LENGTH).fit(_days(20)).weights()
    if make is PatchCore and width in {55, 65}:
        return  # its bank is of patches: a grid of other patches fits
    detector = make(LENGTH)
    with pytest.raises(ValueError, match=r"n_features|whole patches|weights'|memory_mb"):
        detector.adopt(good, width)
    with pytest.raises(NotFittedError):
        detector.anomaly_map(_days(1))


@both
def test_finite_weights_whatever_they_are_give_finite_scores(make: Maker) -> None:
    good = make(LENGTH).fit(_days(20)).weights()
    good["scale"][:] = 5e-324
    good["centre"][:] = -1.7e308
    good["offset"] = np.array(1e308)
    detector = make(LENGTH).adopt(good, WIDTH)
    assert np.isfinite(detector.decision_function(np.full((1, WIDTH), 1.7e308))).all()
