// Keys for those who like them: / searches, n and p lead on and back, ? tells so. Every page works without this file.
"use strict";

const leads = { n: "main [rel=next]", p: "main [rel=prev]" };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (event.target.closest("input, select, textarea, dialog[open]")) return;
  if (event.key === "/") {
    const box = document.querySelector("[role=search] [type=search]");
    box?.focus();
    box?.select();
  } else if (event.key === "?") {
    document.querySelector("#keys")?.showModal();
  } else if (event.key in leads) {
    document.querySelector(leads[event.key])?.click();
  } else {
    return;
  }
  event.preventDefault();
});
