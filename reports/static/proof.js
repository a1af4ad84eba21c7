/*
 * Proof of work in ALTCHA's format (version 1): find the number whose SHA-256 with the salt is the challenge.
 * In plain JavaScript, for browsers offer their own SHA-256 to encrypted pages only, and one by one it is slower.
 * Every few thousand tries the page gets its turn, so that it stays usable.
 */
(() => {
  "use strict";
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
  const START = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));
  const words = new Int32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));

  const sha256 = (text) => {
    const bytes = new TextEncoder().encode(text);
    const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6);
    padded.set(bytes);
    padded[bytes.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 4, bytes.length * 8);
    const state = Int32Array.from(START);
    for (let block = 0; block < padded.length; block += 64) {
      for (let i = 0; i < 16; i++) words[i] = view.getInt32(block + 4 * i);
      for (let i = 16; i < 64; i++) {
        const x = words[i - 15], y = words[i - 2];
        words[i] = (words[i - 16] + words[i - 7] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10))) | 0;
      }
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i++) {
        const t = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + words[i]) | 0;
        const u = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + t) | 0; d = c; c = b; b = a; a = (t + u) | 0;
      }
      [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] = (state[i] + word) | 0; });
    }
    return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  };

  const solve = async (asked) => {
    const began = Date.now();
    for (let number = 0; number <= asked.maxnumber; number++) {
      if (sha256(asked.salt + number) === asked.challenge) {
        const { algorithm, challenge, salt, signature } = asked;
        return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature, took: Date.now() - began }));
      }
      if (number % 2000 === 1999) await new Promise((resolve) => setTimeout(resolve));
    }
    throw new Error("No number fits the challenge.");
  };

  globalThis.outcryProof = { sha256, solve };
})();
