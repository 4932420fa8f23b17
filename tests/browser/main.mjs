// Opens reports in a browser, from the disk, and does what a user does.
//
//   node main.mjs plate REPORT | hostile REPORT NAMES.json | survey REPORT
//
// Status: 0 all held, 1 something did not.

import { readFileSync } from "node:fs";
import { nFailed, open } from "./checks.mjs";
import { hostile } from "./hostile.mjs";
import { plate } from "./plate.mjs";
import { survey } from "./survey.mjs";

const [what, report, names] = process.argv.slice(2);
const browser = await open();
try {
  if (what === "plate") await plate(browser, report);
  else if (what === "hostile") await hostile(browser, report, JSON.parse(readFileSync(names, "utf8")));
  else if (what === "survey") await survey(browser, report);
  else throw new Error(`plate, hostile or survey, and not ${what}`);
} finally {
  await browser.close();
}
process.exitCode = nFailed() > 0 ? 1 : 0;
