"use strict";
// Draws what Python has computed for the threshold that the slider stands at; it computes nothing itself.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const slider = byId("threshold");
  const margin = { left: 52, right: 14, top: 10, bottom: 44 };

  const svg = (parent, tag, attributes, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    parent.append(node);
    return node;
  };
  const scale = ([low, high], [from, to], logarithmic) => {
    const place = logarithmic ? Math.log : (x) => x;
    return (x) => from + ((place(x) - place(low)) / (place(high) - place(low))) * (to - from);
  };
  const path = (points) => points.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");

  function linearTicks([low, high], count) {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
    const ticks = [];
    for (let n = Math.ceil(low / step); n * step <= high * (1 + 1e-9); n++) ticks.push(+(n * step).toPrecision(6));
    return ticks;
  }
  function logTicks([low, high], count) {
    for (const factors of [[1, 2, 5], [1, 3], [1]]) {
      const ticks = [];
      for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k++)
        for (const m of factors) ticks.push(+(m * 10 ** k).toPrecision(3));
      const inside = ticks.filter((t) => t >= low && t <= high);
      if (inside.length <= count && inside.length > 1) return inside;
      if (factors.length === 1 && inside.length > 1) return inside.filter((_, n) => n % Math.ceil(inside.length / count) === 0);
    }
    return [low, high].map((t) => +t.toPrecision(2));
  }

  // Frame with axes; returns the scales and the clipped group that curves go into.
  function frame(box, label, x, y, logarithmic) {
    const width = Math.max(240, Math.floor(box.clientWidth)), height = Math.round(Math.min(320, 0.72 * width));
    box.replaceChildren();
    const root = svg(box, "svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    const [right, bottom] = [width - margin.right, height - margin.bottom];
    const across = scale(x.range, [margin.left, right], logarithmic);
    const up = scale(y.range, [bottom, margin.top], logarithmic);
    const ticks = logarithmic ? logTicks : linearTicks;
    for (const t of ticks(x.range, Math.floor(width / 55))) {
      svg(root, "path", { class: "grid", d: `M${across(t)} ${margin.top}V${bottom}` });
      svg(root, "text", { x: across(t), y: bottom + 16, "text-anchor": "middle" }, t);
    }
    for (const t of ticks(y.range, Math.floor(height / 30))) {
      svg(root, "path", { class: "grid", d: `M${margin.left} ${up(t)}H${right}` });
      svg(root, "text", { x: margin.left - 6, y: up(t) + 4, "text-anchor": "end" }, t);
    }
    svg(root, "text", { x: (margin.left + right) / 2, y: height - 8, "text-anchor": "middle" }, x.label);
    const middle = (margin.top + bottom) / 2;
    svg(root, "text", { x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }, y.label);
    const clip = svg(root, "clipPath", { id: `${box.id}-clip` });
    const size = { x: margin.left, y: margin.top, width: right - margin.left, height: bottom - margin.top };
    svg(clip, "rect", size);
    svg(root, "rect", { class: "axis", ...size });
    const inside = svg(root, "g", { "clip-path": `url(#${box.id}-clip)` });
    return { root, inside, across, up, bottom };
  }

  // Stretches of neighbouring points that all pass.
  function stretches(points, passes) {
    const found = [[]];
    for (const point of points) {
      if (passes(point)) found.at(-1).push(point);
      else if (found.at(-1).length) found.push([]);
    }
    return found.filter((stretch) => stretch.length);
  }
  function band(group, points, { across, up }, at, kind) {
    const edge = points.filter((p) => p.low !== null && p.high !== null);
    if (edge.length < 2) return;
    const there = edge.map((p) => [across(at(p)), up(p.high)]), back = edge.map((p) => [across(at(p)), up(p.low)]);
    svg(group, "path", { class: kind, d: path([...there, ...back.reverse()]) + "Z" });
  }

  function drawSurvival(box, position) {
    const { time, value, low, high } = position.survival;
    const points = time.map((t, n) => ({ t, value: value[n], low: low[n], high: high[n] })).filter((p) => p.value !== null);
    const label = `Fraction of unperturbed runs not there yet, threshold ${position.label}: ${points.at(-1).value.toPrecision(3)} at epoch ${points.at(-1).t}`;
    const axes = frame(box, label, { range: data.axes.time, label: "epoch" }, { range: [0, 1.02], label: "fraction of runs" }, false);
    const steps = points.flatMap((p, n) => (n ? [{ ...points[n - 1], t: p.t }, p] : [p]));
    band(axes.inside, steps, axes, (p) => p.t, "band");
    svg(axes.inside, "path", { class: "line", d: path(steps.map((p) => [axes.across(p.t), axes.up(p.value)])) });
  }

  function drawPredictions(box, name, position) {
    const found = position.predict[name];
    const label = found
      ? `${name}, threshold ${position.label}: predicted mean at its best period ${found.best.period}: ${found.best.mean === null ? "infinite" : found.best.mean.toPrecision(4) + " epochs"}`
      : `${name}: no prediction at threshold ${position.label}`;
    const axes = frame(box, label, { range: data.axes.period, label: "period (epochs)" }, { range: data.axes.mean, label: "mean time (epochs)" }, true);
    const { inside, across, up, bottom, root } = axes;
    if (!found) {
      svg(root, "text", { x: margin.left + 10, y: margin.top + 22 }, "No prediction at this threshold.");
      return;
    }
    const points = found.predictions.filter((p) => p.mean !== null), at = (p) => across(p.period);
    const valid = points.filter((p) => p.status === "valid");
    if (valid.length) svg(inside, "path", { class: "range", d: `M${at(valid[0])} ${margin.top}V${bottom}H${at(valid.at(-1))}V${margin.top}Z` });
    svg(inside, "path", { class: "marker", d: `M${across(found.measured_period)} ${margin.top}V${bottom}` });
    const line = (each, kind) => each.length && svg(inside, "path", { class: kind, d: path(each.map((p) => [at(p), up(p.mean)])) });
    line(points, "line dotted");
    for (const part of stretches(points, (p) => p.status !== "out_of_range")) {
      band(inside, part, axes, (p) => p.period, "band pale");
      line(part, "line dashed");
    }
    for (const part of stretches(points, (p) => p.status === "valid")) {
      band(inside, part, axes, (p) => p.period, "band");
      line(part, "line");
    }
    for (const m of found.measured) drawMeasured(inside, axes, m);
    if (found.best.mean !== null) {
      const [x, y] = [across(found.best.period), up(found.best.mean)];
      const diamond = svg(inside, "path", { class: "best", d: `M${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}L${x - 7} ${y}Z` });
      svg(diamond, "title", {}, `best period ${found.best.period}: ${found.best.mean.toPrecision(4)} epochs`);
    }
  }
  function drawMeasured(group, { across, up }, m) {
    const [x, y] = [across(m.period), up(m.mean)];
    if (m.low !== null && m.high !== null)
      svg(group, "path", { class: "error", d: `M${x} ${up(m.low)}V${up(m.high)}M${x - 3} ${up(m.low)}h6M${x - 3} ${up(m.high)}h6` });
    const dot = m.censored
      ? svg(group, "path", { class: "dot open", d: `M${x} ${y - 5}L${x + 5} ${y + 4}H${x - 5}Z` })
      : svg(group, "circle", { class: "dot", cx: x, cy: y, r: 4 });
    const bound = m.censored ? `at least ${m.mean.toPrecision(4)} epochs, ${m.censored} of ${m.runs} runs not there` : `${m.mean.toPrecision(4)} epochs in ${m.runs} runs`;
    svg(dot, "title", {}, `measured at period ${m.period}: ${bound}`);
  }

  function fill(table, rows, caption) {
    table.caption.textContent = caption;
    table.parentElement.setAttribute("aria-label", caption);
    const kinds = [...table.tHead.rows[0].cells].map((cell) => cell.className);
    table.tBodies[0].replaceChildren(...rows.map((row) => {
      const line = document.createElement("tr");
      line.append(...row.map((text, n) => {
        const cell = document.createElement(n ? "td" : "th");
        if (!n) cell.scope = "row";
        cell.className = kinds[n];
        cell.textContent = text;
        return cell;
      }));
      return line;
    }));
  }

  const boxes = ["Without perturbation: runs not there yet", ...data.perturbations].map((title, n) => {
    const panel = document.createElement("div"), heading = document.createElement("h3"), box = document.createElement("div");
    heading.textContent = title;
    box.id = `panel${n}`;
    panel.append(heading, box);
    byId("panels").append(panel);
    return box;
  });
  const current = () => data.positions[Number(slider.value)];
  function draw() {
    const position = current();
    drawSurvival(boxes[0], position);
    data.perturbations.forEach((name, n) => drawPredictions(boxes[n + 1], name, position));
  }
  function tell() {
    const position = current();
    byId("threshold-value").textContent = position.label;
    slider.setAttribute("aria-valuetext", `${data.metric} ${data.sign} ${position.label}`);
    byId("sentence").textContent = position.sentence;
    const ranked = position.possible ? `Ranking at threshold ${position.label}` : `No ranking is possible at threshold ${position.label}`;
    fill(byId("live-ranking"), position.rows, ranked);
    data.perturbations.forEach((name, n) => {
      const found = position.predict[name];
      fill(byId(`live-points${n}`), found ? found.rows : [], `${name} at threshold ${position.label}` + (found ? "" : ": no prediction"));
    });
  }

  byId("live").hidden = false;
  slider.value = data.chosen;
  slider.addEventListener("input", () => { tell(); draw(); });
  let width = 0;
  window.addEventListener("resize", () => {
    if (window.innerWidth !== width) { width = window.innerWidth; draw(); }
  });
  tell();
  draw();
})();
