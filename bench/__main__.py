"""``python -m bench``: measure every claim about speed and write what was seen.

The table goes to the screen and to ``bench/results.md``, every single measurement to
``bench/results.json``.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from bench import measure, running
from bench.measure import Row
from lymph import workspace
from lymph.synthetic import make_demo

HERE = Path(__file__).parent
REAL = HERE.parents[1] / "shared" / "data" / "lymphoma"


def rows_of(options: argparse.Namespace, root: Path) -> dict[str, Callable[[], list[Row]]]:
    """Return the rows by the name under which they can be chosen."""
    return {
        "reading": lambda: measure.reading(root, options.repeats),
        "cnn": lambda: measure.small_cnn(root, options.repeats),
        "resnet": lambda: measure.resnet(root, options.repeats, options.pictures),
        "page": lambda: running.open_page(root, options.repeats),
        "lag": lambda: running.lag(root, options.repeats),
        "memory": lambda: running.memory(options.repeats),
    }


def processor() -> str:
    """Name the processor, with its units for bfloat16 matrix products where it has such."""
    told = torch.cpu.get_capabilities()
    units = [name for name in ("amx_bf16", "avx512_bf16") if told.get(name)]
    return " ".join([told.get("cpu_name") or platform.machine(), *units])


def machine() -> dict[str, object]:
    """Describe the machine; the load tells whether it had anything else to do."""
    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "load at start": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def table(rows: list[dict]) -> str:
    """Write rows as a Markdown table: the median of the repeats, and their smallest and largest."""
    lines = ["| what | must reach | seen | smallest to largest |", "|---|---|---|---|"]
    for row in rows:
        low, high, middle = (f"{value:.2g}" for value in (row["low"], row["high"], row["median"]))
        seen = f"{middle} {row['unit']}"
        lines.append(f"| {row['what']} | {row['target']} | {seen} | {low} to {high} |")
    return "\n".join(lines)


def as_document(row: Row) -> dict:
    """Return plain types of a row."""
    spread = {"median": row.middle, "low": min(row.values), "high": max(row.values)}
    return {**vars(row), **spread}


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--data", type=Path, help="pictures; the real set or the demonstration set")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=0, help="of ResNet-50's training; 0: all")
    parser.add_argument(
        "--only", nargs="+", default=["reading", "cnn", "resnet", "page", "lag", "memory"]
    )
    parser.add_argument("--out", type=Path, default=HERE)
    return parser.parse_args()


def main() -> None:
    """Measure, print, write."""
    options = parse()
    out = options.out.resolve()
    with tempfile.TemporaryDirectory() as home:
        os.environ["LYMPH_HOME"] = home
        root = options.data or (
            REAL if REAL.is_dir() else make_demo(workspace.data_home() / "demo")
        )
        described = {**machine(), "pictures": root.name, "repeats": options.repeats}
        rows = []
        choices = rows_of(options, root.resolve())
        for name in options.only:
            print(f"Measuring {name}", flush=True)
            rows += [as_document(row) for row in choices[name]()]
    text = table(rows)
    print(text)
    about = ", ".join(f"{name} {value}" for name, value in described.items())
    workspace.write_text(out / "results.md", f"{text}\n\nMeasured with `make bench`: {about}.\n")
    workspace.write_json(out / "results.json", {"machine": described, "rows": rows})


if __name__ == "__main__":
    main()
