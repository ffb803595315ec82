"use strict";
/* Comes in with the key behind the "#": it is taken from the address at once, used to sign, and forgotten. */

document.addEventListener("DOMContentLoaded", async () => {
  const place = document.getElementById("login");
  const step = document.getElementById("step");
  const seed = location.hash.slice(1);
  if (!seed) return;
  history.replaceState(null, "", location.pathname + location.search);
  const say = (text) => { if (step) step.textContent = text; else Twokey.tell(text); };
  try {
    say("Coming in…");
    const link = await Keys.fromSeed(seed);
    const own = await Keys.made();
    const offered = await Twokey.send("/login/offer", { pass_key: link.public, key: own.public });
    const opening = JSON.parse(offered.opening);
    if (opening.type !== "twokey/console-session/v1" || opening.key !== own.public) throw new Error("The console offered something else.");
    const entered = await Twokey.send("/login/open", {
      session: offered.session,
      signature: await Keys.sign(link.key, offered.opening),
      possession: await Keys.sign(own.key, offered.opening),
      next: place.dataset.next,
    });
    await Keys.keep(own.key);
    location.replace(entered.next);
  } catch (error) {
    say(`${error.message} ${error.next || "Make a new link with twokey login NAME --link."}`);
  }
});
