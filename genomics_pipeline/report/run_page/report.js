// Makes the tables and pictures of the page searchable. All that users name is set as text, never as HTML.
(async () => {
  const ROW = 30, AROUND = 8, BINS = 48, FAR = 50;
  const $ = (id) => document.getElementById(id);
  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name in made && typeof value !== "string") made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  for (const code of document.querySelectorAll("code.command")) {
    const button = make("button", { type: "button", class: "copy", "aria-label": `Copy: ${code.textContent}` }, "copy");
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(code);
      try { await navigator.clipboard.writeText(code.textContent); } catch { document.execCommand("copy"); }
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
    code.after(" ", button);
  }

  const holder = $("data");
  if (!holder || typeof DecompressionStream === "undefined") return refresh.restorePlace();
  const packed = Uint8Array.from(atob(JSON.parse(holder.textContent)), (one) => one.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = await new Response(stream).json();
  const { names, metrics, states, stateNames } = data;
  const count = names.length;
  if (!count) return refresh.restorePlace();
  const reasons = new Map(data.reasons);
  for (const one of metrics) {
    if (one.codes) one.values = one.codes.map((code) => (code === null ? null : one.words[code]));
    one.verdicts = new Map([...one.warn.map((row) => [row, "warn"]), ...one.bad.map((row) => [row, "bad"])]);
  }
  const numeric = metrics.filter((one) => !one.codes);

  const number = (value, format) => {
    const percent = format.endsWith("%"), digits = format === "," ? 0 : Number(format.at(-2));
    const shown = percent ? value * 100 : value;
    const exact = format === "," && !Number.isInteger(shown) ? 6 : digits;
    const text = shown.toLocaleString("en-US", {
      minimumFractionDigits: digits, maximumFractionDigits: exact, useGrouping: format.startsWith(","),
    });
    return percent ? `${text}%` : text;
  };
  const shown = (one, row) => {
    const value = one.values[row];
    return value === null ? "–" : typeof value === "number" ? number(value, one.format) : String(value);
  };
  const heading = (one) => (one.unit ? `${one.title} (${one.unit})` : one.title);

  // The table: only the rows that can be seen are in the document.
  const view = { rows: [], sort: null, falling: false, all: false };
  const filter = { text: "", state: "", outstanding: false, key: "", least: null, greatest: null };
  const table = $("samples-table");
  const search = make("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false" });
  const state = make("select", { id: "state" }, make("option", { value: "" }, "any"));
  stateNames.forEach((name, place) => state.append(make("option", { value: String(place) }, name)));
  const only = make("input", { type: "checkbox", id: "only" });
  const all = make("input", { type: "checkbox", id: "all" });
  const metric = make("select", { id: "metric" }, make("option", { value: "" }, "any"));
  const groups = new Map();
  for (const one of numeric) {
    if (!groups.has(one.stage)) groups.set(one.stage, make("optgroup", { label: one.stage }));
    groups.get(one.stage).append(make("option", { value: one.key }, heading(one)));
  }
  metric.append(...groups.values());
  const least = make("input", { type: "text", inputmode: "decimal", id: "least", size: "8" });
  const greatest = make("input", { type: "text", inputmode: "decimal", id: "greatest", size: "8" });
  const reset = make("button", { type: "button" }, "Show all");
  const found = make("p", { role: "status", class: "note" });
  const label = (text, control) => make("label", { for: control.id }, text, control);
  const body = make("tbody"), head = make("tr");
  const grid = make("table", { class: "grid" }, make("caption", { class: "hidden" }, "Samples"),
    make("thead", {}, head), body);
  const port = make("div", { class: "port", tabindex: "0", role: "region", "aria-label": "Table of samples" }, grid);
  table.append(
    make("form", { class: "filters", role: "search", "aria-label": "Filters of samples" }, label("Search ", search), label("State ", state),
      label("Metric ", metric), label("from ", least), label("to ", greatest),
      make("span", {}, only, make("label", { for: "only" }, " only those that stand out")),
      make("span", {}, all, make("label", { for: "all" }, " all metrics")), reset),
    found, port);
  table.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  table.hidden = false;
  $("samples-static").classList.add("print-only");

  const columns = () => [
    { title: "sample", text: (row) => names[row], value: (row) => names[row] },
    { title: "state", text: (row) => stateNames[states[row]], value: (row) => states[row],
      tone: (row) => stateNames[states[row]] },
    ...metrics.filter((one) => view.all || one.table).map((one) => ({
      title: heading(one), key: one.key, number: !one.codes, text: (row) => shown(one, row),
      value: (row) => one.values[row], tone: (row) => one.verdicts.get(row) || "",
    })),
    { title: "why it stands out", text: (row) => (reasons.get(row) || []).join("; "),
      value: (row) => (reasons.has(row) ? -data.weights[row] : 0), wide: true },
  ];
  let shownColumns = [];

  function drawHead() {
    shownColumns = columns();
    head.replaceChildren(...shownColumns.map((column, place) => {
      const button = make("button", { type: "button" }, column.title);
      button.addEventListener("click", () => {
        view.falling = view.sort === column.title ? !view.falling : false;
        view.sort = column.title;
        drawHead();
        update();
        head.children[place].querySelector("button").focus();
      });
      const cell = make("th", { scope: "col", class: column.number ? "number" : "" }, button);
      cell.setAttribute("aria-sort", view.sort === column.title ? (view.falling ? "descending" : "ascending") : "none");
      return cell;
    }));
    grid.setAttribute("aria-colcount", String(shownColumns.length));
  }

  const collator = new Intl.Collator("en", { numeric: true });
  function compare(column) {
    const way = view.falling ? -1 : 1;
    return (one, two) => {
      const first = column.value(one), second = column.value(two);
      if (first === null || second === null) return (first === null) - (second === null) || one - two;
      const order = typeof first === "string" ? collator.compare(first, String(second)) : first - second;
      return way * order || one - two;
    };
  }

  function matches(row, words, ranged) {
    if (words && !names[row].toLowerCase().includes(words)) return false;
    if (filter.state !== "" && states[row] !== Number(filter.state)) return false;
    if (filter.outstanding && !reasons.has(row)) return false;
    if (!ranged) return true;
    const value = ranged.values[row];
    return value !== null && !(filter.least !== null && value < filter.least)
      && !(filter.greatest !== null && value > filter.greatest);
  }

  function update() {
    const words = filter.text.trim().toLowerCase();
    const ranged = numeric.find((one) => one.key === filter.key);
    view.rows = data.order.filter((row) => matches(row, words, ranged));
    const column = shownColumns.find((one) => one.title === view.sort);
    if (column) view.rows.sort(compare(column));
    const of = data.total === count ? "" : `; of the ${data.total.toLocaleString("en-US")} samples of the run, the worst are here`;
    found.textContent = `${view.rows.length.toLocaleString("en-US")} of ${count.toLocaleString("en-US")} samples${of}`;
    grid.setAttribute("aria-rowcount", String(view.rows.length + 1));
    port.scrollTop = 0;
    drawRows();
    mark(words && view.rows.length <= FAR ? view.rows : []);
  }

  function spacer(rows) {
    const cell = make("td", { colspan: String(shownColumns.length) });
    cell.style.height = `${rows * ROW}px`;
    return make("tr", { "aria-hidden": "true", class: "spacer" }, cell);
  }

  function drawRows() {
    const first = Math.max(0, Math.floor(port.scrollTop / ROW) - AROUND);
    const last = Math.min(view.rows.length, first + Math.ceil(port.clientHeight / ROW) + 2 * AROUND);
    body.replaceChildren(
      ...(first ? [spacer(first)] : []),
      ...view.rows.slice(first, last).map((row, place) => make("tr", { "aria-rowindex": String(first + place + 2) },
        ...shownColumns.map((column, index) => {
          const verdict = column.tone ? column.tone(row) : "";
          const word = verdict && column.key ? ` ${verdict}` : "";
          return make(index ? "td" : "th", { class: `${column.number ? "number" : ""} ${column.wide ? "wide" : ""} ${verdict}`,
            ...(index ? {} : { scope: "row" }) }, column.text(row) + word);
        }))),
      ...(last < view.rows.length ? [spacer(view.rows.length - last)] : []));
  }

  let waiting = false;
  port.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; drawRows(); });
  });

  const parsed = (text, one) => {
    const value = Number(text.replace(/[,%\s]/g, ""));
    return text.trim() === "" || Number.isNaN(value) ? null : one && one.format.endsWith("%") ? value / 100 : value;
  };
  function read() {
    const ranged = numeric.find((one) => one.key === metric.value);
    Object.assign(filter, { text: search.value, state: state.value, outstanding: only.checked, key: metric.value,
      least: parsed(least.value, ranged), greatest: parsed(greatest.value, ranged) });
    update();
  }
  for (const control of [search, state, metric, least, greatest, only]) control.addEventListener("input", read);
  all.addEventListener("input", () => { view.all = all.checked; drawHead(); update(); });
  reset.addEventListener("click", () => {
    for (const control of [search, state, metric, least, greatest]) control.value = "";
    only.checked = false;
    view.sort = null;
    drawHead();
    read();
  });
  function only_range(one, low, high) {
    const text = (value) => String(Number((value * (one.format.endsWith("%") ? 100 : 1)).toPrecision(6)));
    metric.value = one.key;
    least.value = text(low);
    greatest.value = text(high);
    Object.assign(filter, { key: one.key, least: low, greatest: high });
    update();
    $("samples").scrollIntoView();
    search.focus({ preventScroll: true });
  }
  function find(row) {
    search.value = names[row];
    read();
  }

  // Histograms: what a bar counts, the samples of a bar by a click, and where the samples that were searched lie.
  const tip = make("div", { class: "tip", hidden: true });
  document.body.append(tip);
  function say(event, text) {
    tip.hidden = !text;
    tip.textContent = text || "";
    tip.style.left = `${Math.min(event.clientX + 12, innerWidth - 220)}px`;
    tip.style.top = `${event.clientY + 14}px`;
  }
  const pictures = [];
  for (const figure of document.querySelectorAll("figure[data-key]")) {
    const one = numeric.find((each) => each.key === figure.dataset.key), svg = figure.querySelector("svg.histogram");
    if (!one || !svg || data.total !== count) continue;
    const values = one.values.filter((value) => value !== null);
    const low = values.reduce((a, b) => Math.min(a, b), Infinity), high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const width = (high - low) / BINS, counts = new Array(BINS).fill(0);
    const bin = (value) => Math.min(BINS - 1, Math.max(0, Math.floor((value - low) / width)));
    for (const value of values) counts[bin(value)] += 1;
    const place = (event) => {
      const box = svg.getBoundingClientRect();
      return Math.min(BINS - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * BINS)));
    };
    svg.addEventListener("pointermove", (event) => {
      const at = place(event), from = low + at * width;
      say(event, `${number(from, one.format)} to ${number(from + width, one.format)}: ${counts[at]} samples`);
    });
    svg.addEventListener("pointerleave", (event) => say(event, ""));
    svg.addEventListener("click", (event) => {
      const at = place(event);
      if (counts[at]) only_range(one, low + at * width, low + (at + 1) * width);
    });
    svg.classList.add("active");
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("class", "mark");
    svg.append(path);
    const box = svg.viewBox.baseVal;
    pictures.push((rows) => path.setAttribute("d", rows.filter((row) => one.values[row] !== null)
      .map((row) => `M${((one.values[row] - low) / (high - low) * box.width).toFixed(1)} 0V${box.height}`).join("")));
  }

  // One metric against another: a point for each sample.
  let drawPlot = () => {};
  const quality = $("quality");
  if (quality && numeric.length > 1) {
    const choice = (id, preferred) => {
      const select = make("select", { id });
      for (const [stage, group] of groups) {
        const copy = make("optgroup", { label: stage });
        for (const option of group.children) copy.append(make("option", { value: option.value }, option.textContent));
        select.append(copy);
      }
      select.value = preferred.key;
      return select;
    };
    const varying = numeric.filter((one) => new Set(names.map((_, row) => shown(one, row))).size > 2);
    const [first, second] = [varying[0] || numeric[0], varying[1] || numeric[1]];
    const x = choice("plot-x", first), y = choice("plot-y", second);
    const canvas = make("canvas", { class: "explorer", role: "img" });
    const figure = make("figure", { class: "no-print" }, make("figcaption", {}, make("h3", {}, "One metric against another"),
      make("p", { class: "note" }, "A click on a point searches for its sample; the table has the same numbers.")),
      make("p", { class: "filters" }, label("Across ", x), label("Up ", y)), canvas);
    quality.append(figure);
    let points = [];
    const colours = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    drawPlot = (marked = []) => {
      const [across, up] = [x, y].map((select) => numeric.find((one) => one.key === select.value));
      canvas.setAttribute("aria-label", `${heading(up)} against ${heading(across)}`);
      const scale = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
      canvas.width = width * scale;
      canvas.height = height * scale;
      const brush = canvas.getContext("2d");
      brush.scale(scale, scale);
      const rows = names.map((_, row) => row).filter((row) => across.values[row] !== null && up.values[row] !== null);
      const ends = (one) => rows.reduce(([a, b], row) => [Math.min(a, one.values[row]), Math.max(b, one.values[row])],
        [Infinity, -Infinity]);
      const [[left, right], [low, high]] = [ends(across), ends(up)];
      const at = (row) => [72 + (across.values[row] - left) / ((right - left) || 1) * (width - 92),
        height - 34 - (up.values[row] - low) / ((high - low) || 1) * (height - 54)];
      points = rows.map((row) => [row, ...at(row)]);
      brush.font = "12px system-ui, sans-serif";
      brush.fillStyle = colours("--faint");
      brush.strokeStyle = colours("--line");
      brush.strokeRect(64, 10, width - 76, height - 36);
      if (rows.length) {
        brush.fillText(number(left, across.format), 64, height - 8);
        const text = number(right, across.format);
        brush.fillText(text, width - 12 - brush.measureText(text).width, height - 8);
        brush.fillText(number(high, up.format), 2, 20);
        brush.fillText(number(low, up.format), 2, height - 28);
      }
      const paint = (chosen, colour, size) => {
        brush.fillStyle = colour;
        for (const [row, px, py] of points) {
          if (!chosen(row)) continue;
          brush.beginPath();
          brush.arc(px, py, size, 0, 7);
          brush.fill();
        }
      };
      const is_marked = new Set(marked);
      brush.globalAlpha = 0.55;
      paint((row) => !reasons.has(row) && !is_marked.has(row), colours("--bar"), 3);
      brush.globalAlpha = 0.9;
      paint((row) => reasons.has(row) && !is_marked.has(row), colours("--warn"), 3.5);
      paint((row) => is_marked.has(row), colours("--bad"), 6);
    };
    const nearest = (event) => {
      const box = canvas.getBoundingClientRect();
      const px = event.clientX - box.left, py = event.clientY - box.top;
      let best = null, least_distance = 144;
      for (const [row, ax, ay] of points) {
        const distance = (ax - px) ** 2 + (ay - py) ** 2;
        if (distance < least_distance) [best, least_distance] = [row, distance];
      }
      return best;
    };
    canvas.addEventListener("pointermove", (event) => {
      const row = nearest(event);
      say(event, row === null ? "" : names[row]);
    });
    canvas.addEventListener("pointerleave", (event) => say(event, ""));
    canvas.addEventListener("click", (event) => { const row = nearest(event); if (row !== null) find(row); });
    for (const select of [x, y]) select.addEventListener("input", () => drawPlot(view.marked));
    addEventListener("resize", () => { drawPlot(view.marked); drawRows(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawPlot(view.marked));
  }

  function mark(rows) {
    view.marked = rows;
    for (const picture of pictures) picture(rows);
    drawPlot(rows);
  }

  const kept = refresh.restoreControls();
  if (kept) Object.assign(view, kept.view, { all: all.checked });
  drawHead();
  if (kept) {
    read();
    Object.assign(filter, kept.filter);
  }
  update();
  refresh.keep(() => ({ view: { sort: view.sort, falling: view.falling }, filter }));
  refresh.restorePlace();
  document.documentElement.dataset.ready = "true";
})();
