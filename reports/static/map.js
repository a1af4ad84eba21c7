/*
 * Draws the table of countries as a map of the world. The table is the truth and stays readable by itself; what the map can't
 * show (places too small for it) is said below it.
 */
(() => {
  "use strict";
  const WIDTH = 640;
  const HEIGHT = 320;
  const WORLD = `0 0 ${WIDTH} ${HEIGHT}`;
  const CLOSEST = 6; // the outlines are too coarse to be seen from nearer
  const LEAST_SEEN = 22; // a country smaller than this, on a map of WIDTH, gets a spot to be seen by
  const SVG = "http://www.w3.org/2000/svg";
  let paths = null; // by the numeric code of ISO 3166-1

  function places() {
    return [...document.querySelectorAll("table[data-places] tbody tr")].map((row) => {
      const [n, usual] = row.querySelectorAll("td");
      return {
        code: row.dataset.numeric,
        level: row.dataset.level,
        name: row.querySelector("th").textContent.trim(),
        words: `${n.textContent.trim()} reports, usual ${usual.textContent.trim()}`,
      };
    });
  }

  /* The part of the world that holds what is above usual, with room around it. */
  function around(found) {
    const boxes = found.filter((place) => place.level > 0 && paths.has(place.code)).map((place) => paths.get(place.code).path.getBBox());
    if (!boxes.length) return WORLD;
    const left = Math.min(...boxes.map((box) => box.x)), right = Math.max(...boxes.map((box) => box.x + box.width));
    const top = Math.min(...boxes.map((box) => box.y)), bottom = Math.max(...boxes.map((box) => box.y + box.height));
    const width = Math.min(WIDTH, Math.max(WIDTH / CLOSEST, (right - left) * 2, (bottom - top) * 2 * (WIDTH / HEIGHT)));
    const height = width * (HEIGHT / WIDTH);
    const x = Math.min(Math.max((left + right - width) / 2, 0), WIDTH - width);
    const y = Math.min(Math.max((top + bottom - height) / 2, 0), HEIGHT - height);
    return [x, y, width, height].map((n) => n.toFixed(1)).join(" ");
  }

  function spot(drawn, level, radius) {
    const circle = document.createElementNS(SVG, "circle");
    circle.setAttribute("class", `shade-${level}`);
    for (const [name, value] of [["cx", drawn.centre[0]], ["cy", drawn.centre[1]], ["r", radius]]) circle.setAttribute(name, value.toFixed(1));
    const title = document.createElementNS(SVG, "title");
    title.textContent = drawn.title.textContent;
    circle.append(title);
    return circle;
  }

  function shade() {
    if (!paths) return;
    const found = places();
    const missing = [];
    const svg = document.querySelector("#map-canvas svg");
    svg.querySelectorAll("circle").forEach((spot) => spot.remove());
    for (const { path, title, name } of paths.values()) {
      path.setAttribute("class", "shade-0");
      title.textContent = name;
    }
    for (const place of found) {
      const drawn = paths.get(place.code);
      if (!drawn) { missing.push(place.name); continue; }
      drawn.path.setAttribute("class", `shade-${place.level}`);
      drawn.title.textContent = `${place.name}: ${place.words}`;
    }
    svg.setAttribute("viewBox", svg.parentElement.dataset.zoom === undefined ? WORLD : around(found));
    const scale = svg.viewBox.baseVal.width / WIDTH;
    for (const place of found) {
      const drawn = paths.get(place.code);
      if (place.level > 0 && drawn && drawn.size < LEAST_SEEN * scale) svg.append(spot(drawn, place.level, LEAST_SEEN * scale * 0.5));
    }
    svg.setAttribute("aria-label", `World map of ${found.length} countries with reports; the table below has the figures`);
    const legend = document.getElementById("map-legend");
    legend.hidden = false;
    document.getElementById("map-missing").textContent = missing.length ? `Too small to be drawn: ${missing.join(", ")}.` : "";
  }

  async function draw() {
    const canvas = document.getElementById("map-canvas");
    if (!canvas || canvas.dataset.drawn !== undefined) return shade();
    let world;
    try {
      const response = await fetch(canvas.dataset.map);
      if (!response.ok) return;
      world = await response.json();
    } catch {
      return; // the table says it all
    }
    const countries = topojson.feature(world, world.objects.countries).features.filter((country) => country.id !== "010");
    const projection = d3.geoEqualEarth().rotate([-11, 0]).fitExtent([[2, 2], [WIDTH - 2, HEIGHT - 2]], { type: "FeatureCollection", features: countries });
    const shape = d3.geoPath(projection);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("role", "img");
    paths = new Map();
    for (const country of countries) {
      const path = document.createElementNS(SVG, "path");
      const title = document.createElementNS(SVG, "title");
      path.setAttribute("d", shape(country));
      path.append(title);
      svg.append(path);
      if (!country.id) continue;
      const [[left, top], [right, bottom]] = shape.bounds(country);
      const size = Math.max(right - left, bottom - top);
      paths.set(country.id, { path, title, name: country.properties.name, centre: shape.centroid(country), size });
    }
    canvas.replaceChildren(svg);
    canvas.dataset.drawn = "";
    shade();
  }

  document.addEventListener("outcry:drawn", draw);
  draw();
})();
