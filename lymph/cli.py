"""The commands: everything the pages do, without a page.

With ``--json`` one JSON document goes to standard output and nothing else; progress and messages go
to standard error. A user's error ends in one line and exit code 2; a leak that `audit` finds is 1.
"""

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from lymph import __version__, api
from lymph.classroom import serve
from lymph.data.depth import depth_sentence
from lymph.data.look import Found
from lymph.data.scan import summary, usable
from lymph.data.source import PictureSource, source_of, table_of
from lymph.data.telling import LABELS, PATIENTS
from lymph.errors import DiskError, LymphError, RunError
from lymph.evaluation import Robustness, interval_words, report, robustness_words
from lymph.launch import open_app
from lymph.models.augmentations import AUGMENTATIONS
from lymph.models.encoder_table import DEFAULT, ENCODER_TABLE
from lymph.models.specs import MODELS
from lymph.parallel import Progress
from lymph.recipes import (
    RECIPES,
    as_csv,
    as_json,
    compare_here,
    default_recipes,
    estimate_recipes,
    make_config,
    recipes_here,
    rows_of,
)
from lymph.recipes.comparison import SIDE_TITLES, SIDES, Cell, make_both
from lymph.runs import (
    Run,
    RunRecord,
    check_resumable,
    create_run,
    move_data,
    open_run,
    read_catalogue,
    run_folder,
    start_run,
    stop_run,
    train_here,
)
from lymph.splits import (
    Split,
    advice,
    audit_files,
    given_split,
    make_folds,
    notebook_split,
    split_by_patient,
    split_by_picture,
    untrainable,
)
from lymph.splits import summary as split_summary
from lymph.splits.split import By
from lymph.text import SET_TITLES, brief
from lymph.training.class_weights import class_weights
from lymph.training.config import (
    CLASS_WEIGHTS,
    LARGEST_SEED,
    LAST_BLOCK,
    PRECISIONS,
    SCHEDULES,
    USUAL_AUGMENTATION,
    TrainConfig,
)
from lymph.training.older import own_phase, phase_name
from lymph.workspace import write_atomically

Document = Any


def say(text: str) -> None:
    """Write a message to standard error."""
    print(text, file=sys.stderr, flush=True)


def _progress(what: str) -> Progress:
    """Return a progress that rewrites one line of standard error, on a terminal only."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == total else "\r"
            print(f"{what}: {done} of {total}", end=end, file=sys.stderr, flush=True)

    return show


def _source(options: argparse.Namespace) -> PictureSource:
    """Return what the pictures are: as it was corrected in the app, and as it is said here."""
    changes: dict[str, Any] = {}
    for name, words in (("labels", LABELS), ("patients", PATIENTS)):
        said = getattr(options, name)
        if said in words and said != "table":
            changes |= {name: said, f"{name}_file": ""}
        elif said:
            changes |= {name: "table", f"{name}_file": said}
    if options.pattern:
        changes |= {"patients": "name", **changes, "pattern": options.pattern}
    return replace(source_of(options.data), **changes)


def _look(options: argparse.Namespace) -> tuple[Found[PictureSource], pd.DataFrame]:
    """Return what was found in a folder, and its picture table."""
    found = _source(options).look()
    return found, table_of(found, _progress("Reading pictures"))


def app(options: argparse.Namespace) -> Document:
    """Open the app in the browser."""
    port = [f"--server.port={options.port}"] if options.port else []
    options.exit_code = open_app([*port, *options.streamlit])


def demo(options: argparse.Namespace) -> Document:
    """Make the synthetic demonstration set."""
    from lymph.synthetic import make_demo

    with _output(options.folder):
        folder = make_demo(options.folder, options.seed, _progress("Drawing pictures"))
    return {"data": str(folder), **summary(PictureSource(str(folder)).table())}


def show_scan(options: argparse.Namespace) -> Document:
    """Scan a folder and report what it holds."""
    found, table = _look(options)
    document = {**summary(table), **found.to_json()}
    if sentence := depth_sentence(found.source.path):
        document["doubts"] = [*found.doubts, sentence]
    # The list of problems may be long: for people it comes last.
    problems = document.pop("problems")
    return {**document, "problems": problems}


def _make_split(
    options: argparse.Namespace, found: Found[PictureSource], table: pd.DataFrame
) -> Split:
    if options.preset == "notebook":
        return notebook_split(table)
    if options.preset == "given":
        return given_split(table, found.given_sets())
    if options.folds:
        return _folds(options, table)
    make = split_by_patient if options.by == "patient" else split_by_picture
    return make(table, tuple(options.fractions), options.seed)


def _folds(options: argparse.Namespace, table: pd.DataFrame) -> Split:
    if options.folds == "patient":
        return make_folds(table, table["patient"].nunique(), "patient", options.seed)
    return make_folds(table, options.folds, options.by, options.seed)


def split(options: argparse.Namespace) -> Document:
    """Split a folder's pictures and write the split file."""
    found, table = _look(options)
    table = usable(table)
    made = _make_split(options, found, table)
    with _output(options.out):
        made.save(options.out)
    told = [*untrainable(table, made), *advice(table, made)]
    document = {**split_summary(table, made), **_caveat(found.source)}
    if options.json:
        return {**document, "advice": told}
    for sentence in told:
        say(sentence)
    return document


def audit(options: argparse.Namespace) -> Document:
    """Say which patients of a published split both train and test; exit code 1 where it leaks."""
    found = audit_files(options.files, options.pattern, options.folds)
    options.exit_code = int(found.leaks)
    if options.json:
        return found.to_json()
    with _reader_may_leave():
        print(found.text)
    return None


def _caveat(source: PictureSource) -> dict[str, str]:
    """Return what goes with every figure of pictures whose patients are unknown."""
    return {"caveat": source.caveat} if source.caveat else {}


def measure_leak(options: argparse.Namespace) -> Document:
    """Measure how much a split by picture inflates a quick model's accuracy here."""
    from lymph.leak import MeterConfig, control_words, measure_here, words

    features = options.features or ("colour" if options.encoder == DEFAULT else "imagenet")
    config = MeterConfig(
        _source(options),
        features,
        options.weights,
        options.seeds,
        options.control,
        options.encoder,
    )
    measurement = measure_here(config)
    result = measurement.result()
    if result is None:
        raise RunError(measurement.status().error or "The measurement was stopped before its end.")
    told = (control_words if options.control else words)(result, features, config.encoder)
    if not options.control:
        told += f" The interval: {result['patient']['interval_method']}."
    return {"words": told, **result, **_caveat(measurement.config.source)}


def compare_recipes(options: argparse.Namespace) -> Document:
    """Compare whole recipes on the same folds, split by patient and at random; can be resumed."""
    found, table = _look(options)
    names = options.recipes or _cheap_recipes(options, found.source, usable(table))
    folds = None if options.folds == "patient" else options.folds
    config = make_config(found.source, names, folds, options.seed, options.weights)
    comparison = compare_here(config, _say_cell)
    rows, status = rows_of(comparison), comparison.status()
    if options.csv and rows:
        _written(options.csv, as_csv(comparison, rows).encode())
    if status.state != "finished":
        stopped = "The comparison was stopped; the same command goes on with it."
        raise RunError(status.error or stopped)
    document = as_json(comparison, rows)
    return document if options.json else _recipe_lines(document)


def _cheap_recipes(
    options: argparse.Namespace, source: PictureSource, table: pd.DataFrame
) -> list[str]:
    """Return the recipes that are here and end within ten minutes, and say which are left out."""
    count = table["patient"].nunique() if options.folds == "patient" else options.folds
    both = make_both(table, source, count, options.seed)
    here = recipes_here(options.weights)
    times = estimate_recipes(here, source, table, both, options.weights)
    chosen = default_recipes(times, len(table))
    left = ", ".join(name for name in {**RECIPES, **times} if name not in chosen)
    say(f"Comparing {', '.join(chosen)}. Further recipes are named with --recipes: {left}.")
    return chosen


def _say_cell(cell: Cell) -> None:
    """Say how a cell came out as soon as it is done."""
    figures = report(cell.predictions(), "test")["pictures"]
    percent, interval = f"{100 * figures['accuracy']:.0f} %", interval_words(figures["interval"])
    say(f"{brief(cell.title)}: {percent} of {figures['n']} pictures ({interval})")


def _recipe_lines(document: dict[str, Any]) -> Document:
    """Say the table in lines: one a recipe."""
    lines = {
        f"{row['letter']} {brief(row['title'])}": "; ".join(_side_words(row, by) for by in SIDES)
        for row in document["recipes"]
    }
    return {"words": document["words"], **lines, "comparison": document["comparison"]}


def _side_words(row: dict[str, Any], by: By) -> str:
    cell = row[by]
    if cell is None:
        return f"{SIDE_TITLES[by]}: {row['problem']}"
    pictures, better = cell["pictures"], ["the largest class"] * (cell["beside_largest"] == "above")
    told = ", ".join([*better, *cell["better_than"]])
    return (
        f"{SIDE_TITLES[by]} {100 * pictures['accuracy']:.0f} %"
        f" ({interval_words(pictures['interval'])}), {pictures['stated']['verdict']}"
        f"{f', better than {told}' if told else ''}"
    )


def _config(options: argparse.Namespace) -> TrainConfig:
    changes = {"augmentation": options.augmentation} if options.augmentation is not None else {}
    return TrainConfig(
        source=_source(options),
        model=options.model,
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        backbone_factor=options.backbone_factor,
        class_weights=options.class_weights,
        schedule=options.schedule,
        phases=options.phases or [],
        patience=options.patience,
        precision=options.precision,
        weights=options.weights,
        encoder=options.encoder,
        tiles=options.tiles,
        seed=options.seed,
        **changes,
    )


def _train_together(begin: Callable[[], Run], detach: bool = False) -> Run | None:
    """Train what ``begin`` makes or opens; of several processes only the first gets the run."""
    if detach:
        run = begin()
        start_run(run)
        return run
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        run = begin()
        train_here(run)
        return run
    from lymph.training.processes import destroy_processes, init_processes

    processes = init_processes()
    run = begin() if processes.is_main else None
    run = Run(Path(processes.broadcast(str(run.path) if run else "")))
    train_here(run, processes)
    destroy_processes()
    return run if processes.is_main else None


def _ended(run: Run) -> Document:
    """Return how a run ended, or raise what made it fail."""
    status = run.status()
    if status.state == "failed":
        raise RunError(status.error)
    return {
        "run": str(run.path),
        "state": status.state,
        "best_epoch": status.best_epoch,
        "seconds": round(status.seconds, 3),
        "notes": status.notes,
        "warnings": status.warnings,
    }


def _say_weights(run: Run) -> None:
    """Say the class weights in numbers before the start."""
    rows = run.config.source.usable()
    rows = rows[run.split().assign(rows) == "train"]
    weights = class_weights(rows, run.config.class_weights, run.classes)
    told = ", ".join(f"{name} {value:.2f}" for name, value in weights.items())
    say(f"Class weights ({run.config.class_weights}): {told}")


def train(options: argparse.Namespace) -> Document:
    """Train a model here; with --detach in the background, with torchrun in several processes."""

    def begin() -> Run:
        run = create_run(_config(options), Split.load(options.split), options.run)
        if run.config.class_weights != "none" and run.split().sets:
            _say_weights(run)
        return run

    run = _train_together(begin, options.detach)
    return _ended(run) if run else None


def crossval(options: argparse.Namespace) -> Document:
    """Train every fold and report the out-of-fold figures."""
    if options.folds == "patient" and options.model != "cnn":
        # On ready features the many trainings take minutes; anything else can be asked for.
        options.schedule = options.schedule or ("linear_probe" if not options.phases else None)

    def begin() -> Run:
        table = usable(_look(options)[1])
        return create_run(_config(options), _folds(options, table), options.run)

    run = _train_together(begin, options.detach)
    if run is None or options.detach:
        return _ended(run) if run else None
    ended = _ended(run)
    figures = api.evaluate(run) if ended["state"] == "finished" else {}
    return {**ended, **figures}


def resume(options: argparse.Namespace) -> Document:
    """Resume a run in this process."""

    def begin() -> Run:
        run = open_run(options.run)
        if options.data:
            move_data(run, options.data)
        check_resumable(run)
        return run

    run = _train_together(begin, options.detach)
    return _ended(run) if run else None


def stop(options: argparse.Namespace) -> Document:
    """Ask a run to stop."""
    run = open_run(options.run)
    stop_run(run)
    return {"run": str(run.path), "state": run.status().state}


def encoders(options: argparse.Namespace) -> Document:
    """List the encoders that a linear probe can use, and try one picture with each."""
    from lymph.models.encoder_files import convert, fetch
    from lymph.training.encoders import examine

    if options.convert:
        written = convert(options.convert)
        say(f"{written} is written; the description of the encoder, config.json, goes beside it.")
        return {"file": str(written)}
    if options.fetch:
        record = ENCODER_TABLE[options.fetch]
        say(f"Fetching {record.title}, {record.megabytes:,} MB. Its terms: {record.terms}.")
        fetch(record, _progress("Fetching"))
        options.encoders = [*options.encoders, options.fetch]
    source = _source(options) if options.data else None
    found = []
    for document in examine(options.encoders, options.weights, source, _progress("Encoding")):
        found.append(document)
        if not options.json:
            with _reader_may_leave():
                print(_encoder_text(document))
    return found if options.json else None


def _encoder_text(document: dict[str, Any]) -> str:
    """Say of an encoder whether it works here, and what is known of it."""
    state = "works" if document["works"] else "here, but does not work"
    lines = [f"{document['name']}: {state if document['here'] else 'not here'}"]
    if "learned_from" in document:
        lines += [f"  learned from {document['learned_from']}", f"  {document['terms']}"]
        lines.append(f"  {document['page']}")
    if document["works"]:
        lines.append(
            f"  {document['features']:,} features,"
            f" {document['seconds_per_100']:.3g} seconds for 100 pictures here"
        )
    if found := document.get("robustness"):
        lines.append(f"  {robustness_words(Robustness(**found))}")
    if document["problem"]:
        lines.append(f"  {document['problem']}")
    return "\n".join(lines)


def runs(options: argparse.Namespace) -> Document:
    """List the runs, and name those that cannot be read."""
    found = read_catalogue()
    for sentence in found.unreadable:
        say(f"lymph: {sentence}")
    return [_listed(record) for record in found.records]


def _listed(record: RunRecord) -> dict[str, Any]:
    status, config = record.status, record.config
    return {
        "run": str(record.path),
        "model": config.model,
        "state": status.state,
        "epoch": status.epoch,
        "epochs": status.epochs,
        "best_epoch": status.best_epoch,
        "error": status.error,
        "warnings": status.warnings,
    }


def evaluate(options: argparse.Namespace) -> Document:
    """Report a finished run's figures on one set."""
    return api.evaluate(options.run, options.set)


def _set_to_judge(run: Run, asked: str | None) -> str:
    return asked or ("test" if run.split().folds is None else "out-of-fold")


def write_report(options: argparse.Namespace) -> Document:
    """Write a run's report as one HTML file that opens without a network."""
    from lymph.reports import report_html

    run = open_run(options.run)
    text = report_html(run, _set_to_judge(run, options.set))
    return _written(options.out, text.encode())


def export(options: argparse.Namespace) -> Document:
    """Write a run's model as a zip that loads without lymph."""
    from lymph.reports import export_model

    run = open_run(options.run)
    return _written(options.out, export_model(run, _set_to_judge(run, options.set)))


def code(options: argparse.Namespace) -> Document:
    """Write the script that repeats a run and compares its figures."""
    from lymph.reports import code_of

    run = open_run(options.run)
    return _written(options.out, code_of(run, _set_to_judge(run, options.set)).encode())


def _written(path: Path, content: bytes) -> Document:
    with _output(path):
        write_atomically(path, lambda temporary: temporary.write_bytes(content))
    return {"file": str(path), "bytes": len(content)}


@contextmanager
def _output(path: Path) -> Iterator[None]:
    """Say in a sentence that a file or folder cannot be made where it was asked for."""
    try:
        yield
    except DiskError:
        raise
    except OSError as error:
        raise LymphError(f"{path} cannot be written ({error}); name another place.") from error


def classify(options: argparse.Namespace) -> Document:
    """Classify pictures with a finished run."""
    from lymph.inference import classify_files, classify_to_csv, load_classifier, picture_files

    run = open_run(options.run)
    classifier = load_classifier(run)
    pictures = picture_files(options.pictures)
    progress = _progress("Classifying")
    if options.csv:
        return classify_to_csv(classifier, run.id, pictures, options.csv, progress)._asdict()
    return list(classify_files(classifier, pictures, progress=progress))


def _seed(text: str) -> int:
    """Read a seed: a whole number from 0, as the generators of random numbers take it."""
    if not text.isdecimal() or int(text) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(
            f"{brief(text)} is no seed; give a whole number from 0 to {LARGEST_SEED}"
        )
    return int(text)


def _fold_count(text: str) -> int | str:
    """Read the number of folds, or the word that asks for one fold per patient."""
    if text != "patient" and not text.isdecimal():
        raise argparse.ArgumentTypeError(
            f"{brief(text)} is no number of folds; give a whole number, or 'patient' for one"
            " patient out"
        )
    return text if text == "patient" else int(text)


def _with_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="folder of pictures, usually one folder per class")
    _with_telling(parser)


def _with_telling(parser: argparse.ArgumentParser) -> None:
    """Add what tells classes and patients."""
    parser.add_argument(
        "--pattern", default="", help="regular expression that reads the patient from a file name"
    )
    parser.add_argument(
        "--patients",
        default="",
        metavar="FILE.csv|folder|none",
        help="where patients are read from, if not from file names: a table with the columns"
        " picture and patient, the folder within the class, or none if they are unknown",
    )
    parser.add_argument(
        "--labels",
        default="",
        metavar="FILE.csv",
        help="a table with the columns picture and label, instead of class folders",
    )


def _with_training(parser: argparse.ArgumentParser) -> None:
    _with_data(parser)
    parser.add_argument("--model", choices=list(MODELS), required=True, help="what to train")
    parser.add_argument(
        "--run",
        type=run_folder,
        metavar="NAME|FOLDER",
        help="name of the run, which is then kept in the workspace, or its folder (a path with a"
        " slash)",
    )
    parser.add_argument("--epochs", type=int, help="number of passes over the training pictures")
    parser.add_argument(
        "--batch-size", type=int, default=16, help="pictures per step; 16 by default"
    )
    parser.add_argument("--learning-rate", type=float, help="by default the one of the model")
    parser.add_argument(
        "--class-weights",
        nargs="?",
        const="picture",
        default="none",
        choices=CLASS_WEIGHTS,
        help="weigh classes by inverse frequency, counted in pictures or in patients",
    )
    parser.add_argument(
        "--schedule",
        type=phase_name,
        choices=SCHEDULES,
        help=f"{LAST_BLOCK} by default; finetune_then_linear_probe is the notebook's order",
    )
    parser.add_argument(
        "--phases",
        nargs="+",
        type=own_phase,
        metavar="PHASE:EPOCHS",
        help="phases of your own instead of --schedule and --epochs, such as"
        " linear_probe:3 finetune:7",
    )
    parser.add_argument(
        "--backbone-factor",
        type=float,
        default=0.1,
        help="learning rate of the backbone as a share of the head's; 0.1 by default",
    )
    parser.add_argument(
        "--patience",
        type=int,
        default=0,
        help="epochs without a better validation before a phase ends; 0: never. Folds have none",
    )
    parser.add_argument(
        "--augmentation",
        nargs="*",
        choices=list(AUGMENTATIONS),
        help=f"how training pictures are augmented; by default {' '.join(USUAL_AUGMENTATION)}",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=PRECISIONS[0],
        help="number format; by default the one that was measured to be faster here",
    )
    parser.add_argument("--detach", action="store_true", help="train in the background")
    parser.add_argument(
        "--weights", default="imagenet", help="imagenet (downloaded), none, or a file"
    )
    parser.add_argument(
        "--encoder",
        default=DEFAULT,
        metavar="NAME|FILE",
        help="encoder of the linear probe: a name that `lymph encoders` lists, or a folder"
        " or file of safetensors with its config.json beside it; resnet50 by default",
    )
    parser.add_argument(
        "--tiles",
        type=int,
        metavar="PIXELS",
        help="let the model learn from and answer by tiles of this side, cut from the picture at"
        " full resolution; whole pictures by default",
    )
    parser.add_argument("--seed", type=_seed, default=0, help="of the random numbers; 0 by default")


def _add_app_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add("app", app)
    parser.add_argument("--port", type=int, help="port of the app; 8501 or the next free one")
    parser.add_argument(
        "streamlit",
        nargs="*",
        metavar="OPTION",
        help="options of `streamlit run`, after two dashes: -- --server.address=0.0.0.0",
    )


def _add_data_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add("demo", demo)
    parser.add_argument("folder", type=Path, help="new or empty folder for the pictures")
    parser.add_argument("--seed", type=_seed, default=0, help="of the random numbers; 0 by default")
    _with_data(add("scan", show_scan))
    parser = add("split", split)
    _with_data(parser)
    parser.add_argument(
        "--by",
        choices=("patient", "picture"),
        default="patient",
        help="what is assigned to a set as a whole; patient by default",
    )
    parser.add_argument(
        "--preset",
        choices=("notebook", "given"),
        help="the split of the notebook, or the one given with the data",
    )
    parser.add_argument(
        "--folds", type=_fold_count, help="number of folds, or 'patient' to leave one patient out"
    )
    parser.add_argument(
        "--fractions",
        type=float,
        nargs=3,
        default=(0.6, 0.2, 0.2),
        metavar=("TRAIN", "VAL", "TEST"),
        help="share of each set; 0.6 0.2 0.2 by default",
    )
    parser.add_argument("--seed", type=_seed, default=0, help="of the random numbers; 0 by default")
    parser.add_argument("--out", type=Path, required=True, help="file to write")


def _add_audit_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add("audit", audit)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="TRAIN TEST: lists of names, tables or split files, or one per fold and side as in"
        " 'train_*.txt' 'test_*.txt'; or SPLIT alone, which names both sides",
    )
    parser.add_argument(
        "--pattern", default="", help="regular expression that reads the patient from a name"
    )
    parser.add_argument(
        "--folds", action="store_true", help="each file lists the test pictures of one fold"
    )


def _add_leak_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add("leak", measure_leak)
    _with_data(parser)
    parser.add_argument(
        "--features",
        choices=("colour", "imagenet", "cnn"),
        help="what the quick model looks at: colour by default, imagenet with an encoder",
    )
    parser.add_argument(
        "--encoder",
        default=DEFAULT,
        metavar="NAME|FILE",
        help="encoder of the features called imagenet, as in `lymph train`",
    )
    parser.add_argument("--weights", default="imagenet", help="imagenet (downloaded), or a file")
    parser.add_argument("--seeds", type=int, help="how many times the folds are drawn")
    parser.add_argument(
        "--control",
        action="store_true",
        help="negative control: measure with classes shuffled over the patients, where only a split"
        " that lets patients be recognised beats chance",
    )


def _add_recipes_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add("recipes", compare_recipes)
    _with_data(parser)
    parser.add_argument(
        "--recipes",
        nargs="+",
        metavar="RECIPE",
        help=f"{', '.join(RECIPES)}, or linear-probe:ENCODER with a name that"
        " `lymph encoders` lists or a file; by default those that are here and end within ten"
        " minutes",
    )
    parser.add_argument(
        "--folds",
        type=_fold_count,
        default=5,
        help="number, or 'patient' to leave one patient out at a time; 5 by default",
    )
    parser.add_argument("--seed", type=_seed, default=0, help="of folds and training; 0 by default")
    parser.add_argument("--weights", default="imagenet", help="imagenet (downloaded), or a file")
    parser.add_argument("--csv", type=Path, help="write the table here, one line per cell")


def _add_encoders_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add("encoders", encoders)
    parser.add_argument(
        "encoders",
        nargs="*",
        metavar="NAME|FILE",
        help="only these: names, or folders or files of safetensors",
    )
    parser.add_argument("--weights", default="imagenet", help="a file with ResNet-50's weights")
    fetchable = [record.name for record in ENCODER_TABLE.values() if record.fetchable]
    parser.add_argument(
        "--fetch", choices=fetchable, help="download this one into the workspace first"
    )
    parser.add_argument(
        "--convert",
        type=Path,
        metavar="FILE",
        help="write the numbers of a pickle, such as pytorch_model.bin, as safetensors beside it",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="pictures on which the robustness index of each is measured",
    )
    _with_telling(parser)


def _add_run_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add("train", train)
    _with_training(parser)
    parser.add_argument("--split", type=Path, required=True, help="file from `lymph split`")
    parser = add("crossval", crossval)
    _with_training(parser)
    parser.add_argument(
        "--folds",
        type=_fold_count,
        required=True,
        help="number, or 'patient' to leave one patient out",
    )
    parser.add_argument(
        "--by",
        choices=("patient", "picture"),
        default="patient",
        help="what is assigned to a set as a whole; patient by default",
    )
    for name, command in (("resume", resume), ("stop", stop), ("evaluate", evaluate)):
        parser = add(name, command)
        parser.add_argument("run", help="name or folder of a run")
        if name == "resume":
            parser.add_argument("--data", type=Path, help="where the pictures are now")
            parser.add_argument("--detach", action="store_true", help="train in the background")
        if name == "evaluate":
            parser.add_argument(
                "--set",
                choices=SET_TITLES,
                default="test",
                help="set to judge; test by default",
            )
    for name, command in (("report", write_report), ("export", export), ("code", code)):
        parser = add(name, command)
        parser.add_argument("run", help="name or folder of a run")
        parser.add_argument("--out", type=Path, required=True, help="file to write")
        parser.add_argument(
            "--set",
            choices=SET_TITLES,
            help="set whose figures are written; test or, of folds, out-of-fold by default",
        )
    add("runs", runs)
    parser = add("classify", classify)
    parser.add_argument("run", help="name or folder of a run")
    parser.add_argument("pictures", type=Path, nargs="+", help="pictures, or folders of pictures")
    parser.add_argument(
        "--csv",
        type=Path,
        help="write the answers here as they come; run again, it continues",
    )


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and which takes no option for another it begins like."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise the message instead of printing a page of usage."""
        raise LymphError(f"{message}; see `{self.prog} --help`.")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="python -m lymph",
        description="Learn and teach how pictures of malignant lymphoma are classified.",
    )
    parser.add_argument("--version", action="version", version=f"lymph {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    def add(name: str, command: Callable[[argparse.Namespace], Document]) -> _Parser:
        added = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
        added.add_argument("--json", action="store_true", help="print one JSON document")
        added.set_defaults(call=command, exit_code=0)
        return added

    _add_app_command(add)
    _add_data_commands(add)
    _add_audit_command(add)
    _add_leak_command(add)
    _add_recipes_command(add)
    _add_encoders_command(add)
    _add_run_commands(add)
    serve.add_command(add)
    return parser


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    """Let whoever reads the output read enough and close it, as `head` does."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show(document: Document, indent: str = "") -> None:
    """Print a document for people: one line a value."""
    items = document.items() if isinstance(document, dict) else enumerate(document, start=1)
    for key, value in items:
        if isinstance(value, (dict, list)) and value and not _flat(value):
            print(f"{indent}{key}:")
            _show(value, indent + "  ")
        else:
            print(f"{indent}{key}: {value}")


def _flat(value: dict | list) -> bool:
    return isinstance(value, list) and not any(isinstance(v, (dict, list)) for v in value)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0, 1 where an audit finds a leak, or 2 after a user's error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Windows writes to files in a code page
            stream.reconfigure(encoding="utf-8")
    handler = logging.StreamHandler(sys.stderr)
    # What made a run fail is said once, at the end; its log file holds the traceback.
    handler.addFilter(lambda record: record.levelno < logging.ERROR)
    logging.getLogger("lymph").addHandler(handler)
    try:
        options = build_parser().parse_args(arguments)
        document = options.call(options)
    except LymphError as error:
        say(f"lymph: {' '.join(str(error).split())}")
        return 2
    except KeyboardInterrupt:
        say("lymph: interrupted; what was finished is kept.")
        return 2
    finally:
        logging.getLogger("lymph").removeHandler(handler)
    with _reader_may_leave():
        if document is not None and options.json:
            print(json.dumps(document, ensure_ascii=False))
        elif document is not None:
            _show(document)
    return options.exit_code
