/*
 * The report form, a little quicker: regions and what others report appear without loading the page again, and what is typed
 * is counted. Everything works without this file.
 */
(() => {
  "use strict";
  const form = document.getElementById("report-form");
  if (!form) return;

  const update = document.getElementById("update");
  if (update) update.hidden = true;

  const text = document.getElementById("id_text");
  const counter = document.getElementById("text-counter");
  const max = Number(text.dataset.max);
  const characters = (n) => `${n.toLocaleString("en")} character${n === 1 ? "" : "s"}`;
  const count = () => {
    const n = [...text.value].length;
    const left = max - n;
    if (n < max * 0.8) {
      counter.textContent = `At most ${characters(max)}`;
    } else {
      counter.textContent = left >= 0 ? `${characters(left)} left` : `${characters(-left)} too many`;
    }
    counter.classList.toggle("over", left < 0);
  };
  text.addEventListener("input", count);
  count();

  // Ask the server for the same form with what is chosen now, and take over the parts that depend on it.
  let asked = 0;
  const refresh = async () => {
    const mine = ++asked;
    const chosen = new FormData(form);
    const query = new URLSearchParams();
    for (const name of ["service", "country"]) query.set(name, chosen.get(name) || "");
    try {
      const answer = await fetch(`${window.location.pathname}?${query}`, { headers: { Accept: "text/html" } });
      if (!answer.ok || mine !== asked) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const before = new FormData(form);
      const focused = document.activeElement?.id; // the reporter may be at work in a part that is replaced
      for (const id of ["symptom-choices", "subdivision-field"]) {
        const fresh = page.getElementById(id), shown = document.getElementById(id);
        if (!fresh || fresh.textContent === shown.textContent) continue;
        shown.replaceChildren(...document.adoptNode(fresh).childNodes);
      }
      const symptom = document.getElementById(`id_symptom_${before.get("symptom")}`);
      if (symptom) symptom.checked = true;
      const region = document.getElementById("id_subdivision");
      const wanted = before.get("subdivision") || "";
      if (region && [...region.options].some((option) => option.value === wanted)) region.value = wanted;
      if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
    } catch {
      if (update) update.hidden = false; // the network failed: the button still asks again
    }
  };
  for (const id of ["id_service", "id_country"]) {
    const element = document.getElementById(id);
    if (element) element.addEventListener("change", refresh);
  }

  // While somebody floods a service each report is asked for a moment's work (proof.js), which tells a browser from a
  // machine gun. Whatever goes wrong here, the form is sent: the server takes it all the same.
  const work = async () => {
    const chosen = new FormData(form);
    try {
      const query = new URLSearchParams({ service: chosen.get("service") || "" });
      const answer = await fetch(`${form.dataset.challenge}?${query}`, { signal: AbortSignal.timeout(3000) });
      if (answer.status === 200) form.elements.altcha.value = await window.outcryProof.solve(await answer.json());
    } catch {
      form.elements.altcha.value = "";
    }
  };

  // Sent twice is one report anyway; this only shows that it is on its way.
  const send = document.getElementById("send");
  let isSending = false;
  form.addEventListener("submit", (event) => {
    if (update && event.submitter === update) return;
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    send.textContent = "Sending…";
    work().then(() => HTMLFormElement.prototype.submit.call(form));
  });
  window.addEventListener("pageshow", () => {
    isSending = false;
    form.elements.altcha.value = ""; // a proof counts once
    send.textContent = "Send report";
  });
})();
