"use strict";
/* Gives an answer: asks what is to be signed, looks whether it is what the page shows, signs it, and sends it. */

async function giveAnswer({ name, seen, digest, decision, signs, action, reason = "", typed = "" }) {
  const fields = { action, reason, seen, typed };
  if (signs) {
    const own = await Keys.own();
    if (!own) throw Object.assign(new Error("This browser no longer holds the key it made."), { next: "Leave, and come in with a new link." });
    const { statement } = await Twokey.send(`/p/${name}/statement`, fields);
    const said = JSON.parse(statement);
    const right = said.type === "twokey/statement/v1" && said.action === action && said.proposal === `p-${name}`
      && said.proposal_digest === digest && said.decision_digest === decision && said.principal === document.body.dataset.principal;
    if (!right) throw Object.assign(new Error("The console asked to sign something else than this page shows."), { next: "Do not answer here; tell who keeps the workspace." });
    fields.statement = statement;
    fields.signature = await Keys.sign(own, statement);
  }
  return Twokey.send(`/p/${name}/answer`, fields);
}
