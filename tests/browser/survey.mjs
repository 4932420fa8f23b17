// The explorer of a survey: how long it takes to open, how much memory it has, and whether it goes on being quick.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { check, heading, visit } from "./checks.mjs";

const OPENS_MS = 3000;
const MEMORY_MB = 500;
// What a user does is answered within this.
const ANSWERS_MS = 1000;

export async function survey(browser, report) {
  const index = readFileSync(`${report}/explore/index.js`, "utf8");
  const [stars, rows] = ["stars", "rows"].map((key) => Number(index.match(new RegExp(`"${key}":(\\d+)`))[1]));
  const told = `${stars} stars, ${rows} exposures of a star`;
  const began = performance.now();
  const { page, heard } = await visit(browser, report, "stars.html");
  const all = new RegExp(`^${String(stars).replace(/\B(?=(\d{3})+$)/g, "\u202f")} stars$`);
  await page.locator("#count", { hasText: all }).waitFor();
  const opened = performance.now() - began;
  await check(`a survey opens in ${OPENS_MS} ms`, () => {
    assert.ok(opened < OPENS_MS, `${opened} ms`);
    return `${told}: ${opened.toFixed(0)} ms`;
  });
  const answer = (name, act) =>
    check(`${name} within ${ANSWERS_MS} ms`, async () => {
      const began = performance.now();
      await act();
      const took = performance.now() - began;
      assert.ok(took < ANSWERS_MS, `${took} ms`);
      return `${took.toFixed(0)} ms`;
    });
  await answer("sorting", () => heading(page, "#stars", "scatter blue, km/s").click());
  await answer("searching", () => page.locator("#search").fill("99"));
  await page.locator("#search").fill("");
  await answer("the last row", async () => {
    await page.locator("#stars").focus();
    await page.keyboard.press("End");
    await page.locator(`#stars tr[data-at='${stars - 1}']`).waitFor();
  });
  await answer("a curve", async () => {
    await page.keyboard.press("Enter");
    await page.waitForSelector("#curve canvas");
  });
  await check("rows out of sight are no elements of the page", async () => {
    const n = await page.locator("#stars tbody tr").count();
    assert.ok(n < 200, String(n));
  });
  await answer("an exposure", async () => {
    await page.locator("input[value=exposures]").check();
    await page.locator("#exposures tbody tr[data-at='100']").waitFor({ state: "attached", timeout: 100 }).catch(() => {});
    await page.locator("#exposures tbody tr[data-at='3']").click();
    await page.waitForSelector("#slit canvas");
  });
  await check(`all that takes less than ${MEMORY_MB} MB`, async () => {
    const mb = await memory(browser);
    assert.ok(mb < MEMORY_MB, `${mb} MB`);
    return `${mb.toFixed(0)} MB in the process of the page`;
  });
  await check("no console message, and no request outside the folder, of a survey", () => heard.nothingWrong());
  await page.context().close();
}

// The memory of the largest process that draws pages, its share of what several have in common.
async function memory(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const shares = processInfo
    .filter(({ type }) => type === "renderer")
    .map(({ id }) => Number(readFileSync(`/proc/${id}/smaps_rollup`, "utf8").match(/^Pss:\s+(\d+) kB/m)[1]));
  return Math.max(...shares) / 1000;
}
