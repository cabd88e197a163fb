"""Where an answer comes from stands with it: what the model learned from, and how good it was."""

from pathlib import Path

from lymph.data.source import PictureSource
from lymph.facts import MARKER
from lymph.inference import classify_files, load_classifier, patient_answers
from lymph.inference.provenance import provenance_words
from lymph.models.ood import false_alarm_rate
from lymph.runs import Run, create_run, train_here
from lymph.splits import split_by_patient, split_by_picture
from lymph.training.config import TrainConfig


def train(root: Path, by_picture: bool = False) -> Run:
    """Train one epoch on the pictures of a folder."""
    table = PictureSource(root).usable()
    split = split_by_picture(table) if by_picture else split_by_patient(table)
    run = create_run(TrainConfig(root, epochs=1), split)
    train_here(run)
    return run


def test_an_answer_says_what_its_model_learned_from(tiny_root: Path) -> None:
    """Images, patients, split, and the test figure with its interval."""
    run = train(tiny_root)
    sets = run.split().sets
    (answer,) = classify_files(load_classifier(run), [("a", tiny_root / "CLL/sj-99-11_001.png")])
    learned = answer["learned_from"]
    assert learned is not None and not learned["drawn"] and not learned["leaks"]
    assert learned["patients"] == len(sets["train"])
    assert learned["images"] == 3 * len(sets["train"])
    assert (learned["split"], learned["test_patients"]) == ("patient", len(sets["test"]))
    assert "validation pictures of 3 patients" in answer["confidence_note"]
    top = answer["probabilities"][answer["predicted"]]
    assert answer["confidence"] in (None, top)
    assert answer["false_alarm_rate"] == false_alarm_rate(learned["patients"])
    words = provenance_words(learned)
    assert f"of the pictures from {learned['test_patients']} test patients correctly" in words
    assert f"Learned from {learned['images']} pictures of {learned['patients']} patients" in words
    assert f"{len(sets['test'])} test patients" in words and "95 % interval" in words


def test_a_leak_makes_the_figure_too_optimistic(tiny_root: Path) -> None:
    """The sentence says it where the figure stands."""
    words = provenance_words(load_classifier(train(tiny_root, by_picture=True)).learned_from)
    assert "split by picture" in words and "too optimistic" in words


def test_a_model_of_drawings_gives_no_patient_answer(tiny_root: Path) -> None:
    """Regression: the CNN of the drawn set grouped real slides by patient and named a lymphoma."""
    (tiny_root / MARKER).write_text("drawn by a computer")
    classifier = load_classifier(train(tiny_root))
    assert classifier.learned_from["drawn"]
    (tiny_root / MARKER).unlink()
    named = [(p, tiny_root / p) for p in ("FL/sj-99-21_001.png", "FL/sj-99-21_002.png")]
    answers = list(classify_files(classifier, named))
    assert [answer["patient"] for answer in answers] == ["99-21", "99-21"]
    assert patient_answers(answers, classifier.classes) == []
    assert "computer-drawn pictures" in provenance_words(classifier.learned_from)


def test_the_mark_is_kept_with_the_run(tiny_root: Path) -> None:
    """What the pictures were is told by the run, whatever becomes of their folder."""
    (tiny_root / MARKER).write_text("drawn by a computer")
    run = train(tiny_root)
    (tiny_root / MARKER).unlink()
    assert load_classifier(run).learned_from["drawn"]
