// A click on a small picture opens it, anywhere else in the row it chooses the patient. The HTML is
// set only when it changes: a new choice marks the row that is there.
export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector("#row");
  if (place.shown !== data.html) {
    place.shown = data.html;
    place.innerHTML = data.html;
  }
  place.querySelector(".who").setAttribute("aria-pressed", String(data.pressed));
  const chosen = data.chosen && new Set(data.chosen);
  place.querySelectorAll(".thumb").forEach((thumb, i) => {
    thumb.classList.toggle("in", Boolean(chosen) && chosen.has(i));
    thumb.classList.toggle("out", Boolean(chosen) && !chosen.has(i));
  });
  place.onclick = (event) => {
    const thumb = event.target.closest(".thumb");
    if (thumb) setTriggerValue("opened", Number(thumb.dataset.place));
    else setTriggerValue("clicked", true);
  };
  return () => { place.onclick = null; };
}
