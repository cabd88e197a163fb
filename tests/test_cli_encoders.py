"""`lymph encoders`: what is here and what is missing, and a picture through each."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lymph.cli import main
from lymph.models.encoder_table import ENCODER_TABLE

pytest.importorskip("timm")


def test_each_is_listed_with_its_terms_and_the_way_to_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is here; nothing is fetched, and nothing fails."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert main(["encoders", "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert list(found) == list(ENCODER_TABLE)
    assert not any(each["here"] or each["works"] for each in found.values())
    assert "98 MB" in found.pop("resnet50")["problem"]
    assert all(each["page"] in each["problem"] for each in found.values())
    assert main(["encoders", "phikon"]) == 0
    told = capsys.readouterr().out
    assert "phikon: not here" in told and "no commercial use" in told


def test_ones_own_is_tried_and_measured_on_a_folder(
    make_tiny: Callable[..., Path], tiny_encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two patients per class; the index stands beside what neighbours would score."""
    root = make_tiny(pictures=2)
    for file in [*root.rglob("*3_00*.png"), *root.rglob("*4_00*.png")]:
        file.unlink()
    assert main(["encoders", str(tiny_encoder), "--data", str(root), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    told = found["robustness"]
    assert (told["pictures"], told["patients"]) == (12, 6)
    parts = told["same_patient"], told["same_class"], told["other_class"]
    assert sum(parts) == pytest.approx(1)
    assert found["features"] == 16
    assert main(["encoders", str(tiny_encoder), "--data", str(root)]) == 0
    assert "Robustness index" in capsys.readouterr().out


def test_one_patient_per_class_and_one_picture_each_have_no_index(
    make_tiny: Callable[..., Path], tiny_encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has a second picture that could be the neighbour."""
    root = make_tiny(pictures=1)
    assert main(["encoders", str(tiny_encoder), "--data", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["robustness"] is None


def test_a_damaged_one_is_said_and_the_others_go_on(
    tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cut file, and a folder that is none."""
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "config.json").write_text((tiny_encoder / "config.json").read_text())
    (cut / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    assert main(["encoders", str(cut), str(tmp_path / "no"), str(tiny_encoder), "--json"]) == 0
    first, second, third = json.loads(capsys.readouterr().out)
    assert first["here"] and "cut or no file of safetensors" in first["problem"]
    assert not second["here"] and "neither" in second["problem"]
    assert third["works"]


def test_a_users_mistakes_end_in_one_line(
    tmp_path: Path, tiny_encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that cannot be fetched, a file that is not there, an encoder for another model."""
    assert main(["encoders", "--fetch", "uni"]) == 2
    assert main(["encoders", "--convert", str(tmp_path / "no.bin")]) == 2
    train = ["train", str(tmp_path), "--split", "x.json", "--model", "cnn"]
    assert main([*train, "--encoder", str(tiny_encoder)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3 and all(line.startswith("lymph: ") for line in told)
