
// The panel of one star: its names and verdict, its curve, and its velocities as a table.

const UNCORRECTED = "no_zero_point";
const DRIFT = "uncorrected: has the exposure\u2019s drift";

class StarPanel {
  constructor(index, stars) {
    Object.assign(this, { index, stars, star: -1, rows: [] });
    this.uncorrected = index.flags.find(([, name]) => name === UNCORRECTED)[0];
    // Of nothing wrong: which exposure is the reference, and that an arm was not measured.
    this.harmless = index.flags.filter(([, name]) => name === "reference").reduce((bits, [bit]) => bits | bit, 0);
    this.figure = new Figure(byId("curve"), byId("curve-says"));
    for (const id of ["fold", "centre", "unflagged"]) byId(id).addEventListener("change", () => this.draw());
    byId("curve-reset").addEventListener("click", () => this.figure.reset());
  }

  async show(star) {
    const { stars, index } = this;
    this.star = star;
    byId("star-name").textContent = stars.name[star];
    byId("star-other").textContent = stars.other[star];
    byId("star-place").textContent = `ra ${fixed(stars.ra[star], 5)}, dec ${fixed(stars.dec[star], 5)} deg`;
    byId("star-verdict").textContent = this.verdict(star);
    const hasPeriod = Number.isFinite(stars.period[star]);
    byId("fold").disabled = !hasPeriod;
    byId("fold-label").hidden = !hasPeriod;
    if (!hasPeriod) byId("fold").checked = false;
    byId("star-panel").hidden = false;
    const rows = await loadCurve(index, star);
    // Another star may have been asked for meanwhile.
    if (this.star !== star) return false;
    this.rows = rows;
    this.draw();
    this.list();
    return true;
  }

  verdict(star) {
    const { stars, index } = this;
    const said = [index.verdicts[stars.verdict[star]] + (stars.why[star] ? `: ${stars.why[star]}` : "")];
    ["r", "b"].forEach((letter, arm) => {
      const p = stars[`p_${letter}`][star];
      if (Number.isFinite(p)) said.push(`${ARM_NAMES[arm]}: p ${probability(p)}, scatter ${fixed(stars[`scatter_${letter}`][star], 3)} km/s`);
    });
    if (Number.isFinite(stars.period[star])) {
      said.push(`best period ${fixed(stars.period[star], 5)} d, half range ${fixed(stars.amp[star], 2)} km/s, by chance with probability ${probability(stars.fap[star])}`);
    }
    return said.join("; ");
  }

  // Points of the curve, as the boxes beside it say.
  points() {
    const period = byId("fold").checked ? this.stars.period[this.star] : NaN;
    const first = this.rows.find((row) => Number.isFinite(row.t))?.t ?? 0;
    const points = [];
    for (const arm of [0, 1]) {
      const seen = this.rows.filter((row) => Number.isFinite(row.arms[arm].rv));
      const plain = seen.filter((row) => !byId("unflagged").checked || !(row.arms[arm].flags & ~this.harmless));
      const middle = byId("centre").checked ? mean(plain.map((row) => row.arms[arm])) : 0;
      for (const row of plain) {
        const { rv, err, flags } = row.arms[arm];
        const x = Number.isFinite(period) ? (((row.t - first) / period) % 1 + 1) % 1 : row.t - this.from(first);
        points.push({ x, y: rv - middle, err, arm, isHollow: Boolean(flags & this.uncorrected), says: this.says(row, arm), tip: this.tip(row, arm) });
      }
    }
    return { points, first, period };
  }

  // Dates are shown from a round number of days on, so that the axis has short numbers.
  from(first) {
    return Math.floor(first / 1000) * 1000;
  }

  draw() {
    const { points, first, period } = this.points();
    const isCentred = byId("centre").checked;
    this.figure.show(points, {
      x: Number.isFinite(period) ? `phase of ${fixed(period, 5)} d` : `BJD (TDB) \u2212 ${FROM_D + this.from(first)}, d`,
      y: (isCentred ? "velocity less the arm\u2019s mean, km/s" : "velocity, km/s") + (points.length > 0 && points.every((point) => point.isHollow) ? ", uncorrected" : ""),
      hint: "Point at a velocity to read it, drag to zoom, double-click to see all. Keys: arrows, +, \u2212, 0.",
    });
    byId("curve").setAttribute("aria-label", `Velocities of ${this.stars.name[this.star]} against time, ${counted(points.length, "point")}`);
    const isHollow = points.some((point) => point.isHollow);
    byId("curve-note").textContent =
      (isHollow ? `Hollow: as measured, ${DRIFT}, because this has no zero point. ` : "") +
      (isCentred ? "" : "Each arm counts from a reference of its own.");
  }

  says(row, arm) {
    const { rv, err, flags } = row.arms[arm];
    const names = flagNames(this.index, flags);
    return (
      `${ARM_NAMES[arm]} ${fixed(rv, 3)} \u00b1 ${fixed(err, 3)} km/s${flags & this.uncorrected ? ` (${DRIFT})` : ""}; ` +
      `${dateOfMinute(row.lmjm)} UTC, BJD ${Number.isFinite(row.t) ? (FROM_D + row.t).toFixed(5) : NONE}; ` +
      `exposure ${row.lmjm}, plate ${row.plate}, spectrograph ${row.spid}, fibre ${row.fibre}, obsid ${row.obsid}` +
      (names.length > 0 ? `; flags: ${names.join(", ")}` : "")
    );
  }

  // The same in lines, with what each flag says.
  tip(row, arm) {
    const { rv, err, flags } = row.arms[arm];
    const set = this.index.flags.filter(([bit, name]) => bit & flags && name !== UNCORRECTED);
    return [
      `${ARM_NAMES[arm]} ${fixed(rv, 3)} \u00b1 ${fixed(err, 3)} km/s`,
      ...(flags & this.uncorrected ? [DRIFT] : []),
      `exposure ${row.lmjm}, ${dateOfMinute(row.lmjm)} UTC`,
      ...set.map(([, name, meaning]) => `${name.replaceAll("_", " ")}: ${meaning}`),
      ...(set.length === 0 ? ["no flags"] : []),
    ];
  }

  // The same as a table, for those who do not see the figure or want the numbers.
  list() {
    const velocity = ({ rv, err, flags }) => (Number.isFinite(rv) ? `${fixed(rv, 3)} \u00b1 ${fixed(err, 3)}${flags & this.uncorrected ? " uncorrected" : ""}` : NONE);
    const flags = (row) =>
      row.arms.map(({ flags }, arm) => (flags ? `${ARM_NAMES[arm]}: ${flagNames(this.index, flags).join(", ")}` : "")).filter(Boolean).join("; ");
    const rows = this.rows.map((row) =>
      make(
        "tr", {}, make("th", { scope: "row" }, Number.isFinite(row.t) ? (FROM_D + row.t).toFixed(5) : NONE),
        make("td", {}, velocity(row.arms[0])), make("td", {}, velocity(row.arms[1])),
        make("td", { class: "text" }, flags(row)), make("td", { class: "text" }, `${row.plate}, ${row.spid}-${row.fibre}`),
      ),
    );
    byId("velocities").replaceChildren(...rows);
  }
}

// Mean of velocities by their weights.
function mean(velocities) {
  let [sum, weights] = [0, 0];
  for (const { rv, err } of velocities) {
    const weight = err > 0 ? 1 / (err * err) : 0;
    sum += weight * rv;
    weights += weight;
  }
  return weights > 0 ? sum / weights : 0;
}
