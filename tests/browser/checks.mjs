// A list of checks, each with its name, and a browser that tells what a page did.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// playwright-core lies where npm was told to put it.
const { chromium } = createRequire(pathToFileURL(`${process.env.BROWSER_TEST_MODULES}/`))("playwright-core");

let failed = 0;

export async function check(name, work) {
  try {
    const told = await work();
    console.log(`ok    ${name}${told ? `: ${told}` : ""}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n${error.stack.replace(/^/gm, "      ")}`);
  }
}

export const nFailed = () => failed;

export async function open() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // In a container the sandbox of the browser has nothing to stand on. Names of hosts lead nowhere.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"],
  });
  return browser;
}

// A page of a report, and lists of what it said and asked for.
export async function visit(browser, report, name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, offline: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const heard = { said: [], asked: [] };
  page.on("console", (message) => heard.said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => heard.said.push(`error: ${error.stack}`));
  page.on("dialog", (dialog) => {
    heard.said.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => heard.asked.push(request.url()));
  const folder = pathToFileURL(`${report}/`).href;
  await page.goto(folder + name);
  // Nothing was said, and nothing asked for but what lies in the report's folder.
  heard.nothingWrong = () => {
    assert.deepEqual(heard.said, []);
    // A blob is what the page itself has made.
    assert.deepEqual(heard.asked.filter((url) => !url.startsWith(folder) && !url.startsWith("blob:null/")), []);
  };
  return { page, heard };
}

// What the rows of a table in sight have in a column, from the top.
export async function column(page, table, heading) {
  return page.locator(table).evaluate((place, heading) => {
    const heads = [...place.querySelectorAll("thead th")].map((head) => head.textContent);
    const k = heads.indexOf(heading);
    if (k < 0) throw new Error(`no column ${heading} among ${heads}`);
    return [...place.querySelectorAll("tbody tr[data-at]")].map((row) => row.children[k].textContent);
  }, heading);
}

// Numbers as the page writes them; what is missing is NaN.
export const numbers = (texts) => texts.map((text) => parseFloat(text.replace("\u2212", "-").replace("e\u2212", "e-").replace("\u202f", "")));

export const heading = (page, table, name) => page.locator(`${table} thead`).getByRole("button", { name, exact: true });

// How much of a canvas is of a colour of the style, in pixels.
export async function pixels(page, place, name) {
  return page.locator(`${place} canvas`).evaluate((canvas, name) => {
    const style = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(style.slice(at, at + 2), 16));
    // A copy, so that the browser has no reason to complain about the page's own canvas.
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let n = 0;
    for (let i = 0; i < data.length; i += 4) {
      n += Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12 && data[i + 3] > 200;
    }
    return n;
  }, name);
}
