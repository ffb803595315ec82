"use strict";
/* Answers every proposal of a batch with one gesture: looks at each statement, signs it, and sends all together. */

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("answer");
  const cards = new Map([...document.querySelectorAll("#together > li")].map((card) => [card.dataset.proposal, card]));
  const outcome = document.getElementById("outcome");

  function isShown(text, action) {
    const said = JSON.parse(text), card = cards.get(said.proposal);
    return card && said.type === "twokey/statement/v1" && said.action === action && said.batch === form.dataset.batch
      && said.proposal_digest === card.dataset.digest && said.decision_digest === card.dataset.decision
      && said.principal === document.body.dataset.principal;
  }

  async function signed(fields) {
    const own = await Keys.own();
    if (!own) throw Object.assign(new Error("This browser no longer holds the key it made."), { next: "Leave, and come in with a new link." });
    const { statements } = await Twokey.send("/batch/statements", fields);
    const named = new Set(statements.map((text) => JSON.parse(text).proposal));
    if (statements.length !== cards.size || named.size !== cards.size || !statements.every((text) => isShown(text, fields.action))) {
      throw Object.assign(new Error("The console asked to sign something else than this page shows."), { next: "Do not answer here; tell who keeps the workspace." });
    }
    const answers = [];
    for (const statement of statements) answers.push({ statement, signature: await Keys.sign(own, statement) });
    return JSON.stringify(answers);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    const fields = {
      action: event.submitter.value, digest: form.dataset.batch, proposals: [...cards.keys()].join(" "),
      reason: form.elements.reason.value.trim(), typed: form.elements.typed?.value ?? "",
    };
    outcome.textContent = "";
    buttons.forEach((button) => { button.disabled = true; });
    try {
      if (form.dataset.signs === "yes") fields.answers = await signed(fields);
      const { answered } = await Twokey.send("/batch/answer", fields);
      let counted = 0;
      for (const each of answered) {
        counted += each.counted ? 1 : 0;
        cards.get(each.id).querySelector(".told").textContent = each.counted ? `${each.state.replaceAll("_", " ")}` : `left out: ${each.why}`;
        cards.get(each.id).classList.add(each.counted ? "counted" : "left-out");
      }
      outcome.textContent = counted === answered.length ? `All ${counted} were answered.` : `${counted} of ${answered.length} were answered; the others say why not.`;
      outcome.classList.toggle("good", counted === answered.length);
    } catch (error) {
      outcome.textContent = `${error.message} ${error.next || ""}`;
      buttons.forEach((button) => { button.disabled = false; });
      (error.code === "no_reason" ? form.elements.reason : form.elements.typed)?.focus();
    }
  });
});
