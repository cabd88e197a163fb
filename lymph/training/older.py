"""What earlier versions called the phases of a run, so that what they left behind still opens."""

from collections.abc import Mapping
from typing import Any

FINETUNE, LINEAR_PROBE = "finetune", "linear_probe"
OLDER_PHASES = {"whole": FINETUNE, "head": LINEAR_PROBE}
THEN = "_then_"


def phase_name(name: str) -> str:
    """Return what a phase or a schedule is called, whatever version wrote it.

    ``head`` is ``linear_probe``, ``head-then-whole`` is ``linear_probe_then_finetune``; what is
    unknown comes back as it was.
    """
    parts = name.replace("-", "_").split(THEN)
    known = [OLDER_PHASES.get(part, part) for part in parts]
    return THEN.join(known) if set(known) <= {FINETUNE, LINEAR_PROBE} else name


def with_phase_names(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration's document with its schedule and phases as they are called now."""
    named = dict(document)
    if isinstance(schedule := named.get("schedule"), str):
        named["schedule"] = phase_name(schedule)
    if isinstance(phases := named.get("phases"), list):
        named["phases"] = [
            own_phase(phase) if isinstance(phase, str) else phase for phase in phases
        ]
    return named


def own_phase(text: str) -> str:
    """Return ``head:3`` as ``linear_probe:3``; what is unknown comes back as it was."""
    name, colon, epochs = text.partition(":")
    return f"{phase_name(name)}{colon}{epochs}"
