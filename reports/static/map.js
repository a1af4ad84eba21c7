/*
 * Draws the table of countries as a map of the world. The table is the truth and stays readable by itself; what the map can't
 * show (places too small for it) is said below it.
 */
(() => {
  "use strict";
  const WIDTH = 640;
  const HEIGHT = 320;
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

  function shade() {
    if (!paths) return;
    const found = places();
    const missing = [];
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
    const svg = document.querySelector("#map-canvas svg");
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
    const projection = d3.geoEqualEarth().fitExtent([[2, 2], [WIDTH - 2, HEIGHT - 2]], { type: "FeatureCollection", features: countries });
    const shape = d3.geoPath(projection);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute("role", "img");
    paths = new Map();
    for (const country of countries) {
      const path = document.createElementNS(SVG, "path");
      const title = document.createElementNS(SVG, "title");
      path.setAttribute("d", shape(country));
      path.append(title);
      svg.append(path);
      if (country.id) paths.set(country.id, { path, title, name: country.properties.name });
    }
    canvas.replaceChildren(svg);
    canvas.dataset.drawn = "";
    shade();
  }

  document.addEventListener("outcry:drawn", draw);
  draw();
})();
