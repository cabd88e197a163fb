"""The files of encoders: where they are kept, how they are read, and how one is fetched.

An encoder is a folder with ``config.json``, which describes it, and ``model.safetensors``, its
values, as timm and its hub write them. Those that lymph knows by name are kept in the workspace,
``encoders/NAME``; any other folder or file can be named. A file of safetensors holds numbers and
their names: it cannot execute anything, which a pickle can.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lymph import workspace
from lymph.errors import WeightsError
from lymph.models.architecture import Architecture, read_architecture
from lymph.models.encoder_table import ENCODER_TABLE, TRANSFORMERS, EncoderRecord
from lymph.models.transformers_names import PREPROCESSOR, as_timm_names
from lymph.parallel import Progress

if TYPE_CHECKING:
    from torch import Tensor

CONFIG, VALUES = "config.json", "model.safetensors"
PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
CHUNK = 1 << 20
WAIT_SECONDS = 30

MISSING = (
    "This encoder needs the packages timm and safetensors: install them with"
    " `pip install -r requirements-encoders.txt` (or `pip install 'lymph[encoders]'`)."
)
CONVERT = "python -m lymph encoders --convert"


def encoders_home() -> Path:
    """Return the folder that holds one folder for each encoder known by name."""
    return workspace.home() / "encoders"


def folder_of(name: str) -> Path:
    """Return the folder of an encoder that lymph knows by name."""
    return encoders_home() / name


def is_here(name: str) -> bool:
    """Tell whether the files of an encoder that lymph knows by name are in the workspace."""
    record = ENCODER_TABLE.get(name)
    files = files_of(record) if record else (CONFIG, VALUES)
    return all((folder_of(name) / file).is_file() for file in files)


def where(asked: str) -> tuple[Path, Mapping[str, object]]:
    """Return the file of values of an encoder, and what its page says beyond its description.

    Parameters
    ----------
    asked : str
        A name of the table, a folder with ``model.safetensors``, or such a file.

    Raises
    ------
    WeightsError
        When it is not there; the sentence says how it is had.
    """
    if record := ENCODER_TABLE.get(asked):
        if not is_here(asked):
            raise WeightsError(missing_words(record))
        return folder_of(asked) / VALUES, record.arguments
    path = Path(asked).expanduser()
    if path.is_dir():
        path /= VALUES
    if not path.is_file():
        names = ", ".join(ENCODER_TABLE)
        raise WeightsError(
            f"There is no encoder {asked}: it is neither one of {names} nor a folder with"
            f" {VALUES} nor such a file."
        )
    return path.resolve(), {}


def describe(asked: str) -> tuple[Path, Architecture]:
    """Return the file of values and the architecture of an encoder; see :func:`where`.

    Raises
    ------
    WeightsError
        When the file or its description is not there or cannot serve, or timm is not installed.
    """
    path, extra = where(asked)
    if find_spec("timm") is None:
        raise WeightsError(MISSING)
    refuse_pickle(path)
    return path, read_architecture(path.with_name(CONFIG), extra)


def files_of(record: EncoderRecord) -> tuple[str, ...]:
    """Return the names of an encoder's files, the values last."""
    return (CONFIG, PREPROCESSOR, VALUES) if record.format == TRANSFORMERS else (CONFIG, VALUES)


def missing_words(record: EncoderRecord) -> str:
    """Say that an encoder is not here, and how it is had."""
    files = " and ".join(files_of(record))
    by_hand = f"save {files} from {record.page} in {folder_of(record.name)}"
    if record.fetchable:
        how = (
            f"fetch it with `python -m lymph encoders --fetch {record.name}`"
            f" ({record.megabytes:,} MB), or {by_hand}"
        )
    elif record.format.startswith("a pickle"):
        how = (
            f"save {CONFIG} and the file of weights from {record.page} in"
            f" {folder_of(record.name)} and convert the weights there with `{CONVERT} FILE`"
        )
    else:
        how = f"its makers hand it out on request: {by_hand}"
    return f"{record.title} is not on this computer; {how}. Its terms: {record.terms}."


def refuse_pickle(path: Path) -> None:
    """Refuse a file that PyTorch pickled: a pickle can execute what a stranger wrote.

    Raises
    ------
    WeightsError
        When it is one; the sentence says how it becomes a file of safetensors.
    """
    try:
        with path.open("rb") as opened:
            start = opened.read(4)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}).") from error
    if start.startswith(PICKLES):
        raise WeightsError(
            f"{path.name} is a pickle, a kind of file that can execute a stranger's code, so"
            f" encoders are taken as safetensors. `{CONVERT} {path}` writes its numbers, and only"
            " those, to such a file. torchvision's ResNet-50 is given with --weights FILE."
        )


def convert(path: Path) -> Path:
    """Write the numbers of a file that PyTorch pickled to ``model.safetensors`` beside it.

    It is read as ``torch.load(weights_only=True)`` reads: what could execute anything is refused.

    Raises
    ------
    WeightsError
        When it is missing, or holds anything but named tensors.
    """
    import torch

    try:
        from safetensors.torch import save_file
    except ImportError as error:
        raise WeightsError(MISSING) from error
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        content = content.get("state_dict", content.get("model", content))
        tensors = {n: v.clone().contiguous() for n, v in content.items() if torch.is_tensor(v)}
    except FileNotFoundError as error:
        raise WeightsError(f"There is no file {path}; check the path.") from error
    except Exception as error:  # torch raises pickle, zip, runtime and value errors alike.
        raise WeightsError(f"{path.name} is cut, or holds more than named tensors.") from error
    if not tensors:
        raise WeightsError(f"{path.name} holds no named tensors; there is nothing to convert.")
    target = path.with_name(VALUES)
    workspace.write_atomically(target, lambda temporary: save_file(tensors, temporary))
    return target


def read_safetensors(path: Path) -> "dict[str, Tensor]":
    """Read a file of named tensors.

    Raises
    ------
    WeightsError
        When it is missing, cut, or no file of safetensors, or the package is not installed.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError as error:
        raise WeightsError(MISSING) from error
    refuse_pickle(path)
    try:
        # Read and not mapped: a mapped file that somebody replaces kills the process (SIGBUS).
        return load(path.read_bytes())
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path} is cut or no file of safetensors ({str(error)[:80]}); copy or fetch it again."
        ) from error


def fill(network: Any, path: Path) -> int:
    """Give a network of timm its values, all of them; return how many numbers they are.

    Raises
    ------
    WeightsError
        When the file cannot be read, or holds another network's values.
    """
    values = read_safetensors(path)
    own = network.state_dict()
    values = {name.removeprefix("module."): value for name, value in values.items()}
    if "embeddings.cls_token" in values:
        values = as_timm_names(values)
    if "pos_embed" in own:
        from timm.models.vision_transformer import checkpoint_filter_fn

        try:
            # It fits the places' values to the size of the tiles.
            values = checkpoint_filter_fn(values, network)
        except Exception as error:  # an unforeseen file fails in unforeseen ways
            raise WeightsError(_other(path, str(error)[:80])) from error
    fitting = {n: v for n, v in values.items() if n in own and v.shape == own[n].shape}
    lost = sorted(set(own) - set(fitting))
    if lost:
        raise WeightsError(_other(path, f"{len(lost)} of its {len(own)} tensors, as {lost[0]}"))
    network.load_state_dict(fitting)
    return sum(parameter.numel() for parameter in network.parameters())


def _other(path: Path, what: str) -> str:
    return (
        f"{path} does not hold the weights of the encoder that {CONFIG} beside it describes (no"
        f" fitting {what}); take both from the same place."
    )


# ---- fetching ----------------------------------------------------------------------------------


def fetch(record: EncoderRecord, progress: Progress | None = None) -> Path:
    """Fetch an encoder's two files into the workspace; nothing else is ever fetched.

    Parameters
    ----------
    record : EncoderRecord
        One that can be fetched.
    progress : callable, optional
        Called with the bytes fetched and the bytes to fetch of the values.

    Returns
    -------
    Path
        The folder that holds them.

    Raises
    ------
    WeightsError
        When it is not for everybody, or there is no way to it; the sentence names the other way.
    DiskError
        When the disk has no room.
    """
    # Loaded late: only who fetches needs the network.
    from urllib.error import URLError

    if not record.fetchable:
        raise WeightsError(missing_words(record))
    home = folder_of(record.name)
    with workspace.writing(home):
        home.mkdir(parents=True, exist_ok=True)
    try:
        for file in files_of(record):
            address = f"{record.page}/resolve/main/{file}"
            _download(address, home / file, progress if file == VALUES else None)
        read_architecture(home / CONFIG, record.arguments)
    except (URLError, TimeoutError, ConnectionError) as error:
        raise WeightsError(
            f"{record.title} could not be fetched ({getattr(error, 'reason', error)}). On a"
            f" computer with internet save {' and '.join(files_of(record))} from {record.page}, and"
            f" copy them to {home}."
        ) from error
    return home


def _download(address: str, target: Path, progress: Progress | None) -> None:
    """Fetch one file; it appears under its name only when it is whole."""
    from urllib.request import Request, urlopen

    request = Request(address, headers={"User-Agent": "lymph"})
    with urlopen(request, timeout=WAIT_SECONDS) as answer:
        total = int(answer.headers.get("Content-Length") or 0)
        workspace.need_room(target.parent, total)

        def write(temporary: Path) -> None:
            done = 0
            with temporary.open("wb") as opened:
                while part := answer.read(CHUNK):
                    opened.write(part)
                    done += len(part)
                    if progress:
                        progress(done, total or done)
            if total and done < total:
                raise ConnectionError("the connection broke off")

        workspace.write_atomically(target, write)
