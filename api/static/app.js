// Keys of the search page, and what a narrow screen does otherwise. Everything works without it.
"use strict";

(() => {
  const WIDE = window.matchMedia("(min-width: 64rem)");
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;
  const links = () => Array.from(document.querySelectorAll(".hits a.open"));

  function current() {
    const all = links();
    const focused = all.indexOf(document.activeElement);
    return focused >= 0 ? focused : all.findIndex((link) => link.hasAttribute("aria-current"));
  }

  function move(step) {
    const all = links();
    if (!all.length) return;
    const next = Math.min(Math.max(current() + step, 0), all.length - 1);
    all[next].focus();
    all[next].scrollIntoView({ block: "nearest" });
  }

  function open() {
    const link = links()[current()];
    if (link) window.location.assign(link.href);
  }

  function back(event) {
    const keys = document.getElementById("keys");
    if (keys && keys.open) return; // the dialog closes itself
    if (typing(event.target)) event.target.blur();
    else if (document.querySelector("#pane article")) links()[current()]?.focus();
    else if (document.querySelector("main.message")) window.history.back();
  }

  const ACTS = {
    "/": () => document.getElementById("q")?.select(),
    j: () => move(1),
    k: () => move(-1),
    o: open,
    "?": () => document.getElementById("keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    // Keys that an input method is still composing with belong to it (229: older browsers).
    if (event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      back(event);
      return;
    }
    if (typing(event.target) || !(event.key in ACTS)) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    ACTS[event.key]();
  });

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.(".hits a.open");
      if (!link) return;
      const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
      if (!WIDE.matches || elsewhere) {
        event.stopImmediatePropagation(); // no place beside the list: the link leads to the page
        return;
      }
      links().forEach((one) => one.removeAttribute("aria-current"));
      link.setAttribute("aria-current", "true");
    },
    { capture: true },
  );

  document.getElementById("sort")?.addEventListener("change", (event) => event.target.form.submit());
  document
    .getElementById("collapse")
    ?.addEventListener("change", (event) => event.target.form.submit());
})();
