"""A place to paste a picture into: what the clipboard holds comes to the app as bytes."""

import base64
import binascii
from collections.abc import Callable

import streamlit as st

HTML = """
<div class="paste" tabindex="0" role="button" aria-label="Paste a picture from the clipboard">
  <span>Click here, then press Ctrl+V (⌘V) to paste a picture</span>
  <button type="button">Paste</button>
</div>
"""

CSS = """
.paste {display:flex; gap:1rem; align-items:center; justify-content:space-between; flex-wrap:wrap;
  padding:1rem 1.2rem; border-radius:var(--st-base-radius);
  border:1px dashed var(--st-border-color);
  background:var(--st-secondary-background-color); color:var(--st-text-color);
  font-family:var(--st-font);}
.paste:focus-visible {outline:2px solid var(--st-primary-color);}
.paste button {font:inherit; padding:.35rem .9rem; border-radius:var(--st-button-radius);
  border:1px solid var(--st-border-color); background:var(--st-background-color); color:inherit;
  cursor:pointer;}
"""

JS = """
export default function(component) {
  const { parentElement, setTriggerValue } = component;
  const area = parentElement.querySelector('.paste');
  const button = parentElement.querySelector('button');
  const words = parentElement.querySelector('span');
  const send = (blob) => {
    const reader = new FileReader();
    reader.onload = () => setTriggerValue('picture', reader.result);
    reader.readAsDataURL(blob);
  };
  area.onpaste = (event) => {
    event.preventDefault();
    const file = [...event.clipboardData.files][0];
    if (file) send(file);
    else words.textContent = 'The clipboard holds no picture; copy one and paste again';
  };
  button.hidden = !(navigator.clipboard && navigator.clipboard.read);
  button.onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((name) => name.startsWith('image/'));
        if (type) return send(await item.getType(type));
      }
      words.textContent = 'The clipboard holds no picture; copy one and paste again';
    } catch {
      words.textContent = 'The browser keeps the clipboard closed; press Ctrl+V here';
      area.focus();
    }
  };
}
"""


def paste_area(keep: Callable[[bytes], None], key: str) -> None:
    """Draw the place; ``keep`` is given the bytes of each picture that is pasted."""
    component = st.components.v2.component("lymph_paste", html=HTML, css=CSS, js=JS)
    result = component(key=key, on_picture_change=lambda: None)
    content = decode_address(getattr(result, "picture", None))
    if content is not None:
        keep(content)


def decode_address(address: str | None) -> bytes | None:
    """Return the bytes of a ``data:`` address; None when it is none."""
    if not address or not address.startswith("data:") or ";base64," not in address:
        return None
    try:
        return base64.b64decode(address.split(";base64,", 1)[1], validate=True)
    except (binascii.Error, ValueError):
        return None
