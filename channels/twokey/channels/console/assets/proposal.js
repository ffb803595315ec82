"use strict";
/* The page of a proposal: answers, evidence opened in place, a diff that goes on as one scrolls, and news of its state. */

document.addEventListener("DOMContentLoaded", () => {
  const article = document.querySelector("article.proposal");
  const form = document.getElementById("answer");

  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const outcome = document.getElementById("outcome");
    const buttons = form.querySelectorAll("button");
    const { name, seen, digest, decision, signs } = form.dataset;
    const reason = form.elements.reason.value.trim();
    outcome.textContent = "";
    buttons.forEach((button) => { button.disabled = true; });
    try {
      await giveAnswer({ name, seen, digest, decision, signs: signs === "yes", action: event.submitter.value, reason, typed: form.elements.typed?.value ?? "" });
      location.reload();
    } catch (error) {
      outcome.textContent = `${error.message} ${error.next || ""}`;
      buttons.forEach((button) => { button.disabled = false; });
      if (["changed_proposal", "expired"].includes(error.code) || /^is_|already/.test(error.code || "")) outcome.append(" ", again());
      (error.code === "no_reason" ? form.elements.reason : form.elements.typed)?.focus();
    }
  });

  function again() {
    const link = document.createElement("a");
    link.href = location.pathname;
    link.textContent = "Open it again";
    return link;
  }

  for (const details of document.querySelectorAll("details[data-load]")) {
    details.addEventListener("toggle", async () => {
      if (!details.open || details.dataset.loaded) return;
      details.dataset.loaded = "yes";
      details.querySelector("p").replaceWith(...await part(details.dataset.load));
    });
  }

  /* Pieces come from this site, escaped there; a parser that runs no script makes elements of them. */
  async function part(path) {
    const answer = await fetch(path, { headers: { "x-part": "yes" }, credentials: "same-origin" });
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    Twokey.localTimes(parsed);
    return [...parsed.body.childNodes];
  }

  const pieces = document.getElementById("pieces");
  if (pieces) {
    const watcher = new IntersectionObserver(async (seen) => {
      for (const one of seen.filter((each) => each.isIntersecting)) {
        watcher.unobserve(one.target);
        const link = one.target.querySelector("a[data-more]");
        one.target.replaceWith(...await part(link.href));
        watch();
      }
    }, { rootMargin: "1200px" });
    const watch = () => pieces.querySelectorAll("p.more").forEach((more) => watcher.observe(more));
    watch();
  }

  function openCited() {
    const cited = location.hash && document.getElementById(location.hash.slice(1));
    if (cited instanceof HTMLDetailsElement) { cited.open = true; cited.querySelector("summary").focus(); }
  }
  addEventListener("hashchange", openCited);
  openCited();

  /* What stands there may change while the page is open: somebody else answers, a worker writes, time runs out. */
  const news = new EventSource(`/p/${article.dataset.proposal.slice(2)}/news`);
  news.addEventListener("state", (event) => {
    const told = JSON.parse(event.data);
    if (told.stamp === article.dataset.stamp) return;
    article.dataset.stamp = told.stamp;
    if (form && form.elements.reason.value.trim()) {
      document.getElementById("outcome").replaceChildren(`Meanwhile: ${told.words}. `, again());
    } else {
      location.reload();
    }
  });
});
