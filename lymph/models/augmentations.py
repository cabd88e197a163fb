"""The ways in which training varies its pictures: their names and what is said of them."""

AUGMENTATIONS: dict[str, str] = {
    "flips": "Flips, left to right and top to bottom",
    "quarter-turns": "Quarter turns",
    "rotation": "Rotation by up to 15°, corners filled by reflection, on half of the pictures",
    "crop": "Crop to a random part, at least 80 % of each side, on half of the pictures",
    "stain": "Stain: more or less haematoxylin, eosin and DAB (brown), by up to 20 %",
}
