
// The panel of one exposure: how far its stars are from their means, along the slit.

class ExposurePanel {
  constructor(index, stars, openStar) {
    Object.assign(this, { index, stars, shown: -1 });
    this.figure = new Figure(byId("slit"), byId("slit-says"), (point) => openStar(point.star));
    this.points = [];
    byId("constant").addEventListener("change", () => this.draw());
  }

  async show(all, i) {
    this.shown = i;
    const found = all.groups[all.group[i]];
    byId("exposure-panel").hidden = false;
    byId("exposure-name").textContent = `${dateOfMinute(all.lmjm[i])} UTC, plate ${all.plate[i]}, spectrograph ${all.spid[i]}`;
    byId("exposure-says").textContent = ["r", "b"]
      .map((arm, k) => `${ARM_NAMES[k]}: zero point ${fixed(all[`zp_${arm}`][i], 3)} \u00b1 ${fixed(all[`err_${arm}`][i], 3)} km/s from ${counted(all[`constants_${arm}`][i], "constant star")}`)
      .join("; ");
    const points = [];
    for (const star of found) {
      const rows = await loadCurve(this.index, star);
      if (this.shown !== i) return false;
      points.push(...this.residuals(star, rows, all, i));
    }
    this.points = points;
    this.draw();
    return true;
  }

  draw() {
    const constant = this.index.verdicts.indexOf("constant");
    const points = this.points.filter((point) => !byId("constant").checked || this.stars.verdict[point.star] === constant);
    this.figure.show(points, {
      x: "fibre",
      y: "velocity less its star\u2019s mean, km/s",
      hint: "Corrected velocities of this exposure; variable stars hollow. Point at one to read it, click it to see its star.",
    });
    byId("slit").setAttribute("aria-label", `Residuals of ${counted(points.length, "velocity", "velocities")} along the slit`);
  }

  residuals(star, rows, all, i) {
    const isOfThis = (row) => row.lmjm === all.lmjm[i] && row.plate === all.plate[i] && row.spid === all.spid[i];
    const points = [];
    for (const arm of [0, 1]) {
      // What has no corrected velocity has no residual.
      const isSound = (row) => Number.isFinite(row.arms[arm].rv) && !(row.arms[arm].flags & this.uncorrected());
      const middle = mean(rows.filter(isSound).map((row) => row.arms[arm]));
      for (const row of rows.filter((row) => isOfThis(row) && isSound(row))) {
        const { rv, err } = row.arms[arm];
        const value = `${ARM_NAMES[arm]}: ${fixed(rv - middle, 3)} \u00b1 ${fixed(err, 3)} km/s from its mean`;
        points.push({
          x: row.fibre, y: rv - middle, err, arm, star, isHollow: this.stars.verdict[star] === this.index.verdicts.indexOf("variable"),
          says: `${this.stars.name[star]}, fibre ${row.fibre}, ${value}`, tip: [this.stars.name[star], `fibre ${row.fibre}`, value],
        });
      }
    }
    return points;
  }

  uncorrected() {
    return this.index.flags.find(([, name]) => name === UNCORRECTED)[0];
  }
}
