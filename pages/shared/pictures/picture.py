"""A picture with a layer over it, whose strength follows the hand without asking the server."""

import base64
import io

import numpy as np
import streamlit as st
from PIL import Image

from pages.shared import loading
from pages.shared.beside import text_beside

STRENGTH = 60
MARKUP = f"""
<div id="picture">
  <label hidden>Strength of the overlay
    <input type="range" min="0" max="100" step="5" value="{STRENGTH:d}"><output></output></label>
  <figure><img class="ground" alt=""><img class="layer" alt="" hidden></figure>
</div>
"""

_mount = st.components.v2.component(
    "lymph.picture",
    html=MARKUP,
    css=text_beside(__file__, "picture.css"),
    js=text_beside(__file__, "picture.js"),
)


def show_layered(pixels: np.ndarray, layer: np.ndarray | None, alt: str, key: str) -> float:
    """Draw a picture with an RGBA layer over it, and return the layer's strength, 0 to 1.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3) or (H, W)
    layer : ndarray of uint8, shape (h, w, 4), optional
        Stretched over the picture by the browser.
    alt : str
        What picture and layer show, in words.
    key : str
    """
    data = {
        "picture": loading.exact_address(pixels),
        "layer": "" if layer is None else _png_address(layer),
        "alt": alt,
        "ratio": pixels.shape[1] / pixels.shape[0],
    }
    shown = _mount(
        data=data, key=key, default={"opacity": STRENGTH}, on_opacity_change=lambda: None
    )
    return float(shown.opacity) / 100


def _png_address(layer: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(layer).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
