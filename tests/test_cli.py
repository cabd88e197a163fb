"""The commands, as a shell sees them: one document, one line of error, exit codes."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lymph import workspace
from lymph.cli import build_parser, main
from lymph.runs import run_folder

REPOSITORY = Path(__file__).parents[1]


class Done(NamedTuple):
    """What a command ended with and wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def run_lymph(capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Return a function that runs a command in this process, and hears all that is written.

    Loading PyTorch takes seconds, and a process of its own would load it for every command.
    """

    def run(*arguments: object) -> Done:
        capfd.readouterr()
        return Done(main(list(map(str, arguments))), *capfd.readouterr())

    return run


@pytest.fixture
def lymph(run_lymph: Callable[..., Done]) -> Callable[..., Any]:
    """Return a function that runs a command and returns its JSON document."""

    def run(*arguments: object) -> Any:
        done = run_lymph(*arguments)
        assert done.code == 0, done.err
        return json.loads(done.out) if "--json" in arguments else done.out

    return run


@pytest.fixture
def lymph_error(run_lymph: Callable[..., Done]) -> Callable[..., str]:
    """Return a function that runs a command that a user got wrong, and returns what it says."""

    def run(*arguments: object) -> str:
        done = run_lymph(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "Traceback" not in done.err
        return done.err.strip()

    return run


def test_from_a_folder_to_an_answer(
    lymph: Callable[..., Any], tiny_root: Path, tmp_path: Path
) -> None:
    """scan, split, train, evaluate, classify and runs, with the documents of the contract."""
    found = lymph("scan", tiny_root, "--json")
    assert found["pictures"] == 36
    assert found["classes"] == {"CLL": 12, "FL": 12, "MCL": 12}
    assert (found["patients"], found["slides"], found["problems"]) == (12, 12, [])

    out = tmp_path / "split.json"
    split = lymph("split", tiny_root, "--by", "patient", "--out", out, "--json")
    assert split["leaked_patients"] == []
    assert split["leaked_test_share"] == 0
    assert set(split["sets"]) == {"train", "val", "test"}
    assert set(split["sets"]["train"]) == {"pictures", "patients", "classes"}

    folder = tmp_path / "run"
    options = ("--split", out, "--model", "cnn", "--run", folder, "--epochs", 2, "--class-weights")
    run = lymph("train", tiny_root, *options, "--json")
    assert run["state"] == "finished"
    assert Path(run["run"]) == folder
    assert {"best_epoch", "seconds"} <= set(run)

    figures = lymph("evaluate", folder, "--json")
    assert figures["classes"] == ["CLL", "FL", "MCL"]
    for level in ("pictures", "patients"):
        assert set(figures[level]) >= {
            "accuracy",
            "balanced_accuracy",
            "macro_f1",
            "interval",
            "confusion",
        }
    assert sum(map(sum, figures["pictures"]["confusion"])) == split["sets"]["test"]["pictures"]
    for level in ("pictures", "patients"):
        assert figures[level]["stated"]["verdict"] == "cannot be stated"
        assert "this test cannot tell" in figures[level]["stated"]["words"]
    assert lymph("evaluate", folder, "--set", "train", "--json")["set"] == "train"

    (tmp_path / "broken.png").write_bytes(b"no")
    picture = tiny_root / "FL" / "sj-99-21_001.png"
    good, bad = lymph("classify", folder, picture, tmp_path / "broken.png", "--json")
    assert set(good) >= {"picture", "predicted", "probabilities", "familiar", "problem"}
    assert sum(good["probabilities"].values()) == pytest.approx(1)
    assert bad["problem"]

    table = tmp_path / "answers.csv"
    written = lymph("classify", folder, tiny_root, "--csv", table, "--json")
    assert (written["pictures"], written["before"]) == (36, 0)
    assert lymph("classify", folder, tiny_root, "--csv", table, "--json")["before"] == 36
    assert len(table.read_text().splitlines()) == 37

    listed = lymph("runs", "--json")
    assert [Path(entry["run"]) for entry in listed] == [folder]
    assert "picture" in lymph("classify", folder, picture)


def test_a_random_split_reports_its_leak(
    lymph: Callable[..., Any], tiny_root: Path, tmp_path: Path
) -> None:
    """Every test picture's patient also trains, nearly surely."""
    out = tmp_path / "split.json"
    split = lymph("split", tiny_root, "--by", "picture", "--out", out, "--json")
    assert split["leaked_test_share"] > 0.5
    assert split["leaked_patients"]


def test_cross_validation_covers_all_patients(
    lymph: Callable[..., Any], tiny_root: Path, tmp_path: Path
) -> None:
    """The figures are out of fold, over everything."""
    options = ("--folds", 4, "--model", "cnn", "--epochs", 1, "--run", tmp_path / "cv", "--json")
    figures = lymph("crossval", tiny_root, *options)
    assert figures["pictures"]["n"] == 36
    assert figures["patients"]["n"] == 12
    assert figures["state"] == "finished"
    assert figures["pictures"]["stated"]["verdict"] == "cannot be stated"
    assert "share training patients" in figures["pictures"]["interval_method"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("scan", "absent-folder"), "There is no folder"),
        (("split", "x"), "--out"),
        (("train", "x", "--model", "vgg", "--split", "y"), "invalid choice"),
        (("evaluate", "absent-run"), "There is no run"),
        (("resume", "absent-run"), "There is no run"),
        (("dance",), "invalid choice"),
    ],
)
def test_a_users_error_is_one_line(
    lymph_error: Callable[..., str], arguments: tuple, words: str
) -> None:
    """``lymph: <what and how to fix it>`` and exit code 2, never a traceback."""
    line = lymph_error(*arguments)
    assert line.startswith("lymph: ")
    assert len(line.splitlines()) == 1
    assert words in line


def test_another_process_gets_document_error_and_exit_code(tiny_root: Path) -> None:
    """As a shell sees the command: what it prints on which stream, and how it ends."""
    command = [sys.executable, "-m", "lymph", "scan", "--json"]
    good, bad = (
        subprocess.run(
            [*command, root], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        for root in (tiny_root, "absent-folder")
    )
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["pictures"] == 36
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("lymph: There is no folder") and bad.stderr.count("\n") == 1


@pytest.mark.usefixtures("small_resnet50")
def test_a_failed_training_says_its_reason_once(
    lymph_error: Callable[..., str], tiny_root: Path, tmp_path: Path
) -> None:
    """Regression: the log said it on the way and the command at the end; exit code 2."""
    out = tmp_path / "split.json"
    assert main(["split", str(tiny_root), "--out", str(out)]) == 0
    values = tmp_path / "values.pth"
    values.write_bytes(b"nothing")
    options = ("--split", out, "--model", "resnet50", "--weights", values, "--run", "failing")
    told = lymph_error("train", tiny_root, *options, "--json")
    assert told.count("values.pth is not a file") == 1
    assert told.splitlines()[-1].startswith("lymph: ")
    log = workspace.runs_home() / "failing" / "log.txt"
    assert "values.pth is not a file" in log.read_text(encoding="utf-8")


def one_line(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that a user got wrong, in this process; return its one line of error."""
    assert main(list(map(str, arguments))) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("lymph: ")
    assert len(said.err.splitlines()) == 1
    return said.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("split", "--folds", "x", "--out", "s.json"), "x is no number of folds"),
        (("split", "--folds", "-1", "--out", "s.json"), "-1 is no number of folds"),
        (("crossval", "--folds", "1.5", "--model", "cnn"), "1.5 is no number of folds"),
        (("split", "--seed", "-1", "--out", "s.json"), "-1 is no seed"),
        (("train", "--seed", "-1", "--model", "cnn", "--split", "s.json"), "-1 is no seed"),
        (("demo", "--seed", "4294967296"), "from 0 to 4294967295"),
    ],
)
def test_impossible_numbers_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: tuple, words: str
) -> None:
    """Regression: ``--folds x`` and ``--seed -1`` ended in tracebacks."""
    command, *rest = options
    assert words in one_line(capsys, command, tmp_path, *rest)


def test_an_impossible_place_is_one_line(
    capsys: pytest.CaptureFixture[str], tiny_root: Path, tmp_path: Path
) -> None:
    """Regression: a file below a file, as ``--out /proc/x/s.json``, ended in a traceback."""
    (tmp_path / "file").write_text("")
    impossible = tmp_path / "file" / "below"
    assert "cannot be written" in one_line(capsys, "split", tiny_root, "--out", impossible)
    assert "cannot be written" in one_line(capsys, "split", tiny_root, "--out", tmp_path)
    assert "cannot be written" in one_line(capsys, "demo", impossible)


def test_a_reader_may_close_early(tmp_path: Path) -> None:
    """Regression: ``lymph runs | head -1`` ended in a traceback, and later ``lymph audit`` did."""
    train, test = tmp_path / "train.txt", tmp_path / "test.txt"
    train.write_text("sj-05-1_001.tif\nsj-05-2_001.tif\n")
    test.write_text("sj-05-1_002.tif\nsj-05-2_002.tif\n")
    for arguments, code in ((["runs", "--json"], 0), (["audit", str(train), str(test)], 1)):
        closes_early([sys.executable, "-m", "lymph", *arguments], code)


def closes_early(command: list[str], code: int) -> None:
    """Run a command whose output nobody reads; it ends as it would otherwise, without a word."""
    started = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert started.stdout and started.stderr
    started.stdout.close()
    assert started.wait() == code
    assert started.stderr.read() == b""
    started.stderr.close()


def arguments_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Return the arguments of a command and of all below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from arguments_of(inner)
        else:
            yield action


def test_every_argument_is_explained() -> None:
    """Regression: --port, the folder of `demo` and the pictures of `classify` said nothing."""
    assert [action.dest for action in arguments_of(build_parser()) if not action.help] == []


@pytest.mark.parametrize("option", ["--mod", "--spl", "--run-name"])
def test_an_option_is_written_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str
) -> None:
    """Regression: ``--mod cnn`` was taken for ``--model cnn``; a new option would change that."""
    given = ("train", tmp_path, "--model", "cnn", "--split", "s.json", option, "cnn")
    assert option in one_line(capsys, *given)


def test_a_bare_name_is_a_run_of_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: ``--run first`` made its folder where the command was given."""
    monkeypatch.chdir(tmp_path)
    assert run_folder("first") == workspace.runs_home() / "first"
    for path in ("./first", "a/first", "first/", str(tmp_path / "first"), ".", ".."):
        assert run_folder(path) == Path(path)


def test_variations_patience_and_phases_reach_the_run(
    lymph: Callable[..., Any], lymph_error: Callable[..., str], tiny_root: Path, tmp_path: Path
) -> None:
    """What the Train page offers, the command has too; several processes are tested elsewhere."""
    out, folder = tmp_path / "split.json", tmp_path / "run"
    lymph("split", tiny_root, "--out", out, "--json")
    options = ("--split", out, "--model", "cnn", "--run", folder, "--epochs", 1, "--json")
    chosen = ("--augmentation", "flips", "stain", "--patience", 1)
    assert lymph("train", tiny_root, *options, *chosen)["state"] == "finished"
    config = json.loads((folder / "config.json").read_text())
    assert (config["augmentation"], config["patience"]) == (["flips", "stain"], 1)
    options = ("--split", out, "--model", "resnet50", "--phases", "tail:2")
    assert "linear_probe:N or finetune:N" in lymph_error("train", tiny_root, *options)


def only_patient_of_cll(root: Path) -> Path:
    """Leave CLL a single patient."""
    for picture in [p for p in (root / "CLL").iterdir() if "-11_" not in p.name]:
        picture.unlink()
    return root


def test_what_cannot_be_trained_is_said_when_it_is_split(
    lymph: Callable[..., Any], lymph_error: Callable[..., str], tiny_root: Path, tmp_path: Path
) -> None:
    """Regression: the commands printed no advice, and folds failed halfway through training."""
    root, out = only_patient_of_cll(tiny_root), tmp_path / "folds.json"
    (told,) = lymph("split", root, "--folds", "patient", "--out", out, "--json")["advice"]
    assert told.startswith("CLL has no training pictures in fold 1, so it cannot be learnt")
    options = ("--model", "cnn", "--epochs", 1, "--run", tmp_path / "run")
    for command in (("crossval", root, "--folds", 3), ("train", root, "--split", out)):
        line = lymph_error(*command, *options)
        assert line.startswith("lymph: CLL has no training pictures in fold ")
        assert line.endswith("Add patients of CLL, or exclude the class.")
    assert not (tmp_path / "run").exists()


def test_advice_is_printed_for_people(
    run_lymph: Callable[..., Done], tiny_root: Path, tmp_path: Path
) -> None:
    """On standard error, so that the counts on standard output stay what they are."""
    out = tmp_path / "split.json"
    done = run_lymph("split", only_patient_of_cll(tiny_root), "--out", out)
    assert done.err.startswith("CLL has 1 patient and none in validation and test")
    assert "advice" not in done.out
