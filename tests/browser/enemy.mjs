// Puts an enemy's names into the products of a run, as CSV, and into the headers of a plate's files.
//
//   node enemy.mjs files FOLDER            names the targets in the headers, and adds a file that is none
//   node enemy.mjs products RUN NAMES.json names two stars and the plate, and tells the names

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

const TARGET = "<img src=x onerror=window.pwned=1>";
const STARS = ["</script><script>window.pwned=1</script>", `"><svg onload='window.pwned=1'>\\"];window.pwned=1;//`];
const PLATE = "<iframe src=javascript:top.pwned=1>&lt;*/window.pwned=1";
const FILE = "med-58600-<img src=x onerror=window.pwned=1>_sp01-001.fits.gz";

function inHeaders(folder) {
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".fits.gz"))) {
    const bytes = gunzipSync(readFileSync(join(folder, name)));
    const at = bytes.subarray(0, 28800).indexOf("OBJNAME = '");
    if (at < 0) throw new Error(`${name} has no OBJNAME`);
    bytes.write(`OBJNAME = '${TARGET}'`.padEnd(80), at, "latin1");
    writeFileSync(join(folder, name), gzipSync(bytes));
  }
  writeFileSync(join(folder, FILE), "no spectra");
}

const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

function inProducts(run, names) {
  const read = (name) => readFileSync(join(run, `${name}.csv`), "utf8");
  const rows = read("catalogue").split("\n").slice(1);
  const old = [...new Set(rows.map((row) => row.split(",")[0]))].slice(0, STARS.length);
  const plate = rows[0].split(",")[4];
  for (const name of ["catalogue", "stars", "zeropoints"]) {
    let text = read(name);
    old.forEach((star, i) => (text = text.replaceAll(`${star},`, `${quoted(STARS[i])},`)));
    text = text.replaceAll(`${plate},`, `${quoted(PLATE)},`);
    writeFileSync(join(run, `${name}.csv`), text);
  }
  writeFileSync(names, JSON.stringify({ stars: STARS, target: TARGET, plate: PLATE, file: FILE }));
}

const [what, folder, names] = process.argv.slice(2);
if (what === "files") inHeaders(folder);
else inProducts(folder, names);
