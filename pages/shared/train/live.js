// The live view of a run: asks the server how it stands and draws what has moved.
//
// What is kept from one drawing of the page to the next lies outside the component, by run: whether
// the visitor has touched the page since the run is followed, and which epoch they look at.

const EVERY = 700; // milliseconds between two questions
const HIDDEN = 5000; // the same while nobody looks
const STAY = 5; // seconds before the page goes on to the results
const SVG = "http://www.w3.org/2000/svg";
const TOUCHES = ["wheel", "touchmove", "pointerdown", "keydown"];
const known = (window.lymphRuns ??= new Map());

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".live");
  const run = known.get(data.run) ?? { touched: false, seenGoing: false, at: 0, asked: "" };
  known.set(data.run, run);
  run.seenGoing ||= !data.head.over;
  const view = { root, data, run, setTriggerValue, body: data.body, timer: 0, over: false };
  drawHead(view, data.head);
  drawBody(view, data.body);
  const touch = () => {
    run.touched = true;
    stay(view);
  };
  const quietly = { capture: true, passive: true };
  TOUCHES.forEach((name) => document.addEventListener(name, touch, quietly));
  const resized = new ResizeObserver(() => drawCurves(view, view.body));
  resized.observe(root.querySelector(".curves"));
  if (data.head.over) countDown(view, data.head);
  else ask(view);
  return () => {
    view.over = true;
    clearTimeout(view.timer);
    clearInterval(view.countdown);
    resized.disconnect();
    TOUCHES.forEach((name) => document.removeEventListener(name, touch, quietly));
  };
}

// ---- asking ---------------------------------------------------------------------------------

async function answer(view, seen) {
  const shown = `&at=${view.run.at}&dark=${view.data.dark ? 1 : 0}`;
  const query = `${shown}&seen=${encodeURIComponent(seen)}`;
  const reply = await fetch(new URL(view.data.live + query, location.href));
  if (!reply.ok) throw new Error(reply.statusText);
  return reply.json();
}

async function ask(view) {
  let head = view.head;
  try {
    const { head: now, body } = await answer(view, view.head.body);
    if (view.over) return;
    head = now;
    drawHead(view, head);
    if (body) drawBody(view, body);
  } catch {
    // The server is away or was started again: the run goes on, and so does asking.
  }
  if (view.over) return;
  turnPage(view, head);
  if (head.over) countDown(view, head);
  else view.timer = setTimeout(() => ask(view), document.hidden ? HIDDEN : EVERY);
}

/** Let the page be drawn again, once, when what it shows beside this view has changed. */
function turnPage(view, head) {
  if (head.chapter === view.data.head.chapter || view.run.asked === head.chapter) return;
  view.run.asked = head.chapter;
  view.setTriggerValue("chapter", head.chapter);
}

// ---- the end --------------------------------------------------------------------------------

function countDown(view, head) {
  const { run, root } = view;
  const note = root.querySelector(".end");
  if (head.state !== "finished" || !run.seenGoing || run.touched) {
    note.hidden = true;
    return;
  }
  run.until ??= Date.now() + 1000 * STAY;
  note.hidden = false;
  const tick = () => {
    const left = Math.ceil((run.until - Date.now()) / 1000);
    note.querySelector("span").textContent = `Going to the results in ${Math.max(0, left)} s.`;
    if (left > 0) return;
    clearInterval(view.countdown);
    run.touched = true; // Who comes back stays.
    view.setTriggerValue("go", view.data.run);
  };
  note.querySelector("button").onclick = () => stay(view);
  clearInterval(view.countdown);
  view.countdown = setInterval(tick, 250);
  tick();
}

function stay(view) {
  clearInterval(view.countdown);
  view.root.querySelector(".end").hidden = true;
}

// ---- drawing --------------------------------------------------------------------------------

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function drawHead(view, head) {
  view.head = head;
  const bar = view.root.querySelector(".bar");
  write(view.root.querySelector(".words"), head.words);
  bar.firstElementChild.style.width = `${100 * head.share}%`;
  bar.setAttribute("aria-valuenow", String(Math.round(100 * head.share)));
  bar.setAttribute("aria-valuetext", head.words);
}

function drawBody(view, body) {
  view.body = body;
  const { root } = view;
  const grid = root.querySelector(".numbers");
  grid.replaceChildren(...body.numbers.map(([label, value]) => {
    const box = document.createElement("div");
    box.append(make("small", label), make("b", value));
    return box;
  }));
  write(root.querySelector(".caption"), body.caption);
  write(root.querySelector(".doubt"), body.doubt);
  root.querySelector(".moving").hidden = !body.points.epoch.length;
  root.querySelector(".empty").hidden = body.points.epoch.length > 0 || view.head.over;
  drawCurves(view, body);
  drawView(view, body.view);
}

function make(tag, text = "", name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  return element;
}

function shape(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

// ---- curves ---------------------------------------------------------------------------------

const LINES = [
  { set: "train", title: "train", colour: "#8465CC", dash: "" },
  { set: "val", title: "validation", colour: "#D6478B", dash: "2 4" },
];
const EDGE = { left: 46, right: 80, top: 36, bottom: 38 };
const HEIGHT = 230; // as in live.css

function drawCurves(view, body) {
  for (const quantity of ["loss", "accuracy"]) {
    const figure = view.root.querySelector(`.curve.${quantity}`);
    drawCurve(figure, body, quantity);
  }
  view.root.dataset.epoch = String(body.points.epoch.at(-1) ?? 0);
}

/** Ticks in steps of 1, 2 or 5 times a power of ten, about four of them. */
function ticksUpTo(top) {
  const rough = top / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const ticks = [];
  for (let n = 0; n <= top / step + 1e-9; n++) ticks.push(n * step);
  return ticks;
}

function drawCurve(figure, body, quantity) {
  const svg = figure.querySelector("svg");
  // On a projector the drawing is enlarged as a whole, its letters with it.
  const scale = Number(getComputedStyle(svg).getPropertyValue("--live-scale")) || 1;
  const width = figure.clientWidth / scale;
  const epochs = body.points.epoch;
  if (!width || !epochs.length) return;
  const lines = LINES.map((line) => ({ ...line, values: body.points[`${line.set}_${quantity}`] }));
  const share = quantity === "accuracy";
  const highest = Math.max(...lines.flatMap((line) => line.values.filter((v) => v !== null)), 1e-9);
  const top = share ? 1 : highest * 1.08;
  const last = Math.max(body.over ? epochs.at(-1) : body.total, 1);
  const x = (e) => EDGE.left + ((e - 0.6) / (last - 0.2)) * (width - EDGE.left - EDGE.right);
  const y = (v) => HEIGHT - EDGE.bottom - (v / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const parts = [...phases(body, x), ...axes(last, top, share, x, y, width)];
  parts.push(...best(body, x, width));
  for (const line of lines) parts.push(...curve(line, epochs, x, y));
  parts.push(...names(lines, epochs, x, y));
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.setAttribute("aria-label", inWords(quantity, lines, epochs, epochs.length - 1));
  svg.replaceChildren(...parts);
  const readout = figure.querySelector(".readout");
  const say = (i) => write(readout, i < 0 ? "" : inWords("", lines, epochs, i));
  svg.onpointermove = (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * width;
    const distances = epochs.map((e) => Math.abs(x(e) - at));
    say(distances.indexOf(Math.min(...distances)));
  };
  svg.onpointerleave = () => say(-1);
}

function inWords(quantity, lines, epochs, i) {
  const told = lines.filter((line) => line.values[i] !== null).map((line) => {
    return `${line.title} ${+line.values[i].toPrecision(3)}`;
  });
  const begin = quantity ? `${quantity[0].toUpperCase()}${quantity.slice(1)}, ` : "";
  return `${begin}epoch ${epochs[i]}: ${told.join(", ")}`;
}

function axes(last, top, share, x, y, width) {
  const parts = [];
  const ticks = share ? [0, 0.25, 0.5, 0.75, 1] : ticksUpTo(top);
  for (const tick of ticks) {
    const text = share ? `${100 * tick} %` : String(+tick.toPrecision(3));
    const level = { y1: y(tick), y2: y(tick) };
    parts.push(shape("line", { class: "grid", x1: x(0.6), x2: width - EDGE.right, ...level }));
    parts.push(shape("text", { x: EDGE.left - 6, y: y(tick) + 4, "text-anchor": "end" }, text));
  }
  const step = epochStep(last, Math.max(2, (width - EDGE.left - EDGE.right) / 40));
  for (let e = step; e <= last; e += step) {
    const place = { x: x(e), y: HEIGHT - EDGE.bottom + 17, "text-anchor": "middle" };
    parts.push(shape("text", place, String(e)));
  }
  const middle = (EDGE.left + width - EDGE.right) / 2;
  parts.push(shape("text", { x: middle, y: HEIGHT - 5, "text-anchor": "middle" }, "epoch"));
  return parts;
}

/** The smallest round step that leaves each epoch's number its room. */
function epochStep(last, room) {
  for (let power = 1; ; power *= 10) {
    const step = [1, 2, 5].map((n) => n * power).find((n) => last / n <= room);
    if (step) return step;
  }
}

function phases(body, x) {
  const parts = [];
  let start = 0.6;
  body.phases.forEach(([title, epochs], i) => {
    const end = Math.min(start + epochs, body.total + 0.4);
    const size = { width: Math.max(0, x(end) - x(start)), height: HEIGHT - EDGE.top - EDGE.bottom };
    const kind = i % 2 ? "phase odd" : "phase";
    parts.push(shape("rect", { x: x(start), y: EDGE.top, ...size, class: kind }));
    const name = { x: x((start + end) / 2), y: 13, "text-anchor": "middle" };
    parts.push(shape("text", name, `${title}, ${epochs} epochs`));
    start = end;
  });
  return parts;
}

function best(body, x, width) {
  if (!body.best) return [];
  const at = x(body.best);
  const late = at > width / 2;
  const name = { x: at + (late ? -5 : 5), y: EDGE.top - 8, "text-anchor": late ? "end" : "start" };
  return [
    shape("line", { class: "best", x1: at, x2: at, y1: EDGE.top - 4, y2: HEIGHT - EDGE.bottom }),
    shape("text", name, `epoch ${body.best} is kept`),
  ];
}

function curve(line, epochs, x, y) {
  const points = epochs.map((e, i) => [x(e), line.values[i]]).filter(([, v]) => v !== null);
  if (!points.length) return [];
  const steps = points.map(([at, v]) => `${at.toFixed(1)} ${y(v).toFixed(1)}`);
  const style = { stroke: line.colour, "stroke-dasharray": line.dash, class: "line" };
  const parts = [shape("path", { ...style, d: `M${steps.join("L")}` })];
  if (points.length > 60) return parts;
  return parts.concat(points.map(([at, v]) => mark(line, at, y(v))));
}

function mark(line, x, y) {
  const fill = line.colour;
  if (line.set === "train") return shape("circle", { cx: x, cy: y, r: 3, fill });
  return shape("path", { d: `M${x} ${y - 4}l4 4l-4 4l-4 -4Z`, fill });
}

/** Each line's name at its end; two that end together are set apart. */
function names(lines, epochs, x, y) {
  const ends = lines
    .map((line) => ({ line, i: line.values.findLastIndex((v) => v !== null) }))
    .filter(({ i }) => i >= 0)
    .map(({ line, i }) => ({ line, x: x(epochs[i]), y: y(line.values[i]) + 4 }))
    .sort((a, b) => a.y - b.y);
  if (ends.length === 2 && ends[1].y - ends[0].y < 14) {
    const middle = (ends[0].y + ends[1].y) / 2;
    [ends[0].y, ends[1].y] = [middle - 7, middle + 7];
  }
  return ends.map(({ line, x: at, y: level }) => {
    return shape("text", { class: "name", x: at + 8, y: level, fill: line.colour }, line.title);
  });
}

// ---- matrix and mistakes --------------------------------------------------------------------

function drawView(view, shown) {
  const { root, run } = view;
  const box = root.querySelector(".said");
  box.hidden = !shown;
  if (!shown) return;
  const slider = root.querySelector("input");
  const following = run.at === 0;
  slider.max = String(shown.epochs.length - 1);
  slider.disabled = shown.epochs.length < 2;
  if (following || document.activeElement !== view.root.getRootNode().host) {
    slider.value = String(Math.max(0, shown.epochs.indexOf(shown.epoch)));
  }
  slider.setAttribute("aria-valuetext", `epoch ${shown.epoch}`);
  slider.oninput = () => lookAt(view, shown.epochs, Number(slider.value));
  write(root.querySelector(".epoch"), `Epoch ${shown.epoch}${following ? ", the last one" : ""}`);
  const place = root.querySelector(".matrix");
  if (place.dataset.html !== shown.matrix) {
    place.dataset.html = shown.matrix;
    place.innerHTML = shown.matrix; // written and escaped by the server
  }
  place.querySelectorAll("td.cell").forEach((cell) => {
    cell.onclick = () => {
      const chosen = cell.dataset.true + "\0" + cell.dataset.predicted;
      view.cell = view.cell === chosen ? "" : chosen;
      drawWrong(view, shown);
    };
  });
  drawWrong(view, shown);
}

function drawWrong(view, shown) {
  const { root } = view;
  root.querySelectorAll("td.cell").forEach((cell) => {
    const own = cell.dataset.true + "\0" + cell.dataset.predicted === view.cell;
    cell.querySelector("button").setAttribute("aria-pressed", String(own));
  });
  const chosen = shown.wrong.filter((one) => !view.cell || `${one.is}\0${one.said}` === view.cell);
  write(root.querySelector(".count"), mistakesInWords(shown, view.cell, chosen.length));
  const list = root.querySelector(".wrong");
  const there = new Map([...list.children].map((item) => [item.dataset.key, item]));
  list.replaceChildren(...chosen.map((one) => {
    const key = `${one.n} ${one.said}`;
    return there.get(key) ?? mistake(view, one, key);
  }));
}

function mistakesInWords(shown, cell, count) {
  const all = `${shown.count} of ${shown.of} validation pictures wrong`;
  if (cell) {
    const [is, said] = cell.split("\0");
    if (is === said) return `${all}. Those of the chosen cell are right.`;
    return `${all}, ${count} shown: ${is} called ${said}`;
  }
  return shown.count > shown.wrong.length ? `${all}, the first ${shown.wrong.length} shown` : all;
}

function mistake(view, one, key) {
  const item = make("li");
  item.dataset.key = key;
  item.style.setProperty("--edge", one.colour);
  const image = document.createElement("img");
  image.loading = "lazy";
  image.alt = `${one.name}: ${one.is}, called ${one.said}`;
  image.title = one.name;
  image.src = new URL(`${view.data.picture}&n=${one.n}`, location.href).href;
  item.append(image, make("span", `${one.is} → ${one.said}`));
  return item;
}

async function lookAt(view, epochs, place) {
  const last = place === epochs.length - 1;
  view.run.at = last ? 0 : epochs[place];
  write(view.root.querySelector(".epoch"), `Epoch ${epochs[place]}`);
  const wanted = (view.wanted = {});
  try {
    const { body } = await answer(view, "");
    if (view.wanted === wanted && !view.over && body) {
      view.body = body;
      drawView(view, body.view);
    }
  } catch {
    // The next question brings it.
  }
}
