"""The comparison of recipes: the same folds for all, and what is measured is measured once."""

import json
from pathlib import Path

import pandas as pd
import pytest

from bench import recipes
from bench.recipes import Bench, as_markdown


def test_recipes_stand_side_by_side_and_are_kept(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The largest class of three alike has a third; a second call measures nothing anew."""
    bench = Bench(tiny_root, "none", seeds=2)
    names = ("largest", "colours")
    results = {name: {by: bench.measure(name, by) for by in recipes.SIDES} for name in names}
    assert results["largest"]["patient"]["pictures"] == pytest.approx([1 / 3, 1 / 3])
    assert not results["largest"]["patient"]["told_apart_from_largest"]
    folds = [
        bench.predictions(name, "patient", 0)[0].set_index("picture")["fold"] for name in names
    ]
    pd.testing.assert_series_equal(*folds)
    text = as_markdown(results, bench)
    assert "36 pictures of 12 patients, 5 folds, 2 seeds" in text
    assert "| always the largest class | 33 %" in text
    assert bench.neighbours("largest") is None
    told = bench.neighbours("colours")
    text = as_markdown({"colours": {**results["colours"], "neighbours": told.to_json()}}, bench)
    assert f"| {100 * told.same_patient:.0f} % | {told.index:.2f} (" in text
    monkeypatch.setattr(recipes, "colours", pytest.fail)
    assert bench.measure("colours", "patient") == results["colours"]["patient"]


@pytest.mark.slow
def test_further_encoders_are_probed_over_the_same_folds(
    tiny_root: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    """Named by their folder, with what lies next to a picture beside their accuracy."""
    out = tmp_path / "recipes"
    recipes.main(
        [
            *(str(tiny_root), "--seeds", "1", "--recipes", "largest"),
            *("--encoders", str(tiny_encoder), "--out", str(out)),
        ]
    )
    found = json.loads(out.with_suffix(".json").read_text())["recipes"]
    assert list(found) == ["largest", "linear probe on tiny-vit"]
    assert found["linear probe on tiny-vit"]["neighbours"]["pictures"] == 36
    assert "| linear probe on tiny-vit |" in out.with_suffix(".md").read_text()
