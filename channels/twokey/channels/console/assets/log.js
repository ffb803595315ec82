"use strict";
/* Follows the log: asks for what is new every few seconds while the page is looked at, and puts it on top. */

document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("follow");
  const list = document.getElementById("entries");
  if (!button || !list) return;
  const EVERY = 3000;
  let after = Number(button.dataset.after);
  let timer = 0;

  function piece(tag, text, kind) {
    const made = document.createElement(tag);
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  function entry(line) {
    const item = document.createElement("li");
    item.className = "fresh";
    item.value = line.seq;
    const first = document.createElement("p");
    const number = piece("a", String(line.seq), "number");
    number.href = `/log/entry/${encodeURIComponent(line.id)}`;
    first.append(number, " ", piece("span", line.said, "said"));
    const facts = piece("p", "", "facts");
    const time = document.createElement("time");
    time.dateTime = line.time;
    time.textContent = line.time;
    facts.append(time, " ", piece("code", line.kind), " ", piece("code", line.subject.slice(0, 16)));
    item.append(first, facts);
    Twokey.localTimes(item);
    return item;
  }

  async function look() {
    if (!document.hidden) {
      try {
        const answer = await fetch("/api/log?limit=100", { credentials: "same-origin", headers: { accept: "application/json" } });
        if (!answer.ok) throw new Error(`The console answered ${answer.status}.`);
        const found = (await answer.json()).entries.filter((line) => line.seq > after);
        for (const line of found.reverse()) {
          list.prepend(entry(line));
          after = line.seq;
        }
        while (list.children.length > 500) list.lastElementChild.remove();
      } catch (error) {
        Twokey.tell(`${error.message} Following has stopped.`);
        stop();
        return;
      }
    }
    timer = setTimeout(look, EVERY);
  }

  function stop() {
    clearTimeout(timer);
    timer = 0;
    button.setAttribute("aria-pressed", "false");
    button.textContent = "Follow";
  }

  button.addEventListener("click", () => {
    if (timer) { stop(); return; }
    button.setAttribute("aria-pressed", "true");
    button.textContent = "Stop following";
    timer = setTimeout(look, 0);
  });
});
