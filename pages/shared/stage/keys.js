// Keys and a presenter's clicker press the page's own buttons, and a slide whose content is taller
// than its place is made smaller until it fits. Keys belong to whoever types: in a field, a slider
// or an open dialog they do what they always do.

const NEXT = ["next"];
const BACK = ["back"];
const RUN = ["run_lesson", "start_training", "measure_leak"];
const LEAVE = ["stage_leave"];
const EVERYWHERE = { PageDown: NEXT, PageUp: BACK };
const ON_STAGE = { ...EVERYWHERE, r: RUN, R: RUN, Escape: LEAVE };
const TYPED = "input, textarea, select, [contenteditable=true], [role=slider], [role=combobox]";
const OPEN = "[role=dialog], [data-testid=stPopoverBody], [role=listbox]";
const SMALLEST = 0.5;

function press(names) {
  for (const name of names) {
    const button = document.querySelector(`.st-key-${name} button`);
    if (!button) continue;
    if (!button.disabled) button.click();
    return true;
  }
  return false;
}

function listen(stage) {
  const keys = stage ? ON_STAGE : EVERYWHERE;
  return (event) => {
    const names = keys[event.key];
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (!names || modified || event.target.closest?.(TYPED) || document.querySelector(OPEN)) return;
    if (press(names) || names === RUN) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  };
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
  for (let zoom = 0.95; overflows(slide) && zoom >= SMALLEST; zoom -= 0.05) {
    slide.style.zoom = zoom.toFixed(2);
  }
}

export default function ({ data }) {
  window.lymphStage?.();
  const onKey = listen(data.stage);
  window.addEventListener("keydown", onKey, true);
  document.documentElement.dataset.keys = data.stage ? "stage" : "page";
  let waiting = 0;
  const later = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(fit);
  };
  // What draws itself grows after it was put there.
  const grown = new ResizeObserver(() => {
    const slide = theSlide();
    if (slide && overflows(slide)) later();
  });
  const seen = new MutationObserver(() => {
    for (const part of theSlide()?.children ?? []) grown.observe(part);
    later();
  });
  const main = document.querySelector("[data-testid=stMain]");
  if (data.stage && main) seen.observe(main, { childList: true, subtree: true });
  later();
  window.lymphStage = () => {
    window.removeEventListener("keydown", onKey, true);
    delete document.documentElement.dataset.keys;
    seen.disconnect();
    grown.disconnect();
    cancelAnimationFrame(waiting);
  };
  return window.lymphStage;
}
