
// A figure of velocities with their errors: drawn by uPlot, with points, bars and what the pointer does of our own.
//
// A point is { x, y, err, arm, isHollow, says, tip }: when the pointer or the keys come to it, `says` is the line below the figure, and `tip` are the
// lines beside the point.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function drawBars(u, points, picked) {
  const ctx = u.ctx;
  const px = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  const colours = ARM_NAMES.map(colour);
  const paper = colour("paper");
  const place = (point) => [u.valToPos(point.x, "x", true), (y) => u.valToPos(y, "y", true)];
  // Bars first, so that no point is hidden by its neighbour's.
  ctx.lineWidth = 1.5 * px;
  for (const point of points) {
    if (!(point.err > 0)) continue;
    const [x, y] = place(point);
    const [top, bottom, cap] = [y(point.y + point.err), y(point.y - point.err), 4 * px];
    ctx.strokeStyle = colours[point.arm];
    ctx.beginPath();
    for (const end of [top, bottom]) {
      ctx.moveTo(x - cap, end);
      ctx.lineTo(x + cap, end);
    }
    ctx.moveTo(x, top);
    ctx.lineTo(x, bottom);
    ctx.stroke();
  }
  for (const point of points) {
    const [x, y] = place(point);
    ctx.beginPath();
    if (point.arm === 0) ctx.arc(x, y(point.y), 3.5 * px, 0, 2 * Math.PI);
    else ctx.rect(x - 3 * px, y(point.y) - 3 * px, 6 * px, 6 * px);
    ctx.fillStyle = point.isHollow ? paper : colours[point.arm];
    ctx.strokeStyle = colours[point.arm];
    ctx.fill();
    ctx.stroke();
  }
  if (picked) {
    const [x, y] = place(picked);
    ctx.beginPath();
    ctx.arc(x, y(picked.y), 8 * px, 0, 2 * Math.PI);
    ctx.strokeStyle = colour("ink");
    ctx.lineWidth = 2 * px;
    ctx.stroke();
  }
  ctx.restore();
}

// The point within so many pixels of the pointer that is nearest to it.
const NEAR = 30;
function nearest(u, points, left, top) {
  let [found, least] = [null, NEAR * NEAR];
  for (const point of points) {
    const [dx, dy] = [u.valToPos(point.x, "x") - left, u.valToPos(point.y, "y") - top];
    if (dx * dx + dy * dy < least) [found, least] = [point, dx * dx + dy * dy];
  }
  return found;
}

class Figure {
  // `chose` is told a point that was clicked.
  constructor(place, readout, chose = () => {}) {
    Object.assign(this, { place, readout, chose, points: [], picked: null, tip: make("div", { class: "tip", "aria-hidden": true, hidden: true }) });
    place.tabIndex = 0;
    place.addEventListener("keydown", (event) => this.key(event));
    place.addEventListener("pointerleave", () => this.pick(null));
    new ResizeObserver(() => this.resize()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.plot());
  }

  // Shows points; `axes` names the axes, and gives a line at y = 0 its place in `zero`.
  show(points, axes) {
    this.points = points.filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y)).sort((a, b) => a.x - b.x || a.arm - b.arm);
    this.axes = axes;
    this.picked = null;
    this.plot();
  }

  size() {
    const width = Math.max(200, this.place.clientWidth);
    return { width, height: Math.max(290, Math.min(460, Math.round(width * 0.55))) };
  }

  resize() {
    const { width, height } = this.size();
    if (this.u && (this.u.width !== width || this.u.height !== height)) this.u.setSize({ width, height });
  }

  plot() {
    this.u?.destroy();
    this.u = null;
    this.place.replaceChildren();
    if (!this.axes) return;
    if (this.points.length === 0) {
      this.place.append(make("p", { class: "note" }, "No velocity to show."));
      this.readout.textContent = "";
      return;
    }
    const err = (point) => (Number.isFinite(point.err) ? point.err : 0);
    const column = (value) => this.points.map(value);
    // The ends of the bars are columns of their own, so that the axis has room for them.
    const data = [column((p) => p.x), column((p) => p.y), column((p) => p.y - err(p)), column((p) => p.y + err(p))];
    const unseen = { paths: () => null, points: { show: false } };
    const axis = (label, size) => ({
      label, size, stroke: colour("ink"), labelSize: 22, font: "12px system-ui, sans-serif", labelFont: "13px system-ui, sans-serif",
      grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 5 },
    });
    const around = (share) => (u, least, most) => {
      const room = share * (most - least || Math.abs(most) * 1e-6 || 1);
      return [least - room, most + room];
    };
    const options = {
      ...this.size(),
      legend: { show: false },
      scales: { x: { time: false, range: around(0.05) }, y: { range: around(0.06) } },
      series: [{}, unseen, unseen, unseen],
      axes: [
        { ...axis(this.axes.x, 34), values: (u, splits) => splits.map(tick) },
        { ...axis(this.axes.y, 58), values: (u, splits) => splits.map(tick) },
      ],
      cursor: { drag: { x: true, y: true, uni: 30, dist: 6 }, points: { show: false }, x: false, y: false },
      hooks: {
        draw: [(u) => drawBars(u, this.points, this.picked)],
        setScale: [() => this.showTip()],
        setCursor: [(u) => u.cursor.left >= 0 && this.pick(nearest(u, this.points, u.cursor.left, u.cursor.top))],
        // uPlot scales the axes to all points on a double click; Escape does the same.
        ready: [(u) => u.over.addEventListener("click", () => this.picked && this.chose(this.picked))],
      },
    };
    this.u = new uPlot(options, data, this.place);
    this.place.append(this.tip);
    this.say();
  }

  pick(point) {
    if (point === this.picked) return;
    this.picked = point;
    this.u?.redraw(false, false);
    this.say();
  }

  say() {
    this.readout.textContent = this.picked ? this.picked.says : this.axes.hint;
    this.showTip();
  }

  // Puts the lines of the picked point beside it, on the side where there is room.
  showTip() {
    const { u, picked, tip, place } = this;
    const [x, y] = u && picked ? [u.valToPos(picked.x, "x"), u.valToPos(picked.y, "y")] : [NaN, NaN];
    const box = u?.over.getBoundingClientRect();
    tip.hidden = !(x >= 0 && y >= 0 && x <= box?.width && y <= box?.height);
    if (tip.hidden) return;
    tip.replaceChildren(...picked.tip.map((line) => make("div", {}, line)));
    const frame = place.getBoundingClientRect();
    const [left, top] = [box.left - frame.left + x, box.top - frame.top + y];
    const { width, height } = tip.getBoundingClientRect();
    const beside = left + 14 + width <= frame.width ? left + 14 : left - 14 - width;
    tip.style.left = `${Math.max(0, Math.min(frame.width - width, beside))}px`;
    tip.style.top = `${Math.max(0, Math.min(frame.height - height, top + 14 + height <= frame.height ? top + 14 : top - 14 - height))}px`;
  }

  reset() {
    this.u?.setData(this.u.data, true);
  }

  zoom(factor) {
    const { min, max } = this.u.scales.x;
    const middle = this.picked?.x ?? (min + max) / 2;
    this.u.setScale("x", { min: middle - (middle - min) * factor, max: middle + (max - middle) * factor });
  }

  key(event) {
    if (!this.u || event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.points.indexOf(this.picked);
    const last = this.points.length - 1;
    const go = { ArrowRight: Math.min(last, at + 1), ArrowLeft: at < 0 ? last : Math.max(0, at - 1), Home: 0, End: last };
    if (event.key in go) this.pick(this.points[go[event.key]]);
    else if (event.key === "+" || event.key === "=") this.zoom(0.5);
    else if (event.key === "-") this.zoom(2);
    else if (event.key === "0" || event.key === "Escape") this.reset();
    else if (event.key === "Enter" && this.picked) this.chose(this.picked);
    else return;
    event.preventDefault();
  }
}

const tick = (x) => minus(String(+x.toFixed(8)));
