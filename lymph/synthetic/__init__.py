"""The demonstration set: H&E-like pictures of CLL, FL and MCL, drawn by the computer.

No pixel here comes from a real slide. Every picture is built as tissue is seen: a layout of
follicles, strands and vessels, cell nuclei scattered on it, the optical densities of
haematoxylin, eosin and blood composed by the Beer-Lambert law, and a camera with its own lamp
and focus. The counts and the splitting into patients are those of the true set.
"""

from lymph.synthetic.coming import begun_file, is_coming, last_drawn, pictures_drawn, place_of
from lymph.synthetic.write import (
    DRAWING,
    clear_leftovers,
    drawing_of,
    make_demo,
    number_of_pictures,
)

__all__ = [
    "DRAWING",
    "begun_file",
    "clear_leftovers",
    "drawing_of",
    "is_coming",
    "last_drawn",
    "make_demo",
    "number_of_pictures",
    "pictures_drawn",
    "place_of",
]
