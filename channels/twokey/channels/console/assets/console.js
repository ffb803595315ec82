"use strict";
/* What every page does: moments in the reader's own time, and messages that are read out. */

const Twokey = {
  csrf: () => document.body.dataset.csrf || "",

  tell(text) {
    const place = document.getElementById("told");
    place.textContent = text;
  },

  localTimes(root) {
    const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
    const zone = document.getElementById("zone");
    const { timeZone } = shown.resolvedOptions();
    if (zone && timeZone !== "UTC") zone.textContent = `Times are those of ${timeZone.replaceAll("_", " ")}; each names its moment in UTC when you point at it.`;
    for (const element of root.querySelectorAll("time[datetime]")) {
      const at = new Date(element.dateTime);
      if (!Number.isNaN(at.getTime())) element.textContent = shown.format(at);
    }
  },

  async send(path, fields) {
    const answer = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ csrf: Twokey.csrf(), ...fields }),
    });
    let value = {};
    try { value = await answer.json(); } catch { /* not JSON: the status says it all */ }
    if (!answer.ok) {
      const error = value.error || { message: `The console answered ${answer.status}.`, next: "Open the page again.", code: "answer" };
      throw Object.assign(new Error(error.message), error);
    }
    return value;
  },
};

document.addEventListener("DOMContentLoaded", () => Twokey.localTimes(document));
