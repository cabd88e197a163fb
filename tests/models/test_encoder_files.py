"""Files of encoders: sound ones, cut ones, strangers' and pickles; and one that is fetched."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch

from lymph.errors import WeightsError
from lymph.models import encoder_table
from lymph.models.architecture import read_architecture
from lymph.models.encoder_files import (
    VALUES,
    convert,
    describe,
    fetch,
    fill,
    folder_of,
    is_here,
    read_safetensors,
)
from lymph.models.encoder_table import DEFAULT, ENCODER_TABLE, PICKLE
from lymph.models.networks import build_model
from lymph.models.tile_encoder import network_of
from lymph.models.weights import load_encoder
from tests.models.test_weights import Evil

timm = pytest.importorskip("timm")


@pytest.fixture
def copied(tiny_encoder: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny encoder's folder, to be damaged."""
    return shutil.copytree(tiny_encoder, tmp_path / "copied")


def test_every_value_is_taken(tiny_encoder: Path) -> None:
    """What is loaded is what timm saved, and its numbers are counted."""
    network = network_of(read_architecture(tiny_encoder / "config.json"))
    count = fill(network, tiny_encoder / VALUES)
    saved = read_safetensors(tiny_encoder / VALUES)
    assert count == sum(value.numel() for value in saved.values())
    assert all(torch.equal(network.state_dict()[name], saved[name]) for name in saved)


def test_a_classifiers_head_is_left_and_places_are_fitted_to_the_tiles(tmp_path: Path) -> None:
    """DINOv2 has values for 37 x 37 places of 518 pixels; tiles of 224 have 16 x 16."""
    small = {"depth": 1, "embed_dim": 16, "num_heads": 2}
    network = timm.create_model("vit_small_patch14_dinov2", num_classes=5, **small)
    timm.models.save_for_hf(network, tmp_path, safe_serialization=True, model_args=small)
    own = network_of(read_architecture(tmp_path / "config.json"))
    fill(own, tmp_path / VALUES)
    assert own.pos_embed.shape == (1, 1 + 16 * 16, 16)
    assert torch.equal(own.cls_token, network.cls_token)


@pytest.mark.parametrize("keep", [0, 4, 1000, -1])
def test_a_cut_file_is_named(copied: Path, keep: int) -> None:
    """Cut in its first bytes, in its table of names, and at its very end."""
    whole = (copied / VALUES).read_bytes()
    (copied / VALUES).write_bytes(whole[:keep])
    network = network_of(read_architecture(copied / "config.json"))
    with pytest.raises(WeightsError, match="cut or no file of safetensors"):
        fill(network, copied / VALUES)


def test_another_networks_values_are_refused(copied: Path, encoder_file: Path) -> None:
    """The same names in another width, and ResNet-50's."""
    wider = timm.create_model(
        "vit_tiny_patch16_224", img_size=32, depth=2, embed_dim=32, num_heads=2
    )
    from safetensors.torch import save_file

    network = network_of(read_architecture(copied / "config.json"))
    save_file(wider.state_dict(), copied / VALUES)
    with pytest.raises(WeightsError, match="does not hold the weights"):
        fill(network, copied / VALUES)
    save_file(torch.load(encoder_file, weights_only=True), copied / VALUES)
    with pytest.raises(WeightsError, match="does not hold the weights"):
        fill(network, copied / VALUES)


def test_a_pickle_is_refused_whatever_its_name_and_can_be_converted(copied: Path) -> None:
    """Its numbers are taken over and nothing else; the sentence names the command."""
    values = read_safetensors(copied / VALUES)
    torch.save(values, copied / VALUES)
    with pytest.raises(WeightsError, match="encoders --convert"):
        describe(str(copied))
    (copied / VALUES).rename(copied / "pytorch_model.bin")
    assert convert(copied / "pytorch_model.bin") == copied / VALUES
    again = read_safetensors(describe(str(copied))[0])
    assert all(torch.equal(again[name], values[name]) for name in values)


def test_converting_executes_nothing(tmp_path: Path) -> None:
    """The very reason why pickles are refused."""
    torch.save({"evil": Evil(tmp_path / "pwned")}, tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="more than named tensors"):
        convert(tmp_path / "pytorch_model.bin")
    assert not (tmp_path / "pwned").exists()


def test_resnet50_comes_as_safetensors_too(encoder_file: Path, tmp_path: Path) -> None:
    """torchvision's names in a file of timm's hub."""
    from safetensors.torch import save_file

    values = torch.load(encoder_file, weights_only=True)
    save_file(values, tmp_path / "model.safetensors")
    model = build_model("linear-probe", 3)
    assert load_encoder(model, str(tmp_path / "model.safetensors")).missing == []
    assert torch.equal(model.backbone.conv1.weight, values["conv1.weight"])


def test_what_is_not_there_is_said_with_the_way_to_it(workspace: Path, tmp_path: Path) -> None:
    """One that can be fetched, one that is asked for, one that must be converted, and none."""
    for name, told in (
        ("dinov2-small", r"--fetch dinov2-small.*88 MB"),
        ("virchow2", "on request.*no commercial use"),
        ("h-optimus-0", "--convert"),
        ("no-such", "neither one of resnet50"),
        (str(tmp_path), "neither"),
    ):
        with pytest.raises(WeightsError, match=told):
            describe(name)


def test_without_timm_it_is_said_before_a_run_is_made(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base installation has no timm; the run would only fail after it had waited its turn."""
    monkeypatch.setattr("lymph.models.encoder_files.find_spec", lambda _: None)
    with pytest.raises(WeightsError, match=r"requirements-encoders\.txt"):
        describe(str(tiny_encoder))


def test_the_table_says_what_people_need_to_know() -> None:
    """Each has its terms and where they stand; who is asked for access is never fetched."""
    for record in ENCODER_TABLE.values():
        assert record.learned_from and record.licence and record.sources
        assert all(source.startswith("https://") for source in record.sources)
        assert record.non_commercial or "NC" not in record.licence
        if record.fetchable:
            assert record.megabytes and not record.gated and record.format != PICKLE
    assert not ENCODER_TABLE[DEFAULT].fetchable


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that logs nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Broken(Quiet):
    """A server whose connection breaks off in the values."""

    def copyfile(self, source: object, outputfile: object) -> None:
        """Send half of what was promised."""
        content = source.read()
        outputfile.write(content if len(content) < 5_000 else content[: len(content) // 2])


@contextmanager
def serving(folder: Path, handler: type[Quiet] = Quiet) -> Iterator[str]:
    """Serve a folder on this machine, as the hub does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def hub(tiny_encoder: Path, tmp_path: Path) -> Path:
    """Return a folder that looks as the hub does from outside."""
    shutil.copytree(tiny_encoder, tmp_path / "hub/someone/tiny/resolve/main")
    return tmp_path / "hub"


def test_an_encoder_is_fetched_whole_or_not_at_all(
    hub: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a real server; a broken connection leaves nothing that looks like an encoder."""
    record = replace(ENCODER_TABLE["dinov2-small"], name="tiny", repository="someone/tiny")
    with serving(hub, Broken) as address:
        monkeypatch.setattr(encoder_table, "HUB", address)
        with pytest.raises(WeightsError, match="could not be fetched"):
            fetch(record)
    assert not is_here("tiny")
    told: list[tuple[int, int]] = []
    with serving(hub) as address:
        monkeypatch.setattr(encoder_table, "HUB", address)
        fetch(record, lambda done, total: told.append((done, total)))
        with pytest.raises(WeightsError, match="could not be fetched"):
            fetch(replace(record, name="gone", repository="someone/gone"))
    assert is_here("tiny")
    size = (folder_of("tiny") / VALUES).stat().st_size
    assert told[-1] == (size, size)


def test_without_network_the_way_by_hand_is_told(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there."""
    monkeypatch.setattr(encoder_table, "HUB", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"computer with internet save config\.json"):
        fetch(ENCODER_TABLE["phikon"])


def test_what_is_not_for_everybody_is_not_fetched(workspace: Path) -> None:
    """Its makers want to know who asks."""
    with pytest.raises(WeightsError, match="on request"):
        fetch(ENCODER_TABLE["virchow2"])
    assert not folder_of("virchow2").exists()


def test_a_name_finds_its_folder_in_the_workspace(tiny_encoder: Path, workspace: Path) -> None:
    """Put there by hand, with what its page tells to build it with."""
    shutil.copytree(tiny_encoder, folder_of("phikon"))
    path, architecture = describe("phikon")
    assert path == folder_of("phikon") / VALUES
    assert architecture.arguments["embed_dim"] == 16
    config = json.loads((folder_of("phikon") / "config.json").read_text())
    assert config["architecture"] == architecture.name
    shutil.rmtree(folder_of("phikon"))
