/*
 * Draws the table of figures as a chart: reports as steps, the usual dashed, onset and suspicion as lines. The table stays.
 */
(() => {
  "use strict";
  const HEIGHT = 260;
  let chart = null;
  let colours = null;
  let clock = null;

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    colours = {
      observed: colour("--observed"), soft: colour("--observed-soft"), text: colour("--text"), muted: colour("--muted"),
      line: colour("--line"), bad: colour("--bad"), warn: colour("--warn"), ok: colour("--ok"),
    };
  }

  function figures() {
    const x = [], observed = [], expected = [];
    for (const row of document.querySelectorAll("#chart-figures tbody tr")) {
      const cells = row.querySelectorAll("td");
      const usual = Number.parseFloat(cells[2].textContent);
      x.push(Number(row.dataset.x));
      observed.push(Number(cells[1].textContent));
      expected.push(Number.isNaN(usual) ? null : usual);
    }
    return [x, observed, expected];
  }

  function pickClock(x) {
    const isLong = x.at(-1) - x[0] > 36 * 3600;
    const shape = isLong ? { day: "numeric", month: "short", hour: "2-digit" } : { hour: "2-digit", minute: "2-digit" };
    clock = new Intl.DateTimeFormat(navigator.language, shape);
  }

  /* Where the bar begins that holds a moment: a line within it would have the outage begin before its onset. */
  const barOf = (u, at) => u.data[0].findLast((start) => start <= at) ?? at;

  function marks(u) {
    const box = document.getElementById("chart-figures").dataset;
    for (const [at, colour, word] of [[box.onset, colours.bad, "onset"], [box.suspected, colours.warn, "suspected"], [box.ended, colours.ok, "end"]]) {
      if (!at) continue;
      const left = Math.round(u.valToPos(word === "onset" ? barOf(u, Number(at)) : Number(at), "x", true));
      const { top, height } = u.bbox;
      u.ctx.save();
      u.ctx.strokeStyle = u.ctx.fillStyle = colour;
      u.ctx.lineWidth = devicePixelRatio;
      u.ctx.beginPath();
      u.ctx.moveTo(left, top);
      u.ctx.lineTo(left, top + height);
      u.ctx.stroke();
      u.ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
      const toTheLeft = word === "onset" || left > u.bbox.left + u.bbox.width - 70 * devicePixelRatio;
      u.ctx.textAlign = toTheLeft ? "right" : "left";
      u.ctx.fillText(word, left + (toTheLeft ? -4 : 4) * devicePixelRatio, top + (toTheLeft && word !== "onset" ? 24 : 12) * devicePixelRatio);
      u.ctx.restore();
    }
  }

  function options(width) {
    const when = (u, ticks) => ticks.map((at) => clock.format(at * 1000));
    const axis = { stroke: colours.muted, grid: { stroke: colours.line, width: 1 }, ticks: { stroke: colours.line, width: 1 } };
    return {
      width, height: HEIGHT,
      scales: { y: { range: (u, least, most) => [0, Math.max(1, most * 1.1)] } },
      axes: [{ ...axis, space: 70, values: when }, { ...axis, size: 46, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] }],
      series: [
        { label: "From", value: (u, at) => (at === null ? "–" : clock.format(at * 1000)) },
        { label: "Reports", stroke: colours.observed, fill: colours.soft, width: 1.5, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
        { label: "Usual", stroke: colours.text, width: 1.5, dash: [6, 4], points: { show: false } },
      ],
      hooks: { draw: [marks] },
    };
  }

  function draw() {
    const box = document.getElementById("chart");
    const found = figures();
    if (!box || found[0].length < 2) return;
    if (chart && box.contains(chart.root)) return void chart.setData(found);
    readColours();
    pickClock(found[0]);
    box.replaceChildren();
    box.dataset.drawn = "";
    chart = new uPlot(options(box.clientWidth), found, box);
  }

  function redraw() {
    chart?.destroy();
    chart = null;
    draw();
  }

  draw();
  document.addEventListener("outcry:drawn", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  const box = document.getElementById("chart");
  if (box) new ResizeObserver(() => { if (chart && box.clientWidth) chart.setSize({ width: box.clientWidth, height: HEIGHT }); }).observe(box);
})();
