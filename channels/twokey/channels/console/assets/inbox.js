"use strict";
/* The inbox: j and k go through the list, and several ordinary proposals are answered one after the other. */

document.addEventListener("DOMContentLoaded", () => {
  const covers = [...document.querySelectorAll(".card .cover")];
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { j: 1, k: -1 }[event.key];
    if (!step || !covers.length) return;
    const at = covers.indexOf(document.activeElement);
    covers[Math.min(Math.max(at + step, 0), covers.length - 1)].focus();
  });

  const form = document.getElementById("batch");
  if (!form) return;
  const picks = [...document.querySelectorAll("input.pick")];
  const buttons = form.querySelectorAll("button");
  const chosen = () => picks.filter((pick) => pick.checked && !pick.disabled);
  const count = () => {
    const number = chosen().length;
    document.getElementById("chosen").textContent = number === 0 ? "Nothing is chosen." : number === 1 ? "1 proposal is chosen." : `${number} proposals are chosen.`;
    form.classList.toggle("some", number > 0);
    buttons.forEach((button) => { button.disabled = number === 0; });
  };
  picks.forEach((pick) => pick.addEventListener("change", count));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const action = event.submitter.value, reason = form.elements.reason.value.trim();
    const results = document.getElementById("results");
    results.replaceChildren();
    buttons.forEach((button) => { button.disabled = true; });
    for (const pick of chosen()) {
      const line = document.createElement("li");
      results.append(line);
      try {
        const told = await giveAnswer({ ...pick.dataset, signs: form.dataset.signs === "yes", action, reason });
        line.textContent = `${pick.dataset.name.slice(0, 6)}: ${told.state.replaceAll("_", " ")}`;
        pick.checked = false;
        pick.disabled = true;
      } catch (error) {
        line.textContent = `${pick.dataset.name.slice(0, 6)}: ${error.message} ${error.next || ""}`;
      }
    }
    count();
  });
});
