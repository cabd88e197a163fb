// The patients of a split, each a tile in its set. A tile is dragged, or moved by keyboard: left and
// right take it to the next set, up and down go from tile to tile. A click or Enter chooses it, and
// the buttons above say where it may go.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".board");
  const board = (parentElement.lymph ??= { chosen: -1, focus: -1, count: 0 });
  Object.assign(board, { root, data, setTriggerValue });
  root.classList.toggle("movable", data.movable);
  draw(board);
}

function make(tag, text = "", name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  return element;
}

function draw(board) {
  const { root, data } = board;
  const all = (selector) => [...root.querySelectorAll(selector)];
  const kept = new Map(all(".tile").map((tile) => [tile.dataset.key, tile]));
  const scrolled = new Map(all(".tiles").map((list) => [list.dataset.name, list.scrollTop]));
  const groups = data.groups.map((group) => drawGroup(board, group, kept));
  root.querySelector(".groups").replaceChildren(...groups);
  all(".tiles").forEach((list) => (list.scrollTop = scrolled.get(list.dataset.name) ?? 0));
  if (board.focus >= 0) focus(board, board.focus);
  drawTools(board);
}

function drawGroup(board, group, kept) {
  const box = make("section", "", "group");
  box.setAttribute("aria-label", group.title);
  const header = make("header");
  header.append(make("h2", group.title), make("p", group.told));
  const counts = make("div", "", "counts");
  group.counts.forEach(([label, count, edge, ink]) => {
    const badge = make("span", `${label} ${count}`);
    badge.style.cssText = `--edge:${edge};--ink:${ink}`;
    counts.append(badge);
  });
  header.append(counts);
  const list = make("ul", "", "tiles");
  list.dataset.name = group.name;
  group.tiles.forEach((n, place) => {
    const item = make("li");
    item.append(drawTile(board, board.data.patients[n], n, group, place, kept));
    list.append(item);
  });
  box.append(header, list);
  if (board.data.movable) receive(board, box, group);
  return box;
}

function drawTile(board, patient, n, group, place, kept) {
  const key = JSON.stringify(patient);
  const tile = kept.get(key) ?? newTile(patient, key);
  tile.dataset.n = n;
  tile.tabIndex = place === 0 ? 0 : -1; // one stop for the Tab key in each set
  tile.draggable = board.data.movable;
  tile.setAttribute("aria-pressed", String(n === board.chosen));
  const how = board.data.movable ? ". Left and right arrow keys move it" : "";
  const about = [`Patient ${patient.name}`, patient.label, patient.told, group.name_short];
  tile.setAttribute("aria-label", about.join(", ") + how);
  tile.onclick = () => choose(board, n);
  tile.onkeydown = (event) => press(board, event, n, group);
  tile.ondragstart = (event) => {
    event.dataTransfer.setData("text/plain", String(n));
    event.dataTransfer.effectAllowed = "move";
    board.dragged = n;
  };
  return tile;
}

function newTile(patient, key) {
  // No button element: Firefox lets nobody drag one.
  const tile = make("div", "", "tile");
  tile.setAttribute("role", "button");
  tile.dataset.key = key;
  tile.style.cssText = `--edge:${patient.edge};--ink:${patient.ink}`;
  const who = make("div", "", "who");
  const label = make("span", patient.label, "class");
  who.append(label, make("b", patient.name), make("small", patient.told));
  const strip = document.createElement("img");
  strip.loading = "lazy";
  strip.alt = "";
  strip.draggable = false;
  strip.style.aspectRatio = "auto";
  strip.onload = () => (strip.style.width = `${strip.naturalWidth / 2}px`);
  strip.src = new URL(patient.strip, location.href).href;
  tile.append(who, strip);
  return tile;
}

function drawTools(board) {
  const { root, data } = board;
  const tools = root.querySelector(".tools");
  tools.hidden = !data.movable;
  if (!data.movable) return;
  const patient = data.patients[board.chosen];
  const words = patient
    ? `Move ${patient.label} ${patient.name} to`
    : "Drag a patient to another set, or choose one.";
  const buttons = data.groups.filter(() => patient).map((group) => {
    const button = make("button", group.name_short);
    button.type = "button";
    button.disabled = group.tiles.includes(board.chosen);
    button.onclick = () => move(board, board.chosen, group);
    return button;
  });
  const hint = make("span", patient ? "" : "Left and right arrow keys move it, too.", "hint");
  tools.replaceChildren(make("span", words), ...buttons, hint);
}

function choose(board, n) {
  if (!board.data.movable) return;
  board.chosen = board.chosen === n ? -1 : n;
  board.root.querySelectorAll(".tile").forEach((tile) => {
    tile.setAttribute("aria-pressed", String(Number(tile.dataset.n) === board.chosen));
  });
  drawTools(board);
}

function focus(board, n) {
  const tile = board.root.querySelector(`.tile[data-n="${n}"]`);
  if (!tile) return;
  for (const one of tile.closest("ul").querySelectorAll(".tile")) one.tabIndex = -1;
  tile.tabIndex = 0;
  tile.focus({ preventScroll: true });
  tile.scrollIntoView({ block: "nearest" });
}

function press(board, event, n, group) {
  const place = group.tiles.indexOf(n);
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const along = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (sideways && board.data.movable) {
    const to = board.data.groups[board.data.groups.indexOf(group) + sideways];
    if (to) move(board, n, to);
  } else if (along) {
    const next = group.tiles[place + along];
    if (next !== undefined) focus(board, next);
  } else if (event.key === "Enter" || event.key === " ") choose(board, n);
  else return;
  event.preventDefault();
}

function receive(board, box, group) {
  box.ondragover = (event) => {
    event.preventDefault();
    box.classList.add("over");
  };
  box.ondragleave = (event) => {
    if (!box.contains(event.relatedTarget)) box.classList.remove("over");
  };
  box.ondrop = (event) => {
    event.preventDefault();
    box.classList.remove("over");
    const n = Number(event.dataTransfer.getData("text/plain"));
    if (n === board.dragged) move(board, n, group);
  };
}

/** Show the move at once; the server counts anew and says what it leads to. */
function move(board, n, to) {
  const { data, root } = board;
  const from = data.groups.find((group) => group.tiles.includes(n));
  if (!from || from === to) return;
  from.tiles.splice(from.tiles.indexOf(n), 1);
  to.tiles.push(n);
  to.tiles.sort((a, b) => a - b);
  board.focus = n;
  const { name } = data.patients[n];
  root.querySelector(".told").textContent = `Patient ${name} is now in ${to.name_short}`;
  draw(board);
  board.count += 1; // the same move twice is two moves
  board.setTriggerValue("moved", [name, to.name, board.count]);
}
