"use strict";

// The data of the run. They are scripts that give a value to a name, because a page that is opened from the disk may load nothing else.
// Each is loaded when it is needed first. Numbers are integers in small units, and null where there is none.

const loading = new Map();

function load(name) {
  if (!loading.has(name)) {
    const promise = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `explore/${name}.js`;
      const failed = () => reject(new Error(`explore/${name}.js cannot be read`));
      script.onerror = failed;
      script.onload = () => {
        const value = window.relrvData?.[name];
        if (!value) return failed();
        delete window.relrvData[name];
        script.remove();
        resolve(value);
      };
      document.head.append(script);
    });
    loading.set(name, promise);
    promise.catch(() => loading.delete(name));
  }
  return loading.get(name);
}

const pieceName = (word, number) => `${word}-${String(number).padStart(5, "0")}`;

// Copies a list of integers in small units into a column, from a place on.
function fill(column, from, list, unit) {
  for (let i = 0; i < list.length; i++) column[from + i] = list[i] === null ? NaN : list[i] * unit;
}

const KM_S = 1e-4;
const DEG = 1e-5;
const DAY = 1e-5;
const FROM_D = 2400000;

const STAR_NUMBERS = {
  ra: DEG, dec: DEG, exposures: 1, verdict: 1, flags: 1,
  p_r: 1, p_b: 1, quiet_r: 1, quiet_b: 1, scatter_r: KM_S, scatter_b: KM_S,
  period: 1, fap: 1, amp: KM_S,
};

// Loads the list of stars; `told` hears of each further part from the beginning that is there.
async function loadStars(index, told) {
  const n = index.stars;
  const stars = { n: 0, name: new Array(n), other: new Array(n), why: new Array(n) };
  for (const key of Object.keys(STAR_NUMBERS)) stars[key] = new Float64Array(n);
  let from = 0;
  for (let k = 0; k < index.star_pieces; k++) {
    const name = pieceName("stars", k);
    const piece = await load(name);
    loading.delete(name);
    for (let i = 0; i < piece.n; i++) {
      stars.name[from + i] = piece.name[i];
      stars.other[from + i] = piece.other[i];
      stars.why[from + i] = piece.why[i];
    }
    for (const [key, unit] of Object.entries(STAR_NUMBERS)) fill(stars[key], from, piece[key], unit);
    from += piece.n;
    stars.n = from;
    told(stars);
  }
  return stars;
}

// At most so many pieces of curves are kept.
const KEPT = 40;
const kept = [];

async function curvePiece(number) {
  const name = pieceName("curves", number);
  const at = kept.indexOf(name);
  if (at >= 0) kept.splice(at, 1);
  kept.push(name);
  while (kept.length > KEPT) loading.delete(kept.shift());
  const piece = await load(name);
  if (!piece.from) {
    // Where the rows of each star begin.
    piece.from = [0];
    for (const n of piece.n) piece.from.push(piece.from.at(-1) + n);
  }
  return piece;
}

// The velocities of a star, by time.
async function loadCurve(index, star) {
  let number = index.curve_starts.length - 1;
  while (index.curve_starts[number] > star) number--;
  const piece = await curvePiece(number);
  const from = piece.from[star - piece.first];
  const to = piece.from[star - piece.first + 1];
  const plateOf = (row) => {
    let k = piece.plates.length - 2;
    while (piece.plates[k] > row) k -= 2;
    return piece.plates[k + 1];
  };
  const rows = [];
  for (let row = from; row < to; row++) {
    const arm = (letter) => ({
      rv: piece[`rv_${letter}`][row] === null ? NaN : piece[`rv_${letter}`][row] * KM_S,
      err: piece[`err_${letter}`][row] === null ? NaN : piece[`err_${letter}`][row] * KM_S,
      flags: piece[`flags_${letter}`][row],
    });
    rows.push({
      t: piece.t[row] === null ? NaN : piece.t[row] * DAY,
      lmjm: piece.lmjm[row], obsid: piece.obsid[row], plate: plateOf(row), spid: piece.spid[row], fibre: piece.fibre[row],
      arms: [arm("r"), arm("b")],
    });
  }
  return rows.sort((a, b) => a.t - b.t || a.lmjm - b.lmjm);
}

// The stars of an observation, by its number as it was typed; each piece of these is read when a number of it is asked for.
async function starsOfObsid(index, typed) {
  const obsid = BigInt(typed);
  let number = index.obsid_starts.length - 1;
  while (number >= 0 && BigInt(index.obsid_starts[number]) > obsid) number--;
  const found = new Set();
  if (number < 0) return found;
  const name = pieceName("obsids", number);
  const piece = await load(name);
  loading.delete(name);
  for (let at = piece.obsid.indexOf(String(obsid)); at >= 0 && piece.obsid[at] === String(obsid); at++) found.add(piece.star[at]);
  return found;
}

const EXPOSURE_NUMBERS = { zp: KM_S, err: KM_S, slope: KM_S, bend: KM_S, constants: 1, component: 1 };

// Loads all exposures with their zero points.
async function loadExposures(index) {
  const all = { n: 0, plate: [], spid: [], lmjm: [], group: [], groups: [] };
  for (const key of Object.keys(EXPOSURE_NUMBERS)) for (const arm of "rb") all[`${key}_${arm}`] = [];
  for (let k = 0; k < index.exposure_pieces; k++) {
    const piece = await load(pieceName("exposures", k));
    piece.n.forEach((n, g) => {
      let last = 0;
      all.groups.push(piece.stars[g].map((step) => (last += step)));
      for (let i = 0; i < n; i++) {
        all.plate.push(piece.plate[g]);
        all.spid.push(piece.spid[g]);
        all.group.push(all.groups.length - 1);
      }
    });
    const from = all.n;
    fill(all.lmjm, from, piece.lmjm, 1);
    for (const [key, unit] of Object.entries(EXPOSURE_NUMBERS)) {
      for (const arm of "rb") fill(all[`${key}_${arm}`], from, piece[`${key}_${arm}`], unit);
    }
    all.n = all.lmjm.length;
  }
  return all;
}
