"""Every kind of damage to every file of a run costs this run, and is said in a sentence."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from lymph.cli import main
from lymph.data.source import PictureSource
from lymph.errors import LymphError
from lymph.evaluation import report
from lymph.inference import load_classifier
from lymph.models.ood import OODDetector
from lymph.runs import Run, create_run, list_runs, read_catalogue, train_here, with_figures
from lymph.splits import split_by_patient
from lymph.training import folder as files
from lymph.training.config import TrainConfig
from tests.conftest import TINY_PATIENTS, draw
from tests.damage import WHOLE, damaged_documents, damaged_tables, dump

DOCUMENTS = (files.STATUS, files.CONFIG, files.SPLIT, files.ENVIRONMENT)
TABLES = (files.METRICS, files.PREDICTIONS)
OTHERS = (files.BEST, files.FEATURES, files.OOD, files.LOG, files.SUMMARY, files.ABOUT)
# What the list of runs itself is made of; the others are read when they are asked for.
LISTED = {files.STATUS, files.CONFIG, files.SPLIT}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run that no test changes."""
    place = tmp_path_factory.mktemp("trained")
    for label, patients in TINY_PATIENTS.items():
        (place / "tiny" / label).mkdir(parents=True)
        for patient in patients:
            file = place / "tiny" / label / f"sj-99-{patient}_001.png"
            Image.fromarray(draw(label, patient, 1)).save(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYMPH_HOME", str(place / "workspace"))
        source = PictureSource(str(place / "tiny"))
        run = create_run(TrainConfig(source, epochs=1), split_by_patient(source.usable()))
        assert train_here(run).state == "finished"
    (run.path / files.ABOUT).write_text('{"name": "mine", "note": "", "archived": false}')
    return run.path


@pytest.fixture
def pair(trained: Path, workspace: Path) -> tuple[Run, Run]:
    """Return two copies of the run in the workspace: one stays sound, one is hurt."""
    home = workspace / "runs"
    home.mkdir(parents=True)
    for name in ("sound", "hurt"):
        shutil.copytree(trained, home / name, copy_function=os.link)
    return Run(home / "sound"), Run(home / "hurt")


def write(file: Path, text: str) -> None:
    """Give a file another content; a linked copy of it keeps its own."""
    file.unlink()
    file.write_text(text)


def uses(run: Run) -> Iterator[str]:
    """Use all that a run's files say; yield what each use that fails has to say."""
    for use in (
        lambda: run.config.source.caveat,
        lambda: run.status().over,
        lambda: run.split().groups(),
        lambda: run.metrics()["epoch"].max(),
        lambda: run.environment().get("precision"),
        run.predictions,
        run.log,
    ):
        try:
            use()
        except LymphError as error:
            yield str(error)


def check(sound: Run, hurt: Run, name: str) -> list[str]:
    """See that the list holds, and return the sentences about the run that is hurt."""
    found = read_catalogue()
    records = [with_figures(record) for record in found.records]
    assert sound in [record.run for record in records]
    doubts = [words for one in records for words in (one.trouble, *one.doubts) if words]
    said = [*found.unreadable, *doubts]
    assert all(str(hurt.path) in words for words in said), said
    if name in LISTED and said:
        assert hurt not in list_runs()
    for record in records:
        assert record.status.queued < 4e9 and record.path.name in ("sound", "hurt")
    return [*said, *uses(hurt)]


def is_sentence(words: str) -> bool:
    return words.endswith(".") and len(words) < 2_000 and "Traceback" not in words


@pytest.mark.parametrize("damage", WHOLE)
@pytest.mark.parametrize("name", [*DOCUMENTS, *TABLES, *OTHERS])
def test_a_damaged_file_costs_its_run_and_gets_a_sentence(
    pair: tuple[Run, Run], name: str, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sound, hurt = pair
    file = hurt.path / name
    # A link to the file of the other runs would hurt those too.
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    WHOLE[damage](file)
    if name == files.STATUS and damage == "missing":
        os.utime(hurt.path / files.CONFIG, (1e9, 1e9))
    said = check(sound, hurt, name)
    assert all(map(is_sentence, said)), said
    silent = name in (files.BEST, files.FEATURES, files.LOG, files.SUMMARY, files.OOD)
    missing = damage == "missing" and name in (files.METRICS, files.ENVIRONMENT, files.ABOUT)
    unsaid = damage == "object" and name == files.ABOUT
    assert any(name in words for words in said) != (silent or missing or unsaid), said
    assert main(["runs", "--json"]) == 0
    told = capsys.readouterr()
    assert len(json.loads(told.out)) == 1 + (hurt in list_runs())
    for words in (["evaluate", "hurt"], ["stop", "hurt"]):
        assert main(words) in (0, 2)
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_key_gone_or_strange_costs_the_run_at_most(pair: tuple[Run, Run], name: str) -> None:
    """Regression: {"state": "finished", "queued": "x"} broke every page; 1e30 as a time too."""
    sound, hurt = pair
    document = json.loads((hurt.path / name).read_text())
    for what, damaged in damaged_documents(document):
        write(hurt.path / name, dump(damaged))
        said = check(sound, hurt, name)
        assert all(map(is_sentence, said)), (what, said)
    if name == files.CONFIG:
        for what, damaged in damaged_documents(document["source"]):
            write(hurt.path / name, dump({**document, "source": damaged}))
            assert all(map(is_sentence, check(sound, hurt, name))), what


@pytest.mark.parametrize("name", TABLES)
def test_each_column_gone_or_strange_costs_the_run_at_most(
    pair: tuple[Run, Run], name: str
) -> None:
    """Regression: a header-only predictions.csv and missing columns gave tracebacks."""
    sound, hurt = pair
    for what, text in damaged_tables((hurt.path / name).read_text()):
        write(hurt.path / name, text)
        said = check(sound, hurt, name)
        assert all(map(is_sentence, said)), (what, said)
        if what.startswith(("header", "without")) and name == files.PREDICTIONS:
            assert said, what


@pytest.mark.parametrize("name", [files.BEST, files.FEATURES, files.OOD, files.ENVIRONMENT])
def test_what_answers_need_is_told_when_it_is_damaged(pair: tuple[Run, Run], name: str) -> None:
    _, hurt = pair
    content = (hurt.path / name).read_bytes()
    for damage in WHOLE.values():
        if (hurt.path / name).is_dir():
            (hurt.path / name).rmdir()
        (hurt.path / name).unlink(missing_ok=True)
        (hurt.path / name).write_bytes(content)
        damage(hurt.path / name)
        with pytest.raises(LymphError) as caught:
            load_classifier(hurt)
        assert is_sentence(str(caught.value))


def test_a_strange_check_for_strange_pictures_is_refused(trained: Path) -> None:
    """What `load_classifier` turns into a sentence is raised at once, not at the first picture."""
    document = json.loads((trained / files.OOD).read_text())
    for name in ("colours", "features", "origin", "axes"):
        for _, damaged in damaged_documents({name: document[name]}):
            with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
                OODDetector.from_json({**document, **{name: None}, **damaged})


def test_figures_are_kept_and_computed_again_for_other_predictions(trained: Path) -> None:
    """A list never evaluates predictions twice, and never shows figures of another table."""
    kept = json.loads((trained / files.SUMMARY).read_text())
    assert kept["sets"] == ["test", "val", "train"]
    figures = report(Run(trained).predictions(), "test")
    assert kept["judged"]["pictures"]["accuracy"] == figures["pictures"]["accuracy"]
    assert kept["judged"]["patients"]["interval"] == figures["patients"]["interval"]


def test_an_older_run_gets_its_figures_once(pair: tuple[Run, Run]) -> None:
    _, older = pair
    (older.path / files.SUMMARY).unlink()
    (record,) = [one for one in read_catalogue().records if one.run == older]
    assert record.lacks_figures
    made = with_figures(record)
    assert made.summary is not None
    (again,) = [one for one in read_catalogue().records if one.run == older]
    assert again.summary == made.summary and not again.lacks_figures


def test_forged_figures_are_not_shown(pair: tuple[Run, Run]) -> None:
    """A summary changed by hand, or of another table, is computed again."""
    sound, hurt = pair
    document = json.loads((hurt.path / files.SUMMARY).read_text())
    honest = document["judged"]["pictures"]["accuracy"]
    document["judged"]["pictures"]["accuracy"] = 2.0
    write(hurt.path / files.SUMMARY, dump(document))
    for record in read_catalogue().records:
        assert with_figures(record).summary.judged["pictures"]["accuracy"] == honest
    table = sound.predictions().assign(set="test")
    write(hurt.path / files.PREDICTIONS, table.to_csv(index=False))
    (record,) = [one for one in read_catalogue().records if one.run == hurt]
    assert with_figures(record).summary.judged["pictures"]["n"] == len(table)


def test_files_are_read_once_for_each_change(
    pair: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: every property of every run opened a file, 24 s for a page of 110 runs."""
    sound, hurt = pair
    read: list[Path] = []
    plainly = Path.read_text

    def counted(self: Path, *args: object, **options: object) -> str:
        if self.parent in (sound.path, hurt.path):
            read.append(self)
        return plainly(self, *args, **options)

    first = read_catalogue()
    monkeypatch.setattr(Path, "read_text", counted)
    assert read_catalogue() == first and read == []
    write(hurt.path / files.ABOUT, '{"name": "new", "note": "", "archived": false}')
    names = {record.about.name for record in read_catalogue().records}
    assert names == {"mine", "new"}
    assert {path.parent for path in read} == {hurt.path}
