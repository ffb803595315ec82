"use strict";
/* The inbox: j and k go through the list, several ordinary proposals are answered one after the other, and what waits is
   listed anew whenever it changes; not under the hands of somebody who is choosing. */

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("batch");
  const place = document.getElementById("lists");
  const buttons = form.querySelectorAll("button");
  const picks = () => [...place.querySelectorAll("input.pick")];
  const chosen = () => picks().filter((pick) => pick.checked && !pick.disabled);
  let known = place.dataset.stamp, late = false, busy = false;

  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { j: 1, k: -1 }[event.key];
    const covers = [...document.querySelectorAll(".card .cover")];
    if (!step || !covers.length) return;
    const at = covers.indexOf(document.activeElement);
    covers[Math.min(Math.max(at + step, 0), covers.length - 1)].focus();
  });

  function count() {
    const number = chosen().length;
    document.getElementById("chosen").textContent = number === 0 ? "Nothing is chosen." : number === 1 ? "1 proposal is chosen." : `${number} proposals are chosen.`;
    form.classList.toggle("some", number > 0);
    form.hidden = picks().length < 2 && !document.getElementById("results").children.length;
    buttons.forEach((button) => { button.disabled = number === 0; });
  }

  async function renew() {
    if (chosen().length || busy) { late = true; return; }
    late = false;
    const answer = await fetch(place.dataset.part, { headers: { "x-part": "yes" }, credentials: "same-origin" });
    if (!answer.ok) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    Twokey.localTimes(parsed);
    const focused = document.activeElement?.closest("[data-list] a")?.getAttribute("href");
    for (const list of parsed.querySelectorAll("[data-list]")) {
      document.querySelector(`[data-list="${list.dataset.list}"]`).replaceChildren(...list.childNodes);
    }
    if (focused) document.querySelector(`[data-list] a[href="${CSS.escape(focused)}"]`)?.focus();
    count();
    Twokey.tell(`The inbox has changed: ${document.querySelector("#mine .count").textContent.trim()} waiting for you.`);
    setTimeout(() => Twokey.tell(""), 6000);
  }

  place.addEventListener("change", (event) => {
    if (!event.target.matches("input.pick")) return;
    count();
    if (late) renew();
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const action = event.submitter.value, reason = form.elements.reason.value.trim();
    const results = document.getElementById("results");
    results.replaceChildren();
    buttons.forEach((button) => { button.disabled = true; });
    busy = true;
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
    busy = false;
    count();
    if (late) renew();
  });

  const news = new EventSource(place.dataset.news);
  news.addEventListener("state", (event) => {
    const { stamp } = JSON.parse(event.data);
    if (stamp === known) return;
    known = stamp;
    renew();
  });
  news.addEventListener("over", () => news.close());
});
