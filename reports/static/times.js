/* Times are written in UTC by the server; a `<time data-local>` is shown again in the reader's own zone, the UTC one on hover. */
(() => {
  "use strict";
  const now = new Date();
  for (const element of document.querySelectorAll("time[data-local]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const isToday = moment.toDateString() === now.toDateString();
    const clock = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
    const shape = isToday && element.dataset.local !== "date" ? clock : { day: "numeric", month: "short", ...clock };
    element.title = element.textContent.trim();
    element.textContent = new Intl.DateTimeFormat(navigator.language, shape).format(moment);
  }
})();
