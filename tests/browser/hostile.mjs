// The report of a run whose names are written by an enemy.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { check, visit } from "./checks.mjs";

// The script of the page of figures.
const OWN = readFileSync(new URL("../../src/report/png.js", import.meta.url), "utf8");

export async function hostile(browser, report, names) {
  for (const start of ["index.html", "stars.html"]) {
    const { page, heard } = await visit(browser, report, start);
    await page.waitForTimeout(300);
    if (start === "stars.html") {
      await check("names of an enemy are shown as they are, in every place", async () => {
        await page.waitForSelector("#stars tbody tr[data-at]");
        const shown = await page.locator("#stars tbody th").allTextContents();
        for (const name of names.stars) assert.ok(shown.includes(name), `${name} is not among ${shown.join("; ")}`);
        for (let at = 0; at < names.stars.length; at++) {
          await page.locator(`#stars tbody tr[data-at='${at}']`).click();
          await page.waitForSelector("#curve canvas, #curve p");
        }
        const row = page.locator("#stars tbody tr", { hasText: names.stars[0] });
        await row.click();
        await page.waitForFunction((name) => document.getElementById("star-name").textContent === name, names.stars[0]);
        assert.ok((await page.locator("#star-other").textContent()).includes(names.target), await page.locator("#star-other").textContent());
        await page.waitForTimeout(200);
        assert.ok((await page.locator("#velocities").textContent()).includes(names.plate));
        await page.reload();
        await page.waitForFunction((name) => document.getElementById("star-name").textContent === name, names.stars[0]);
        await page.locator("#search").fill(names.stars[0]);
        assert.equal(await page.locator("#stars tbody tr[data-at]").count(), 1);
        await page.locator("#search").fill("");
        await page.locator("input[value=exposures]").check();
        await page.locator("#exposures tbody tr[data-at='0']").click();
        await page.waitForFunction((plate) => document.getElementById("exposure-name").textContent.includes(plate), names.plate);
      });
    } else {
      await check("names of files of an enemy are shown as they are", async () => {
        assert.ok((await page.locator("body").textContent()).includes(names.file));
      });
    }
    await check(`nothing of theirs was done in ${start}`, async () => {
      assert.equal(await page.evaluate(() => window.pwned), undefined);
      assert.equal(await page.locator("img, iframe, object, embed").count(), 0);
      // The page of figures has one script, which saves them.
      const scripts = await page.locator("script:not([src])").allTextContents();
      assert.equal(scripts.length, start === "index.html" ? 1 : 0);
      assert.ok(scripts.every((text) => text === OWN));
      heard.nothingWrong();
    });
    await page.context().close();
  }
}
