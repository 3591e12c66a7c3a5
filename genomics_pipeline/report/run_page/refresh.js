"use strict";
// Reads the file again while its run is running; what its user searched, chose, opened and scrolled to stays as it is.
const refresh = (() => {
  const SETTLED_MS = 2000, SELECTED_MS = 60000;  // since the last key or choice; since a text was selected
  const root = document.documentElement, seconds = Number(root.dataset.refresh || 0);
  const kept = history.state;  // stays with the page when it is read again, also of a file
  history.replaceState(null, "");
  const controls = () => [...document.querySelectorAll("input[id], select[id]")];
  const regions = () => [...document.querySelectorAll("[role=region]")];
  const details = () => [...document.querySelectorAll("details")];
  const name_of = (one) => {  // the words of a summary without its counts, which change
    const section = one.closest("section");
    return `${section ? section.id : ""}: ${one.querySelector("summary").textContent.replace(/^(The next) \S+/, "$1")}`;
  };
  let extra = () => null, changed = 0, selected = 0, pressed = false;

  function save() {
    const sections = [...document.querySelectorAll("section[id]")];
    const section = sections.filter((one) => one.getBoundingClientRect().top <= 0).pop();
    const focus = document.activeElement;
    history.replaceState({
      controls: controls().map((one) => [one.id, one.type === "checkbox" ? one.checked : one.value]),
      open: details().filter((one) => one.open).map(name_of),
      scrolled: regions().filter((one) => one.scrollTop || one.scrollLeft)
        .map((one) => [one.getAttribute("aria-label"), one.scrollTop, one.scrollLeft]),
      section: section ? section.id : "", below: section ? section.getBoundingClientRect().top : -scrollY,
      focus: focus.id, caret: focus.type === "search" || focus.type === "text" ? focus.selectionStart : null,
      extra: extra(),
    }, "");
  }

  function restoreControls() {
    for (const [id, value] of kept ? kept.controls : []) {
      const one = document.getElementById(id);
      if (!one) continue;
      if (typeof value === "boolean") one.checked = value;
      else if (one.tagName !== "SELECT" || [...one.options].some((option) => option.value === value)) one.value = value;
    }
    return kept ? kept.extra : null;
  }

  function restorePlace() {
    if (!kept) return;
    for (const one of details()) one.open = kept.open.includes(name_of(one));
    for (const one of regions()) {
      const place = kept.scrolled.find(([name]) => name === one.getAttribute("aria-label"));
      if (place) [one.scrollTop, one.scrollLeft] = place.slice(1);
    }
    const section = document.getElementById(kept.section), focus = document.getElementById(kept.focus);
    scrollTo(0, (section ? section.getBoundingClientRect().top + scrollY : 0) - kept.below);
    if (focus) {
      focus.focus({ preventScroll: true });
      if (kept.caret !== null) focus.setSelectionRange(kept.caret, kept.caret);
    }
  }

  if (seconds) {
    const due = Date.now() + seconds * 1000;
    const is_busy = () => document.hidden || pressed || Date.now() < changed + SETTLED_MS
      || (!getSelection().isCollapsed && Date.now() < selected + SELECTED_MS);
    for (const type of ["input", "keydown"]) addEventListener(type, () => { changed = Date.now(); });
    document.addEventListener("selectionchange", () => { selected = Date.now(); });
    addEventListener("pointerdown", () => { pressed = true; });
    for (const type of ["pointerup", "pointercancel"]) addEventListener(type, () => { pressed = false; });
    setInterval(() => {
      if (Date.now() < due || is_busy()) return;
      save();
      location.reload();
    }, 250);
  }
  if ("scrollRestoration" in history) history.scrollRestoration = kept ? "manual" : "auto";
  return { restoreControls, restorePlace, keep: (more) => { extra = more; } };
})();
