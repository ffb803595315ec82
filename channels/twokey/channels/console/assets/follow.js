"use strict";
/* Follows a run or a replay: whenever something happened, its story is read anew. */

document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-follow]");
  let known = place.dataset.stamp ?? null;
  const news = new EventSource(`${place.dataset.follow}/news`);
  news.addEventListener("state", async (event) => {
    const told = JSON.parse(event.data);
    if (known !== null && told.stamp !== known) {
      const answer = await fetch(place.dataset.follow, { headers: { "x-part": "yes" }, credentials: "same-origin" });
      if (!answer.ok) return;
      const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
      Twokey.localTimes(parsed);
      place.replaceChildren(...parsed.body.childNodes);
    }
    known = told.stamp;
    if (!["done", "failed", "cancelled"].includes(told.state)) return;
    news.close();
    if (place.dataset.whole) location.reload();  // what may be asked for now is another thing
  });
  news.addEventListener("over", () => news.close());
});
