"""What leaves the app: marked tables, charts and report without a network, model and code."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image
from plotly.offline import get_plotlyjs

import lymph
from lymph import reports
from lymph.cli import main
from lymph.errors import RunError
from lymph.evaluation import (
    apply_temperature,
    confidence_of,
    percent_interval_text,
    report,
)
from lymph.facts import MARKER
from lymph.predictions import validate_predictions
from lymph.reports.charts import run_charts
from lymph.reports.model import SCRIPT
from lymph.reports.tables import LEAK_MARK, honest_rank
from lymph.reports.writing import table_html
from lymph.runs import About, Run, create_run, record_of, short_title, write_about
from lymph.splits import make_folds
from lymph.training.config import TrainConfig
from tests.waiting import PATIENCE

OUTSIDE = re.compile(r"""(?:src|href)\s*=\s*["'](?:https?:)?//|@import|url\(\s*["']?http""")


def test_the_code_behind_a_run_gives_the_same_figures(honest: Run, home_of_runs: Path) -> None:
    script = home_of_runs / "repeat_run.py"
    script.write_text(reports.code_of(honest), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(lymph.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, str(script)],
        env=environment,
        cwd=home_of_runs,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert "The same figures." in done.stdout, done.stdout
    (kept,) = re.findall(r"The run is kept in (.+)", done.stdout)
    again = pd.read_csv(Path(kept.strip()) / "predictions.csv")
    pd.testing.assert_frame_equal(again, pd.read_csv(honest.path / "predictions.csv"))


def test_a_run_on_drawings_is_not_set_beside_real_slides(honest: Run) -> None:
    """Published figures are of real slides."""
    assert "Beside published figures" in run_charts(honest, report(honest.predictions()))
    marker = Path(honest.config.data) / MARKER
    marker.write_text("drawn by a computer")
    try:
        assert "Beside published figures" not in run_charts(honest, report(honest.predictions()))
        assert "published ones, which are of real slides" in reports.report_html(honest)
    finally:
        marker.unlink()


def test_the_code_holds_names_as_literals_only(tmp_path: Path, honest: Run) -> None:
    """A folder may be called anything; in the script it is a string and nothing more."""
    evil = tmp_path / "x'\"; raise SystemExit(3) #{0}"
    document = honest.config.to_json()
    document["source"]["root"] = str(evil)
    copy = Run(tmp_path / "run")
    copy.path.mkdir()
    for file in ("split.json", "predictions.csv", "status.json", "environment.json"):
        (copy.path / file).write_bytes((honest.path / file).read_bytes())
    (copy.path / "config.json").write_text(json.dumps(document))
    names: dict[str, object] = {"__name__": "read"}
    exec(compile(reports.code_of(copy), "repeat_run.py", "exec"), names)
    assert names["CONFIG"]["source"]["root"] == str(evil)  # type: ignore[index]


def test_the_model_loads_without_lymph(honest: Run, tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(reports.export_model(honest))).extractall(tmp_path)
    confidence = confidence_of(honest.predictions())
    row = apply_temperature(honest.predictions(), confidence.temperature).iloc[0]
    picture = Path(honest.config.data) / row["picture"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "classify_picture.py", str(picture)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for name in honest.classes:
        # bfloat16 in the run, float32 here, on machines where the former is quicker.
        assert said[name] == pytest.approx(row[f"p_{name}"], abs=0.02)
    assert confidence.words in done.stderr and "Learned from" in done.stderr
    assert "import lymph" not in (tmp_path / "classify_picture.py").read_text()
    about = json.loads((tmp_path / "model.json").read_text())
    assert about["judged_on"] == "Test set, split by patient, 9 pictures of 3 patients"
    assert about["interval_per_patient"]


@pytest.mark.parametrize("shape", [(40, 60, 3), (40, 60)])
def test_the_exported_script_refuses_deep_pictures(shape: tuple[int, ...], tmp_path: Path) -> None:
    """Regression: 16 bits of grey came out nearly white, and were answered all the same."""
    (tmp_path / "classify_picture.py").write_text(SCRIPT)
    tifffile.imwrite(tmp_path / "deep.tif", np.full(shape, 9_000, np.uint16))
    # A row of 1,600 values is no depth.
    Image.new("RGB", (1600, 16)).save(tmp_path / "flat.bmp")
    said = [
        subprocess.run(
            [sys.executable, "classify_picture.py", name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        ).stderr
        for name in ("deep.tif", "flat.bmp")[: 1 if len(shape) == 3 else 2]
    ]
    assert said[0].startswith("This picture has more than 8 bits per channel")
    assert all("model.json" in other for other in said[1:])  # it went on to the model


def test_a_cross_validation_has_no_one_model(honest: Run, home_of_runs: Path) -> None:
    table = honest.predictions()[["picture", "label", "patient"]]
    folds = make_folds(table, 3, "patient", 0)
    run = create_run(TrainConfig(honest.config.data, epochs=1), folds)
    with pytest.raises(RunError, match="train one split"):
        reports.export_model(run)


def test_the_report_stands_alone(honest: Run) -> None:
    text = reports.report_html(honest)
    # Plotly's own code names the makers of maps, which nothing here draws.
    assert not OUTSIDE.search(text.replace(get_plotlyjs(), ""))
    for words in (
        "Classified correctly, per patient",
        "What is taken for what",
        "ROC, patients",
        "No reliability curve: below 10 patients per class",
        "ECE of a perfectly calibrated model",
        "Worst mistakes",
        "Janowczyk 2016",
        "The notebook, Task 6",
        "The code behind this",
        "<h2>Model card</h2>",
        "not known to lymph: fill in",
        "<strong>✕ Cannot be stated</strong>. 9 pictures tested, and 30 are needed",
        "Learning curve, loss",
        "not a medical device",
    ):
        assert words in text, words
    # A chart goes into a paper as it is, sharp at any size.
    assert re.search(
        r'"toImageButtonOptions": ?{"format": ?"svg", ?"filename": ?"ROC, patients"', text
    )
    thumbnails = text.count("data:image/jpeg;base64,")
    assert thumbnails >= 2 * report(honest.predictions())["pictures"]["n"]
    assert LEAK_MARK not in text.split("<h2>")[1].split("</h2>")[0]


def test_a_leak_is_marked_wherever_the_figures_go(leaky: Run) -> None:
    figures = report(leaky.predictions())
    assert figures["leaked_test_share"] > 0
    text = reports.report_html(leaky)
    assert '<body class="leaky">' in text and "This split leaks." in text
    archive = zipfile.ZipFile(io.BytesIO(reports.charts_zip(leaky, figures)))
    pages = [name for name in archive.namelist() if name.endswith(".html")]
    assert all(LEAK_MARK in archive.read(name).decode() for name in pages)
    table = reports.marked_predictions(leaky.predictions())
    assert set(table.loc[table["set"] == "test", "patient_in_training"]) >= {"yes"}
    model = zipfile.ZipFile(io.BytesIO(reports.export_model(leaky)))
    about = json.loads(model.read("model.json"))
    assert LEAK_MARK in about["judged_on"]
    assert about["stated_per_patient"].startswith("Cannot be stated: ")
    assert reports.run_row(record_of(leaky), figures, None)["Leaks"] == LEAK_MARK
    assert reports.published_table(leaky, figures, "pictures")["Leaks"].iloc[0] == "yes"


def test_the_report_shows_why(honest: Run) -> None:
    """Grad-CAM and tiles over pictures, the inside of the small CNN, and the map of all."""
    text = reports.report_html(honest)
    assert text.count('alt="what speaks for ') == 8
    assert text.count(" tiles, won by CLL ") == 2 * 2  # alt text and caption
    assert "The 16 filters of the first layer" in text and "Layer 3, of " in text
    assert "Map of the pictures, by patient" in text
    assert "The nearest one of another patient has the same class for" in text


def test_every_chart_opens_without_a_network(honest: Run) -> None:
    figures = report(honest.predictions())
    archive = zipfile.ZipFile(io.BytesIO(reports.charts_zip(honest, figures)))
    names = archive.namelist()
    for title in ("Matrix of patients, counts", "ROC, pictures", "Learning curve, accuracy"):
        assert f"{title}.html" in names
    for name in names:
        if name.endswith(".html"):
            page = archive.read(name).decode()
            assert not OUTSIDE.search(page)
            assert "Test set, split by patient, 9 pictures of 3 patients" in page


def test_an_honest_prediction_table_says_no(honest: Run) -> None:
    table = reports.marked_predictions(honest.predictions())
    assert set(table.loc[table["set"] == "test", "patient_in_training"]) == {"no"}
    assert set(table.loc[table["set"] == "train", "patient_in_training"]) == {"yes"}
    validate_predictions(table)


def test_tables_hold_the_figures_of_the_report(honest: Run) -> None:
    figures = report(honest.predictions())
    measures = reports.measures_table(figures["patients"]).set_index("Figure")
    assert measures.loc["Accuracy", "Value"] == figures["patients"]["accuracy"]
    low, high = figures["patients"]["interval"]
    assert measures.loc["Accuracy", "95 % interval"] == f"{low:.2f} to {high:.2f}"
    classes = reports.classes_table(figures["pictures"], "pictures")
    assert list(classes["Class"]) == honest.classes
    assert classes["Pictures"].sum() == figures["pictures"]["n"]


def test_a_class_that_was_never_answered_has_no_precision(honest: Run) -> None:
    """Regression: a model that calls everything CLL had a precision of 0.00 for all others."""
    table = honest.predictions().assign(predicted=honest.classes[0])
    figures = report(table)
    classes = reports.classes_table(figures["pictures"], "pictures").set_index("Class")
    never = classes.loc[honest.classes[1]]
    assert np.isnan(never["Precision"]) and never["Precision, 95 %"] == "cannot be given"
    assert "<td>–</td>" in table_html(classes.reset_index())
    assert never["Recall"] == 0.0 and "to" in never["Recall, 95 %"]
    assert classes.loc[honest.classes[0], "Precision"] > 0


def test_a_row_of_the_table_of_runs(honest: Run) -> None:
    figures = report(honest.predictions())
    row = reports.run_row(record_of(honest), figures, report(honest.predictions(), "val"))
    assert row["Test"] == figures["pictures"]["accuracy"]
    assert row["95 % interval"] == percent_interval_text(figures["pictures"]["interval"])
    assert row["Patients right"].endswith(" of 3")
    assert row["Leaks"] == "no" and row["Epochs"] == 2
    assert row["Name"] == short_title(record_of(honest))
    bare = reports.run_row(record_of(honest), None, None)
    assert bare["Test"] is None and bare["Validation"] is None


def test_a_given_name_heads_the_report(leaky: Run) -> None:
    write_about(leaky, About("<b>Mine</b>", "a note & more"))
    try:
        text = reports.report_html(leaky)
    finally:
        write_about(leaky, About())
    assert "<h1>&lt;b&gt;Mine&lt;/b&gt;</h1>" in text
    assert "a note &amp; more" in text


def test_pictures_that_are_gone_are_said(honest: Run, tmp_path: Path) -> None:
    copy = Run(tmp_path / "run")
    copy.path.mkdir()
    for file in ("split.json", "predictions.csv", "status.json", "environment.json"):
        (copy.path / file).write_bytes((honest.path / file).read_bytes())
    document = honest.config.to_json()
    document["source"]["root"] = str(tmp_path / "gone")
    (copy.path / "config.json").write_text(json.dumps(document))
    text = reports.report_html(copy)
    assert "0 of 9 pictures are in this file" in text


@pytest.mark.parametrize(
    ("command", "name", "start"),
    [
        ("report", "report.html", b"<!doctype html>"),
        ("export", "model.zip", b"PK"),
        ("code", "repeat_run.py", b'"""Repeat a run'),
    ],
)
def test_commands_write_the_same_files(
    honest: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    command: str,
    name: str,
    start: bytes,
) -> None:
    out = tmp_path / name
    assert main([command, str(honest.path), "--out", str(out), "--json"]) == 0
    assert out.read_bytes().startswith(start)
    assert json.loads(capsys.readouterr().out) == {"file": str(out), "bytes": out.stat().st_size}


def test_a_place_that_cannot_be_written_is_one_line(
    honest: Run, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["code", str(honest.path), "--out", str(tmp_path / "file" / "x.py")]) == 2
    assert capsys.readouterr().err.startswith("lymph: ")


def test_a_lucky_small_test_does_not_come_before_a_large_one(
    from_rows: Callable[..., pd.DataFrame],
) -> None:
    """Two runs on other patients: 12 of 12 right of three, or 9 of 10 right of sixty."""

    def judged(patients: int, wrong: int) -> dict[str, Any]:
        classes = ("CLL", "FL", "MCL")
        rows = [
            (f"{name}{who}", name, classes[place - 1] if picture < wrong else name)
            for place, name in enumerate(classes)
            for who in range(patients)
            for picture in range(10)
        ]
        trained = from_rows([("other", "CLL", "CLL")], set_name="train")
        return report(pd.concat([from_rows(rows), trained], ignore_index=True))

    small, large = judged(1, 0), judged(20, 1)
    assert small["pictures"]["accuracy"] > large["pictures"]["accuracy"]
    assert honest_rank(small) < honest_rank(large)


def test_a_model_that_names_one_class_always_does_not_come_first(
    from_rows: Callable[..., pd.DataFrame],
) -> None:
    """Regression: it did on the real pictures, since its balanced accuracy hardly varies."""
    calls = {"a": "CCC", "b": "CCM", "c": "MMM", "d": "CFF", "e": "FFF", "f": "CCM"}
    full = {"C": "CLL", "F": "FL", "M": "MCL"}
    truth = dict(zip(calls, ("CLL", "CLL", "FL", "FL", "MCL", "MCL"), strict=True))
    rows = [
        (who, truth[who], full[call])
        for who, of_patient in calls.items()
        for call in of_patient * 4
    ]
    trained = from_rows([("other", "CLL", "CLL")], set_name="train")
    knowing, constant = (
        report(pd.concat([from_rows(one), trained], ignore_index=True))
        for one in (rows, [(who, label, "CLL") for who, label, _ in rows])
    )
    ends = [one["pictures"]["intervals"]["balanced_accuracy"][0] for one in (knowing, constant)]
    assert ends[0] < ends[1]  # as on the real pictures
    assert honest_rank(constant) < honest_rank(knowing)
