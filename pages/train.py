"""Train: how well a model learns, seen while it does."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from lymph import runs, splits
from lymph.charts import QUANTITIES, learning_curves
from lymph.classroom import jobs
from lymph.classroom.owners import owners, thing_of, whose_words
from lymph.classroom.settings import class_settings
from lymph.data.scan import classes_of, usable
from lymph.data.sources import DataSet
from lymph.errors import LymphError
from lymph.models import MODELS
from lymph.models.augmentations import AUGMENTATIONS
from lymph.reports.tables import LEAK_MARK, UNKNOWN_MARK
from lymph.runs import Run, RunRecord
from lymph.splits import Split
from lymph.text import counted
from lymph.training.class_weights import class_weights
from lymph.training.config import CLASS_WEIGHTS, USUAL_AUGMENTATION, TrainConfig
from lymph.training.estimate import estimate_seconds, seconds_left
from lymph.training.folder import METRICS
from lymph.training.phases import plan_phases
from lymph.training.preview import vary
from pages.shared import ahead, loading, state
from pages.shared.frame import begin_on_pictures, plain, show_caveat, show_error, told
from pages.shared.loading import duration, time_left
from pages.shared.navigation import FILES, ensure_app, go_to
from pages.shared.place import computer
from pages.shared.state import TRAIN_KEY
from pages.shared.stated import show_stated
from pages.shared.training import (
    PROBE_WORDS,
    RESULTS_KEY,
    STATE_MARKS,
    all_records,
    judged_by_test,
    pace,
    quality_sentence,
    records_of,
    remember_run,
    run_in_address,
    show_unreadable,
    title_of,
    validates_on_known,
)
from pages.shared.visitor import is_own, starter_of, starters, who
from pages.shared.waiting import waiting_words

QUESTION = "How well does it learn?"
WEIGHTS_TOLD = {
    "none": "All alike",
    "picture": "By number of pictures",
    "patient": "By number of patients",
}
SCHEDULES_TOLD = {
    "whole-then-head": "Whole model, then head only (the notebook's order)",
    "head-then-whole": "Head only, then whole model (keeps ImageNet's features better)",
    "whole": "Whole model from beginning to end",
    "head": "Head only: the backbone stays as it is, and an epoch takes no time",
}
TESTS_TOLD = {
    "split": "The split's test patients, once",
    "folds": "Everyone in turn, in folds",
    "patient": "Everyone in turn, one patient at a time",
}
VALUES_TOLD = {
    "imagenet": "ImageNet, downloaded by torchvision (98 MB, once)",
    "file": "A file on {computer}",
    "none": "None: start from random values",
}
NO_FILE = "no file named yet"
PRESSED_KEY = "training_wanted"
PRESSED_SECONDS = 120.0
LISTED = 12


def page() -> None:
    data_set = begin_on_pictures(QUESTION)
    if data_set is None:
        return
    run = None
    with told():
        run = followed_run()
        if run is not None:
            show_run(run)
    if run is not None:
        st.subheader("Train another model", anchor=False)
    elif st.session_state.get(TRAIN_KEY):
        st.button("Train a new model", on_click=remember_run, args=(TRAIN_KEY, ""), key="new_run")
    with told():
        choose_and_start(data_set)
    with told():
        list_runs(data_set, run)
    show_unreadable(data_set)


def followed_run() -> Run | None:
    """Return the run in the address, or the one that this visitor started or looked at last.

    What others have started is listed, and never takes the place of one's own.
    """
    chosen = run_in_address(TRAIN_KEY)
    return runs.open_known(chosen) if chosen else None


def choose_and_start(data_set: DataSet) -> None:
    table = usable(loading.picture_table(data_set))
    split = loading.make_split(data_set, table, state.split_settings(data_set))
    main, side = st.columns([2, 1], gap="large")
    with main:
        tested = choose_test(table, split)
        config = choose_settings(data_set, table, split, tested)
        if not MODELS[config.model].frozen:
            show_variations(data_set, table, config)
    if tested != "split":
        split = folds_for(table, split, tested)
    with side:
        describe_split(table, split, MODELS[config.model].frozen)
        show_caveat(config.source.caveat)
        problems = splits.untrainable(table, split)
        for sentence in problems:
            st.error(plain(sentence))
        wanted = pressed()
        if not problems:
            if wanted:
                start(config, split)
            show_estimate(config, split, table)
        show_line_ahead()
        st.button(
            "Start training",
            type="primary",
            key="start_training",
            disabled=bool(problems),
            on_click=press,
        )


def press() -> None:
    """Keep that *Start training* was pressed until the settings have been read.

    A rerun that comes between, another click or a poll, would else take the press away.
    """
    st.session_state[PRESSED_KEY] = time.monotonic()


def pressed() -> bool:
    """Tell, once, whether *Start training* was pressed and not answered yet.

    A press that was left for another page is forgotten after a while: it starts nothing hours on.
    """
    when = st.session_state.pop(PRESSED_KEY, None)
    return when is not None and time.monotonic() - when < PRESSED_SECONDS


def start(config: TrainConfig, split: Split) -> None:
    if config.weights.endswith(NO_FILE):
        st.error("Give the path of the file with ResNet-50's values, or choose other values.")
        return
    run = jobs.start_training(who(), config, split)
    state.mark_started(run.id)
    remember_run(TRAIN_KEY, run.id)
    st.rerun()


def show_line_ahead() -> None:
    """Say what trains or waits already, whoever started it: one run trains at a time."""
    ahead = sum(not record.status.over for record in all_records())
    if ahead:
        st.caption(f"Runs are trained one at a time; {counted(ahead, 'run')} ahead of a new one.")


def choose_test(table: pd.DataFrame, split: Split) -> str:
    """Choose on whom the model is tested; folds train one model each."""
    return st.radio(
        "Test on",
        list(TESTS_TOLD),
        format_func=TESTS_TOLD.__getitem__,
        key="test_on",
        horizontal=True,
        persist_state="session",
        help="In turn means that every patient is tested once by a model that never saw the others"
        " of its fold: more patients, a narrower interval, and as many trainings as folds.",
    )


def folds_for(table: pd.DataFrame, split: Split, tested: str) -> Split:
    patients = table["patient"].nunique()
    if tested == "patient":
        return splits.make_folds(table, patients, "patient", split.seed)
    count = st.session_state.get("fold_count", 5)
    return splits.make_folds(table, min(count, patients), split.by, split.seed)


def choose_settings(
    data_set: DataSet, table: pd.DataFrame, split: Split, tested: str
) -> TrainConfig:
    model = st.radio(
        "Model",
        list(MODELS),
        format_func=lambda name: MODELS[name].title,
        captions=[
            "learns from nothing, on grey pictures",
            "knows everyday pictures already",
            "ResNet-50 looks, and only the last step learns: seconds",
        ],
        key="model",
        horizontal=True,
        persist_state="session",
    )
    spec = MODELS[model]
    chosen: dict[str, Any] = {"source": loading.found(data_set).source, "model": model}
    with st.grid(4, min_column_width=130, key="train_numbers"):
        chosen["epochs"] = st.number_input(
            "Epochs", 1, 500, spec.epochs, key=f"epochs_{model}", persist_state="session"
        )
        if not spec.frozen:
            chosen["batch_size"] = st.number_input(
                "Batch size", 1, 256, 16, key="batch_size", persist_state="session"
            )
        chosen["seed"] = st.number_input(
            "Seed", 0, 99999, 0, key="train_seed", persist_state="session"
        )
        if tested == "folds":
            st.number_input("Folds", 2, 20, 5, key="fold_count", persist_state="session")
    if model != "cnn":
        chosen["weights"] = choose_values()
    chosen["class_weights"] = choose_class_weights(table, split)
    if spec.frozen:
        st.caption(PROBE_WORDS)
        return TrainConfig(**chosen)
    chosen["augmentation"] = choose_augmentation()
    with st.expander("Advanced", key="train_advanced"):
        chosen["learning_rate"] = choose_learning_rate(model, spec.learning_rate)
        chosen["patience"] = st.number_input(
            "Stop early after this many epochs without a better validation (0: never)",
            0,
            500,
            0,
            key="patience",
            persist_state="session",
        )
        if model == "resnet50":
            chosen |= choose_phases(chosen["epochs"], tested)
    return TrainConfig(**chosen)


def choose_phases(epochs: int, tested: str) -> dict[str, Any]:
    """Choose what learns when, and for how long."""
    schedule = st.radio(
        "Phases",
        list(SCHEDULES_TOLD),
        index=list(SCHEDULES_TOLD).index("head" if tested == "patient" else "whole-then-head"),
        format_func=SCHEDULES_TOLD.__getitem__,
        key=f"schedule_{tested}" if tested == "patient" else "schedule",
        persist_state="session",
    )
    chosen: dict[str, Any] = {"schedule": schedule}
    if "then" in schedule and epochs > 1:
        whole = (
            st.slider(
                f"Of the {epochs:d} epochs, so many train the whole model",
                1,
                epochs - 1,
                (epochs + 1) // 2,
                key=f"whole_epochs_{epochs}",
                persist_state="session",
            )
            if epochs > 2
            else 1
        )
        lengths = {"whole": whole, "head": epochs - whole}
        chosen["phases"] = [f"{name}:{lengths[name]}" for name in schedule.split("-then-")]
    chosen["backbone_factor"] = st.select_slider(
        "Learning rate of the backbone, as a share of the head's",
        (0.0, 0.01, 0.03, 0.1, 0.3, 1.0),
        0.1,
        key="backbone_factor",
        persist_state="session",
    )
    return chosen


def choose_augmentation() -> list[str]:
    chosen = st.pills(
        "Vary the training pictures",
        list(AUGMENTATIONS),
        selection_mode="multi",
        default=list(USUAL_AUGMENTATION),
        format_func=lambda name: name.replace("-", " ").capitalize(),
        key="augmentation",
        persist_state="session",
        help="  \n".join(AUGMENTATIONS.values()),
    )
    return [name for name in AUGMENTATIONS if name in chosen]


def show_variations(data_set: DataSet, table: pd.DataFrame, config: TrainConfig) -> None:
    """Show what the chosen ways make of a picture of each class."""
    with st.expander("See it on your pictures", key="variations"):
        if not st.toggle("Show", key="show_variations"):
            return
        for label, picture in table.groupby("label")["picture"].first().items():
            ways = tuple(config.augmentation)
            shown = varied_pictures(str(data_set.path), picture, config.model, ways, config.seed)
            for number, (place, pixels) in enumerate(
                zip(st.columns(len(shown)), shown, strict=True)
            ):
                words = plain(label) + ", as it is" if not number else None
                place.image(pixels, caption=words, width="stretch")


@st.cache_data(show_spinner=False, max_entries=32)
def varied_pictures(
    root: str, picture: str, model: str, ways: tuple[str, ...], seed: int
) -> list[np.ndarray]:
    return vary(loading.full_picture(root, picture), model, ways, count=4, seed=seed)


def choose_learning_rate(model: str, usual: float) -> float:
    choices = sorted({1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, usual})
    return st.select_slider(
        "Learning rate",
        choices,
        usual,
        format_func=lambda rate: f"{rate:g}",
        key=f"learning_rate_{model}",
        persist_state="session",
    )


def choose_values() -> str:
    titles = {name: words.format(computer=computer()) for name, words in VALUES_TOLD.items()}
    source = st.radio(
        "Starting values",
        list(titles),
        format_func=titles.get,
        key="values",
        persist_state="session",
    )
    if source == "none":
        st.warning("From random values ResNet-50 needs far more pictures than there are here.")
    if source != "file":
        return source
    settings = class_settings()
    if settings is not None:
        return choose_named(settings.weights)
    path = st.text_input(
        "Path of the file (.pth) with ResNet-50's values",
        key="values_file",
        persist_state="session",
    )
    return path.strip() or NO_FILE


def choose_named(files: Sequence[str]) -> str:
    """Choose one of the files of weights that the lecturer named when the class began."""
    named = st.selectbox(
        "File with ResNet-50's values",
        files,
        format_func=lambda file: Path(file).name,
        key="values_named",
        persist_state="session",
        placeholder="the lecturer named none",
    )
    return named or NO_FILE


def choose_class_weights(table: pd.DataFrame, split: Split) -> str:
    mode = st.radio(
        "Weight of each class in the loss",
        CLASS_WEIGHTS,
        format_func=WEIGHTS_TOLD.__getitem__,
        key="class_weights",
        horizontal=True,
        persist_state="session",
    )
    if mode != "none" and not splits.untrainable(table, split):
        rows = table if split.folds else table[split.assign(table) == "train"]
        weights = class_weights(rows, mode, classes_of(table))
        told = " · ".join(f"**{plain(name)}** {value:.2f}" for name, value in weights.items())
        st.caption(f"{told}, counted on the training pictures only")
    return mode


def describe_split(table: pd.DataFrame, split: Split, frozen: bool) -> None:
    if split.folds is not None:
        describe_folds(table, split)
        return
    leak, counts = loading.leak_of(table, split), loading.summary_of(table, split)
    sets = counts["sets"]
    st.metric("Patients to learn from", sets["train"]["patients"])
    aim = "to validate" if frozen else "to choose the epoch"
    st.caption(
        f"Split by {split.by}, seed {split.seed}: {sets['train']['pictures']} pictures to learn"
        f" from, {sets['val']['pictures']} {aim}, {sets['test']['pictures']} held back."
    )
    if leak.leaked_test_pictures:
        st.error(plain(leak.sentence))
    st.page_link(FILES["split"], label="Change the split")


def describe_folds(table: pd.DataFrame, split: Split) -> None:
    st.metric("Patients tested", table["patient"].nunique())
    st.caption(
        f"{counted(len(split.groups()), 'training')}, one for each fold, split by {split.by}, seed"
        f" {split.seed}. One run: it can be stopped and resumed between them."
    )
    leak = loading.leak_of(table, split)
    if leak.leaked_test_pictures:
        st.error(plain(leak.sentence))


def show_estimate(config: TrainConfig, split: Split, table: pd.DataFrame) -> None:
    seconds = estimate_seconds(config, split, table)
    if seconds is not None:
        told = f"about {duration(seconds)}"
    elif ahead.measure(config.model):
        await_speed(config.model)
        return
    else:
        told = "not measured yet"
    st.metric("Time it will take", told)


@st.fragment(run_every=2.0)
def await_speed(model: str) -> None:
    """Say that the machine's speed is being measured, until it is."""
    if not ahead.measure(model):
        st.rerun()
    st.metric("Time it will take", "being measured")


def show_run(run: Run) -> None:
    """Show a run and, while it goes on, look at its files again and again.

    Where it stands costs less than the curves do, and is looked at more often.
    """

    def now() -> tuple[float | None, float | None, bool]:
        return *pace(run.status()), (run.path / METRICS).exists()

    look, draw, _ = at_first = now()

    def live() -> None:
        with told():
            draw_state(run)
            # Another pace, none at all and the first epoch's curves all need a whole rerun.
            if now() != at_first:
                st.rerun()

    def drawn() -> None:
        with told():
            draw_curves(run)
        with told():
            draw_actions(run)

    st.fragment(live, run_every=look)()
    st.fragment(drawn, run_every=draw)()


def draw_state(run: Run) -> None:
    status = run.status()
    st.caption(plain(" · ".join(filter(None, [title_of(run), starter_of(run.path)]))))
    draw_progress(run)
    if status.error:
        st.error(plain(status.error))
    for sentence in status.warnings:
        st.warning(plain(sentence))
    for note in status.notes:
        st.info(plain(note))
    if status.state == "queued":
        show_queue(run)


def draw_curves(run: Run) -> None:
    status, metrics, config = run.status(), run.metrics(), run.config
    if len(metrics):
        draw_numbers(run)
        best = status.best_epoch or None
        if "fold" in metrics:
            # Of a cross-validation the fold at hand is drawn; its curves are a run of their own.
            metrics, best = metrics[metrics["fold"] == metrics["fold"].iloc[-1]], None
        phases = plan_phases(config)
        for place, quantity in zip(st.columns(2), QUANTITIES, strict=True):
            with place:
                st.subheader(quantity.capitalize(), anchor=False)
                figure = learning_curves(metrics, phases, quantity, best)
                key = f"curve_{quantity}"
                st.plotly_chart(figure, key=key, config={"displayModeBar": False})
    elif not status.over:
        st.skeleton(300)


def draw_progress(run: Run) -> None:
    status = run.status()
    words = STATE_MARKS[status.state]
    if status.epochs:
        words += f": epoch {status.epoch} of {status.epochs}"
    if status.fold and not status.over:
        words += f", fold {status.fold} of {status.folds}"
    if status.state == "running":
        done = status.epoch + status.share
        left = seconds_left(run.metrics(), plan_phases(run.config), done, status.epochs)
        words += time_left(left)
    with st.container(key="run_progress"):
        st.progress(min(1.0, (status.epoch + status.share) / max(1, status.epochs)), words)


def show_queue(run: Run) -> None:
    """Say what this run waits for, and let the runs before it be taken out."""
    waiting = runs.queue()
    before = waiting[: waiting.index(run)] if run in waiting else waiting
    st.write(waiting_words(run.path))
    for place, other in enumerate(before, start=1):
        with st.container(horizontal=True, vertical_alignment="center", key=f"queued_{other.id}"):
            if is_own(other.path):
                st.button("Take out", on_click=stop, args=(other,), key=f"out_{other.id}")
            st.write(f"{place}. {plain(title_of(other))}")


def draw_numbers(run: Run) -> None:
    """Show the last epoch in numbers, with what they were counted on."""
    last = run.metrics().iloc[-1]
    with st.grid(4, min_column_width=150, key="run_numbers"):
        st.metric("Train accuracy", f"{100 * last['train_accuracy']:.0f} %")
        mark = LEAK_MARK if validates_on_known(run.id) else ""
        if run.config.source.caveat:
            mark = UNKNOWN_MARK
        mark = f" · {mark}" if mark else ""
        # A fold of a probe has no validation pictures.
        if not np.isnan(last["val_loss"]):
            st.metric(f"Validation accuracy{mark}", f"{100 * last['val_accuracy']:.0f} %")
        st.metric("Train loss", f"{last['train_loss']:.2f}")
        if not np.isnan(last["val_loss"]):
            st.metric("Validation loss", f"{last['val_loss']:.2f}")
    split = run.split()
    val = f" on {counted(len(split.sets['val']), f'validation {split.by}')}" if split.sets else ""
    chooses = "nothing" if MODELS[run.config.model].frozen else "the epoch"
    st.caption(
        f"Epoch {int(last['epoch'])}, accuracy per picture{val}, split by {split.by}. Validation"
        f" chooses {chooses}; how good the model is on patients it never saw stands on the Results"
        " page, with its interval."
    )
    if run.status().state == "finished":
        show_end(run)


def show_end(run: Run) -> None:
    """Show what the finished run is worth on its test, and whether that may be stated."""
    try:
        figures = judged_by_test(run)
    except LymphError as error:
        show_error(error)
        return
    with st.container(border=True, gap="small", key="run_end"):
        st.markdown(plain(quality_sentence(run)))
        show_stated(figures["pictures"])


def draw_actions(run: Run) -> None:
    state_now, own = run.status().state, is_own(run.path)
    with st.container(horizontal=True, key="run_actions"):
        if own and state_now in ("running", "queued"):
            st.button("Stop", on_click=stop, args=(run,), key="stop_run")
        if own and state_now in ("stopped", "failed", "lost"):
            st.button("Resume", type="primary", on_click=resume, args=(run,), key="resume_run")
        if state_now == "finished" and st.button(
            "See the results", type="primary", key="see_results"
        ):
            remember_run(RESULTS_KEY, run.id)
            go_to("results")
        if st.button("Hide this run", key="new_run"):
            remember_run(TRAIN_KEY, "")
            st.rerun()
    if not own:
        st.caption(plain(whose_words(run.path)))
    with st.expander("Settings and log", key="run_details"):
        st.json(run.config.to_json(), expanded=False)
        st.code(run.log() or "Nothing has been written yet.", language=None, height=240)


def stop(run: Run) -> None:
    """Stop a run that goes on, or take one out of the queue."""
    attempt(lambda: jobs.change_job(who(), run.path, runs.stop_run, run))


def resume(run: Run) -> None:
    attempt(lambda: jobs.restart_job(who(), run.path, runs.resume_run, run))


def attempt(action: Callable[[], None]) -> None:
    """Stop or resume a run; what cannot be done is said in passing."""
    try:
        action()
    except LymphError as error:
        st.toast(plain(str(error)))


def own_runs(records: list[RunRecord]) -> set[str]:
    """Return the ids of the runs that this visitor has started, now or at an earlier visit."""
    visitor = who()
    if visitor.free:
        return state.runs_started()
    started = owners()
    return {record.id for record in records if started.get(thing_of(record.path)) == visitor.id}


def list_runs(data_set: DataSet, shown: Run | None) -> None:
    others = [one for one in records_of(data_set) if shown is None or one.path != shown.path]
    if not others:
        return
    st.subheader(
        "Other runs on these pictures" if shown else "Runs on these pictures", anchor=False
    )
    names = starters()
    own = own_runs(others)
    others.sort(key=lambda record: (record.id not in own, record.status.over))
    with st.container(gap="xsmall", key="other_runs"):
        for record in others[:LISTED]:
            status = record.status
            progress = f" {status.epoch} of {status.epochs}" if not status.over else ""
            name = names.get(thing_of(record.path), "")
            whose = "yours · " if record.id in own else f"{plain(name)} · " if name else ""
            st.button(
                f"{STATE_MARKS[status.state]}{progress} · {whose}{plain(title_of(record))}",
                type="tertiary",
                on_click=remember_run,
                args=(TRAIN_KEY, record.id),
                key=f"show_{record.id}",
            )
        if len(others) > LISTED:
            st.page_link(FILES["runs"], label=f"All {len(others)} other runs")


ensure_app()
page()
