"use strict";
/* The browser's own key: made here, never given away, asked to sign. One per session, kept by the browser. */

const Keys = (() => {
  const NAME = "twokey", STORE = "keys";
  const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const bytesOf = (text) => new TextEncoder().encode(text);

  function database() {
    return new Promise((resolve, reject) => {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
  }

  async function within(mode, act) {
    const opened = await database();
    try {
      return await new Promise((resolve, reject) => {
        const change = opened.transaction(STORE, mode);
        const asked = act(change.objectStore(STORE));
        change.oncomplete = () => resolve(asked.result);
        change.onerror = () => reject(change.error);
      });
    } finally {
      opened.close();
    }
  }

  /* From the seed behind the link's "#": RFC 8410 wraps the 32 bytes of a private key like this. */
  async function fromSeed(seed) {
    const raw = Uint8Array.from(atob(seed.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    if (raw.length !== 32) throw new Error("This link is not complete.");
    const head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    const key = await crypto.subtle.importKey("pkcs8", new Uint8Array([...head, ...raw]), "Ed25519", true, ["sign"]);
    const x = (await crypto.subtle.exportKey("jwk", key)).x;
    const open = Uint8Array.from(atob(x.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    return { key, public: `ed25519:${hex(open)}` };
  }

  async function made() {
    const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return { key: pair.privateKey, public: `ed25519:${hex(await crypto.subtle.exportKey("raw", pair.publicKey))}` };
  }

  return {
    fromSeed,
    made,
    sign: async (key, text) => hex(await crypto.subtle.sign("Ed25519", key, bytesOf(text))),
    keep: (key) => within("readwrite", (store) => store.put(key, "own")),
    own: () => within("readonly", (store) => store.get("own")),
    forget: () => within("readwrite", (store) => store.delete("own")),
  };
})();
