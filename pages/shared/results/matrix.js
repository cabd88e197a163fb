// The whole cell answers, its rounded corners too, so the click is taken from the table cell. The
// pressed look comes at once; the pictures follow from the server. The focus stays for the keyboard.
export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector("#matrix");
  const cells = () => [...place.querySelectorAll("td.cell")];
  const focused = cells().findIndex((cell) => cell.contains(parentElement.activeElement));
  if (place.dataset.html !== data.html) {
    place.dataset.html = data.html;
    place.innerHTML = data.html;
    if (focused >= 0) cells()[focused]?.querySelector("button").focus({ preventScroll: true });
  }
  place.onclick = (event) => {
    const cell = event.target.closest("td.cell");
    if (!cell) return;
    const button = cell.querySelector("button");
    const pressed = button.getAttribute("aria-pressed") === "true";
    cells().forEach((c) => c.querySelector("button").setAttribute("aria-pressed", "false"));
    button.setAttribute("aria-pressed", String(!pressed));
    place.dataset.html = "";
    setTriggerValue("clicked", [cell.dataset.true, cell.dataset.predicted]);
  };
  return () => { place.onclick = null; };
}
