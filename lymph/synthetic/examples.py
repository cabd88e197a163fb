"""Pictures to try the way with, computer drawn and named so."""

import io

from PIL import Image

from lymph.facts import CLASS_NAMES
from lymph.synthetic.camera import draw_picture
from lymph.synthetic.patients import BLOCKS, patients

# No demonstration set is drawn with this seed by default: the examples are nobody's training set.
SEED = 424_242


def synthetic_examples() -> list[tuple[str, str, bytes]]:
    """Draw one synthetic picture a class; return classes, names and PNG bytes."""
    everyone = patients(SEED).values()
    drawn = []
    for label in CLASS_NAMES:
        patient = next(patient for patient in everyone if patient.label == label)
        block = BLOCKS.get(patient.number, ("",))[0]
        file = io.BytesIO()
        Image.fromarray(draw_picture(patient, SEED, block, 1)).save(file, "PNG")
        drawn.append((label, f"synthetic example of {label}.png", file.getvalue()))
    return drawn
