"use strict";
/* Turns the kill switch: signs the order where the session signs, after looking at what it says. */

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("freeze");
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const outcome = document.getElementById("outcome");
    const { turn, signs } = form.dataset;
    const fields = { turn, reason: form.elements.reason.value.trim() };
    try {
      if (signs === "yes") {
        const own = await Keys.own();
        if (!own) throw Object.assign(new Error("This browser no longer holds the key it made."), { next: "Leave, and come in with a new link." });
        const { order } = await Twokey.send("/freeze/order", fields);
        const said = JSON.parse(order);
        if (said.type !== "twokey/order/v1" || said.order !== `freeze_${turn}` || said.principal !== document.body.dataset.principal) throw new Error("The console asked to sign something else.");
        fields.order = order;
        fields.signature = await Keys.sign(own, order);
      }
      await Twokey.send("/freeze", fields);
      location.reload();
    } catch (error) {
      outcome.textContent = `${error.message} ${error.next || ""}`;
    }
  });
});
