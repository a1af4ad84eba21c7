/*
 * The report widget: a button and a dialog that bring the report form to any site.
 *   <script src="https://outcry.example/widget.js" data-service="mail" async></script>
 * No cookies, no storage, nothing from third parties. Elements are made one by one and styles are constructed, so a site's
 * policy needs no more than `script-src https://outcry.example; connect-src https://outcry.example`. Below 10,000 bytes.
 */
(() => {
  "use strict";
  const script = document.currentScript;
  const given = script ? script.dataset : {};
  if (!given.service) {
    console.warn("Outcry's widget: name the service, such as data-service=\"mail\".");
    return;
  }
  const base = new URL(".", script.src);
  const api = new URL(`widget/${encodeURIComponent(given.service)}`, base).href;

  const WORDS = {
    en: {
      open: "Report a problem", title: "What isn't working?", symptom: "What do you see?", choose: "Choose…",
      text: "What happened?", hint: "A few words are enough. Please no passwords or personal details.",
      country: "Where are you?", unsaid: "I'd rather not say", send: "Send report", sending: "Sending…", close: "Close",
      say: "Pick what you see, or say in a few words what is wrong.",
      away: "We couldn't store your report just now. Please send it again in a few seconds.",
      gone: "Problems with this service can't be reported here.",
      thanks: "Thank you. Your report counts.", receipt: "See what becomes of it",
    },
    de: {
      open: "Problem melden", title: "Was funktioniert nicht?", symptom: "Was sehen Sie?", choose: "Bitte wählen …",
      text: "Was ist passiert?", hint: "Ein paar Worte genügen. Bitte keine Passwörter oder persönlichen Daten.",
      country: "Wo sind Sie?", unsaid: "Keine Angabe", send: "Meldung senden", sending: "Wird gesendet …", close: "Schließen",
      say: "Wählen Sie aus, was Sie sehen, oder beschreiben Sie es kurz.",
      away: "Das konnten wir gerade nicht speichern. Bitte senden Sie es gleich noch einmal.",
      gone: "Zu diesem Dienst kann hier nichts gemeldet werden.",
      thanks: "Danke. Ihre Meldung zählt.", receipt: "Verfolgen, wie es weitergeht",
      down: "Nichts geht", login: "Anmelden geht nicht", slow: "Langsam", errors: "Fehlermeldungen",
      connection: "Keine Verbindung", payment: "Bezahlen geht nicht", data: "Daten falsch oder weg",
      app: "App stürzt ab", other: "Etwas anderes",
    },
  };
  const asked = (given.lang || document.documentElement.lang || navigator.language || "").toLowerCase().split("-")[0];
  const lang = asked in WORDS ? asked : "en";
  const words = WORDS[lang];

  const STYLE = `
:host { all: initial !important; --c: #b3261e; --ink: #fff; --paper: #fff; --text: #1b1b1f; --line: #75757d }
@media (prefers-color-scheme: dark) { :host { --paper: #1e1e22; --text: #f3f3f5; --line: #92929c } }
* { box-sizing: border-box; font: 1rem/1.4 system-ui, sans-serif }
button { padding: .6em 1.1em; border: 0; border-radius: 2em; background: var(--c); color: var(--ink); cursor: pointer }
:focus-visible { outline: 3px solid var(--text); outline-offset: 2px }
.open { position: fixed; z-index: 9999999; bottom: 1rem; right: 1rem }
.left { right: auto; left: 1rem }
dialog { width: min(26rem, 100vw - 2rem); max-height: calc(100dvh - 2rem); padding: 1.2rem; border: 1px solid var(--line);
  border-radius: .75rem; background: var(--paper); color: var(--text); color-scheme: light dark }
h2 { margin: 0 2.5rem 0 0; font-size: 1.25rem; font-weight: 600 }
.x { position: absolute; top: .6rem; right: .6rem; width: 2.75rem; height: 2.75rem; padding: 0; background: none; color: inherit }
label { display: block; margin: .9rem 0 .25rem; font-weight: 600 }
select, textarea { width: 100%; padding: .5rem; border: 1px solid var(--line); background: var(--paper); color: inherit }
p { margin: .6rem 0 } a { color: inherit } form button { margin-top: .9rem }
.wrong:not(:empty) { padding-inline-start: .7rem; border-inline-start: 4px solid var(--c) }
.trap { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }`;

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    element.append(...children);
    return element;
  };
  const ask = (address, options) =>
    fetch(address, { credentials: "omit", referrerPolicy: "no-referrer", ...options });

  const host = make("outcry-widget", { lang });
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];

  const symptom = make("select", { id: "symptom", autofocus: "" }, new Option(words.choose, ""));
  const text = make("textarea", { id: "text", rows: 4, maxlength: 4000, "aria-describedby": "hint wrong" });
  const country = make("select", { id: "country" }, new Option(words.unsaid, ""));
  const trap = make("input", { id: "reference", tabindex: -1, autocomplete: "off" });
  const wrong = make("p", { class: "wrong", id: "wrong", role: "alert" });
  const send = make("button", {}, words.send);
  const form = make("form", { novalidate: "" },
    make("label", { for: "symptom" }, words.symptom), symptom,
    make("label", { for: "text" }, words.text), text, make("p", { id: "hint" }, words.hint),
    make("label", { for: "country" }, words.country), country,
    make("div", { class: "trap", "aria-hidden": "true" }, trap),
    wrong, send);
  const content = make("div", {}, form);
  const cross = make("button", { class: "x", type: "button", "aria-label": words.close }, "×");
  const dialog = make("dialog", { "aria-labelledby": "title" }, make("h2", { id: "title" }, words.title), content, cross);
  const button = make("button", { class: given.position === "left" ? "open left" : "open", "aria-haspopup": "dialog" },
    given.label || words.open);
  root.append(button, dialog);

  // Asked once for each report: its name (`nonce`) makes one of a report that is sent twice.
  let known = null;
  const learn = async () => {
    if (known) return known;
    const answer = await ask(api);
    if (!answer.ok) throw answer;
    known = await answer.json();
    const regions = new Intl.DisplayNames(lang, { type: "region" });
    const fill = (select, options) => {
      select.length = 1;
      select.append(...options.map(([value, label]) => new Option(label, value)));
    };
    fill(symptom, known.symptoms.map(([value, label]) => [value, words[value] || label]));
    fill(country, known.countries.map((code) => [code, regions.of(code)]).sort((a, b) => a[1].localeCompare(b[1], lang)));
    country.value = known.country;
    return known;
  };

  // While somebody floods a service a moment's work is asked for. If that fails, the report is sent all the same.
  const work = async () => {
    try {
      const answer = await ask(`${api}/challenge`, { signal: AbortSignal.timeout(3000) });
      if (answer.status !== 200) return "";
      await import(known.proof);
      return await globalThis.outcryProof.solve(await answer.json());
    } catch {
      return "";
    }
  };

  const thank = (address) => {
    const link = make("a", { href: address, target: "_blank", rel: "noopener" }, words.receipt);
    content.replaceChildren(make("p", { role: "status" }, words.thanks), make("p", {}, link));
    link.focus();
    form.reset();
    known = null;
  };

  const deliver = async () => {
    if (!text.value.trim() && !symptom.value) {
      text.focus();
      return words.say;
    }
    try {
      const { nonce, mark } = await learn();
      const body = new URLSearchParams({
        symptom: symptom.value, text: text.value, country: country.value, reference: trap.value, nonce, mark, altcha: await work(),
      });
      const answer = await ask(api, { method: "POST", body });
      if (!answer.ok && answer.status !== 422) throw answer;
      const told = await answer.json();
      if (!answer.ok) return told.errors.join(" ");
      thank(told.receipt_url);
      return "";
    } catch (problem) {
      return problem.status === 403 || problem.status === 404 ? words.gone : words.away;
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (send.textContent === words.sending) return;
    send.textContent = words.sending; // not `disabled`, which would take the focus away
    wrong.textContent = "";
    wrong.textContent = await deliver();
    send.textContent = words.send;
  });
  button.addEventListener("click", () => {
    if (!form.isConnected) content.replaceChildren(form);
    wrong.textContent = "";
    dialog.showModal();
    learn().catch(() => {}); // told when it is sent
  });
  cross.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => button.focus());
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the site's own shortcuts are not meant
    if (event.key !== "Tab") return;
    const stops = [...dialog.querySelectorAll("select, textarea, a, button")];
    const last = stops.at(-1);
    if (root.activeElement === (event.shiftKey ? stops[0] : last)) {
      event.preventDefault();
      (event.shiftKey ? last : stops[0]).focus();
    }
  });

  const start = () => {
    document.body.append(host);
    const colour = given.colour || given.color;
    if (!colour || !CSS.supports("color", colour)) return;
    sheet.insertRule(`:host { --c: ${colour} !important; }`, sheet.cssRules.length);
    const [r, g, b] = (getComputedStyle(button).backgroundColor.match(/\d+/g) || []).map((n) => (n / 255) ** 2.2);
    if (0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18) sheet.insertRule(":host { --ink: #000; }", sheet.cssRules.length);
  };
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
