"""Classifying new pictures with a run's best model, one by one; a broken file stops nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import torch

from lymph import workspace
from lymph.data.read import FORMAT_SUFFIXES, Reading, Source, read_with_notes
from lymph.data.source import PictureSource
from lymph.errors import PictureError, RunError
from lymph.evaluation import Confidence, confidence_of
from lymph.explain.embedding import Embedding, nearest_pictures, run_features
from lymph.explain.tiles import TileView, view_own_tiles, view_tiles
from lymph.inference.answers import Answer, by_probability, refused
from lymph.inference.dropped import INSIDE
from lymph.inference.provenance import LearnedFrom, learned_from
from lymph.models.grid import shows_tissue
from lymph.models.hidden_features import digest, features_and_logits
from lymph.models.inputs import to_input
from lymph.models.networks import BackboneHead
from lymph.models.ood import OODDetector, colour_statistics, false_alarm_rate
from lymph.models.specs import ModelSpec
from lymph.models.tiles import encode_tiles, tiles_of_one
from lymph.models.view import cut_from, in_colours_of, pack, view
from lymph.parallel import Progress, map_in_threads
from lymph.runs import Run
from lymph.training import folder as files
from lymph.training.checkpoint import load_model
from lymph.training.loop import autocast

# A larger picture is shrunk while it is read: a tile view needs no more, and memory stays bounded.
READ_PIXELS = 16_000_000

# Below this side, in pixels, there is no tissue to be seen.
MIN_SIDE = 32

# Pictures that go through the model together, once the first few were answered.
BATCH = 8

NO_TISSUE = "None of its tiles shows tissue, so it was classified as a whole."

Opener = Callable[[], bytes]
Keep = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Classifier:
    """A run's best model with its classes, its confidence and what it knows of its own pictures.

    Attributes
    ----------
    confidence : Confidence
        The temperature that softens the probabilities, and whether they may be stated.
    embedding : Embedding
        The run's own pictures in feature space.
    source : PictureSource
        The run's pictures; tells the patient of a file where it can.
    learned_from : LearnedFrom
        What the model learned from, and how good it was.
    white : int
        The raw value that was white in the training pictures of 16-bit integers; 0 where there were
        none, or the run is older.
    largest : int
        The pixels of the largest training picture; 0 where the run is older.
    """

    model: BackboneHead
    classes: list[str]
    spec: ModelSpec
    bfloat16: bool
    ood: OODDetector
    confidence: Confidence
    embedding: Embedding
    source: PictureSource
    learned_from: LearnedFrom
    white: int = 0
    largest: int = 0

    @property
    def temperature(self) -> float:
        """Return what softens the probabilities, 1 or more."""
        return self.confidence.temperature

    def classify(self, pictures: list[np.ndarray]) -> np.ndarray:
        """Return class probabilities, float64, N x K, of RGB pictures, uint8, any size each."""
        if not pictures:
            return np.empty((0, len(self.classes)))
        return self.answer_small([self.pack(self.view(each)) for each in pictures])[1]

    def view(self, pixels: np.ndarray) -> np.ndarray:
        """Return an RGB picture, uint8 H x W x 3, as the model sees it."""
        return view(pixels, self.spec, self.largest)

    def pack(self, seen: np.ndarray) -> np.ndarray:
        """Return of a view what goes through the model: itself, or its tiles, n x h x w x 3."""
        return pack(seen, self.spec) if self.spec.tiles else seen

    def view_tiles(self, pixels: np.ndarray, progress: Progress | None = None) -> TileView:
        """Return what the model says of an RGB picture's tiles.

        Of a model that learned from tiles they are its own, and their mean is its answer; else they
        overlap by half, at the scale at which the model sees the whole.
        """
        if self.spec.tiles:
            return view_own_tiles(self.classify_tiles, self.view(pixels), self.spec.tiles, progress)
        return view_tiles(self.classify, cut_from(pixels, self.spec, self.largest), progress)

    @torch.no_grad()
    def classify_tiles(self, tiles: list[np.ndarray]) -> np.ndarray:
        """Return class probabilities, float64, N x K, of RGB tiles of one shape, not softened."""
        if not tiles:
            return np.empty((0, len(self.classes)))
        given = tiles_of_one(to_input(in_colours_of(self.spec, np.stack(tiles)), self.spec))
        with autocast(self.bfloat16):
            made = encode_tiles(self.model.backbone, given)
            logits = self.model.head(made.values)
        return torch.softmax(logits.double(), dim=1).numpy()

    @torch.no_grad()
    def answer_small(self, small: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return features, N x D, and probabilities, N x K, of pictures at working size.

        An encoder sees them one by one, since they differ in shape, and are large. So does whoever
        sees them in tiles.
        """
        if self.spec.tiles:
            given = [tiles_of_one(to_input(one, self.spec)) for one in small]
        elif self.spec.frozen:
            given = [to_input(one[None], self.spec) for one in small]
        else:
            given = [to_input(np.stack(small), self.spec)]
        with autocast(self.bfloat16):
            made = [features_and_logits(self.model, one) for one in given]
        features, logits = (torch.cat(parts) for parts in zip(*made, strict=True))
        scaled = logits.double() / self.temperature
        return features.float().numpy(), torch.softmax(scaled, dim=1).numpy()

    def nearest(self, pixels: np.ndarray, count: int = 5) -> Any:
        """Return the training pictures nearest to an RGB picture; see ``nearest_pictures``."""
        features, _ = self.answer_small([self.pack(self.view(pixels))])
        return nearest_pictures(self.embedding, features[0], count)


def load_classifier(run: Run) -> Classifier:
    """Load a run's best model.

    Raises
    ------
    RunError
        When the run has not finished, is a cross-validation, or its files are damaged.
    """
    if run.split().folds is not None:
        raise RunError(
            "A cross-validation trains one model per fold and keeps none as its own; classify with"
            " a run of one split."
        )
    model, config = load_model(run.path)
    try:
        document = workspace.read_json(run.path / files.OOD)
        precision = run.environment()["precision"]
        ood = OODDetector.from_json(document)
        white, largest = (int(document.get(name, 0)) for name in ("white", "largest"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if run.status().state == "finished":
            raise RunError(
                f"The run {run.id} lacks a file that classifying needs: an older version made it,"
                " or it was copied in part. Train it again."
            ) from error
        raise RunError(f"The run {run.id} is not finished; wait for it or resume it.") from error
    layout = torch.channels_last if precision["channels_last"] else torch.contiguous_format
    return Classifier(
        model.to(memory_format=layout),
        config.classes,
        config.spec,
        bool(precision["bfloat16"]),
        ood,
        confidence_of(run.predictions()),
        run_features(run),
        config.source,
        learned_from(run),
        white,
        largest,
    )


class View(NamedTuple):
    """What one classifier sees of a picture, its colours, what was done, and its content's name."""

    small: np.ndarray
    statistics: np.ndarray
    notes: list[str]
    content: str


class Prepared(NamedTuple):
    """A picture made small: all that is needed to answer, while its pixels are let go.

    ``views`` holds one for each classifier, ``kept`` what the caller wanted of the full pixels.
    """

    name: str
    views: list[View]
    kept: Any
    problem: str


class Answered(NamedTuple):
    """One answer a classifier for one file, and what was kept of its pixels."""

    answers: list[Answer]
    kept: Any


def read_for_answer(source: Source | Opener, white: int = 0) -> Reading:
    """Read a picture that is to be classified, scaled by a run's white where it is deep.

    Raises
    ------
    PictureError
        When it cannot be read, or is too small to show tissue.
    """
    reading = read_with_notes(source() if callable(source) else source, READ_PIXELS, white)
    height, width, _ = reading.pixels.shape
    if min(height, width) < MIN_SIDE:
        raise PictureError(
            f"The picture is only {width} x {height} pixels, too little to show tissue; use one of"
            f" at least {MIN_SIDE} pixels on each side."
        )
    return reading


def _prepare(
    classifiers: Sequence[Classifier], name: str, source: Source | Opener, keep: Keep | None
) -> Prepared:
    try:
        readings = _readings(classifiers, source)
    except PictureError as error:
        return Prepared(name, [], None, str(error))
    different = {id(reading): reading for reading in readings}
    statistics = {key: colour_statistics(each.pixels) for key, each in different.items()}
    named = _name_note(name, readings[0].format)
    views = [
        _view(c, reading, statistics[id(reading)], named)
        for c, reading in zip(classifiers, readings, strict=True)
    ]
    return Prepared(name, views, keep(readings[0].pixels) if keep else None, "")


def _view(
    classifier: Classifier, reading: Reading, statistics: np.ndarray, named: list[str]
) -> View:
    seen = classifier.view(reading.pixels)
    notes = [*named, *reading.notes, *_depth_note(reading, classifier.white)]
    if classifier.spec.tiles and not shows_tissue(seen, classifier.spec.tiles):
        notes.append(NO_TISSUE)
    small = classifier.pack(seen)
    return View(small, statistics, notes, digest(seen if classifier.spec.frozen else small))


def _readings(classifiers: Sequence[Classifier], source: Source | Opener) -> list[Reading]:
    """Read a picture as each classifier is to see it: only a deep one is read more than once."""
    whites = [classifier.white for classifier in classifiers]
    known = {whites[0]: read_for_answer(source, whites[0])}
    first = known[whites[0]]
    for white in whites:
        if white not in known:
            known[white] = read_for_answer(source, white) if first.top else first
    return [known[white] for white in whites]


def _depth_note(reading: Reading, white: int) -> list[str]:
    """Say by what a deep picture was scaled: what is white decides how dark a model sees it."""
    if not reading.top:
        return []
    if reading.white == white:
        return ["It was scaled like this run's training pictures."]
    if white:
        return [
            f"It holds values above {white:,}, which is white in this run's training pictures, so"
            " its brightness was judged from this picture alone."
        ]
    return [
        "Its brightness was judged from this picture alone: this run has no record of 16-bit"
        " training pictures."
    ]


def _name_note(name: str, form: str) -> list[str]:
    suffix = PurePosixPath(name).suffix.lower()
    others = {s for known, own in FORMAT_SUFFIXES.items() if known != form for s in own}
    return [f"It is named {suffix} but is a {form}."] if suffix in others else []


def _answers_of(
    classifier: Classifier, place: int, batch: list[Prepared], patients: list[str]
) -> list[Answer]:
    """Answer the sound pictures of a batch, of these patients, in one pass of the model."""
    sound = [prepared for prepared in batch if not prepared.problem]
    patient_of = {id(prepared): who for prepared, who in zip(batch, patients, strict=True)}
    answers = {}
    if sound:
        small = [prepared.views[place].small for prepared in sound]
        features, values = classifier.answer_small(small)
        for row, prepared in enumerate(sound):
            patient = patient_of[id(prepared)]
            answers[id(prepared)] = _answer(
                classifier,
                prepared.name,
                patient,
                prepared.views[place],
                features[row],
                values[row],
            )
    return [
        answers.get(id(prepared)) or refused(prepared.name, prepared.problem) for prepared in batch
    ]


def _answer(
    classifier: Classifier,
    name: str,
    patient: str,
    view: View,
    features: np.ndarray,
    values: np.ndarray,
) -> Answer:
    predicted, probabilities = by_probability(values, classifier.classes)
    reason = classifier.ood.reason(view.statistics, features)
    learned = classifier.learned_from
    return Answer(
        picture=name,
        predicted=predicted,
        probabilities=probabilities,
        familiar=not reason,
        problem="",
        reason=reason,
        notes=view.notes,
        patient=patient,
        seen=_seen(classifier, view.content, patient),
        learned_from=learned,
        confidence=probabilities[predicted] if classifier.confidence.stated else None,
        confidence_note=classifier.confidence.words,
        false_alarm_rate=false_alarm_rate(learned["patients"], learned["drawn"]),
    )


def _seen(classifier: Classifier, content: str, patient: str) -> str:
    """Say whether the run learned from this very picture, or from this patient."""
    table = classifier.embedding.table
    own = table[(table["digest"] == content) & table["set"].isin(["train", "val"])]
    if len(own):
        row = own.iloc[0]
        used = "learned from" if row["set"] == "train" else "was validated on"
        return (
            f"This run {used} this very picture ({row['picture']}), so the answer"
            " says nothing about new pictures."
        )
    if patient and patient in set(table.loc[table["set"] == "train", "patient"]):
        return (
            f"This run learned from other pictures of patient {patient}, so the answer says"
            " nothing about new patients."
        )
    return ""


def answer_files(
    classifiers: Sequence[Classifier],
    named: Iterable[tuple[str, Source | Opener]],
    keep: Keep | None = None,
) -> Iterator[Answered]:
    """Yield the answers of each file, in order, as they are ready.

    Files are read in threads while the model works; only pictures at working size wait, so memory
    does not grow with the number of files. The first is answered alone, then two, four and
    ``BATCH`` go through the model together: somebody who watches sees an answer at once.

    Parameters
    ----------
    classifiers : sequence of Classifier
        Each answers every file.
    named : iterable of (name, source)
        The name is only repeated in the answer, never used as a path; a source may be a function
        that returns the bytes.
    keep : callable, optional
        What to keep of the full pixels, uint8 H x W x 3; called in a thread.
    """
    ready: list[Prepared] = []
    together = 1
    items = list(named)
    names = [name.rsplit(INSIDE, 1)[-1] for name, _ in items]
    patients = [c.source.patients_of(names, c.embedding.table) for c in classifiers]
    prepared = map_in_threads(lambda item: _prepare(classifiers, *item, keep), items)
    for count, one in enumerate(prepared, start=1):
        ready.append(one)
        if len(ready) == together or count == len(items):
            own = slice(count - len(ready), count)
            columns = [
                _answers_of(c, place, ready, patients[place][own])
                for place, c in enumerate(classifiers)
            ]
            for row, held in enumerate(ready):
                yield Answered([column[row] for column in columns], held.kept)
            ready, together = [], min(2 * together, BATCH)


def classify_files(
    classifier: Classifier,
    named: Iterable[tuple[str, Source | Opener]],
    progress: Progress | None = None,
) -> Iterator[Answer]:
    """Yield one answer a file, in order; see :func:`answer_files`."""
    items = list(named)
    for done, answered in enumerate(answer_files([classifier], items), start=1):
        if progress:
            progress(done, len(items))
        yield answered.answers[0]
