"use strict";
/* Puts an example into the question, and asks with Ctrl+Enter. */

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("ask");
  const text = document.getElementById("text");
  for (const button of form.querySelectorAll("button[data-text]")) {
    button.addEventListener("click", () => { text.value = button.dataset.text; text.focus(); });
  }
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
});
