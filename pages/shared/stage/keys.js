// Keys and a presenter's clicker press the page's own buttons, each press counts, and a slide whose
// content is taller than its place is made smaller until it fits. Keys belong to whoever types: in a
// field, a slider or an open dialog they do what they always do.

const BACK = 0;
const NEXT = 1;
const RUN = ["run_lesson", "start_training", "measure_leak"];
const LEAVE = ["stage_leave"];
const EVERYWHERE = { PageDown: NEXT, PageUp: BACK, ArrowRight: NEXT, ArrowLeft: BACK };
const ON_STAGE = { ...EVERYWHERE, r: RUN, R: RUN, Escape: LEAVE };
const TYPED = "input, textarea, select, [contenteditable=true], [role=slider], [role=combobox]";
// What the arrow keys move: a tile of the board, a tab, a bar.
const MOVED = "[draggable=true], [role=tab], [role=toolbar]";
const OPEN = "[role=dialog], [data-testid=stPopoverBody], [role=listbox]";
const SMALLEST_PERCENT = 50;
// How often it is looked whether something has grown that drew itself.
const GROWN_MS = 250;
const APP = "[data-testid=stApp]";
// A page is drawn when nothing goes on for so long: what breaks it off begins at once, or a little
// later on a busy server.
const OVER_MS = 1_500;
// No answer: the server was stopped, or has left the press out.
const LOST_MS = 20_000;

const named = (name) => document.querySelector(`.st-key-${CSS.escape(name)} button`);

function press(names) {
  for (const name of names) {
    const button = named(name);
    if (!button) continue;
    if (!button.disabled) button.click();
    return true;
  }
  return false;
}

// ---- each press counts --------------------------------------------------------------------------
// The server knows a button as it was drawn last: a second press before it is drawn anew would lead
// to the same place once more. So it waits until the page says that one stands elsewhere. What waits
// is kept by the window: the page that a press leads to mounts this script again.

const turns = (window.lymphTurns ??= { from: null, waiting: [], watch: null, timer: 0 });

const places = () => [...document.querySelectorAll(".lymph-place")];
const buttonsOf = (place) => place.dataset.turns.split(" ");

function nameOf(button) {
  const classes = button.closest("[class*=st-key-]")?.classList ?? [];
  return [...classes].find((one) => one.startsWith("st-key-"))?.slice("st-key-".length);
}

const placeOf = (name) => places().find((place) => buttonsOf(place).includes(name));

// An open dialog takes the keys, where it can be turned.
function placeInSight() {
  const open = document.querySelector(OPEN);
  return places().findLast((place) => !open || open.contains(place));
}

function goOn() {
  clearInterval(turns.timer);
  turns.watch?.disconnect();
  turns.from = null;
  const button = named(turns.waiting.shift() ?? "");
  if (!button || button.disabled) turns.waiting.length = 0;
  else button.click();
}

function wait(name, mark) {
  const place = mark.dataset.place;
  turns.from = buttonsOf(mark);
  turns.watch = new MutationObserver(() => {
    const now = placeOf(name)?.dataset.place;
    if (now !== undefined && now !== place) goOn();
  });
  turns.watch.observe(document.body, { childList: true, subtree: true });
  waitUntilDrawn();
}

// Where a press led nowhere, the next one waits no longer than for the page to be drawn.
function waitUntilDrawn() {
  const begun = Date.now();
  let ran = false;
  let still = begun;
  turns.timer = setInterval(() => {
    const now = Date.now();
    if (document.querySelector(APP)?.dataset.testScriptState !== "notRunning") {
      ran = true;
      still = now;
    }
    if ((ran && now - still > OVER_MS) || now - begun > LOST_MS) goOn();
  }, 50);
}

function onClick(event) {
  const button = event.target.closest?.("button");
  const name = button && nameOf(button);
  const place = name && placeOf(name);
  if (!place) return;
  if (turns.from) {
    turns.waiting.push(name);
    event.preventDefault();
    event.stopImmediatePropagation();
  } else {
    wait(name, place);
  }
}

// ---- keys ---------------------------------------------------------------------------------------

function listen(stage) {
  const keys = stage ? ON_STAGE : EVERYWHERE;
  return (event) => {
    const asked = keys[event.key];
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    const held = event.key.startsWith("Arrow") ? `${TYPED}, ${MOVED}` : TYPED;
    if (asked === undefined || modified || event.composedPath()[0].closest?.(held)) return;
    if (answer(asked, event.repeat)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  };
}

// Return whether the key was the page's. One that is held down is pressed once. While one page gives
// way to the next no place is in sight for a moment: a press then counts as well.
function answer(asked, held) {
  if (asked === BACK || asked === NEXT) {
    const place = placeInSight();
    const buttons = place ? buttonsOf(place) : turns.from;
    if (!buttons) return false;
    if (held) return true;
    if (!turns.from) return press([buttons[asked]]);
    turns.waiting.push(buttons[asked]);
    return true;
  }
  if (document.querySelector(OPEN)) return false;
  return held || press(asked) || asked === RUN;
}

const theSlide = () => document.querySelector(".st-key-slide");

function overflows(slide) {
  const tall = slide.scrollHeight > slide.clientHeight + 1;
  return tall || slide.scrollWidth > slide.clientWidth + 1;
}

function fit() {
  const slide = theSlide();
  if (!slide) return;
  slide.style.zoom = "";
  for (let percent = 95; overflows(slide) && percent >= SMALLEST_PERCENT; percent -= 5) {
    slide.style.zoom = percent / 100;
  }
}

function fitWhatHasGrown() {
  const slide = theSlide();
  const percent = 100 * Number(slide?.style.zoom || 1);
  if (slide && overflows(slide) && percent > SMALLEST_PERCENT) fit();
}

// ---- charts on a slide that is scaled -----------------------------------------------------------
// Streamlit draws a chart as large as its place is on the screen, and the slide is scaled on top of
// that: on 1920 x 1080 pixels every chart was half as large again as its place, and cut. So places
// on a slide tell their size as it is before the slide is scaled.

const BLOCK = "[data-testid=stMainBlockContainer]";
const measured = (window.lymphMeasured ??= Element.prototype.getBoundingClientRect);

function scaleOfSlide() {
  const block = document.querySelector(BLOCK);
  return block ? measured.call(block).width / block.offsetWidth : 1;
}

function unscaled() {
  const shown = measured.call(this);
  const isPlace = this instanceof HTMLElement && this.closest(".st-key-slide");
  if (!isPlace || this.closest(".js-plotly-plot")) return shown;
  const scale = scaleOfSlide();
  return new DOMRect(shown.x, shown.y, shown.width / scale, shown.height / scale);
}

// What was measured before this script came is measured once more.
function measureAgain() {
  const slide = theSlide();
  if (!slide || scaleOfSlide() === 1) return;
  slide.style.width = "calc(100% - 1px)";
  requestAnimationFrame(() => requestAnimationFrame(() => (slide.style.width = "")));
}

export default function ({ data }) {
  window.lymphStage?.();
  Element.prototype.getBoundingClientRect = unscaled;
  if (data.stage) measureAgain();
  const onKey = listen(data.stage);
  window.addEventListener("keydown", onKey, true);
  window.addEventListener("click", onClick, true);
  document.documentElement.dataset.keys = data.stage ? "stage" : "page";
  let waiting = 0;
  const later = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(fit);
  };
  // What draws itself grows after it was put there, and its pictures when they are loaded. What an
  // observer has missed is seen by the clock.
  const grown = new ResizeObserver(() => requestAnimationFrame(fitWhatHasGrown));
  const clock = data.stage ? setInterval(fitWhatHasGrown, GROWN_MS) : 0;
  const seen = new MutationObserver(() => {
    for (const part of theSlide()?.children ?? []) grown.observe(part);
    later();
  });
  if (data.stage) seen.observe(document.body, { childList: true, subtree: true });
  later();
  window.lymphStage = () => {
    window.removeEventListener("keydown", onKey, true);
    window.removeEventListener("click", onClick, true);
    delete document.documentElement.dataset.keys;
    seen.disconnect();
    grown.disconnect();
    clearInterval(clock);
    cancelAnimationFrame(waiting);
  };
  return window.lymphStage;
}
