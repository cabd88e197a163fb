"""The benchmark of recipes: the library's comparison, once for each seed of the folds."""

import json
from pathlib import Path

import pytest

from bench import recipes
from bench.recipes import LARGEST, Bench, as_markdown


def test_recipes_stand_side_by_side_and_are_kept(tiny_root: Path) -> None:
    """The largest class of three alike has a third; a second call finds what was compared."""
    bench = Bench(tiny_root, "none", 2, ["colours"])
    results = bench.results()
    assert list(results) == [LARGEST, "colours"]
    assert results[LARGEST]["patient"]["pictures"] == pytest.approx([1 / 3])
    assert len(results["colours"]["patient"]["pictures"]) == 2
    text = as_markdown(results, bench.table, 2)
    assert "36 pictures of 12 patients, 5 folds, 2 seeds" in text
    assert "| always the largest class | 33 %" in text
    told = bench.neighbours("colours")
    assert f"| {100 * told.same_patient:.0f} % | {told.index:.2f} (" in text
    assert bench.neighbours("cnn") is None
    again = Bench(tiny_root, "none", 2, ["colours"])
    assert again.comparisons == bench.comparisons and again.results() == results


@pytest.mark.slow
def test_further_encoders_are_probed_over_the_same_folds(
    tiny_root: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    """Named by their folder, with what lies next to a picture beside their accuracy."""
    out, name = tmp_path / "recipes", f"linear-probe:{tiny_encoder}"
    recipes.main([str(tiny_root), "--seeds", "1", "--recipes", name, "--out", str(out)])
    found = json.loads(out.with_suffix(".json").read_text())["recipes"]
    assert list(found) == [LARGEST, name]
    assert found[name]["neighbours"]["pictures"] == 36
    assert "| Linear probe, tiny-vit |" in out.with_suffix(".md").read_text()
