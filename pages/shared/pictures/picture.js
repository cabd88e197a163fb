// The layer's strength follows the slider at once; the server hears of it when it is let go, for the
// file that can be downloaded. It stays from picture to picture.
export default function ({ data, parentElement, setStateValue }) {
  const find = (name) => parentElement.querySelector(name);
  const ground = find("img.ground"), layer = find("img.layer");
  const label = find("label"), slider = find("input"), told = find("output");
  const show = (image, address, words) => {
    if (image.getAttribute("src") !== address) image.setAttribute("src", address);
    image.alt = words;
  };
  show(ground, data.picture, data.alt);
  // All of the picture is in sight, whatever its shape.
  find("figure").style.width = `min(100%, ${55 * data.ratio}vh)`;
  layer.hidden = label.hidden = !data.layer;
  if (data.layer) show(layer, data.layer, "");
  const follow = () => {
    layer.style.opacity = slider.value / 100;
    told.textContent = `${slider.value} %`;
  };
  slider.oninput = follow;
  slider.onchange = () => setStateValue("opacity", Number(slider.value));
  follow();
  return () => { slider.oninput = slider.onchange = null; };
}
